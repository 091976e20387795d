"""Cameras that look at people: where they stand is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DISTANCE = (1.6, 8.0)  # m, for a person of 1.70 m
PITCH, ROLL, TILTED = np.deg2rad((9.0, 4.0, 14.0))
SELDOM = 0.15  # share of cameras that are held askew
BESIDE = np.deg2rad(9.0)  # deviation of the person's middle from the camera's axis


@dataclass(frozen=True)
class Cameras:
    """rotation (B, 3, 3): ground (x forward, y up, z right) to camera (x right, y down, z away); place (B, 3) m."""

    rotation: Array
    place: Array

    def seen(self, points: Array) -> Array:
        """Return points (B, T, P, 3) m of ground in the cameras' axes."""
        return np.asarray(np.einsum("bij,btpj->btpi", self.rotation, points - self.place[:, None, None]))


def drawn_cameras(rng: np.random.Generator, middle: Array) -> Cameras:
    """Return a camera for each window whose person's middle is at (B, 3) m."""
    size = len(middle)
    azimuth = rng.uniform(-np.pi, np.pi, size)
    pitch = np.clip(rng.normal(0.05, PITCH, size), -0.4, 0.7)  # above 0: the camera looks down
    roll = rng.normal(0, np.where(rng.random(size) < SELDOM, TILTED, ROLL), size)
    distance = np.exp(rng.uniform(np.log(DISTANCE[0]), np.log(DISTANCE[1]), size))
    beside = rng.normal(0, BESIDE, (size, 2))
    return cameras(middle, azimuth, pitch, roll, distance, beside)


def cameras(middle: Array, azimuth: Array, pitch: Array, roll: Array, distance: Array, beside: Array) -> Cameras:
    """Return cameras at `distance` (B,) m of the person's middle, from `azimuth` (0: before the person who faces x).

    pitch: looking down by; roll about the axis; beside (B, 2): angles by which the person stands off the axis.
    """
    away = np.stack(
        [-np.cos(azimuth) * np.cos(pitch), -np.sin(pitch), -np.sin(azimuth) * np.cos(pitch)], axis=1
    )  # from the camera to the person
    right = np.stack([np.sin(azimuth), np.zeros_like(azimuth), -np.cos(azimuth)], axis=1)
    down = np.cross(away, right)
    rotation = np.stack([right, down, away], axis=1)
    place = middle - distance[:, None] * away
    return Cameras(_about_z(roll) @ _about_x(beside[:, 1]) @ _about_y(beside[:, 0]) @ rotation, place)


def _about_z(angle: Array) -> Array:
    return _plane(angle, 0, 1)


def _about_x(angle: Array) -> Array:
    return _plane(angle, 1, 2)


def _about_y(angle: Array) -> Array:
    return _plane(angle, 2, 0)


def _plane(angle: Array, a: int, b: int) -> Array:
    out = np.tile(np.eye(3), (len(angle), 1, 1))
    out[:, a, a] = out[:, b, b] = np.cos(angle)
    out[:, a, b], out[:, b, a] = -np.sin(angle), np.sin(angle)
    return out
