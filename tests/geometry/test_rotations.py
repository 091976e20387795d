"""Rotation helpers, against closed forms and scipy."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from rehabmotion.geometry.rotations import frame_from, normalise, shortest_arc, yaw_matrix

vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.05)
X, Y, Z = np.eye(3)


def is_rotation(matrix: np.ndarray) -> bool:
    return bool(np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9) and np.isclose(np.linalg.det(matrix), 1))


def test_a_quarter_turn_carries_z_to_x() -> None:
    assert np.allclose(yaw_matrix(np.pi / 2) @ Z, X)
    assert np.allclose(yaw_matrix(np.pi / 2) @ Y, Y)


@given(st.floats(-10, 10))
def test_yaw_is_scipys_rotation_about_y(angle: float) -> None:
    assert np.allclose(yaw_matrix(angle), Rotation.from_euler("y", angle).as_matrix(), atol=1e-12)


def test_normalised_vectors_have_length_1_and_tiny_ones_become_zero() -> None:
    v = np.array([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0], [1e-12, 0.0, 0.0]])
    assert np.allclose(normalise(v), [[0.6, 0.0, 0.8], [0, 0, 0], [0, 0, 0]])
    assert np.allclose(normalise(v[:1], least=10.0), 0)
    assert np.allclose(normalise(v[:1].T, axis=0), [[0.6], [0.0], [0.8]])


@given(vectors, vectors)
@settings(deadline=None)
def test_a_frame_has_y_along_the_first_and_x_on_the_side_of_the_second(a: np.ndarray, b: np.ndarray) -> None:
    assume(np.linalg.norm(np.cross(a, b)) > 1e-3)  # parallel ones make no frame
    frame = frame_from(a, b)
    assert is_rotation(frame)
    assert np.allclose(frame[:, 1], a / np.linalg.norm(a))
    assert frame[:, 0] @ b > 0
    assert abs(frame[:, 2] @ b) < 1e-9


@given(vectors, vectors)
@settings(deadline=None)
def test_the_shortest_arc_carries_one_to_the_other_by_the_angle_between(a: np.ndarray, b: np.ndarray) -> None:
    a, b = normalise(a), normalise(b)
    arc = shortest_arc(a, b)
    assert is_rotation(arc)
    assert np.allclose(arc @ a, b, atol=1e-6)
    angle = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
    assert Rotation.from_matrix(arc).magnitude() == pytest.approx(angle, abs=1e-6)


@pytest.mark.parametrize("a", [X, Y, Z, -X, normalise(np.ones(3))])
def test_opposite_vectors_are_half_a_turn_apart(a: np.ndarray) -> None:
    arc = shortest_arc(a, -a)
    assert is_rotation(arc)
    assert np.allclose(arc @ a, -a)


def test_arcs_of_many_vectors_at_once() -> None:
    rng = np.random.default_rng(0)
    a, b = normalise(rng.normal(size=(4, 5, 3))), normalise(rng.normal(size=(4, 5, 3)))
    assert np.allclose(np.einsum("...ij,...j->...i", shortest_arc(a, b), a), b)
    assert np.allclose(shortest_arc(X, b)[2, 3], shortest_arc(X, b[2, 3]))
