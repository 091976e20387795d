"""Limbs as vectors over time: two bones that reach a point, rotations about an axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.rotations import normalise

Array = NDArray[np.floating]


def dot(a: Array, b: Array) -> Array:
    """Return the inner product over the last axis."""
    return np.einsum("...i,...i->...", a, b)


def cross(a: Array, b: Array) -> Array:
    """Return the vector product over the last axis; a quarter of numpy's time, which looks for axes first."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        product[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return product


def two_bones(root: Array, target: Array, upper: float, lower: float, pole: Array) -> tuple[Array, Array]:
    """Return unit directions (T, 3) of the upper and lower bone that carry `root` to `target`, bent towards `pole`.

    Law of cosines. Beyond reach the limb points at the target as far as it goes: lengths are never stretched.
    """
    line = target - root
    distance = np.sqrt(dot(line, line))
    axis = line / np.maximum(distance, 1e-9)[:, None]
    reach = np.clip(distance, abs(upper - lower) + 1e-4, 0.99999 * (upper + lower))
    bend = normalise(pole - dot(pole, axis)[:, None] * axis)
    cosine = np.clip((upper**2 + reach**2 - lower**2) / (2 * upper * reach), -1.0, 1.0)
    first = cosine[:, None] * axis + np.sqrt(1 - cosine**2)[:, None] * bend
    second = (reach[:, None] * axis - upper * first) / lower
    return first, second


def turned(v: Array, axis: Array, angle: Array) -> Array:
    """Return v (..., 3) turned by `angle` (...) radians about the unit vectors `axis` (..., 3): Rodrigues' formula."""
    c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
    return c * v + s * cross(axis, v) + (1.0 - c) * dot(axis, v)[..., None] * axis
