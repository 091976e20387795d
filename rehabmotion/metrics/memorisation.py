"""Copies: how near a motion comes to a training clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.metrics.judges import auc
from rehabmotion.metrics.neighbours import nearest, nearest_with_index
from rehabmotion.metrics.shape import time_normalised

Array = NDArray[np.floating]
COPY_DISTANCE = 0.02  # metres, mean over joints and time
BLOCK = 2**15  # coordinates at a time: what the processor's cache holds


def aligned_clip(positions: Array, n_frames: int = 100) -> NDArray[np.float64]:
    """Return positions (T, J, 3) at `n_frames` steps of normalised time, the mean pelvis at the origin (xz)."""
    x = time_normalised(positions, n_frames)
    centre = x[:, 0].mean(axis=0) * np.array([1.0, 0.0, 1.0])
    return x - centre


def nearest_distance(clips: Array, references: Array, skip_self: bool = False) -> NDArray[np.float64]:
    """Return, for each clip (N, T, J, 3), its smallest mean joint distance (m) to any reference (M, T, J, 3).

    With `skip_self` both are the same set and a clip is not compared with itself: the left-one-out baseline.
    """
    axes_first = [_axes_first(x) for x in (clips, references)]  # (3, N, T·J): x, y and z each in one piece
    found = np.full(len(clips), np.inf)
    for i in range(len(clips)):
        distance = _mean_distances(axes_first[0][:, i], axes_first[1])
        if skip_self:
            distance[i] = np.inf
        found[i] = distance.min()
    return found


def copy_rate(distances: Array, threshold: float = COPY_DISTANCE) -> float:
    """Return the share of nearest distances (m) below the threshold."""
    return float((np.asarray(distances) < threshold).mean())


def nn_ratio(generated: Array, held_out: Array, training: Array) -> float:
    """Return how near generated clips come to training clips, over how near held-out people's do; each (N, ...).

    The ratio of the median nearest distances: about 1 is healthy, far below 1 is copying; 0.9 is a meaningful limit
    from about 16 dimensions on. Hold out whole people, whose clips resemble one another. NaN where the held-out clips
    are copies themselves.
    """
    return median_ratio(nearest(generated, training), nearest(held_out, training))


def median_ratio(generated: Array, held_out: Array) -> float:
    """Return the ratio of two medians of nearest distances (M,), (L,): `nn_ratio` for any distance.

    Draws are the ratio of their `median_draws`.
    """
    below = float(np.median(held_out))
    return float(np.median(generated)) / below if below > 0 else float("nan")


def authenticity(generated: Array, training: Array) -> NDArray[np.float64]:
    """Return 1 for each generated clip (M, ...) that is no copy, else 0 (M,); training (N, ...). The mean is the share.

    Alaa et al. 2022: no copy is what lies farther from its nearest training clip than that one from its own nearest.
    There is no null value of one half: print the mean of `authenticity(held_out, training)` beside it.
    """
    own = nearest(training, training, skip_self=True)
    distance, at = nearest_with_index(generated, training)
    return (distance > own[at]).astype(np.float64)


def membership_auc(training: Array, held_out: Array, generated: Array) -> float:
    """Return how well the distance to the nearest generated clip tells training from held-out clips; each (N, ...).

    The area under the ROC curve: about 0.5 is healthy, 1 says that every training clip is nearer than any held out.
    """
    distance = np.concatenate([nearest(x, generated) for x in (training, held_out)])
    return auc(-distance, np.repeat([1, 0], [len(training), len(held_out)]))


def _axes_first(clips: Array) -> NDArray[np.float64]:
    """Return clips (N, T, J, 3) as (3, N, T·J)."""
    n, t, j, axes = clips.shape
    return np.ascontiguousarray(np.asarray(clips, np.float64).reshape(n, t * j, axes).transpose(2, 0, 1))


def _mean_distances(clip: Array, references: Array) -> NDArray[np.float64]:
    """Return the mean joint distance (M,) of one clip (3, P) to references (3, M, P)."""
    found = np.empty(references.shape[1])
    step = max(1, BLOCK // max(1, references.shape[2]))
    for start in range(0, len(found), step):
        squares = sum((axis[start : start + step] - own) ** 2 for axis, own in zip(references, clip, strict=True))
        found[start : start + step] = np.sqrt(squares).mean(axis=1)
    return found
