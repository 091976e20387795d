"""Canonical absolute coordinates, time-normalised: what the models see (representation: docs/conventions.md).

A repetition becomes `n_frames` poses at equal steps of its own duration; the duration is a condition and comes back on
decoding. Positions are divided by the body's height proxy, so that people of all sizes share one scale.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps, low_pass, sample_at
from rehabmotion.motion import CANONICAL, FEET, Motion
from rehabmotion.motion.retarget import bone_lengths, keep_feet, symmetric, with_bone_lengths

STD_FLOOR = 0.01  # of the height proxy: near-constant channels must not explode
_GROUPS = {  # one standard deviation per group, never per channel
    "pelvis_xz": ("pelvis",),
    "pelvis_y": ("pelvis",),
    "trunk": ("spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar"),
    "arms": ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    "legs": ("left_hip", "right_hip", "left_knee", "right_knee", *FEET),
}


def height_proxy(motion: Motion) -> float:
    """Return the sum of the bones from ankle to neck (shank, thigh, spine), metres; about 0.8 of the stature.

    meta["height_proxy"], where a whole person's recordings gave it, goes before the clip's own bones. Raises UserError
    where neither tells.
    """
    known = motion.meta.get("height_proxy")
    if isinstance(known, float) and known > 0:
        return known
    return height_of(symmetric(bone_lengths(motion.positions, motion.valid)))


def height_of(lengths: NDArray[np.floating]) -> float:
    """Return the height proxy (m) of bone lengths (22,); a bone of the chain unknown on both sides raises UserError."""
    total = 0.0
    for name in ("left_ankle", "left_knee", "spine1", "spine2", "spine3", "neck"):
        joint = CANONICAL.index(name)
        length = max(lengths[joint], lengths[CANONICAL.mirror_order[joint]])
        if length <= 0:
            raise UserError(f"Expected a body with legs and spine, the bone to {name} is never seen.")
        total += length
    return float(total)


class Encoded(NamedTuple):
    """A clip for a model: x (T, C), mask (T, 22), seconds, height proxy (m), and how many of the T frames are real."""

    x: NDArray[np.float32]
    mask: NDArray[np.bool_]
    seconds: float
    height: float
    frames: int


@dataclass(frozen=True)
class Statistics:
    """Mean (66,) and standard deviation (66,) of the normalised coordinates; fitted on training subjects only."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Statistics:
        """Return the statistics kept by as_json()."""
        return cls(tuple(data["mean"]), tuple(data["std"]))


def encode(motion: Motion, n_frames: int = 64) -> Encoded:
    """Return coordinates (n_frames, 66) over the height proxy, mask (n_frames, 22), seconds, the proxy (m), n_frames.

    The motion must be canonical (22 joints, on the floor, facing +z). Seconds is T / fps.
    """
    if motion.skeleton != CANONICAL:
        raise UserError("Expected the canonical 22 joints. Retarget the motion first (rehabmotion.motion.retarget).")
    h = height_proxy(motion)
    span = max(motion.n_frames - 1, 1) / motion.fps
    x = fill_gaps(motion.positions.astype(np.float64), motion.valid)
    new_rate = (n_frames - 1) / span
    if new_rate < motion.fps:
        x = low_pass(x, motion.fps, cutoff_hz=0.45 * new_rate)
    times = np.linspace(0, span, n_frames)
    source_times = np.arange(motion.n_frames) / motion.fps
    x = sample_at(x, times, source_times)
    nearest = np.clip(np.round(times * motion.fps).astype(int), 0, motion.n_frames - 1)
    scaled = (x / h).reshape(n_frames, -1).astype(np.float32)
    return Encoded(scaled, motion.valid[nearest], motion.seconds, h, n_frames)


def decode(x: NDArray[np.floating], seconds: float, height: float, fps: float = 30.0) -> Motion:
    """Return the motion of coordinates x (n_frames, 66) at `fps`, metres: constant bones, on the floor.

    Nothing is filtered: models learn from filtered clips, and a second filter would take half their jerk away.
    Bone lengths are the medians of this very sample, left and right alike, so the body keeps the size it was made with.
    """
    n = max(2, round(seconds * fps))
    grid = np.linspace(0, (n - 1) / fps, len(x))
    poses = x.reshape(len(x), len(CANONICAL), 3).astype(np.float64) * height
    motion = Motion(positions=sample_at(poses, np.arange(n) / fps, grid).astype(np.float32), fps=fps)
    lengths = symmetric(bone_lengths(motion.positions, motion.valid))
    return keep_feet(with_bone_lengths(motion, lengths), motion.positions)


def fit_statistics(x: NDArray[np.floating], mask: NDArray[np.bool_]) -> Statistics:
    """Return the statistics of clips x (N, T, 66) with masks (N, T, 22): a mean per channel, a deviation per group."""
    points = x.reshape(-1, len(CANONICAL), 3)
    seen = mask.reshape(-1, len(CANONICAL))[..., None]
    count = np.maximum(seen.sum(axis=0), 1)
    mean = (points * seen).sum(axis=0) / count
    variance = (((points - mean) ** 2) * seen).sum(axis=0) / count
    std = np.zeros_like(mean)
    for group, names in _GROUPS.items():
        rows = CANONICAL.indices(*names)
        axes = {"pelvis_xz": [0, 2], "pelvis_y": [1]}.get(group, [0, 1, 2])
        std[np.ix_(rows, axes)] = max(STD_FLOOR, float(np.sqrt(variance[np.ix_(rows, axes)].mean())))
    return Statistics(tuple(mean.ravel().tolist()), tuple(std.ravel().tolist()))
