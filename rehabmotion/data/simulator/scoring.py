"""Strengths of compensations, the score they make, and the grade.

Score `sim` = 100 * (1 - sum(w * strength) / sum(w)) over the compensations that apply to the exercise, with the weights
below: linear, falling in every strength, 100 without any, 0 with all at full strength.

Grade `fms`, by the screen's own words (Cook 1998; Xing et al. 2022, table 4), alike for all exercises:

* 1, incomplete: reduced_range >= 0.60 (less than 6 tenths of the movement), or loss_of_balance >= 0.75;
* 3, complete without compensation: every strength <= 0.15;
* 2, complete with compensation: reduced_range <= 0.40, loss_of_balance <= 0.55, at least one strength >= 0.30.

What lies between belongs to no grade and is drawn again, so that the classes are apart. Example: a squat with
knee_valgus 0.5 and nothing else scores 100 * (1 - 0.5 * 0.20 / 1.30) = 92.3 and is graded 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rehabmotion.errors import UserError

WEIGHTS = {
    "reduced_range": 0.30,
    "knee_valgus": 0.20,
    "trunk_lean": 0.20,
    "asymmetry": 0.20,
    "tremor": 0.10,
    "slowness": 0.10,
    "loss_of_balance": 0.20,
}
INCOMPLETE_RANGE = 0.60
INCOMPLETE_BALANCE = 0.75
COMPLETE_RANGE = 0.40
COMPLETE_BALANCE = 0.55
CLEAR = 0.30  # a compensation a rater sees
CLEAN = 0.15  # below this, none

Strengths = dict[str, float]


def sim_score(strengths: Mapping[str, float]) -> float:
    """Return the score 0..100 of strengths, one for every compensation that applies (0 where absent)."""
    total = sum(WEIGHTS[name] for name in strengths)
    lost = sum(WEIGHTS[name] * value for name, value in strengths.items()) / total
    return min(100.0, max(0.0, 100.0 * (1.0 - lost)))


def fms_grade(strengths: Mapping[str, float]) -> int | None:
    """Return 1, 2 or 3, or None where the strengths lie between the grades."""
    reach, balance = strengths.get("reduced_range", 0.0), strengths.get("loss_of_balance", 0.0)
    worst = max(strengths.values())
    if reach >= INCOMPLETE_RANGE or balance >= INCOMPLETE_BALANCE:
        return 1
    if worst <= CLEAN:
        return 3
    if reach <= COMPLETE_RANGE and balance <= COMPLETE_BALANCE and worst >= CLEAR:
        return 2
    return None


def draw_strengths(
    names: Sequence[str], rng: np.random.Generator, score: float | None = None, grade: int | None = None
) -> Strengths:
    """Return strengths for the compensations `names` with the wanted score, grade, both, or neither.

    A score is met exactly; with neither it is uniform on 0..100, with a grade alone uniform over what that grade
    allows. A score and a grade that exclude each other raise UserError.
    """
    if score is not None and not (math.isfinite(score) and 0 <= score <= 100):
        raise UserError(f"Expected a score of 0 to 100, got {score}. It is the simulator's own scale, sim:0..100.")
    if grade is not None and grade not in (1, 2, 3):
        raise UserError(f"Expected grade 1, 2 or 3, got {grade}. Grade 0 means pain, which motion does not show.")
    weights = np.array([WEIGHTS[name] for name in names])
    if score is None and grade is None:
        score = rng.uniform(0, 100)
    ways = [_boxes(names, g) for g in ((grade,) if grade else (1, 2, 3))]
    missing = None
    if score is not None:
        missing = (1.0 - score / 100.0) * weights.sum()
        ways = [[b for b in boxes if weights @ b[0] - 1e-9 <= missing <= weights @ b[1] + 1e-9] for boxes in ways]
        ways = [boxes for boxes in ways if boxes]
        if not ways:
            raise UserError(f"Expected a score that goes with grade {grade}, got {score:g}. Change one of the two.")
    boxes = ways[rng.integers(len(ways))]
    low, high = boxes[rng.integers(len(boxes))]
    if missing is None:
        missing = rng.uniform(weights @ low, weights @ high)
    raw = rng.gamma(rng.choice([0.4, 1.0, 4.0]), size=len(names)) + 1e-3  # a few strong ones, or many weak
    poured = _fill(raw, weights * (high - low), missing - weights @ low)
    return dict(zip(names, np.clip(low + (high - low) * poured, 0.0, 1.0).tolist(), strict=True))


def _boxes(names: Sequence[str], grade: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the (lowest, highest) strengths that make up a grade: one box, or one for each way into it."""
    n = len(names)
    if grade == 3:
        return [(np.zeros(n), np.full(n, CLEAN))]
    high = np.ones(n)
    floors = {"reduced_range": INCOMPLETE_RANGE, "loss_of_balance": INCOMPLETE_BALANCE}
    if grade == 2:
        caps = {"reduced_range": COMPLETE_RANGE, "loss_of_balance": COMPLETE_BALANCE}
        high = np.array([caps.get(name, 1.0) for name in names])
        floors = dict.fromkeys(names, CLEAR)
    ways = [i for i, name in enumerate(names) if name in floors]
    return [(np.where(np.arange(n) == i, floors[names[i]], 0.0), high) for i in ways]


def _fill(raw: np.ndarray, weights: np.ndarray, total: float) -> np.ndarray:
    """Return s = min(1, k raw) with sum(weights * s) = total: water poured into vessels that fill up one by one."""
    full = np.zeros(len(raw), dtype=bool)
    for _ in raw:
        rest = max(total - weights[full].sum(), 0.0)
        factor = rest / max((weights * raw)[~full].sum(), 1e-12)
        over = ~full & (factor * raw >= 1.0)
        if not over.any():
            return np.where(full, 1.0, factor * raw)
        full |= over
    return np.ones(len(raw))


def check_strengths(given: Mapping[str, float], names: Sequence[str], exercise: str) -> Strengths:
    """Return strengths for all of `names`, those not given at 0; unknown names and values outside 0..1 are refused."""
    for name, value in given.items():
        if name not in names:
            raise UserError(f'Expected a compensation of {exercise}, got "{name}". Known: {", ".join(names)}.')
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise UserError(f"Expected a strength of 0 to 1 for {name}, got {value}.")
    return {name: float(given.get(name, 0.0)) for name in names}
