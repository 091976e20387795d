"""Two bones that reach a point, products and turns, against closed forms and numpy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.geometry.limbs import cross, turned, two_bones


def test_two_bones_closed_form() -> None:
    """A 3-4-5 triangle has its right angle between the bones."""
    root, target, pole = np.zeros((1, 3)), np.array([[0.0, -5.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    upper, lower = two_bones(root, target, 3.0, 4.0, pole)
    assert upper[0] @ lower[0] == pytest.approx(0.0, abs=1e-12)
    assert np.allclose(3 * upper + 4 * lower, target)
    assert upper[0, 2] > 0


def test_two_bones_reach_what_is_within_reach_and_bend_to_the_pole() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(200, 3))
    target *= (rng.uniform(0.15, 0.79, 200) / np.linalg.norm(target, axis=1))[:, None]
    pole = rng.normal(size=(200, 3))
    upper, lower = two_bones(np.zeros((200, 3)), target, 0.45, 0.35, pole)
    assert np.allclose(np.linalg.norm(upper, axis=1), 1)
    assert np.allclose(np.linalg.norm(lower, axis=1), 1)
    assert np.allclose(0.45 * upper + 0.35 * lower, target)
    across = pole - (pole * target).sum(1, keepdims=True) / (target**2).sum(1, keepdims=True) * target
    assert ((upper * across).sum(axis=1) > 0).all()


def test_two_bones_out_of_reach_keep_their_length() -> None:
    upper, lower = two_bones(np.zeros((1, 3)), np.array([[0.0, 9.0, 0.0]]), 1.0, 1.0, np.array([[0.0, 0.0, 1.0]]))
    assert np.linalg.norm(upper + lower) == pytest.approx(2.0, abs=1e-4)


def test_cross_and_turned_are_those_of_numpy_and_scipy() -> None:
    rng = np.random.default_rng(1)
    a, b, angle = rng.normal(size=(50, 3)), rng.normal(size=(50, 3)), rng.uniform(-3, 3, 50)
    axis = a / np.linalg.norm(a, axis=1, keepdims=True)
    assert np.allclose(cross(a, b), np.cross(a, b))
    assert np.allclose(turned(b, axis, angle), Rotation.from_rotvec(angle[:, None] * axis).apply(b))
