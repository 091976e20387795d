"""One motion on the clock of a plan: it starts and ends at rest, its feet on the floor, and holds still outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.signal import low_pass, sample_at
from rehabmotion.motion.blending.poses import ANKLES, TOES, Poses, take_apart

Array = NDArray[np.floating]

RAMP = 0.15  # seconds in which a motion gets up to its speed, and comes to rest
ANKLE = 0.06  # metres between the ankle of a standing foot and its ball, vertically
SOFT = 0.008  # metres within which the lower foot is no longer told from the other


def ease(t: Array, length: float, ramp: float) -> Array:
    """Return how far (0..1) something has gone at times t (s) that takes `length` s, at rest at both ends.

    Its speed rises by 3 s^2 - 2 s^3 within `ramp` s, stays, and falls alike: no jump in speed or acceleration.
    """
    ramp = min(ramp, 0.5 * length)
    whole = length - ramp
    t = np.clip(t, 0.0, length)
    left, right = np.clip(t / ramp, 0.0, 1.0), np.clip((length - t) / ramp, 0.0, 1.0)
    area = np.array([0.0, 0.0, 0.0, 1.0, -0.5])  # of 3 s^2 - 2 s^3
    rising = ramp * np.polynomial.polynomial.polyval(left, area)
    falling = ramp * (0.5 - np.polynomial.polynomial.polyval(right, area))
    return (rising + falling + np.clip(t - ramp, 0.0, max(length - 2 * ramp, 0.0))) / whole


def grounded(positions: NDArray[np.floating], fps: float) -> Array:
    """Return positions (T, 22, 3) moved up or down frame by frame so that the lower foot is on the floor, y = 0.

    For people who stand. Recordings of squats by one depth sensor sink or rise by 10 cm, and models learn that. The
    correction is smoothed at 3 Hz.
    """
    x = np.array(positions, dtype=np.float64)
    low = np.concatenate([x[:, TOES, 1], x[:, ANKLES, 1] - ANKLE], axis=1)
    least = low.min(axis=1, keepdims=True)
    lowest = least[:, 0] - SOFT * np.log(np.exp((least - low) / SOFT).mean(axis=1))
    x[..., 1] -= low_pass(lowest, fps, cutoff_hz=3.0)[:, None]
    return x


def on_feet(positions: Array) -> NDArray[np.bool_]:
    """Return which feet (T, 2) stand: ankle and ball hardly higher than those of the other foot."""
    heights = np.minimum(positions[:, TOES, 1], positions[:, ANKLES, 1] - ANKLE)
    return heights < heights.min(axis=1, keepdims=True) + 0.04


@dataclass(frozen=True)
class Clip:
    """Positions (n, 22, 3), metres, `fps` frames a second, played from `start` to `end` seconds of a plan."""

    positions: Array
    fps: float
    start: float
    end: float

    def at(self, times: Array) -> Array:
        """Return positions (T, 22, 3) at times (T,) of the plan, the ends held."""
        span = (len(self.positions) - 1) / self.fps
        local = span * ease(times - self.start, self.end - self.start, RAMP)
        return sample_at(self.positions, local, np.arange(len(self.positions)) / self.fps)

    def poses(self, times: Array) -> Poses:
        """Return the poses at times (T,) of the plan."""
        return take_apart(self.at(times))
