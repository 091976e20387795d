"""What an exercise is told before it moves: the body, the clock, the strengths of compensations, a person's style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.simulator.body import Body
from rehabmotion.data.simulator.phases import lobe
from rehabmotion.data.simulator.pose import SIDES

Array = NDArray[np.floating]
RANGE_LOST = 0.70  # of the movement, at full strength of reduced_range
ARM_LOST = 0.45  # of the weaker arm's movement, at full strength of asymmetry


@dataclass
class Scene:
    """One repetition to be made: seconds (T,) from 0, phase u (T,) 0..1, strengths by compensation, `rng` for style."""

    body: Body
    seconds: Array
    u: Array
    strengths: dict[str, float]
    rng: np.random.Generator

    def __post_init__(self) -> None:
        style = self.rng.uniform(size=5)
        self.range = (0.95 + 0.08 * style[0]) * (1 - RANGE_LOST * self.strength("reduced_range"))
        self.middle = 0.43 + 0.11 * style[1]
        self.hold = 0.01 + 0.07 * style[2]
        self.start, self.end = 0.02 + 0.04 * style[3], 0.985 - 0.04 * style[4]
        self.weak = SIDES[int(self.rng.integers(2))]

    @property
    def n(self) -> int:
        """Number of frames."""
        return len(self.u)

    def strength(self, name: str) -> float:
        """Return the strength of a compensation, 0 where it does not apply."""
        return self.strengths.get(name, 0.0)

    def draw(self, low: float, high: float) -> float:
        """Return a number of this person's style."""
        return float(self.rng.uniform(low, high))

    def degrees(self, low: float, high: float) -> float:
        """Return an angle of this person's style, given in degrees, in radians."""
        return float(np.radians(self.rng.uniform(low, high)))

    def jitter(self, degrees: tuple[float, ...], by: float = 4.0) -> tuple[float, ...]:
        """Return angles in degrees, each moved by up to `by`."""
        return tuple(a + self.draw(-by, by) for a in degrees)

    def go(self, delay: float = 0.0, hold: float | None = None) -> Array:
        """Return the usual course 0 -> 1 -> 0 of this repetition; `delay` shifts it by a share of its length."""
        half = 0.5 * (self.hold if hold is None else hold)
        times = np.array([self.start, self.middle - half, self.middle + half, self.end]) + delay
        return lobe(self.u, *times)

    def arm_share(self, side: str) -> float:
        """Return how much of its movement an arm keeps when both should do the same."""
        return 1 - ARM_LOST * self.strength("asymmetry") * (side == self.weak)
