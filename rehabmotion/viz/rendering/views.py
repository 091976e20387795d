"""Where the camera stands: drawn by chance around a person who stays within bounds, its crop turned towards them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.viz.rendering.lens import Array, Lens, looking


@dataclass(frozen=True)
class Cameras:
    """Ranges that a camera is drawn from, evenly.

    azimuth_deg: 0 sees the person's front, positive from the person's left; height: m above the floor; fov_deg: of the
    whole picture, of which the person takes the share `share` from head to foot, and so how far they stand; roll_deg.
    What is kept is a square around the person, as a camera turned towards it sees it (as in MeTRAbs):
    `room` times as wide as the person needs, moved by up to `shift` of its side.
    """

    azimuth_deg: tuple[float, float] = (-180.0, 180.0)
    height: tuple[float, float] = (0.5, 2.0)
    fov_deg: tuple[float, float] = (40.0, 70.0)
    share: tuple[float, float] = (0.45, 0.95)
    roll_deg: tuple[float, float] = (-10.0, 10.0)
    room: tuple[float, float] = (1.0, 1.25)
    shift: float = 0.05

    def __post_init__(self) -> None:
        limits = {
            "azimuth_deg": (-720, 720), "height": (0.0, 20), "fov_deg": (5, 120), "share": (0.05, 1.5),
            "roll_deg": (-180, 180), "room": (1, 4),
        }  # fmt: skip
        for name, (least, most) in limits.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise UserError(f"Expected {name} between {least} and {most}, low first, got {low}, {high}.")
        if not 0 <= self.shift <= 0.3:
            raise UserError(f"Expected a shift from 0 to 0.3 of the picture, got {self.shift}.")


def draw_lens(rng: np.random.Generator, cameras: Cameras, size: int, bounds: Array, facing: float) -> Lens:
    """Return a camera drawn by chance for what stays within boxes `bounds` (N, 2, 3), least and greatest x, y, z m.

    facing: the azimuth that the person faces, rad from ground's x towards z. The floor is y = 0.
    """
    azimuth, fov, roll = (np.radians(rng.uniform(*r)) for r in (cameras.azimuth_deg, cameras.fov_deg, cameras.roll_deg))
    height, share, room = (float(rng.uniform(*r)) for r in (cameras.height, cameras.share, cameras.room))
    aside = cameras.shift * np.sqrt(rng.random()) * np.array([np.cos(a := rng.uniform(0, 2 * np.pi)), np.sin(a)])
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    middle, wide = (low + high) / 2, 0.5 * float(np.hypot(*(high - low)[[0, 2]]))
    far = (high[1] - low[1]) / (2 * share * np.tan(fov / 2))
    flat = max(np.sqrt(max(far**2 - (height - middle[1]) ** 2, 0.0)), wide + 0.6)  # never among the limbs
    angle = facing - azimuth  # the person's left is against ground's z
    place = np.array([middle[0] + flat * np.cos(angle), height, middle[2] + flat * np.sin(angle)])
    corners = bounds[
        :, [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]], [0, 1, 2]
    ]
    return _cropped(corners.reshape(-1, 3), Lens(size, 1.0, looking(place, middle, roll), place), room, aside)


def _cropped(points: Array, lens: Lens, room: float, aside: Array) -> Lens:
    """Return the camera turned towards the middle of the points, at the focal length that holds them."""
    rotation = lens.rotation
    for turn in range(3):
        seen = (points - lens.place) @ rotation.T
        slopes = seen[:, :2] / np.maximum(seen[:, 2:], 0.1)
        low, high = slopes.min(axis=0), slopes.max(axis=0)
        half = room * float((high - low).max()) / 2
        if turn < 2:
            centre = (low + high) / 2 + (2 * half * aside if turn == 1 else 0)
            rotation = _towards(centre) @ rotation
    return Lens(lens.size, lens.size / 2 / half, rotation, lens.place)


def _towards(centre: Array) -> Array:
    """Return the least rotation (3, 3) that brings the ray (x, y, 1) onto the axis z."""
    x, y, z = np.array([*centre, 1.0]) / np.sqrt(1 + centre @ centre)
    share = 1 / (1 + z)
    return np.array([[1 - x * x * share, -x * y * share, -x], [-x * y * share, 1 - y * y * share, -y], [x, y, z]])
