"""Going over from one pose to another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.motion import CANONICAL
from rehabmotion.motion.blending.blend import LIFT, blend_directions, blend_legs, minimum_jerk, slerp, slerp_frames
from rehabmotion.motion.blending.poses import ANKLES, Poses, put_together, take_apart
from rehabmotion.motion.retarget import bone_lengths

Array = NDArray[np.float64]
X, Y, Z = np.eye(3)


def test_minimum_jerk_is_the_polynomial_of_flash_and_hogan() -> None:
    s = np.linspace(0, 1, 2001)
    w = minimum_jerk(s)
    assert w[[0, 1000, 2000]] == pytest.approx([0, 0.5, 1])
    assert np.diff(w).max() * 2000 == pytest.approx(1.875, abs=1e-3)
    assert minimum_jerk(np.array([-3.0, 4.0])).tolist() == [0, 1]


def test_halfway_between_right_angles_is_45_degrees() -> None:
    assert slerp(X, Y, np.array(0.5)) == pytest.approx((X + Y) / np.sqrt(2))
    assert slerp(X, X, np.array(0.3)) == pytest.approx(X)


@given(st.floats(0, 1), st.integers(0, 2**32))
def test_slerp_goes_evenly_along_the_great_circle(w: float, seed: int) -> None:
    a, b = (v / np.linalg.norm(v) for v in np.random.default_rng(seed).normal(size=(2, 3)))
    angle = np.arccos(np.clip(a @ b, -1, 1))
    assert np.arccos(np.clip(a @ slerp(a, b, np.array(w)), -1, 1)) == pytest.approx(w * angle, abs=1e-5)


def test_frames_agree_with_scipys_slerp() -> None:
    from scipy.spatial.transform import Slerp

    ends = Rotation.random(2, random_state=3)
    w = np.linspace(0, 1, 7)
    a, b = (np.repeat(ends[i].as_matrix()[None], 7, axis=0) for i in (0, 1))
    assert slerp_frames(a, b, w) == pytest.approx(Slerp([0, 1], ends)(w).as_matrix())


def repeated(x: Array, n: int) -> Poses:
    return take_apart(np.repeat(x[None], n, axis=0))


@pytest.fixture
def lengths(standing: Array) -> Array:
    return bone_lengths(standing[None], np.ones((1, 22), bool))


@pytest.fixture
def crouching(standing: Array, lengths: Array) -> Array:
    """Standing with knees that are clearly bent, so that no leg is too short for what follows."""
    poses = take_apart(standing[None])
    poses.root[:, 1] -= 0.1
    return put_together(poses, lengths)[0]


def stepped(standing: Array, lengths: Array) -> Array:
    """The same person with the right foot 40 cm in front, the pelvis half as far."""
    poses = take_apart(standing[None])
    poses.ankles[:, 1, 2] += 0.4
    poses.root[:, 2] += 0.2
    return put_together(poses, lengths)[0]


def test_the_ends_of_a_blend_are_the_poses(crouching: Array, lengths: Array) -> None:
    other = stepped(crouching, lengths)
    blended = blend_legs(repeated(crouching, 2), repeated(other, 2), np.array([0.0, 1.0]), lengths)
    legs = CANONICAL.indices("left_ankle", "right_ankle", "left_knee", "right_knee", "left_foot", "right_foot")
    x = put_together(blended, lengths)
    assert np.abs(x[0, legs] - crouching[legs]).max() < 1e-9
    assert np.abs(x[1, legs] - other[legs]).max() < 1e-9


def test_one_foot_stands_and_the_other_steps(crouching: Array, lengths: Array) -> None:
    w = minimum_jerk(np.linspace(0, 1, 31))
    x = put_together(
        blend_legs(repeated(crouching, 31), repeated(stepped(crouching, lengths), 31), w, lengths), lengths
    )
    left, right = x[:, ANKLES[0]], x[:, ANKLES[1]]
    assert np.abs(left - left[0]).max() < 1e-9
    assert right[15, 1] - right[0, 1] == pytest.approx(LIFT)
    assert (np.diff(right[:, 2]) >= -1e-9).all()


def test_a_foot_that_has_hardly_to_move_stays_on_the_floor(crouching: Array, lengths: Array) -> None:
    poses = take_apart(crouching[None])
    poses.ankles[:, 1, 2] += 0.01
    other = put_together(poses, lengths)[0]
    x = put_together(blend_legs(repeated(crouching, 9), repeated(other, 9), np.linspace(0, 1, 9), lengths), lengths)
    assert np.ptp(x[:, ANKLES[1], 1]) < 1e-6


def test_a_raised_arm_comes_down_by_the_side_not_through_the_body(standing: Array) -> None:
    """Straight up to straight down has no single way; across the chest was one of them."""
    joint = CANONICAL.index("left_elbow")
    a, b = repeated(standing, 21), repeated(standing, 21)
    a.directions[:, joint] = np.array([-0.02, 0.9998, 0.0])
    b.directions[:, joint] = -Y
    way = blend_directions(a, b, np.linspace(0, 1, 21), [joint])[:, 0]
    assert way[10, 0] > 0.7
    assert way[:, 0].min() > -0.03
