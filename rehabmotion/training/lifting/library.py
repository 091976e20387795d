"""Recorded joint angles as one long table, and windows of movement drawn from it: other bodies, other moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.mirror import mirrored
from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import back_and_forth, between_frames

Array = NDArray[np.float32]
SHARES = {"uiprmd-vicon": 1.0, "simulator": 0.35, "cmu": 0.5, "mars": 0.25}
SURE = {"uiprmd-vicon": 1.0}  # how much the angles of a corpus are believed; those solved from joints alone less
UNSURE = 0.3
LIMBS = {  # parts of the body that may move by themselves: what begins their coordinates, and how these end
    "trunk": (("lumbar",), ""),
    "right arm": (("arm_", "elbow", "pro_sup"), "_r"),
    "left arm": (("arm_", "elbow", "pro_sup"), "_l"),
    "right leg": (("hip_", "knee", "ankle"), "_r"),
    "left leg": (("hip_", "knee", "ankle"), "_l"),
}
ROOM = {  # degrees: where a limb goes that moves freely
    "pelvis_tilt": (-40, 20), "pelvis_list": (-22, 22),
    "lumbar_extension": (-60, 20), "lumbar_bending": (-30, 30), "lumbar_rotation": (-35, 35),
    "arm_flex": (-50, 180), "arm_add": (-120, 25), "arm_rot": (-80, 80), "elbow_flex": (0, 140), "pro_sup": (0, 150),
    "hip_flexion": (-20, 110), "hip_adduction": (-40, 20), "hip_rotation": (-35, 35), "knee_angle": (0, 130),
    "ankle_angle": (-35, 30),
}  # fmt: skip
STILL = ("subtalar_angle", "mtp_angle", "wrist_flex", "wrist_dev")  # locked in rehab37
TEMPO = (0.6, 1.5)
MIXED = 0.35  # share of windows whose limbs are other clips'
FREE = 0.5  # share in which some limbs, or the pelvis, move freely
BENT = 0.7  # share whose angles swing by themselves as well
SWING = 0.25  # rad, deviation of that, at most
WALK, TURN = 0.25, 0.25  # shares that drift through the room and that turn
SIZE, GIRTH = 0.05, 0.08  # deviations of the logarithm of bodies' lengths and widths


@dataclass(frozen=True)
class Recorded:
    """A clip: coordinates q (T, C) of rehab37 at 30 frames/s, tied factors (24,), what is done, its corpus."""

    q: Array
    tied: Array
    label: str
    corpus: str


@dataclass(frozen=True)
class Windows:
    """Moving bodies: coordinates q (B, T, C), tied factors (B, 24) of a person of the model's size, sure (B,)."""

    q: Array
    tied: Array
    sure: Array


