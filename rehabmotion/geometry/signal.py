"""Filters and resampling along time (axis 0)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.linalg.lapack import dpbsv
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
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


def runs(mask: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches of True in mask (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


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


def between_frames(x: Array, at: Array) -> Array:
    """Return rows of x (T, ...) at moments `at` in frames, in straight lines between them; the ends are held."""
    at = np.clip(at, 0, len(x) - 1)
    low = np.minimum(at.astype(int), max(0, len(x) - 2))
    high = np.minimum(low + 1, len(x) - 1)
    share = (at - low).reshape(-1, *[1] * (x.ndim - 1))
    return np.asarray(x[low] * (1 - share) + x[high] * share, x.dtype)


def back_and_forth(at: NDArray[Any], length: int) -> NDArray[Any]:
    """Return moments in frames folded into a clip of `length` frames: before its start and behind its end it turns."""
    last = max(length - 1, 1)
    return np.minimum(last - np.abs(np.mod(at, 2 * last) - last), length - 1)


def follow(x: Array, weight: Array, fps: float, cutoff_hz: float, release_hz: float = 0.0) -> Array:
    """Return the smooth course (T, K) that follows x (T, K) where `weight` (T,) is 1 and lets go of it where it is 0.

    Minimises sum w (y - x)^2 + (f / fps)^-6 sum (third difference of y / (2 pi)^3)^2 + (g / f)^6 sum y^2 with f =
    cutoff_hz and g = release_hz: under full weight frequencies below f pass (half of f itself), under none y is gone
    after about 1 / (2 g) seconds; without g it takes the path of least jerk to the next weight. Whittaker 1923, Eilers
    2003; the matrix has four bands, so time grows as T.
    """
    n = len(x)
    bands = np.zeros((4, n))  # row 3 - k holds the k-th diagonal above the main one
    stiffness = (2 * np.pi * cutoff_hz / fps) ** -6.0
    third = np.array([-1.0, 3.0, -3.0, 1.0])
    for k in range(4):
        for a in range(4 - k):
            bands[3 - k, a + k : n - 3 + a + k] += stiffness * third[a] * third[a + k] if n > 3 else 0.0
    bands[3] += weight + (release_hz / cutoff_hz) ** 6 + 1e-12
    return dpbsv(bands[max(0, 4 - n) :], weight[:, None] * x)[
        1
    ]  # solveh_banded without its checks: a third of the time


def calmed(x: Array, fps: float, cutoff_hz: float) -> Array:
    """Return x (T, K) without what is quicker than about `cutoff_hz`, by `follow`: parabolas stay as they are.

    For decisions and corrections, in a tenth of the time of `low_pass`; any rate, any number of frames.
    """
    return follow(x, np.ones(len(x)), fps, cutoff_hz)


def envelope(x: Array, fps: float, seconds: float = 0.1) -> Array:
    """Return a smooth course (T, ...) that is nowhere below x (T, ...): the largest value around, then a Gaussian.

    It rises over about `seconds` before x does and falls as long after. Zeros stay zeros but for that.
    """
    sigma = max(0.5 * seconds * fps, 1e-3)
    reach = int(np.ceil(2.5 * sigma))  # as far as the Gaussian looks, so that it sees nothing lower than x
    highest = maximum_filter1d(x, 2 * reach + 1, axis=0, mode="nearest")
    return gaussian_filter1d(highest, sigma, axis=0, mode="nearest", truncate=2.5)
