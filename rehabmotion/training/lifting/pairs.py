"""One repetition by two sensors: where one saw the joints, and the angles that markers tell of the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.geometry.signal import back_and_forth, between_frames
from rehabmotion.models.lifter.body import Body
from rehabmotion.models.lifter.losses import LifterBatch
from rehabmotion.training.lifting.scene import cameras, drawn_cameras
from rehabmotion.training.lifting.sensor import Sensed
from rehabmotion.training.lifting.truth import as_seen, truth_of

Array = NDArray[np.float32]
JOINTS = {  # point: canonical joint
    f"{side}_{point}": f"{side}_{joint}"
    for side in ("left", "right")
    for point, joint in (
        ("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("hip", "hip"), ("knee", "knee"),
        ("ankle", "ankle"), ("big_toe", "foot"),
    )
}  # fmt: skip
TEMPI = np.linspace(0.8, 1.25, 19)
SHIFTS = np.linspace(-0.6, 0.6, 25)  # s
ALIKE = 0.7  # least mean correlation of the angles of a pair that is used
SENSOR_SIDE = 0.6  # share seen from before, as the sensor did


@dataclass(frozen=True)
class Pair:
    """points (T, P, 3) m in ground where the sensor saw them, known (P,); q (T, C) by markers; tied (24,)."""

    points: Array
    known: NDArray[np.bool_]
    q: Array
    tied: Array


def bends(points: Array, order: Sequence[str]) -> Array:
    """Return (T, 8) angles, rad: knees, elbows, thighs to the trunk, upper arms to the trunk, of points (T, P, 3)."""
    at = {name: points[:, i] for i, name in enumerate(order)}
    trunk = at["left_shoulder"] + at["right_shoulder"] - at["left_hip"] - at["right_hip"]
    curves = []
    for side in ("left", "right"):
        thigh, shank = at[f"{side}_knee"] - at[f"{side}_hip"], at[f"{side}_ankle"] - at[f"{side}_knee"]
        upper, fore = at[f"{side}_elbow"] - at[f"{side}_shoulder"], at[f"{side}_wrist"] - at[f"{side}_elbow"]
        curves += [_between(a, b) for a, b in ((thigh, shank), (upper, fore), (thigh, trunk), (upper, trunk))]
    return np.stack(curves, axis=1)


def aligned(by_sensor: Array, by_markers: Array, fps: float = 30.0) -> tuple[NDArray[np.float64], float]:
    """Return the moments (T,) of the markers' recording, in its frames, and how alike the curves run there (-1..1).

    by_sensor (T, K), by_markers (S, K): the two sensors began and ended at other moments, so a tempo and a shift are
    searched that make the curves most alike; curves that hardly move do not count.
    """
    moving = by_sensor.std(axis=0) > np.deg2rad(4)
    t, source = np.arange(len(by_sensor)) / fps, np.arange(len(by_markers)) / fps
    if not moving.any() or len(by_markers) < 4:
        return np.zeros(len(t)), -1.0
    tempo, shift = (grid.ravel() for grid in np.meshgrid(TEMPI, SHIFTS))
    at = np.clip((t - t.mean()) * tempo[:, None] + source.mean() + shift[:, None], 0, source[-1]) * fps
    tried = between_frames(by_markers[:, moving], at.ravel()).reshape(*at.shape, -1)
    alike = (_standard(by_sensor[None, :, moving]) * _standard(tried)).mean(axis=(1, 2))
    best = int(alike.argmax())
    return at[best], float(alike[best])


def facing(points: Array, like: Array, order: Sequence[str]) -> Array:
    """Return points (T, P, 3) about their middle, turned about the vertical: hips and shoulders lie as in `like`."""

    def across(x: Array) -> NDArray[np.complex128]:
        lines = [x[:, order.index(f"right_{name}")] - x[:, order.index(f"left_{name}")] for name in ("hip", "shoulder")]
        return np.asarray(sum(line[:, 2] + 1j * line[:, 0] for line in lines))

    angle = float(np.angle((across(like) * across(points).conj()).sum()))  # about y: z to x
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(points - points.mean(axis=(0, 1)), -1, 0)
    return np.stack([c * x + s * z, y, -s * x + c * z], axis=-1).astype(np.float32)


class Pairs:
    """Pairs -> the measured part of a batch."""

    def __init__(self, pairs: Sequence[Pair], window: int) -> None:
        self.pairs, self.window = list(pairs), window

    def draw(self, rng: np.random.Generator, size: int, body: Body) -> LifterBatch:
        """Return windows of pairs, seen by cameras that are drawn."""
        chosen = [self.pairs[i] for i in rng.integers(len(self.pairs), size=size)]
        starts = [int(rng.integers(0, max(1, len(p.q) - self.window // 2))) for p in chosen]
        return self.seen(rng, chosen, starts, body)

    def seen(self, rng: np.random.Generator, chosen: Sequence[Pair], starts: Sequence[int], body: Body) -> LifterBatch:
        """Return windows that begin at given frames; behind its end a clip runs back."""
        rows = [back_and_forth(np.arange(s, s + self.window), len(p.q)) for s, p in zip(starts, chosen, strict=True)]
        points = np.stack([p.points[r] for p, r in zip(chosen, rows, strict=True)]).astype(np.float64)
        q = torch.from_numpy(np.stack([p.q[r] for p, r in zip(chosen, rows, strict=True)]))
        tied = torch.from_numpy(np.stack([p.tied for p in chosen]))
        tied = tied / tied.unflatten(1, (-1, 3))[:, [2, 3], 1].mean(dim=1, keepdim=True)
        known = np.stack([p.known for p in chosen])
        size = len(q)
        middle = points[:, :, known[0]].mean(axis=(1, 2))
        view = drawn_cameras(rng, middle)
        before = np.flatnonzero(rng.random(size) < SENSOR_SIDE)
        frontal = cameras(
            middle, rng.normal(0, 0.15, size), rng.normal(0.05, 0.05, size), rng.normal(0, 0.03, size),
            rng.uniform(2.2, 3.5, size), rng.normal(0, 0.1, (size, 2)),
        )  # fmt: skip
        view.rotation[before], view.place[before] = frontal.rotation[before], frontal.place[before]
        at = view.seen(points + rng.normal(0, 0.002, points.shape))
        hips = at[:, :, body.hips].mean(axis=2, keepdims=True)
        rays = at[..., :2] / np.maximum(at[..., 2:], 0.3) * np.exp(rng.normal(0, 0.1, size))[:, None, None, None]
        confidence = known[:, None] * rng.uniform(0.7, 1.0, at.shape[:3]) * (rng.random(at.shape[:3]) > 0.03)
        sensed = Sensed(rays, confidence, at - hips, rng.random(size) < 0.7)
        return LifterBatch(as_seen(sensed), truth_of(body, q, tied, np.ones(size, np.float32), view))


def _between(a: Array, b: Array) -> Array:
    cosine = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9)
    return np.asarray(np.arccos(np.clip(cosine, -1, 1)), np.float32)


def _standard(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return curves (N, T, K) with mean 0 and deviation 1 over time."""
    x = x - x.mean(axis=1, keepdims=True)
    return x / np.maximum(x.std(axis=1, keepdims=True), 1e-6)
