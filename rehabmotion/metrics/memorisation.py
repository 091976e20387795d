"""Copies: how near a motion comes to a training clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.metrics.shape import time_normalised

Array = NDArray[np.floating]
COPY_DISTANCE = 0.02  # metres, mean over joints and time


def aligned_clip(positions: Array, n_frames: int = 100) -> NDArray[np.float64]:
    """Return positions (T, J, 3) at `n_frames` steps of normalised time, the mean pelvis at the origin (xz)."""
    x = time_normalised(positions, n_frames)
    centre = x[:, 0].mean(axis=0) * np.array([1.0, 0.0, 1.0])
    return x - centre


def nearest_distance(clips: Array, references: Array, skip_self: bool = False) -> NDArray[np.float64]:
    """Return, for each clip (N, T, J, 3), its smallest mean joint distance (m) to any reference (M, T, J, 3).

    With `skip_self` both are the same set and a clip is not compared with itself: the left-one-out baseline.
    """
    nearest = np.empty(len(clips))
    for i, clip in enumerate(clips):
        distance = np.sqrt(((references - clip) ** 2).sum(axis=-1)).mean(axis=(1, 2))
        if skip_self:
            distance[i] = np.inf
        nearest[i] = distance.min()
    return nearest


def copy_rate(distances: Array, threshold: float = COPY_DISTANCE) -> float:
    """Return the share of nearest distances (m) below the threshold."""
    return float((np.asarray(distances) < threshold).mean())