class Library:
    """Clips to draw windows from: corpora by their shares, inside each all that is done equally often."""

    def __init__(self, clips: Sequence[Recorded], model: Model, window: int, shares: Mapping[str, float] = SHARES):
        if not clips:
            raise UserError("Expected clips to learn from, got none.")
        self.clips, self.window, self.model = list(clips), window, model
        self.names = [c.name for c in model.coordinates]
        self.low = np.array([max(c.range[0], -20.0) for c in model.coordinates], np.float32)
        self.high = np.array([min(c.range[1], 20.0) for c in model.coordinates], np.float32)
        self.limbs = [
            np.array([name.startswith(starts) and name.endswith(end) for name in self.names])
            for starts, end in LIMBS.values()
        ]
        self.room = {self.names.index(n): np.deg2rad(ROOM[n.removesuffix("_r").removesuffix("_l")]) for n in self.names
                     if n.removesuffix("_r").removesuffix("_l") in ROOM}  # fmt: skip
        self.swings = np.array([not name.startswith(("pelvis", *STILL)) for name in self.names])
        cells = Counter((clip.corpus, clip.label) for clip in clips)
        labels = Counter(corpus for corpus, _ in cells)
        weight = [shares.get(clip.corpus, 1.0) / labels[clip.corpus] / cells[clip.corpus, clip.label] for clip in clips]
        self.weight = np.array(weight) / sum(weight)

    def draw(self, rng: np.random.Generator, size: int) -> Windows:
        """Return windows of movement, changed at random: tempo, mixed bodies, swinging angles, walks, mirror images."""
        rows = rng.choice(len(self.clips), size, p=self.weight)
        q = np.stack([self._window(rng, self.clips[row].q) for row in rows])
        for i in np.flatnonzero(rng.random(size) < MIXED):
            for limb in self.limbs:
                if rng.random() < 0.5:
                    other = self.clips[rng.choice(len(self.clips), p=self.weight)].q
                    q[i][:, limb] = self._window(rng, other)[:, limb]
        for i in np.flatnonzero(rng.random(size) < FREE):
            self._free(rng, q[i])
        q += self._swing(rng, size) * (rng.random(size) < BENT)[:, None, None]
        q[..., self.swings] = np.clip(q, self.low, self.high)[..., self.swings]
        other_side = rng.random(size) < 0.5
        q[other_side] = mirrored(torch.from_numpy(q[other_side]), self.names).numpy()
        self._stroll(rng, q)
        tied = np.stack([self.clips[row].tied for row in rows])
        tied = tied / tied.reshape(size, -1, 3)[:, [2, 3], 1].mean(axis=1)[:, None]  # the legs' length is the size
        tied = tied * np.exp(rng.normal(0, [GIRTH, SIZE, GIRTH] * (tied.shape[1] // 3), tied.shape))
        sure = np.array([SURE.get(self.clips[row].corpus, UNSURE) for row in rows], np.float32)
        return Windows(q.astype(np.float32), tied.astype(np.float32), sure)

    def fixed(self, rows: NDArray[np.int64]) -> Windows:
        """Return the middle of given clips as they are."""
        q = np.stack([_at(self.clips[r].q, _middle(len(self.clips[r].q), self.window)) for r in rows])
        tied = np.stack([self.clips[r].tied for r in rows])
        tied = tied / tied.reshape(len(rows), -1, 3)[:, [2, 3], 1].mean(axis=1)[:, None]
        sure = np.array([SURE.get(self.clips[r].corpus, UNSURE) for r in rows], np.float32)
        return Windows(q.astype(np.float32), tied.astype(np.float32), sure)

    def _window(self, rng: np.random.Generator, q: Array) -> Array:
        """Return (window, C) at a tempo of its own; clips that are too short run back and forth."""
        tempo = np.exp(rng.uniform(*np.log(TEMPO)))
        return _at(q, rng.uniform(0, max(1, len(q))) + tempo * np.arange(self.window))

    def _free(self, rng: np.random.Generator, q: Array) -> None:
        """Let some limbs of a window (T, C), and seldom the pelvis, wander between poses drawn from their room."""
        chosen = [limb for limb in self.limbs if rng.random() < 0.4]
        moved = [c for c in self.room if any(limb[c] for limb in chosen)]
        moved += [c for c in self.room if self.names[c].startswith("pelvis") and rng.random() < 0.3]
        steps = np.linspace(0, rng.uniform(0.5, 3.5), len(q))
        low, share = steps.astype(int), steps - steps.astype(int)
        share = share**2 * (3 - 2 * share)
        for c in moved:
            low_end, high_end = self.room[c]
            poses = rng.uniform(low_end, high_end, 6)
            q[:, c] = poses[low] * (1 - share) + poses[low + 1] * share

    def _swing(self, rng: np.random.Generator, size: int) -> Array:
        """Return slow swings (B, T, C) of the joints' angles, rad."""
        shape = (2, size, 1, len(self.names))
        rate = np.exp(rng.uniform(np.log(0.1), np.log(1.2), shape)) / 30.0
        phase = rng.uniform(0, 2 * np.pi, shape)
        reach = rng.normal(0, SWING, shape) * rng.uniform(0, 1, (1, size, 1, 1)) * self.swings
        waves = reach * np.sin(2 * np.pi * rate * np.arange(self.window)[:, None] + phase)
        return np.asarray(waves.sum(axis=0), np.float32)

    def _stroll(self, rng: np.random.Generator, q: Array) -> None:
        """Turn the bodies any way and let some walk and turn about: in place."""
        size, seconds = len(q), (np.arange(self.window) - self.window / 2) / 30.0
        rate = rng.normal(0, 1.0, size) * (rng.random(size) < TURN)
        yaw = rng.uniform(-np.pi, np.pi, size)[:, None] + rate[:, None] * seconds
        speed = rng.uniform(0, 1.6, size) * (rng.random(size) < WALK)
        way = rng.uniform(-np.pi, np.pi, size)
        tx, tz, turn = (self.names.index(f"pelvis_{name}") for name in ("tx", "tz", "rotation"))
        middle = q[:, :, [tx, tz]].mean(axis=1)
        x, z = q[:, :, tx] - middle[:, :1], q[:, :, tz] - middle[:, 1:]
        c, s = np.cos(yaw), np.sin(yaw)  # about y: x to -z
        q[:, :, tx] = c * x + s * z + (speed * np.cos(way))[:, None] * seconds
        q[:, :, tz] = -s * x + c * z + (speed * np.sin(way))[:, None] * seconds
        q[:, :, turn] += yaw


def _middle(length: int, window: int) -> NDArray[np.float64]:
    if length < window:
        return np.linspace(0, length - 1, window)
    return np.arange(window, dtype=np.float64) + (length - window) / 2


def _at(q: Array, times: NDArray[np.float64]) -> Array:
    """Return rows of q (T, C) at times in frames, between them in straight lines; before and behind it runs back."""
    return np.asarray(between_frames(q, back_and_forth(times, len(q))), np.float32)
