"""What a detector says of people in one image, and of one person over a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Person:
    """One person in one image. points (P, 2): pixels of POINTS, x right, y down; confidence (P,) from 0 to 1.

    0 is not seen, its place then means nothing. world (P, 3): m, about the hips' middle, x right, y down, z away.
    """

    points: Points
    confidence: Points
    world: Points | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the points that were seen, pixels; nothing seen: four noughts."""
        seen = self.points[self.confidence > 0]
        if not len(seen):
            return 0.0, 0.0, 0.0, 0.0
        (left, top), (right, bottom) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        return left, top, right, bottom


@dataclass(frozen=True)
class Track:
    """One person over a clip. points (T, P, 2) pixels, confidence (T, P), world (T, P, 3) or None; times (T,) s.

    size: width and height of the images, pixels. Frames without the person have confidence 0 throughout.
    """

    points: Points
    confidence: Points
    world: Points | None
    times: NDArray[np.float64]
    size: tuple[int, int]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which frames show the person, (T,)."""
        return np.asarray(self.confidence.max(axis=1) > 0)


class Detector(Protocol):
    """Finds people in images that follow one another."""

    def people(self, image: NDArray[np.uint8], time: float) -> list[Person]:
        """Return the people in an image (H, W, 3) RGB taken at `time` s; times rise from call to call."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...
