"""Does a motion have the score it was asked for? sim:0..100, read by two regressors fitted on simulator motions alone.

    python benchmarks/score_control.py [--model open] [--each 25] [--out docs/results/score-control]

The regressors are used nowhere else. Beside generated motions stand held-out simulated ones: their own error.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from common import SEED, clips, commit, exercises_of, to_the_right, values_of

from rehabmotion.data.captions import phrasings, render, with_side
from rehabmotion.data.prepare import prepared
from rehabmotion.metrics.intervals import interval
from rehabmotion.metrics.regressors import ScoreRegressors, score_figures
from rehabmotion.motion import EXERCISES, Motion, Score
from rehabmotion.workflows.api import load_model
from rehabmotion.workflows.generate import Ask, generate_each

SCALE = "sim"
DRAWS = 2000


def asks_of(exercises: list[str], each: int) -> list[tuple[str, Ask]]:
    """Return requests at scores spread evenly over the scale, with the phrasings and sides of each exercise in turn."""
    rng = np.random.default_rng(SEED)
    asked = []
    for exercise in exercises:
        texts, sides = phrasings(exercise)["name"], [s for s in EXERCISES[exercise].sides if s != "none"]
        for i, value in enumerate(rng.permutation(np.linspace(0, 100, each))):
            side = sides[i % len(sides)]
            text = with_side(render(texts[i % len(texts)], side), exercise, side)
            asked.append((exercise, Ask(text, Score(SCALE, round(float(value), 1)))))
    return asked


def figures_of(read: np.ndarray, truth: np.ndarray, exercise: np.ndarray) -> dict[str, Any]:
    """Return Spearman and mean absolute error over all and in each exercise; intervals by drawing motions again."""

    def one(rows: np.ndarray) -> dict[str, float]:
        return {k: round(v, 3) for k, v in score_figures(read[rows], truth[rows]).items() if k in ("mae", "spearman")}

    rng = np.random.default_rng(0)
    everything = np.arange(len(read))
    drawn = [score_figures(read[r], truth[r]) for r in rng.choice(everything, (DRAWS, len(read)))]
    ci = {k: [round(end, 3) for end in interval(np.array([d[k] for d in drawn]))] for k in ("mae", "spearman")}
    each = {str(name): one(np.flatnonzero(exercise == name)) for name in np.unique(exercise)}
    return {"n": len(read), **one(everything), "ci": ci, "each": each}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="open")
    parser.add_argument("--each", type=int, default=25)
    parser.add_argument("--out", type=Path, default=Path("docs/results/score-control"))
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    training, held_out = prepared("simulator:train"), prepared("simulator:val")
    exercises = sorted({str(m.meta["exercise"]) for m in training})
    judge = ScoreRegressors(SCALE).fit(
        clips(to_the_right(training)),
        exercises_of(training).tolist(),
        values_of(training, SCALE),
        [str(m.meta["subject"]) for m in training],
    )
    asked = asks_of(exercises, arguments.each)
    made = list(generate_each(model.network, model.provenance, [ask for _, ask in asked], SEED))
    meant = np.array([name for name, _ in asked])

    def read(motions: list[Motion], names: np.ndarray) -> dict[str, Any]:
        values = judge.predict(clips(to_the_right(motions)), names.tolist())
        return figures_of(values, values_of(motions, SCALE), names)

    figures = {
        "command": f"python benchmarks/score_control.py --model {arguments.model} --each {arguments.each}",
        "model": model.provenance.name,
        "commit": commit(),
        "generated": read(made, meant),
        "held_out": read(held_out, exercises_of(held_out)),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
