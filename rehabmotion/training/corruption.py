"""Clips as poor sensors see them: jitter, lost joints, occluded limbs, left and right taken for one another.

For learning to mend, the network is shown such a clip and asked for the clean one; for learning to tell noise from
movement it is given noisy clips and told how noisy they are, and later asked for clean ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion import CANONICAL

NOISE = 0.05  # m; the worst jitter, quality 0
LIMBS = {
    "left arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
    "left leg": ("left_knee", "left_ankle", "left_foot"),
    "right leg": ("right_knee", "right_ankle", "right_foot"),
    "left hand": ("left_elbow", "left_wrist"),
    "right hand": ("right_elbow", "right_wrist"),
    "left foot": ("left_ankle", "left_foot"),
    "right foot": ("right_ankle", "right_foot"),
    "head": ("neck", "head"),
}
GROUPS = [np.array([CANONICAL.index(joint) for joint in joints]) for joints in LIMBS.values()]
SIDES = np.array(CANONICAL.mirror_order)


@dataclass(frozen=True)
class CorruptionConfig:
    """How often clips of a batch are spoilt, and how much.

    noisy: share made noisy, told so. shown: share that is to be mended. Of the joints of a clip to be mended, up to
    `missing` are lost one by one, up to `spans` limbs for up to `longest` of the clip, and in a share `swapped` of the
    clips left and right change places for a while.
    """

    noisy: float = 0.15
    shown: float = 0.3
    missing: float = 0.3
    spans: int = 3
    longest: float = 0.6
    swapped: float = 0.1


def jitter(x: NDArray[np.float32], sigma: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return clips (B, T, 3 J) with noise of deviation sigma (B,) per axis, in units of x; half of it moves slowly."""
    fast = rng.standard_normal(x.shape)
    slow = rng.standard_normal(x.shape)
    for _ in range(3):  # a short moving average three times: about Gaussian, a few frames wide
        slow = (slow + np.roll(slow, 1, axis=1) + np.roll(slow, -1, axis=1)) / 3
    slow /= max(slow.std(), 1e-9)
    return (x + sigma[:, None, None] * (fast + slow) / 2**0.5).astype(np.float32)


def occlusion(shape: tuple[int, int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return what is still seen, (B, T, J): single joints for single frames and whole limbs for spans are lost."""
    b, t, _ = shape
    share = rng.uniform(0, config.missing, (b, 1, 1)) * (rng.random((b, 1, 1)) < 0.5)
    seen = rng.random(shape) >= share
    for i in range(b):
        for _ in range(rng.integers(0, config.spans + 1)):
            length = int(rng.integers(1, max(2, int(config.longest * t))))
            first = int(rng.integers(0, t - length + 1))
            seen[i, first : first + length, GROUPS[rng.integers(len(GROUPS))]] = False
    return seen


def swap_sides(x: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return clips (B, T, 3 J) in which, for a share of them, left and right joints change places for a while."""
    out = x.copy()
    t = x.shape[1]
    for i in np.flatnonzero(rng.random(len(x)) < share):
        length = int(rng.integers(1, max(2, t // 4)))
        first = int(rng.integers(0, t - length + 1))
        part = x[i, first : first + length].reshape(length, -1, 3)
        out[i, first : first + length] = part[:, SIDES].reshape(length, -1)
    return out


def cropped(
    x: NDArray[np.float32], mask: NDArray[np.bool_], seconds: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
    """Return half of the time a part of a clip x (T, C), mask (T, J), stretched to its length, and its seconds.

    A recording to be mended may begin and end anywhere in a repetition.
    """
    length, first = rng.uniform(0.35, 1.0), rng.random()
    if rng.random() < 0.5:
        return x, mask, seconds
    t = len(x)
    at = (first * (1 - length) + length * np.linspace(0, 1, t)) * (t - 1)
    low = np.minimum(at.astype(int), t - 2)
    share = (at - low)[:, None].astype(np.float32)
    return x[low] * (1 - share) + x[low + 1] * share, mask[low] & mask[low + 1], float(seconds * length)
