"""Cameras that look at people: where the person's middle lies, which way is up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rehabmotion.models.lifter.body import Body
from rehabmotion.training.lifting.scene import DISTANCE, cameras, drawn_cameras
from rehabmotion.training.lifting.truth import truth_of

NONE = np.zeros(5)
AZIMUTH = np.array([0.0, 1.0, 2.0, 3.0, -2.5])
DEPTH = np.array([1.6, 2.0, 3.0, 5.0, 8.0])


def middle(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (n, 3))


def test_the_middle_is_on_the_axis_at_its_distance_unless_the_person_stands_beside_it() -> None:
    at = middle(5)
    for pitch, roll in ((NONE, NONE), (np.linspace(-0.4, 0.7, 5), np.linspace(-1, 1, 5))):
        view = cameras(at, AZIMUTH, pitch, roll, DEPTH, np.zeros((5, 2)))
        seen = view.seen(at[:, None, None])[:, 0, 0]
        np.testing.assert_allclose(seen, np.stack([NONE, NONE, DEPTH], 1), atol=1e-12)


def test_a_person_beside_the_axis_stands_off_by_that_angle() -> None:
    beside = np.array([[0.2, 0.0], [0.0, 0.2], [-0.3, 0.0], [0.0, -0.3], [0.0, 0.0]])
    at = middle(5)
    seen = cameras(at, AZIMUTH, NONE, NONE, DEPTH, beside).seen(at[:, None, None])[:, 0, 0]
    off = np.arctan2(np.linalg.norm(seen[:, :2], axis=1), seen[:, 2])
    assert off == pytest.approx(np.abs(beside).sum(axis=1))
    assert np.linalg.norm(seen, axis=1) == pytest.approx(DEPTH)


def test_a_camera_before_the_person_sees_their_right_on_its_left_and_the_head_above() -> None:
    """Azimuth 0: ground's x, forward, comes towards the camera; z, the person's right, goes to the left; y is down."""
    one = np.zeros(1)
    view = cameras(np.zeros((1, 3)), one, one, one, np.array([3.0]), np.zeros((1, 2)))
    np.testing.assert_allclose(view.rotation[0], [[0, 0, -1], [0, -1, 0], [-1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(view.place[0], [3, 0, 0], atol=1e-12)


def test_rotations_are_rotations_and_distances_in_their_range() -> None:
    at = middle(300)
    view = drawn_cameras(np.random.default_rng(1), at)
    eye = view.rotation @ view.rotation.transpose(0, 2, 1)
    np.testing.assert_allclose(eye, np.tile(np.eye(3), (300, 1, 1)), atol=1e-12)
    assert np.linalg.det(view.rotation) == pytest.approx(1.0)
    far = np.linalg.norm(view.place - at, axis=1)
    assert far.min() >= DISTANCE[0] - 1e-9
    assert far.max() <= DISTANCE[1] + 1e-9
    assert (view.seen(at[:, None, None])[..., 2] > 0).all()


def test_up_is_up(body: Body) -> None:
    """What the lifter is to say is up, as the camera sees it, is where a point above another lies."""
    at = middle(20)
    view = drawn_cameras(np.random.default_rng(2), at)
    above = view.seen((at + np.array([0, 1, 0]))[:, None, None]) - view.seen(at[:, None, None])
    q = torch.zeros(20, 4, len(body.names))
    truth = truth_of(body, q, torch.ones(20, 24), np.ones(20, np.float32), view)
    assert truth.up.numpy() == pytest.approx(above[:, 0, 0], abs=1e-6)
    # at rest the pelvis' own axes are ground's: its rotation is the camera's
    np.testing.assert_allclose(truth.rotations[:, 0, 0].numpy(), view.rotation, atol=1e-6)
