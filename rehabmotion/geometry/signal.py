"""Filters and resampling along time (axis 0)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.signal import butter, sosfiltfilt

Array = NDArray[np.floating]


def low_pass(x: Array, fps: float, cutoff_hz: float = 6.0, order: int = 4) -> Array:
    """Return x (T, ...) after a zero-phase Butterworth low-pass; `order` counts both passes, forward and backward.

    6 Hz is the usual cut-off for human movement (Winter, Biomechanics and Motor Control, 2009). Clips of fewer than
    4 frames, and rates at or below twice the cut-off, come back unchanged: there is nothing to remove.
    """
    if len(x) < 4 or cutoff_hz >= 0.5 * fps:
        return x
    sos = butter(order // 2, cutoff_hz / (0.5 * fps), output="sos")
    # Odd padding of one period of the cut-off keeps the ends where they are.
    pad = min(len(x) - 1, int(np.ceil(3 * fps / cutoff_hz)))
    return sosfiltfilt(sos, x, axis=0, padtype="odd", padlen=pad)


def fill_gaps(x: Array, valid: NDArray[np.bool_]) -> Array:
    """Return x (T, J, C) with invalid entries replaced by linear interpolation in time, ends held.

    A channel that is never valid stays as it is. The result is a placeholder for filters, not data: keep the mask.
    """
    filled = np.array(x, copy=True)
    t = np.arange(len(x))
    for j in np.flatnonzero(~valid.all(axis=0) & valid.any(axis=0)):
        good = valid[:, j]
        for c in range(x.shape[2]):
            filled[~good, j, c] = np.interp(t[~good], t[good], x[good, j, c])
    return filled


def sample_at(x: Array, times: Array, source_times: Array) -> Array:
    """Return x (T, ...) at new times by monotone cubic (PCHIP) interpolation, which never overshoots.

    Times outside the source are held at its ends. One frame is repeated.
    """
    if len(x) == 1:
        return np.repeat(x, len(times), axis=0)
    return PchipInterpolator(source_times, x, axis=0)(np.clip(times, source_times[0], source_times[-1]))
