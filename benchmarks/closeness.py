"""How close does a model come to the people it was trained on, beside repetitions of theirs that it never saw?

    python benchmarks/closeness.py [--out docs/results/closeness] [--run runs/closeness] [--steps N]

Trains the shipped recipe once more without repetitions 9 and 10 of UI-PRMD's training people, asks that model for a
motion in place of each of those, and holds both against repetitions 1 to 8: features of the shipped evaluator. Other
people, s06 and s08, stand beside. An hour and more on 2 cores; a run that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import SEED, commit

from rehabmotion.data.prepare import prepared
from rehabmotion.metrics.diversity import acpd, acpd_draws, apd, pairwise
from rehabmotion.metrics.intervals import interval, pair_mean_draws, recentred, resampled
from rehabmotion.metrics.memorisation import copy_rate, nearest_distance
from rehabmotion.metrics.neighbours import nearest, prdc
from rehabmotion.metrics.warping import draw_pairs, wpd_pairs
from rehabmotion.motion import Motion
from rehabmotion.workflows.evaluation.asked import generated_side
from rehabmotion.workflows.evaluation.sides import Side
from rehabmotion.workflows.evaluation.views import View
from rehabmotion.workflows.models import open_evaluator
from rehabmotion.workflows.train import train_model

CORPORA = ("uiprmd", "mars", "cmu", "simulator")
LAST = 8  # of the repetitions that are learnt from
PAIRS = 2000
Figures = dict[str, tuple[float, tuple[float, float]]]


def repetitions_up_to_8(motion: Motion) -> bool:
    """Return whether the second model may learn from a clip."""
    return motion.meta["source"] != "uiprmd" or int(motion.meta["repetition"]) <= LAST


def trained(run: Path, steps: int | None, data_dir: Path | None) -> Path:
    """Return the run folder of the second model, trained there unless it is finished."""
    if not (run / "model.safetensors").exists():
        resume = (run / "run.json").exists()
        train_model(
            "diffusion",
            CORPORA,
            run,
            "base",
            steps,
            resume=resume,
            data_dir=data_dir,
            say=print,
            keep=repetitions_up_to_8,
        )
    return run


def near(view: View, known: View, others: float) -> Figures:
    """Return how near clips lie to the known ones; others: median distance to these of people never seen."""
    found = prdc(known.features, view.features)
    distance = nearest(view.features, known.features)
    copied = nearest_distance(view.aligned, known.aligned)
    mean: Callable[[np.ndarray], float] = np.mean
    return {
        "density": _figure(found.density, mean),
        "coverage": _figure(found.coverage, mean),
        "nn_ratio": _figure(distance, lambda d: float(np.median(d)) / others),
        "copies": _figure(copied, copy_rate),
    }


def spread(view: View) -> Figures:
    """Return how much clips differ: APD and ACPD of features, WPD/T inside exercises."""
    distances, counts = pairwise(view.features), resampled(range(len(view)), 1000, SEED)
    value = apd(view.features)
    inside = acpd(view.features, view.exercises)
    warping = wpd_pairs(view.sequences, draw_pairs(len(view), PAIRS, SEED, view.exercises))[1]
    return {
        "apd": (value, interval(recentred(pair_mean_draws(distances, counts), value))),
        "acpd": (inside, interval(recentred(acpd_draws(distances, view.exercises, counts), inside))),
        "wpd_per_frame": _figure(warping, lambda x: float(np.mean(x))),
    }


def _figure(each: np.ndarray, of: Callable[[np.ndarray], float]) -> tuple[float, tuple[float, float]]:
    """Return a figure of clips and its interval over clips drawn again."""
    rng = np.random.default_rng(SEED)
    draws = np.array([of(each[rng.integers(len(each), size=len(each))]) for _ in range(1000)])
    return float(of(each)), interval(draws)


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/closeness"))
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("docs/results/closeness"))
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    run = trained(arguments.run, arguments.steps, arguments.data_dir)
    evaluator = open_evaluator("evaluator")[0]
    people = prepared("uiprmd:train", arguments.data_dir)
    left_out_motions = tuple(m for m in people if not repetitions_up_to_8(m))
    known = View(Side("repetitions 1 to 8", tuple(m for m in people if repetitions_up_to_8(m))), evaluator)
    left_out = View(Side("repetitions 9 and 10", left_out_motions), evaluator)
    other = View(Side("s06 and s08", tuple(prepared("uiprmd:val", arguments.data_dir))), evaluator)
    views = {
        "left_out": left_out,
        "generated": View(generated_side(str(run), left_out.side, None, SEED)[0], evaluator),
        "other_people": other,
        "generated_like_other_people": View(generated_side(str(run), other.side, None, SEED)[0], evaluator),
    }
    others = float(np.median(nearest(other.features, known.features)))
    rows = {name: {**near(view, known, others), **spread(view)} for name, view in views.items()}
    rows["known"] = spread(known)
    against_others = {
        name: {k: v for k, v in near(views[name], other, others).items() if k in ("density", "coverage")}
        for name in ("left_out", "generated_like_other_people")
    }
    figures = {
        "command": "python benchmarks/closeness.py",
        "commit": commit(),
        "n": {name: len(view) for name, view in {**views, "known": known}.items()},
        "against repetitions 1 to 8": _rounded(rows),
        "against s06 and s08": _rounded(against_others),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def _rounded(rows: dict[str, Figures]) -> dict[str, dict[str, list[float]]]:
    return {
        name: {key: [round(x, 4) for x in (value, *ends)] for key, (value, ends) in row.items()}
        for name, row in rows.items()
    }


if __name__ == "__main__":
    main()
