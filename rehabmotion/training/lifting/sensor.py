"""A detector as we model it: points that are off by something constant, something slow and something quick, and lost.

Deviations are metres on a person of 1.70 m, across the line of sight; a detector's own 3D is off along it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from rehabmotion.motion.skeleton import mirror_joint_name

Array = NDArray[np.float64]
BIAS, SHARED_BIAS = 0.012, 0.015  # m: of each point, and of each kind of point on both sides alike
QUICK, SLOW = (0.0005, 0.016), (0.001, 0.03)  # m, ranges of the deviations of a clip
SLOWNESS = (0.2, 3.0)  # s
LOOSE = ("wrist", "thumb", "index", "pinky", "ankle", "heel", "toe")  # these are off by half as much again
LIMBS = {
    "left arm": ("left_elbow", "left_wrist", "left_thumb", "left_index", "left_pinky"),
    "right arm": ("right_elbow", "right_wrist", "right_thumb", "right_index", "right_pinky"),
    "left leg": ("left_knee", "left_ankle", "left_heel", "left_big_toe", "left_small_toe"),
    "right leg": ("right_knee", "right_ankle", "right_heel", "right_big_toe", "right_small_toe"),
    "feet": ("left_heel", "left_big_toe", "left_small_toe", "right_heel", "right_big_toe", "right_small_toe"),
    "head": ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top"),
}
LACKS: Mapping[str, tuple[float, tuple[str, ...]]] = {  # detector: its share, parts of names it does not give
    "all": (0.15, ()),
    "blazepose": (0.4, ("neck", "head_top", "small_toe")),
    "body25": (0.3, ("thumb", "index", "pinky")),
    "coco17": (0.07, ("neck", "head_top", "thumb", "index", "pinky", "heel", "toe")),
    "joints": (0.08, ("nose", "eye", "ear", "thumb", "index", "pinky", "heel", "small_toe", "neck", "head_top")),
}
WITH_WORLD = {"blazepose": 0.75, "joints": 0.5}  # share of clips with the detector's own 3D


@dataclass(frozen=True)
class Sensed:
    """What a detector gives of windows: rays (B, T, P, 2), confidence (B, T, P), world (B, T, P, 3), has_world (B,)."""

    rays: Array
    confidence: Array
    world: Array
    has_world: NDArray[np.bool_]


def biases(rng: np.random.Generator, size: int, points: Sequence[str]) -> Array:
    """Return constant offsets (B, P, 3) m in the axes of the bodies that points lie on."""
    kinds = [name.removeprefix("left_").removeprefix("right_") for name in points]
    number = [sorted(set(kinds)).index(kind) for kind in kinds]
    shared = rng.normal(0, SHARED_BIAS, (size, len(set(kinds)), 3))[:, number]
    shared[..., 2] *= [-1.0 if name.startswith("left_") else 1.0 for name in points]
    return np.asarray((shared + rng.normal(0, BIAS, (size, len(points), 3))) * rng.uniform(0, 1.4, (size, 1, 1)))


def sensed(rng: np.random.Generator, places: Array, points: Sequence[str], fps: float) -> Sensed:
    """Return what is seen of points at places (B, T, P, 3) m in the camera's axes, z away from it."""
    size, t, p = places.shape[:3]
    detector = rng.choice(list(LACKS), size, p=[share for share, _ in LACKS.values()])
    loose = np.array([1.5 if any(part in name for part in LOOSE) else 1.0 for name in points])[:, None]
    noise = loose * (
        _log_uniform(rng, QUICK, size) * rng.standard_normal((size, t, p, 3))
        + _log_uniform(rng, SLOW, size) * wander(rng, (size, t, p, 3), fps)
    )
    jump = (rng.random((size, t, p)) < 0.004) * rng.uniform(0.05, 0.25, (size, t, p))
    noise += jump[..., None] * rng.standard_normal((size, t, p, 3))
    swap = swaps(rng, size, t, points)
    order = np.where(swap, np.array([points.index(mirror_joint_name(name)) for name in points]), np.arange(p))
    seen_at = np.take_along_axis(places, order[..., None], axis=2)
    rays = (seen_at[..., :2] + noise[..., :2]) / np.maximum(seen_at[..., 2:], 0.3)
    rays *= np.exp(rng.normal(0, 0.12, size))[:, None, None, None]  # the focal length is guessed
    off = np.linalg.norm(noise[..., :2], axis=-1)
    shown = ~lost(rng, size, t, points) & (places[..., 2] > 0.3)
    for i, name in enumerate(detector):
        shown[i][:, [any(part in point for part in LACKS[name][1]) for point in points]] = False
    confidence = np.clip(np.exp(-off / 0.08) * rng.uniform(0.75, 1.0, (size, t, p)), 0.05, 1.0) * shown
    has_world = rng.random(size) < np.array([WITH_WORLD.get(name, 0.0) for name in detector])
    return Sensed(rays, confidence, _world(rng, places, points, noise, fps), has_world)


