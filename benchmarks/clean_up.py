"""What the clean-up changes: python benchmarks/clean_up.py [--model open] [--out docs/results/clean-up].

The motions of first_light.py (ten UI-PRMD exercises, unseen phrasings, default options, seed 20261), raw and cleaned
up, beside the real clips of UI-PRMD's training people, as they are and cleaned up. Needs REHABMOTION_DATA (UI-PRMD)
and the extra `judges`. Writes OUT.json and OUT.md; takes about five minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import SEED, Judges, RealClips, asked_motions, bootstrap, clips, commit, unseen_descriptions, values_of

from rehabmotion.metrics import physical
from rehabmotion.metrics.judges import auc
from rehabmotion.motion import Motion
from rehabmotion.motion.cleanup import clean_up
from rehabmotion.motion.cleanup.limits import exceeded_deg
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.motion.transforms import canonicalise

EXCEEDED_DEG = 1.0  # a range counts as violated beyond this


def violations(m: Motion) -> float:
    """Return the share of frames, %, in which some joint is outside its range."""
    excess = np.stack(list(exceeded_deg(m.positions, m.valid).values()))
    return 100.0 * float((excess > EXCEEDED_DEG).any(axis=0).mean())


FIGURES: dict[str, tuple[str, Callable[[Motion], float]]] = {
    "foot_slide": ("foot slide, mm/frame", lambda m: physical.foot_slide(m.positions, valid=m.valid)),
    "foot_skate": ("foot skate, % of frames", lambda m: 100 * physical.foot_skate(m.positions, m.fps, valid=m.valid)),
    "penetration": ("penetration, mm", lambda m: physical.penetration(m.positions, valid=m.valid)),
    "floating": ("lowest foot above the floor, mm", lambda m: physical.floating(m.positions, valid=m.valid)),
    "jerk": ("jerk, m/s3", lambda m: physical.jerk(m.positions, m.fps, m.valid)),
    "ldj": ("log dimensionless jerk", lambda m: physical.log_dimensionless_jerk(m.positions, m.fps, valid=m.valid)),
    "bone_error": ("bone length error, mm", lambda m: 1000 * physical.bone_length_error(m.positions, valid=m.valid)),
    "violations": ("frames outside a joint's range, %", violations),
}


def cleaned(motions: Sequence[Motion]) -> list[Motion]:
    """Return the motions as `generate` gives them out."""
    return [canonicalise(clean_up(m)[0]) for m in motions]


def measured(motions: Sequence[Motion], groups: Sequence[Hashable]) -> dict[str, Any]:
    """Return mean and 95 % interval of each figure; whole groups are drawn again."""
    found = {}
    for name, (_, of) in FIGURES.items():
        parts: dict[Hashable, list[float]] = {}
        for motion, group in zip(motions, groups, strict=True):
            parts.setdefault(group, []).append(of(motion))
        everything = [value for part in parts.values() for value in part]
        found[name] = {"mean": float(np.mean(everything)), "interval": bootstrap(list(parts.values()))}
    return found


def worst_jerk(before: Sequence[Motion], after: Sequence[Motion]) -> dict[str, float]:
    """Return the jerk after over that before, motion by motion: mean, 95th percentile, largest, share above 1.05."""
    ratio = np.array([FIGURES["jerk"][1](b) / FIGURES["jerk"][1](a) for a, b in zip(before, after, strict=True)])
    return {
        "mean": float(ratio.mean()),
        "percentile_95": float(np.percentile(ratio, 95)),
        "largest": float(ratio.max()),
        "worse_by_5_percent": float((ratio > 1.05).mean()),
    }


def recognised(motions: Sequence[Motion], judges: Judges) -> dict[str, Any]:
    """Return how often the judge names the exercise asked for, per exercise too, and the mean AUC of the quality."""
    x, asked, quality = clips(motions), np.array([m.meta["asked"] for m in motions]), values_of(motions, "uiprmd")
    right = judges.exercise.predict(x) == asked
    groups: dict[Hashable, list[float]] = {}
    for motion, ok in zip(motions, right, strict=True):
        groups.setdefault((motion.meta["asked"], motion.meta["description"]), []).append(float(ok))
    aucs = [auc(judges.quality[name].margin(x[asked == name]), quality[asked == name]) for name in UIPRMD]
    return {
        "right": float(right.mean()),
        "interval": bootstrap(list(groups.values())),
        "auc": float(np.mean(aucs)),
        "per_exercise": {name: float(right[asked == name].mean()) for name in UIPRMD},
    }


def milliseconds(motions: Sequence[Motion], frames: int) -> float:
    """Return the median processor time of one clean-up of `frames` frames, ms: motions repeated forth and back."""
    taken = []
    for m in motions:
        rows = np.abs((np.arange(frames) + m.n_frames - 1) % (2 * m.n_frames - 2) - m.n_frames + 1)
        longer = m.but(positions=m.positions[rows], valid=m.valid[rows])
        start = time.process_time()
        clean_up(longer)
        taken.append(time.process_time() - start)
    return 1000.0 * float(np.median(taken))


def again(motions: Sequence[Motion]) -> dict[str, float]:
    """Return how far joints go when what is clean is cleaned once more, mm: the mean and the largest, median motion."""
    gone = []
    for m in motions:
        once = clean_up(m)[0]
        gone.append(1000.0 * np.linalg.norm(clean_up(once)[0].positions - once.positions, axis=-1))
    return {
        "median_of_means": float(np.median([g.mean() for g in gone])),
        "median_of_largest": float(np.median([g.max() for g in gone])),
    }


def table(figures: dict[str, Any]) -> str:
    """Return the page."""
    columns = ("generated", "generated_cleaned", "real", "real_cleaned")
    lines = [
        "# What the clean-up changes",
        "",
        f"`python benchmarks/clean_up.py` (commit {figures['commit']}, seed {SEED}, {figures['hardware']}): the"
        f" {figures['n_generated']} motions of first_light.py",
        f"by `{figures['model']}`, raw and cleaned up (`rehabmotion.motion.cleanup`, default settings), beside the"
        f" {figures['n_real']} prepared clips of UI-PRMD's",
        "training people (Kinect), as they are and cleaned up. Means with 95 % intervals of 2,000 bootstrap draws:",
        "whole descriptions, and whole people within an exercise. Height counts from the 5th percentile of the feet.",
        "",
        "| figure | raw | cleaned up | real | real, cleaned up |",
        "|---|---|---|---|---|",
    ]
    for name, (title, _) in FIGURES.items():
        cells = []
        for column in columns:
            one = figures[column][name]
            low, high = one["interval"]
            digits = ".4f" if name == "bone_error" else ".2f"
            cells.append(f"{one['mean']:{digits}} [{low:{digits}}, {high:{digits}}]")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| judge fitted on | exercise right, raw | cleaned up | quality AUC, raw | cleaned up |",
        "|---|---|---|---|---|",
    ]
    for name, title in (("judged", "real clips"), ("judged_by_cleaned", "real clips, cleaned up")):
        raw, clean = figures[name]["raw"], figures[name]["cleaned"]
        spans = ["{:.3f} [{:.3f}, {:.3f}]".format(one["right"], *one["interval"]) for one in (raw, clean)]
        lines.append(f"| {title} | {spans[0]} | {spans[1]} | {raw['auc']:.3f} | {clean['auc']:.3f} |")
    lines += ["", "| exercise right (judge on real clips) | raw | cleaned up |", "|---|---|---|"]
    raw, clean = (figures["judged"][k]["per_exercise"] for k in ("raw", "cleaned"))
    lines += [f"| {name} | {raw[name]:.3f} | {clean[name]:.3f} |" for name in UIPRMD]
    lines += ["", "| cleaned up over raw | generated | real |", "|---|---|---|"]
    ratios = (figures["jerk_ratio"], figures["jerk_ratio_real"])
    for key, title in (("mean", "jerk, mean ratio"), ("percentile_95", "95th percentile"), ("largest", "largest")):
        lines.append(f"| {title} | " + " | ".join(f"{r[key]:.3f}" for r in ratios) + " |")
    lines.append("| motions worse by 5 % | " + " | ".join(f"{r['worse_by_5_percent']:.3f}" for r in ratios) + " |")
    once_more = (figures["again"], figures["again_real"])
    for key, title in (("median_of_means", "mean joint"), ("median_of_largest", "largest joint and frame")):
        cells = " | ".join(f"{a[key]:.2f}" for a in once_more)
        lines.append(f"| cleaned once more: {title}, mm (median motion) | {cells} |")
    lines += [
        "",
        f"Median processor time: {figures['ms_5_s']:.1f} ms for 5 s of motion, {figures['ms_60_s']:.1f} ms for 60 s.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    from rehabmotion.workflows.api import load_model

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="open")
    parser.add_argument("--out", type=Path, default=Path("docs/results/clean-up"))
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    model, real = load_model(arguments.model), RealClips.load(arguments.data_dir)
    raw = asked_motions(model, {name: unseen_descriptions(name) for name in UIPRMD}, raw=True)
    clean, real_clean = cleaned(raw), RealClips(cleaned(real.training), [])
    asked = [(m.meta["asked"], m.meta["description"]) for m in raw]
    people = [(m.meta["exercise"], m.meta["subject"]) for m in real.training]
    judges, judges_clean = Judges.fit(real), Judges.fit(real_clean)
    figures = {
        "model": model.provenance.name,
        "commit": commit(),
        "seed": SEED,
        "hardware": f"one core of {platform.processor() or platform.machine()}, Python {platform.python_version()}",
        "n_generated": len(raw),
        "n_real": len(real.training),
        "generated": measured(raw, asked),
        "generated_cleaned": measured(clean, asked),
        "real": measured(real.training, people),
        "real_cleaned": measured(real_clean.training, people),
        "jerk_ratio": worst_jerk(raw, clean),
        "jerk_ratio_real": worst_jerk(real.training, real_clean.training),
        "judged": {"raw": recognised(raw, judges), "cleaned": recognised(clean, judges)},
        "judged_by_cleaned": {"raw": recognised(raw, judges_clean), "cleaned": recognised(clean, judges_clean)},
        "again": again(raw[::8]),
        "again_real": again(real.training[::12]),
        "ms_5_s": milliseconds(raw[::8], 150),
        "ms_60_s": milliseconds(raw[::40], 1800),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    arguments.out.with_suffix(".md").write_text(table(figures), encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
