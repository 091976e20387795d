"""When the feet stand: from how low and how still they are, beside what carries the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.contact import bridged, without_blinks
from rehabmotion.geometry.signal import calmed, runs
from rehabmotion.motion.cleanup.config import CleanUpConfig
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
ANKLES, TOES = CANONICAL.indices("left_ankle", "right_ankle"), CANONICAL.indices("left_foot", "right_foot")
MOST_CREPT = 0.12  # m: a foot that gets so far within one phase has taken a step, however slowly
SOFT = 0.002  # m over which one lowest point hands over to another


@dataclass(frozen=True)
class Feet:
    """Both feet over time: which stand on the floor (T, 2), and which of these with the heel down (T, 2).

    rest (2,): how high the ankle of a flat foot is above its toes, metres.
    """

    stands: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    rest: Array


def lowest(heights: Array) -> Array:
    """Return the soft minimum over the last axis, without a corner: of two far apart, 1.4 mm above the lower."""
    least = heights.min(axis=-1)
    return least - SOFT * np.log(np.exp(-(heights - least[..., None]) / SOFT).mean(axis=-1))


def foot_height(ankle_y: Array, toe_y: Array, rest: Array) -> Array:
    """Return how high feet stand (T, 2): the lower of toes and heel, the heel `rest` (2,) below its ankle."""
    return lowest(np.stack([ankle_y - rest, toe_y], axis=-1))


def find_feet(
    x: Array, seen: NDArray[np.bool_], stands_on_feet: NDArray[np.bool_], fps: float, c: CleanUpConfig
) -> Feet:
    """Return when each foot of x (T, 22, 3) stands; seen (T, 2), stands_on_feet (T,): where feet can carry at all.

    Height counts from the lower foot: a body that floats as a whole stands all the same. Speed is that of the stiller
    of ankle and toes, sideways, and of the foot's rise over the other one.
    """
    smooth = calmed(x[:, ANKLES + TOES].reshape(len(x), 12), fps, c.watch_hz)
    smooth = smooth.reshape(len(x), 2, 2, 3)  # frame, ankle or toes, side, axis
    rest = _rest(smooth, seen, fps, c)
    height = foot_height(smooth[:, 0, :, 1], smooth[:, 1, :, 1], rest)
    height = height - np.where(seen, height, np.inf).min(axis=1, keepdims=True, initial=1e3)
    speed = _speed(smooth[..., [0, 2]], height, fps)
    usable = seen & stands_on_feet[:, None]
    on = (height < c.low) & (speed < c.slow) & usable
    off = (height > c.high) | (speed > c.fast) | ~usable
    shortest = max(1, round(c.shortest * fps))
    stands, flat = np.zeros_like(on), np.zeros_like(on)
    heel = smooth[:, 0, :, 1] - smooth[:, 1, :, 1] - rest
    for side in range(2):
        stands[:, side] = without_blinks(bridged(on[:, side], off[:, side]), shortest) & usable[:, side]
    stands = np.stack([_without_steps(stands, smooth[..., [0, 2]], side, shortest) for side in range(2)], axis=1)
    for side in range(2):
        down = bridged(heel[:, side] < 0.5 * c.heel_low, heel[:, side] > c.heel_low)
        flat[:, side] = without_blinks(down, shortest) & stands[:, side]
    return Feet(stands, flat, rest)


def _rest(smooth: Array, seen: NDArray[np.bool_], fps: float, c: CleanUpConfig) -> Array:
    """Return how high ankles are above toes (2,) with the heel down: the lower part of what still, low feet show."""
    ankle, toe = smooth[:, 0, :, 1], smooth[:, 1, :, 1]
    still = (_speed(smooth[..., [0, 2]], toe - toe.min(axis=1, keepdims=True), fps) < c.slow) & seen
    low = still & (toe - toe.min(axis=1, keepdims=True) < c.low)
    chosen = [next((m[:, s] for m in (low, still, seen) if m[:, s].any()), np.ones(len(toe), bool)) for s in range(2)]
    return np.array([np.percentile((ankle - toe)[rows, s], 30) for s, rows in enumerate(chosen)])


def _speed(flat: Array, height: Array, fps: float) -> Array:
    """Return the speed (T, 2) of the stiller of ankle and toes (T, 2, 2, 2), m/s."""
    if len(flat) < 2:
        return np.zeros(height.shape)
    across = np.linalg.norm(np.gradient(flat, axis=0), axis=-1).min(axis=1)
    return np.hypot(across, np.gradient(height, axis=0)) * fps


def _without_steps(stands: NDArray[np.bool_], flat: Array, side: int, shortest: int) -> NDArray[np.bool_]:
    """Part phases in which a foot creeps away from where it is mostly: what is too far stands no more.

    flat (T, ankle or toe, side, 2). Where the other foot stands too, only what it does not share counts: two feet that
    go the same way slide.
    """
    kept = stands[:, side].copy()
    for phase in runs(kept.copy()):
        way, apart = (
            np.linalg.norm(place - np.median(place, axis=0), axis=-1).min(axis=1)
            for place in (flat[phase, :, side], flat[phase, :, side] - flat[phase, :, 1 - side])
        )
        kept[phase] = np.where(stands[phase, 1 - side], np.minimum(way, apart), way) < MOST_CREPT
    return without_blinks(kept, shortest) & stands[:, side]
