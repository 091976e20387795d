"""Grades: a classifier fitted on simulator motions is asked about motions generated with fms:1..3."""

from __future__ import annotations

from typing import Any

import numpy as np
from common import SEED, clips, to_the_right, values_of

from rehabmotion.data.captions import phrasings, render, with_side
from rehabmotion.data.prepare import prepared
from rehabmotion.metrics.judges import Judge, class_figures
from rehabmotion.motion import Motion, Score
from rehabmotion.motion.exercises import FMS
from rehabmotion.workflows.api import Model, generate

PER_CELL = 20  # motions per movement and grade: 15 x 3 x 20 = 900


def fms_motions(model: Model) -> list[Motion]:
    """Return 900 motions: the 15 FMS movements x grades 1 to 3 x 20, asked for by phrasings of the name family."""
    motions = []
    for exercise, side in FMS:
        texts = [render(t, side) for t in phrasings(exercise)["name"]]
        for grade in (1, 2, 3):
            for i in range(PER_CELL // 4):
                text = texts[i % len(texts)]
                text = with_side(text, exercise, side)
                result = generate(model, text, Score("fms", grade), samples=4, seed=SEED + 100 * i + grade)
                motions += [m.but(meta={"asked": exercise, "asked_side": side}) for m in result.motions]
    return motions


def grade_figures(model: Model) -> dict[str, Any]:
    """Return macro-F1 on held-out simulator motions and on generated ones, and the mean grade read at each asked."""
    names = sorted({exercise for exercise, _ in FMS})
    training = [m for m in prepared("simulator:train") if m.meta["exercise"] in names and _graded(m)]
    held_out = [m for m in prepared("simulator:val") if m.meta["exercise"] in names and _graded(m)]
    generated = fms_motions(model)
    read: dict[str, list[np.ndarray]] = {"held_out": [], "generated": []}
    true: dict[str, list[np.ndarray]] = {"held_out": [], "generated": []}
    order: dict[str, list[float]] = {}
    for name in names:
        judge = Judge().fit(*_labelled(training, name))
        for kind, motions in (("held_out", held_out), ("generated", generated)):
            x, grades = _labelled(motions, name)
            read[kind].append(judge.predict(x))
            true[kind].append(grades)
        order[name] = [float(read["generated"][-1][true["generated"][-1] == g].mean()) for g in (1, 2, 3)]
    f1 = {kind: class_figures(np.concatenate(read[kind]), np.concatenate(true[kind]))["macro_f1"] for kind in read}
    return {
        "n": len(generated),
        "macro_f1": f1,
        "ratio": f1["generated"] / f1["held_out"],
        "mean_grade_read": order,
        "order_kept": {name: means[0] < means[1] < means[2] for name, means in order.items()},
    }


def _graded(motion: Motion) -> bool:
    return any(score.scale == "fms" for score in motion.scores)


def _labelled(motions: list[Motion], name: str) -> tuple[np.ndarray, np.ndarray]:
    chosen = [m for m in motions if (m.meta.get("asked") or m.meta["exercise"]) == name]
    return clips(to_the_right(chosen)), values_of(chosen, "fms")