def wander(rng: np.random.Generator, shape: tuple[int, ...], fps: float) -> Array:
    """Return courses (B, T, ...) of deviation 1 that forget themselves slowly (Ornstein-Uhlenbeck)."""
    keep = np.exp(-1.0 / (fps * _log_uniform(rng, SLOWNESS, shape[0]).ravel()))
    steps = rng.standard_normal(shape)
    out = np.empty(shape)
    for i, share in enumerate(keep):
        steps[i, 1:] *= np.sqrt(1 - share**2)
        out[i] = lfilter([1.0], [1.0, -share], steps[i], axis=0)
    return out


def lost(rng: np.random.Generator, size: int, t: int, points: Sequence[str]) -> NDArray[np.bool_]:
    """Return which points are not found (B, T, P): single ones, and limbs for a while."""
    gone = rng.random((size, t, len(points))) < (rng.uniform(0, 0.12, size) * (rng.random(size) < 0.7))[:, None, None]
    for limb in LIMBS.values():
        columns = [points.index(name) for name in limb if name in points]
        for i in np.flatnonzero(rng.random(size) < 0.07):
            first, length = int(rng.integers(t)), int(rng.integers(3, t + 1))
            gone[i, first : first + length, columns] = True
    return gone


def swaps(rng: np.random.Generator, size: int, t: int, points: Sequence[str]) -> NDArray[np.bool_]:
    """Return where left and right are taken for one another (B, T, P), for some frames."""
    out = np.zeros((size, t, len(points)), bool)
    for pair in ("arm", "leg"):
        columns = [points.index(n) for side in ("left", "right") for n in LIMBS[f"{side} {pair}"] if n in points]
        for i in np.flatnonzero(rng.random(size) < 0.08):
            first, length = int(rng.integers(t)), int(rng.integers(1, 9))
            out[i, first : first + length, columns] = True
    return out


def _world(rng: np.random.Generator, places: Array, points: Sequence[str], noise: Array, fps: float) -> Array:
    """Return a detector's own 3D about the hips' middle: leaning, flattened, and wandering along the line of sight."""
    size, t, p = places.shape[:3]
    hips = [points.index("left_hip"), points.index("right_hip")]
    out = places + noise
    out[..., 2] += _log_uniform(rng, (0.01, 0.07), size)[..., 0] * wander(rng, (size, t, p), fps)
    out = out - out[:, :, hips].mean(axis=2, keepdims=True)
    lean, flat = rng.normal(0, 0.12, (size, 1, 1)), rng.uniform(0.7, 1.1, (size, 1, 1))
    y, z = out[..., 1], out[..., 2] * flat
    return np.stack([out[..., 0], y * np.cos(lean) - z * np.sin(lean), y * np.sin(lean) + z * np.cos(lean)], axis=-1)


def _log_uniform(rng: np.random.Generator, ends: tuple[float, float], size: int) -> Array:
    return np.asarray(np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]), (size, 1, 1, 1))))
