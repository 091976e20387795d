"""A pinhole camera in a room, with OpenCV's axes: x right, y down, z away from the camera; pixels from the top left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
NEAREST = 0.05  # m before the camera: nearer points are projected as if there


@dataclass(frozen=True)
class Lens:
    """A square picture of `size` pixels. rotation (3, 3): ground -> camera's axes; place (3,) m; focal length, pixels.

    The principal point is the middle, size / 2; a pixel's centre lies half a pixel from its corner.
    """

    size: int
    focal: float
    rotation: Array
    place: Array

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 < self.focal < np.inf:
            raise UserError(f"Expected a picture size and focal length above 0, got {self.size} and {self.focal}.")

    def seen(self, points: Array) -> Array:
        """Return points (..., 3) of ground in the camera's axes, m."""
        return (points - self.place) @ self.rotation.T

    def project(self, points: Array) -> Array:
        """Return pixels (..., 2) of points (..., 3) of ground."""
        return self.pixels(self.seen(points))

    def pixels(self, seen: Array) -> Array:
        """Return pixels (..., 2) of points (..., 3) in the camera's axes."""
        return self.size / 2 + self.focal * seen[..., :2] / np.maximum(seen[..., 2:], NEAREST)

    def finer(self, times: int) -> Lens:
        """Return the same view with `times` as many pixels along each side."""
        return Lens(self.size * times, self.focal * times, self.rotation, self.place)

    @property
    def slopes(self) -> NDArray[np.float32]:
        """Where the centres of columns (or rows) lie at depth 1, (size,)."""
        return ((np.arange(self.size) + 0.5 - self.size / 2) / self.focal).astype(np.float32)


def looking(place: Array, at: Array, roll: float = 0.0) -> Array:
    """Return the rotation (3, 3) of a camera that looks from `place` at `at` (m, y up), turned about its axis by roll.

    Straight up or down, where no side is up, ground's x is up.
    """
    forward = np.asarray(at, float) - place
    forward = forward / max(float(np.linalg.norm(forward)), 1e-12)
    right = np.cross(forward, (0.0, 1.0, 0.0))
    if np.linalg.norm(right) < 1e-6:
        right = np.cross(forward, (1.0, 0.0, 0.0))
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([c * right + s * down, c * down - s * right, forward])
