"""Clips as poor sensors see them: jitter, lost joints, occluded limbs, left and right taken for one another.

For learning to mend, the network is shown such a clip and asked for the clean one; for learning to tell noise from
movement it is given noisy clips and told how noisy they are, and later asked for clean ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from rehabmotion.data.spoil import LIMBS
from rehabmotion.motion import CANONICAL

NOISE = 0.05  # m; the worst jitter, quality 0
HIDDEN_TOGETHER = (
    ("left_collar", *LIMBS["left arm"]),
    ("right_collar", *LIMBS["right arm"]),
    LIMBS["left leg"],
    LIMBS["right leg"],
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_ankle", "left_foot"),
    ("right_ankle", "right_foot"),
    ("neck", "head"),
)
GROUPS = [list(CANONICAL.indices(*joints)) for joints in HIDDEN_TOGETHER]
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


def jitter(x: NDArray[np.float32], sigma: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a clip (T, 3 J) with noise of deviation sigma per axis, in units of x; half of it moves slowly."""
    fast = rng.standard_normal(x.shape)
    slow = rng.standard_normal(x.shape)
    for _ in range(3):  # a short moving average three times: about Gaussian, a few frames wide
        slow = uniform_filter1d(slow, 3, axis=0, mode="wrap")
    slow /= max(slow.std(), 1e-9)
    return (x + sigma * (fast + slow) / 2**0.5).astype(np.float32)


def occlusion(shape: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return what is still seen, (T, J): single joints for single frames and whole limbs for spans are lost."""
    share = rng.uniform(0, config.missing) * (rng.random() < 0.5)
    seen = rng.random(shape) >= share
    for _ in range(rng.integers(0, config.spans + 1)):
        span = _span(shape[0], config.longest, rng)
        seen[span, GROUPS[rng.integers(len(GROUPS))]] = False
    return seen


def swap_sides(x: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a clip (T, 3 J) in which, with the probability `share`, left and right change places for a while."""
    if rng.random() >= share:
        return x
    out = x.copy()
    span = _span(len(x), 0.25, rng)
    out[span] = x[span].reshape(-1, len(SIDES), 3)[:, SIDES].reshape(-1, x.shape[1])
    return out


def _span(t: int, longest: float, rng: np.random.Generator) -> slice:
    """Return some of t frames, one after another: one at least, fewer than `longest` of all."""
    length = int(rng.integers(1, max(2, int(longest * t))))
    first = int(rng.integers(0, t - length + 1))
    return slice(first, first + length)


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
