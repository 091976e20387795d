"""A pinhole camera on an orbit around the stage: the same formulas as the player's (draw.js)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

FIELD_OF_VIEW = 0.5  # radians, vertical: a long lens, little distortion
YAW, PITCH = 0.55, 0.16  # radians: from the person's left front, a little above


@dataclass(frozen=True)
class Camera:
    """A view of `width` x `height` pixels that holds a stage of the given height and radius (metres).

    Yaw 0 looks at the person's front, positive yaw from the person's left; pitch > 0 looks from above; radians.
    """

    width: int
    height: int
    stage_height: float
    stage_radius: float
    yaw: float = YAW
    pitch: float = PITCH

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.height / 2 / math.tan(FIELD_OF_VIEW / 2)

    @property
    def middle(self) -> float:
        """Height above the floor that is looked at, metres."""
        return 0.47 * self.stage_height

    @property
    def distance(self) -> float:
        """Metres from the lens to the middle of the stage."""
        fit = max(1.12 * self.stage_height / self.height, 2 * self.stage_radius / self.width) * self.focal
        return fit + 0.45 * self.stage_radius

    def _axes(self) -> Array:
        """Rows: right, up, towards the lens; world coordinates (3, 3)."""
        sy, cy, sp, cp = math.sin(self.yaw), math.cos(self.yaw), math.sin(self.pitch), math.cos(self.pitch)
        return np.array([[cy, 0, -sy], [-sp * sy, cp, -sp * cy], [sy * cp, sp, cy * cp]])

    def project(self, points: Array) -> Array:
        """Return (..., 4) for world points (..., 3): x and y in pixels from the top left, depth m, pixels per metre."""
        right, up, toward = np.moveaxis((points - np.array([0, self.middle, 0])) @ self._axes().T, -1, 0)
        depth = np.maximum(self.distance - toward, 0.05)
        scale = self.focal / depth
        return np.stack([self.width / 2 + scale * right, self.height / 2 - scale * up, depth, scale], axis=-1)

    @cached_property
    def ground(self) -> Array:
        """The floor points (H, W, 2), world x and z, seen at the pixels' centres; NaN at and above the horizon."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        y = (self.height / 2 - np.arange(self.height) - 0.5) / self.focal
        right, up, toward = self._axes()
        rays = x[None, :, None] * right + y[:, None, None] * up - toward
        eye = np.array([0, self.middle, 0]) + self.distance * toward
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[..., 1] < -1e-6, -eye[1] / rays[..., 1], np.nan)
        return (eye + reach[..., None] * rays)[..., [0, 2]]
