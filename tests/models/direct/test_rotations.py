"""Rotations: against scipy, and by hand."""

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rehabmotion.models.direct.rotations import (
    angle_between,
    euler_of_matrix,
    matrix_of_euler,
    matrix_of_six,
    six_of_matrix,
)


def some(n: int = 20) -> torch.Tensor:
    return torch.from_numpy(Rotation.random(n, random_state=0).as_matrix())


def test_six_numbers_give_the_rotation_they_were_taken_from() -> None:
    np.testing.assert_allclose(matrix_of_six(six_of_matrix(some())), some(), atol=1e-14)


def test_any_six_numbers_give_a_rotation() -> None:
    r = matrix_of_six(torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    np.testing.assert_allclose(r @ r.transpose(1, 2), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(torch.linalg.det(r), 1.0)
    assert torch.equal(matrix_of_six(torch.tensor([2.0, 0, 0, 5, 3, 0])), torch.eye(3))


def test_slopes_are_finite_where_six_numbers_tell_nothing() -> None:
    for six in ([0.0] * 6, [1.0, 0, 0, 2, 0, 0]):
        x = torch.tensor(six, requires_grad=True)
        matrix_of_six(x).sum().backward()
        assert x.grad is not None
        assert torch.isfinite(x.grad).all()


def test_euler_angles_are_scipys_and_come_back() -> None:
    angles = Rotation.random(20, random_state=1).as_euler("XYZ")
    r = matrix_of_euler(torch.from_numpy(angles))
    np.testing.assert_allclose(r, Rotation.from_euler("XYZ", angles).as_matrix(), atol=1e-14)
    np.testing.assert_allclose(euler_of_matrix(r), angles, atol=1e-6)


def test_euler_angles_have_finite_slopes_where_two_are_one() -> None:
    r = matrix_of_euler(torch.tensor([0.3, math.pi / 2, 0.1], dtype=torch.float64)).round(decimals=15)
    r = r.requires_grad_()
    angles = euler_of_matrix(r)
    angles.sum().backward()
    assert abs(float(angles[1].detach()) - math.pi / 2) < 1e-5
    assert r.grad is not None
    assert torch.isfinite(r.grad).all()


def test_the_angle_between_rotations() -> None:
    for angle in (0.0, 0.3, 3.0, math.pi):
        r = torch.from_numpy(Rotation.from_rotvec([0, angle, 0]).as_matrix())
        assert abs(float(angle_between(some()[0], some()[0] @ r)) - angle) < 1e-7
    same = some()[0].requires_grad_()
    angle_between(same, some()[0]).backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()
