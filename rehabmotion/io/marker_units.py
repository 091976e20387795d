"""Units of length in marker files, and whether the numbers can be what their header says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001}
WIDEST_M = 30.0
NARROWEST_M = 0.01


def expect_true_unit(positions: NDArray[np.float64], valid: NDArray[np.bool_], unit: str, where: str) -> None:
    """Raise UserError, beginning with `where`, if the numbers cannot be in the unit that the header states.

    positions (T, J, 3) in metres as the header has it, valid (T, J). Looked at is how far the markers of one frame
    spread: the longest side of the box around those seen, its median over the frames with two or more. One frame, not
    the whole file: a walk may be as long as the hall, and the median leaves out a ghost marker that comes and goes.

    A person spans up to 3 m, two people in a large hall 20 m. Taken for metres, the millimetres of a forearm span
    250 m and the centimetres of a body 170 m: beyond 30 m the unit is smaller than stated. Markers are a few
    millimetres wide and stand apart, so those of a hand still span 30 mm; the metres of a person taken for millimetres
    span 2 mm: below 10 mm, where the header says mm or cm, the unit is larger than stated. Markers that all lie at
    one place, and one marker alone, say nothing and pass.
    """
    frames = valid.sum(axis=1) >= 2
    if not frames.any():
        return
    x, seen = positions[frames], valid[frames][..., None]
    sides = np.where(seen, x, -np.inf).max(axis=1) - np.where(seen, x, np.inf).min(axis=1)
    spread = float(np.median(sides.max(axis=-1)))
    if not (spread > WIDEST_M or (unit != "m" and 0 < spread < NARROWEST_M)):
        return
    others = ", ".join(
        f"{spread / UNITS_M[unit] * scale:.3g} m as {other}" for other, scale in UNITS_M.items() if other != unit
    )
    raise UserError(
        f"{where}: Expected the markers of a person, {NARROWEST_M:g} to {WIDEST_M:g} m wide in a frame, got"
        f" {spread:.3g} m by the unit {unit}; it would be {others}. Write the true unit there, or remove stray markers."
    )
