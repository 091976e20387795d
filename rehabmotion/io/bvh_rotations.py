"""Rotations as three angles that do not jump, for BVH."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating]

# Order of the three angles: its middle one must stay clear of 90 degrees. Arms hang at 90 about z, legs rise about x.
ARM_ORDER, BODY_ORDER = "ZXY", "YZX"


def euler_degrees(rotations: Array, order: str) -> Array:
    """Return angles (T, 3) in degrees about the axes carried along, in `order`, without jumps from frame to frame.

    Of the two triples that give the same rotation, and their full turns, each frame takes the nearest to the last.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # at 90 degrees the third angle is free, and set to zero
        first = Rotation.from_matrix(rotations).as_euler(order, degrees=True)
    second = first * np.array([1, -1, 1]) + 180.0

    def steps(to: Array) -> Array:
        return np.abs((to[1:] - first[:-1] + 180.0) % 360.0 - 180.0).sum(axis=1)

    # going from second to first is as far as from first to second, so one parity says which of the two is nearest
    changes = np.concatenate([[0], np.cumsum(steps(second) < steps(first))])
    return np.unwrap(np.where(changes[:, None] % 2 == 1, second, first), period=360.0, axis=0)
