"""Points that touch the floor: how far they slide while they do, and the stretches of time in which they do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.signal import runs

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]


def horizontal_steps(x: Array) -> Array:
    """Return how far points x (T, ..., 3), y up, go sideways from each frame to the next: (T-1, ...), metres."""
    return np.linalg.norm(np.diff(x[..., [0, 2]], axis=0), axis=-1)


def mean_slide(steps: Array, contact: Mask) -> float:
    """Return the mean of `steps` (metres) over contact (both of any one shape), mm; no contact gives 0."""
    return float(1000.0 * steps[contact].mean()) if contact.any() else 0.0


def floor_of(heights: Array, seen: Mask) -> float:
    """Return the floor (m): the 5th percentile of heights (T, P) where they were seen; 0 where none was."""
    return float(np.percentile(heights[seen], 5)) if seen.any() else 0.0


def bridged(on: Mask, off: Mask) -> Mask:
    """Return a switch (T,): True where `on`, False where `off`, and between only from one `on` to the next.

    Hysteresis that looks both ways: a foot that moves a little between two rests stands, one that starts to move for
    good stands until it starts. An end of the clip counts as `on`; nothing known at all is True. `off` wins.
    """
    event = np.where(off, 0, np.where(on, 1, -1))
    known = np.flatnonzero(event >= 0)
    if len(known) == 0:
        return np.ones(len(on), bool)
    state = np.concatenate([[1], event[known], [1]])
    at = np.arange(len(on))
    before, after = np.searchsorted(known, at, side="right"), np.searchsorted(known, at, side="left") + 1
    return (state[before] == 1) & (state[after] == 1)


def without_blinks(contact: Mask, shortest: int) -> Mask:
    """Return contact (T,) with gaps of fewer than `shortest` frames closed, then stretches as short left out.

    The ends count as stretches of unknown length, so nothing is closed or left out there.
    """
    steady = contact.copy()
    for state in (False, True):
        for gap in runs(steady == state):
            if gap.stop - gap.start < shortest and gap.start > 0 and gap.stop < len(steady):
                steady[gap] = not state
    return steady
