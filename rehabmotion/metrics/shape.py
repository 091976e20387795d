"""Clips as shapes: bone directions at equal steps of their own time, so that body size and duration do not matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import CANONICAL, Skeleton

Array = NDArray[np.floating]


def time_normalised(x: Array, n_frames: int = 100) -> NDArray[np.float64]:
    """Return x (T, ...) at `n_frames` equal steps from its first to its last frame, by linear interpolation."""
    at = np.linspace(0, len(x) - 1, n_frames)
    low = np.minimum(at.astype(int), max(len(x) - 2, 0))
    share = (at - low).reshape(-1, *[1] * (x.ndim - 1))
    high = np.minimum(low + 1, len(x) - 1)
    return x[low] * (1.0 - share) + x[high] * share


def bone_directions(positions: Array, skeleton: Skeleton = CANONICAL) -> NDArray[np.float64]:
    """Return unit bone vectors (T, B, 3) of positions (T, J, 3); a bone of no length gives zeros."""
    parents, joints = (list(side) for side in zip(*skeleton.bones, strict=True))
    return np.asarray(normalise(positions[:, joints].astype(np.float64) - positions[:, parents]), np.float64)


def direction_clip(positions: Array, n_frames: int = 100, skeleton: Skeleton = CANONICAL) -> NDArray[np.float64]:
    """Return a clip as (n_frames, B, 3) bone directions over normalised time."""
    return bone_directions(time_normalised(positions, n_frames), skeleton)
