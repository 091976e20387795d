"""Ranges of angles over time, and how alike those of two sides are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OUTER = (2.0, 98.0)  # percentiles between which the range of motion lies: one jittered frame does not set it
STILL = 5.0  # degrees: where both sides hardly move, their ratio says nothing


def outer_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the low and the high end of the range of motion of an angle (T,)."""
    low, high = np.percentile(values, OUTER).tolist()
    return low, high


def symmetry_index(right: float, left: float) -> float | None:
    """Return (right - left) / their mean of two ranges in degrees, percent (Robinson et al. 1987); None if STILL."""
    mean = (right + left) / 2
    return 100 * (right - left) / mean if mean >= STILL else None
