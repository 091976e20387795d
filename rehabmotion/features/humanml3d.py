"""HumanML3D's 263 features at 20 fps, padded to a fixed number of frames: the representation MDM was published with.

Kept for comparison with published models; its heading and rotation block have known faults (geometry/humanml3d.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.features.canonical import Encoded, Statistics, height_proxy
from rehabmotion.geometry.humanml3d import FPS, N_FEATURES, SLICES, decode_humanml3d, encode_humanml3d
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.motion import Motion
from rehabmotion.motion.transforms import resample


def encode(motion: Motion, n_frames: int = 196) -> Encoded:
    """Return 263 features per frame at 20 fps, cut or padded with zeros to `n_frames`; `frames` are real."""
    slow = resample(motion, FPS)
    x = encode_humanml3d(fill_gaps(slow.positions.astype(np.float64), slow.valid))[:n_frames]
    padded = np.zeros((n_frames, N_FEATURES), np.float32)
    padded[: len(x)] = x
    valid = np.zeros((n_frames, slow.valid.shape[1]), bool)
    valid[: len(x)] = slow.valid[: len(x)]
    return Encoded(padded, valid, motion.seconds, height_proxy(motion), len(x))


def decode(x: NDArray[np.floating], seconds: float, height: float, fps: float = 30.0) -> Motion:
    """Return the motion of features (n_frames, 263), the first `seconds` of them, at `fps`.

    The format describes steps between frames: T frames make T - 1 rows of features, and those make T - 1 frames again.
    `height` is not used: this format keeps one body for all, its features' own.
    """
    n = int(np.clip(round(seconds * FPS) - 1, 2, len(x)))
    motion = Motion(decode_humanml3d(x[:n].astype(np.float64)), FPS)
    return resample(motion, fps)


def fit_statistics(x: NDArray[np.floating], mask: NDArray[np.bool_]) -> Statistics:
    """Return mean per feature and one deviation per block of clips x (N, T, 263), frames with a masked joint left out.

    mask (N, T, 22). Blocks as in the published statistics: yaw, root velocity, height, places, rotations, velocities,
    contacts.
    """
    seen = x[mask.all(axis=-1)].astype(np.float64)
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    std = np.zeros(N_FEATURES)
    for block in SLICES.values():
        std[block] = max(1e-3, float(deviation[block].mean()))
    return Statistics(tuple(mean.tolist()), tuple(std.tolist()))
