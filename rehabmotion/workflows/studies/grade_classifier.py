"""Are grades told apart? The paper's LSTM on sets of motions, with three accuracies for each set.

within: trained on a part of the set and asked about the rest, as in the paper; it rewards any signature of a grade.
TRTS: trained on real motions, asked about the set. TSTR: trained on the set, asked about real held-out motions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.metrics.intervals import interval
from rehabmotion.metrics.judges import class_figures, confusion, majority
from rehabmotion.metrics.lstm import LstmJudge
from rehabmotion.metrics.shape import direction_clip
from rehabmotion.motion import Motion
from rehabmotion.motion.transforms import mirror

SHOWN = ("accuracy", "macro_f1", "balanced_accuracy")
KEPT = 0.7  # share of a set that is trained on, within it


@dataclass(frozen=True)
class Graded:
    """Clips (N, T, B, 3) of bone directions, done to the right, and the grade of each (N,)."""

    x: NDArray[np.float32]
    grade: NDArray[np.int64]


def graded(motions: Sequence[Motion], grades: Sequence[int]) -> Graded:
    """Return motions as clips with their grades."""
    turned = [mirror(m) if m.meta.get("side") == "left" else m for m in motions]
    return Graded(np.stack([direction_clip(m.positions) for m in turned]).astype(np.float32), np.array(grades))


def classified(
    sets: Mapping[str, Graded], training: Graded, held_out: Graded, epochs: int, n_draws: int, seed: int = 0
) -> dict[str, Any]:
    """Return, for each set and the real one ("original"), three rows of figures with intervals and confusions."""
    judge = _learnt(training, epochs, seed)
    rows: dict[str, Any] = {"original": {"TRTR": _asked(judge, held_out, n_draws)}}
    for name, one in {"original": training, **sets}.items():
        part, rest = _halves(one, seed)
        entry = rows.setdefault(name, {})
        entry["within"] = _asked(_learnt(part, epochs, seed), rest, n_draws)
        if name != "original":
            entry["TRTS"] = _asked(judge, one, n_draws)
            entry["TSTR"] = _asked(_learnt(one, epochs, seed), held_out, n_draws)
    answer = np.full(len(held_out.grade), majority(training.grade))
    rows["majority"] = {"TRTR": _figures(answer, held_out.grade, n_draws)}
    return rows


def _learnt(one: Graded, epochs: int, seed: int) -> LstmJudge:
    return LstmJudge(seed, epochs=epochs).fit(one.x, one.grade.tolist())


def _asked(judge: LstmJudge, one: Graded, n_draws: int) -> dict[str, Any]:
    return _figures(judge.predict(one.x), one.grade, n_draws)


def _figures(answers: NDArray[Any], truth: NDArray[Any], n_draws: int) -> dict[str, Any]:
    value = class_figures(answers, truth)
    rng = np.random.default_rng(0)
    drawn = [class_figures(answers[r], truth[r]) for r in rng.integers(len(truth), size=(n_draws, len(truth)))]
    classes, table = confusion(answers, truth)
    return {
        "n": len(truth),
        **{name: round(float(value[name]), 4) for name in SHOWN},
        "ci": {name: [round(end, 4) for end in interval(np.array([d[name] for d in drawn]))] for name in SHOWN},
        "confusion": {"grades": [int(c) for c in classes], "counts": table.tolist()},
    }


def _halves(one: Graded, seed: int) -> tuple[Graded, Graded]:
    """Return KEPT of each grade, and the rest."""
    rng, inside = np.random.default_rng(seed), np.zeros(len(one.grade), bool)
    for grade in np.unique(one.grade):
        rows = rng.permutation(np.flatnonzero(one.grade == grade))
        inside[rows[: round(KEPT * len(rows))]] = True
    return Graded(one.x[inside], one.grade[inside]), Graded(one.x[~inside], one.grade[~inside])
