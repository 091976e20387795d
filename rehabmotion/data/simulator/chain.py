"""The small chain: rotations over time, directions blended along the sphere.

Everything is vectorised over time: angles (T,), vectors (T, 3), rotations (T, 3, 3) acting on columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.limbs import dot
from rehabmotion.geometry.rotations import normalise

Array = NDArray[np.floating]


def about_x(angle: Array) -> Array:
    """Return rotations (T, 3, 3) about +x: positive carries up (+y) forward (+z), a bow."""
    c, s = np.cos(angle), np.sin(angle)
    r = np.zeros((*np.shape(angle), 3, 3))
    r[..., 0, 0] = 1.0
    r[..., 1, 1], r[..., 1, 2], r[..., 2, 1], r[..., 2, 2] = c, -s, s, c
    return r


def about_y(angle: Array) -> Array:
    """Return rotations (T, 3, 3) about +y: positive carries forward (+z) to the left (+x), a turn to the left."""
    c, s = np.cos(angle), np.sin(angle)
    r = np.zeros((*np.shape(angle), 3, 3))
    r[..., 1, 1] = 1.0
    r[..., 0, 0], r[..., 0, 2], r[..., 2, 0], r[..., 2, 2] = c, s, -s, c
    return r


def about_z(angle: Array) -> Array:
    """Return rotations (T, 3, 3) about +z: positive carries left (+x) up (+y), a lean to the right."""
    c, s = np.cos(angle), np.sin(angle)
    r = np.zeros((*np.shape(angle), 3, 3))
    r[..., 2, 2] = 1.0
    r[..., 0, 0], r[..., 0, 1], r[..., 1, 0], r[..., 1, 1] = c, -s, s, c
    return r


def trunk_rotation(angles: Array) -> Array:
    """Return rotations (T, 3, 3) from (bow, lean to the left, turn to the left), angles (T, 3): the turn acts last."""
    return about_y(angles[:, 2]) @ about_z(-angles[:, 1]) @ about_x(angles[:, 0])


def apply(rotation: Array, vector: Array) -> Array:
    """Return rotation @ vector for rotations (T, 3, 3) or (3, 3) and vectors (T, 3) or (3,)."""
    return (rotation @ np.asarray(vector)[..., None])[..., 0]


def swing_from_down(direction: Array, start: Array) -> Array:
    """Return `start` (T, 3), perpendicular to straight down, carried along the shortest arc from down to `direction`.

    With d = -y and a unit direction u: v - (d . v + u . v) / (1 + d . u) * (d + u) for v perpendicular to d. The limb
    that points straight up has no shortest arc; it does not occur.
    """
    down = np.array([0.0, -1.0, 0.0])
    along = dot(direction, start) / np.maximum(1.0 + dot(direction, down), 1e-6)
    return start - along[..., None] * (down + direction)


def slerp(a: Array, b: Array, weight: Array) -> Array:
    """Return unit vectors (T, 3) a fraction `weight` (T,) of the way from a to b along the great circle."""
    angle = np.arccos(np.clip(dot(a, b), -1.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    wa = np.where(near, 1.0 - weight, np.sin((1.0 - weight) * angle) / safe)
    wb = np.where(near, weight, np.sin(weight * angle) / safe)
    return normalise(wa[:, None] * a + wb[:, None] * b)
