"""Poses: taken apart and put together again, moved about, and with knees that follow from the ankles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.data.simulator import simulate
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.blending.parts import BODIES, PARTS, joints_of, share_joints
from rehabmotion.motion.blending.poses import ANKLES, HIPS, KNEES, put_together, take_apart
from rehabmotion.motion.retarget import bone_lengths

Array = NDArray[np.float64]


def lengths_of(x: Array) -> Array:
    """Return the bone lengths (22,) of positions (T, 22, 3)."""
    return bone_lengths(x, np.ones(x.shape[:2], bool))


def test_the_parts_are_the_whole_body_once() -> None:
    joints = [name for names in PARTS.values() for name in names]
    assert sorted([*joints, "pelvis"]) == sorted(CANONICAL.joint_names)
    assert joints_of(BODIES["all"]) == list(range(1, 22))
    assert joints_of(["head"]) == [CANONICAL.index("head")]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [("all", "head", True), ("arms", "left_arm", True), ("left_arm", "right_arm", False), ("legs", "spine", False)],
)
def test_which_names_move_the_same_joints(one: str, other: str, shared: bool) -> None:
    assert share_joints(one, other) is share_joints(other, one) is shared


@pytest.mark.parametrize("exercise", ["deep_squat", "side_lunge", "trunk_rotation", "trunk_stability_push_up"])
def test_taken_apart_and_put_together_a_motion_is_the_same(exercise: str) -> None:
    side = "left" if exercise in ("side_lunge", "trunk_rotation") else "both"
    x = simulate(exercise, side, 3, grade=1).positions.astype(np.float64)
    assert np.abs(put_together(take_apart(x), lengths_of(x)) - x).max() < 1e-5


def test_the_same_holds_after_turning_and_shifting(standing: Array) -> None:
    x, shift = standing[None], np.array([0.4, 0.0, -1.2])
    moved = x @ yaw_matrix(0.7).T + shift
    poses = take_apart(x).placed(0.7, shift)
    assert np.abs(put_together(poses, lengths_of(x)) - moved).max() < 1e-9
    assert poses.heading() == pytest.approx(0.7)
    assert take_apart(moved).heading() == pytest.approx(0.7)


def test_knees_follow_from_the_ankles_by_the_law_of_cosines(standing: Array) -> None:
    """Thigh and shank of 0.5 m, the ankle 0.6 m below the hip: the knee is 0.4 m in front of the line's middle."""
    poses = take_apart(standing[None])
    lengths = lengths_of(standing[None])
    lengths[[*KNEES, *ANKLES]] = 0.5
    hips = put_together(poses, lengths)[:, HIPS]
    poses.ankles[:] = hips - np.array([0.0, 0.6, 0.0])
    poses.bends[:] = np.array([0.0, 0.0, 0.1])
    x = put_together(poses, lengths)
    assert x[:, KNEES] == pytest.approx(hips + np.array([0.0, -0.3, 0.4]))
    assert x[:, ANKLES] == pytest.approx(poses.ankles)


def test_an_ankle_out_of_reach_is_left_behind_and_bones_stay(standing: Array) -> None:
    poses, lengths = take_apart(standing[None]), lengths_of(standing[None])
    poses.ankles[:, 0, 1] -= 1.0
    x = put_together(poses, lengths)
    assert lengths_of(x) == pytest.approx(lengths)
    assert x[0, ANKLES[0], 1] > poses.ankles[0, 0, 1]


def test_arms_keep_their_angle_to_the_vertical_when_the_trunk_leans(standing: Array) -> None:
    """They used to lean with the trunk: raised over a squat, abduction was taken for another exercise."""
    poses, lengths = take_apart(standing[None]), lengths_of(standing[None])
    lean = Rotation.from_euler("x", 40, degrees=True).as_matrix()
    poses.pelvis[:] = lean @ poses.pelvis
    x = put_together(poses, lengths)[0]
    trunk, arm = CANONICAL.indices("pelvis", "neck"), CANONICAL.indices("left_shoulder", "left_elbow")
    assert x[trunk[1]] - x[trunk[0]] == pytest.approx(lean @ (standing[trunk[1]] - standing[trunk[0]]))
    assert x[arm[1]] - x[arm[0]] == pytest.approx(standing[arm[1]] - standing[arm[0]])
