"""Rotation helpers on top of scipy; matrices act on column vectors, y is up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def yaw_matrix(angle: float) -> Array:
    """Return the 3 x 3 rotation by `angle` radians about +y (it carries +z towards +x)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def normalise(v: Array, axis: int = -1, least: float = 1e-9) -> Array:
    """Return unit vectors; vectors shorter than `least` become zero."""
    length = np.linalg.norm(v, axis=axis, keepdims=True)
    return np.where(length > least, v / np.maximum(length, least), 0.0)


def frame_from(primary: Array, secondary: Array) -> Array:
    """Return right-handed frames (..., 3, 3), columns x, y, z: y along `primary`, x nearest to `secondary`."""
    y = normalise(primary)
    z = normalise(np.cross(secondary, y))
    return np.stack([np.cross(y, z), y, z], axis=-1)


def shortest_arc(a: Array, b: Array) -> Array:
    """Return matrices (..., 3, 3) of the smallest rotation that carries unit vectors a to b.

    Opposite vectors have no single answer: half a turn about an axis perpendicular to a.
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    v = np.cross(a, b)
    c = np.sum(a * b, axis=-1)[..., None, None]
    skew = np.zeros((*v.shape[:-1], 3, 3))
    skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    skew -= np.swapaxes(skew, -1, -2)
    opposite = c < -1 + 1e-9
    rotation = np.eye(3) + skew + skew @ skew / np.where(opposite, 1.0, 1.0 + c)
    helper = np.where(np.abs(a[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    axis = normalise(np.cross(a, helper))
    half_turn = 2 * axis[..., :, None] * axis[..., None, :] - np.eye(3)
    return np.where(opposite, half_turn, rotation)
