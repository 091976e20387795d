"""Figures of a text-and-score model: python benchmarks/first_light.py [--model open] [--out docs/results/first-light].

Needs REHABMOTION_DATA (UI-PRMD) and the extra `judges`. Writes OUT.md and OUT.json; takes about ten minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    Judges,
    RealClips,
    asked_motions,
    bootstrap,
    clips,
    commit,
    exercises_of,
    to_the_right,
    unseen_descriptions,
)
from common import values_of as values
from grades import grade_figures

from rehabmotion.metrics.diversity import apd
from rehabmotion.metrics.judges import auc
from rehabmotion.metrics.memorisation import aligned_clip, copy_rate, nearest_distance
from rehabmotion.metrics.physical import bone_length_error, foot_slide, jerk
from rehabmotion.motion import Motion
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.workflows.api import Model, load_model


def judged(motions: list[Motion], judges: Judges, real: RealClips) -> dict[str, Any]:
    """Return how often the judge names the exercise asked for, and how well it tells uiprmd:0 from 1."""
    x, asked = clips(motions), np.array([m.meta["asked"] for m in motions])
    right = judges.exercise.predict(x) == asked
    groups: dict[tuple[str, str], list[float]] = {}
    for motion, ok in zip(motions, right, strict=True):
        groups.setdefault((motion.meta["asked"], motion.meta["description"]), []).append(float(ok))
    xv, ev, qv = clips(real.held_out), exercises_of(real.held_out), values(real.held_out, "uiprmd")
    quality = values(motions, "uiprmd")
    per_exercise = {}
    for name in UIPRMD:
        rows, real_rows = asked == name, ev == name
        judge = judges.quality[name]
        per_exercise[name] = {
            "exercise_right": float(right[rows].mean()),
            "auc": auc(judge.margin(x[rows]), quality[rows]),
            "auc_real": auc(judge.margin(xv[real_rows]), qv[real_rows]),
            "text_understood": float(
                np.mean([m.meta["exercise"] == name for m, r in zip(motions, rows, strict=True) if r])
            ),
        }
    ours = float(np.mean([row["auc"] for row in per_exercise.values()]))
    theirs = float(np.mean([row["auc_real"] for row in per_exercise.values()]))
    return {
        "n": len(motions),
        "exercise_right": float(right.mean()),
        "exercise_right_ci": bootstrap(list(groups.values())),
        "judge_on_held_out_people": float((judges.exercise.predict(xv) == ev).mean()),
        "quality_auc": ours,
        "quality_auc_real": theirs,
        "quality_auc_ratio": ours / theirs,
        "per_exercise": per_exercise,
    }


def physical(motions: list[Motion], real: RealClips) -> dict[str, Any]:
    """Return slide, jerk and bones of generated and real clips, and diversity inside each exercise and score."""

    def mean(of: list[Motion], what: Any) -> float:
        return float(np.mean([what(m) for m in of]))

    def slide(m: Motion) -> float:
        return foot_slide(m.positions)

    def smooth(m: Motion) -> float:
        return jerk(m.positions, m.fps)

    cells = {
        "generated": _apd_cells(motions),
        "held_out": _apd_cells(real.held_out),
        "training": _apd_cells(real.training),
    }
    means = {name: float(np.mean(list(table.values()))) for name, table in cells.items()}
    return {
        "bone_error_m": max(bone_length_error(m.positions) for m in motions),
        "foot_slide_mm": {"generated": mean(motions, slide), "held_out": mean(real.held_out, slide)},
        "jerk": {"generated": mean(motions, smooth), "held_out": mean(real.held_out, smooth)},
        "apd": means,
        "apd_ratio": {name: means["generated"] / means[name] for name in ("held_out", "training")},
        "apd_cells": {f"{a} {b}": {k: t[(a, b)] for k, t in cells.items()} for a, b in cells["held_out"]},
    }


def _apd_cells(motions: list[Motion]) -> dict[tuple[str, str], float]:
    x = clips(to_the_right(motions))
    exercise = np.array([m.meta.get("asked") or m.meta["exercise"] for m in motions])
    value = values(motions, "uiprmd")
    return {(n, f"uiprmd:{v}"): apd(x[(exercise == n) & (value == v)]) for n in UIPRMD for v in (0, 1)}


def copies(motions: list[Motion], real: RealClips) -> dict[str, float]:
    """Return the share of motions within 2 cm of a training clip, beside that of training people's own repetitions."""

    def aligned(of: list[Motion]) -> np.ndarray:
        return np.stack([aligned_clip(m.positions, 50) for m in to_the_right(of)])

    training = aligned(real.training)
    own = nearest_distance(training, training, skip_self=True)
    generated, held_out = (
        nearest_distance(aligned(motions), training),
        nearest_distance(aligned(real.held_out), training),
    )
    return {
        "generated": copy_rate(generated),
        "left_out_repetitions": copy_rate(own),
        "held_out_people": copy_rate(held_out),
        "median_m_generated": float(np.median(generated)),
        "median_m_left_out": float(np.median(own)),
        "median_m_held_out": float(np.median(held_out)),
    }


def blind_text(model: Model) -> dict[str, float]:
    """Return how many of another author's descriptions are understood, per exercise and over all."""
    table = tomllib.loads(Path(__file__).with_name("unseen_descriptions.toml").read_text(encoding="utf-8"))
    shares = {
        name: float(np.mean([u["exercise"] == name for u in model.network.text.understand(texts)]))
        for name, texts in table.items()
    }
    return {**shares, "all": float(np.mean(list(shares.values())))}


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="open")
    parser.add_argument("--out", type=Path, default=Path("docs/results/first-light"))
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    model, real = load_model(arguments.model), RealClips.load(arguments.data_dir)
    judges = Judges.fit(real)
    motions = asked_motions(model, {name: unseen_descriptions(name) for name in UIPRMD})
    figures = {
        "model": model.provenance.name,
        "commit": commit(),
        "judged": judged(motions, judges, real),
        "physical": physical(motions, real),
        "copies": copies(motions, real),
        "blind_text": blind_text(model),
        "grades": grade_figures(model),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
