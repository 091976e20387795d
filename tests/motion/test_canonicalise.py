"""The canonical frame: on the floor, facing +z, once per clip, so that turning stays in the motion."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.motion import CANONICAL, FEET, Motion
from rehabmotion.motion.transforms import canonicalise, canonicalise_with_frame, mirror

ATOL = 2e-6  # metres: positions are kept as 32-bit floats
ARMS = CANONICAL.indices(*(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")))
PI = math.pi


def clip(pose: NDArray[np.float64], n: int = 40, **meta: object) -> Motion:
    """A pose that breathes a little, so that frames differ."""
    sway = 0.01 * np.sin(np.arange(n) / 5)[:, None, None] * np.array([1.0, 0.0, 0.5])
    return Motion(pose + sway, 30.0, meta=meta)


def facing(motion: Motion) -> NDArray[np.float64]:
    """The direction (radians, 0 = +z) of the pelvis in each frame."""
    left = (motion.joint("left_hip") - motion.joint("right_hip")).astype(np.float64)
    forward = np.cross(left, [0.0, 1.0, 0.0])
    return np.arctan2(forward[:, 0], forward[:, 2])


def tilted(pose: NDArray[np.float64], axis: str, degrees: float) -> NDArray[np.float64]:
    """The pose turned stiffly about x (positive: on the face) or z."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    turn = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis]
    return pose @ np.array(turn, dtype=float).T


def test_it_stands_on_the_floor_over_the_origin_and_faces_z(standing: NDArray[np.float64]) -> None:
    motion = canonicalise(clip(standing @ yaw_matrix(2.0).T + [3.0, 0.7, -5.0]))
    feet = motion.positions[:, CANONICAL.indices(*FEET)]
    assert np.percentile(feet[..., 1], 5) == pytest.approx(0.0, abs=ATOL)
    assert np.allclose(motion.positions[:10, 0, [0, 2]].mean(axis=0), 0, atol=ATOL)
    assert np.allclose(facing(motion), 0, atol=1e-5)
    assert (motion.joint("left_hip")[:, 0] > 0).all()


def test_once_is_enough(standing: NDArray[np.float64]) -> None:
    once = canonicalise(clip(standing @ yaw_matrix(-2.5).T + 1.0))
    twice, frame = canonicalise_with_frame(once)
    assert np.allclose(twice.positions, once.positions, atol=ATOL)
    assert frame.yaw == pytest.approx(0, abs=1e-5)


def test_the_frame_brings_the_original_back(standing: NDArray[np.float64]) -> None:
    motion = clip(standing @ yaw_matrix(1.1).T + [10.0, -2.0, 4.0])
    canonical, frame = canonicalise_with_frame(motion)
    assert np.allclose(frame.restore(canonical.positions), motion.positions, atol=5e-6)
    assert frame.yaw == pytest.approx(1.1, abs=1e-5)


@given(st.floats(-PI, PI), st.floats(-20, 20), st.floats(-20, 20), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_where_the_room_has_its_origin_does_not_matter(yaw: float, x: float, z: float, y: float) -> None:
    pose = np.random.default_rng(0).normal([0, 1, 0], 0.3, (22, 3))
    pose[1:3] = [[0.1, 0.9, 0.0], [-0.1, 0.9, 0.0]]
    motion = clip(pose)
    moved = motion.but(positions=motion.positions.astype(np.float64) @ yaw_matrix(yaw).T + [x, y, z])
    assert np.allclose(canonicalise(moved).positions, canonicalise(motion).positions, atol=2e-5)


def test_a_person_twice_as_large_is_the_same_person_twice_as_large(standing: NDArray[np.float64]) -> None:
    motion = clip(standing @ yaw_matrix(0.4).T + 1.0)
    large = motion.but(positions=2 * motion.positions)
    assert np.allclose(canonicalise(large).positions, 2 * canonicalise(motion).positions, atol=1e-5)


def test_a_walker_who_turns_round_keeps_the_turn(standing: NDArray[np.float64]) -> None:
    """Heading taken frame by frame would erase it."""
    turn = np.interp(np.arange(90), [20, 70], [0.0, PI - 0.01])
    walk = np.linspace(0, 1.5, 90)
    positions = np.stack([standing @ yaw_matrix(0.7 + a).T + [w, 0, w] for a, w in zip(turn, walk, strict=True)])
    angle = np.unwrap(facing(canonicalise(Motion(positions, 30.0))))
    assert np.allclose(angle, turn, atol=1e-4)


@pytest.mark.parametrize("degrees", [10, 20, 30, 45, 60, 75])
def test_a_twist_of_the_trunk_over_still_hips_comes_back_as_it_was(
    standing: NDArray[np.float64], degrees: float
) -> None:
    """A heading mixed from hips and shoulders would turn the whole person by 15 to 94 degrees instead."""
    twist = yaw_matrix(math.radians(degrees))
    positions = np.repeat(standing[None], 40, axis=0)
    positions[:, ARMS] = positions[:, ARMS] @ twist.T
    out = canonicalise(Motion(positions @ yaw_matrix(-1.2).T, 30.0))
    shoulders = (out.joint("left_shoulder") - out.joint("right_shoulder")).astype(np.float64)
    assert np.allclose(np.degrees(np.arctan2(-shoulders[:, 2], shoulders[:, 0])), degrees, atol=1e-3)
    assert np.allclose(facing(out), 0, atol=1e-5)


@pytest.mark.parametrize(("axis", "degrees"), [("x", -90), ("x", 90), ("z", 90), ("z", -90), ("x", 60), ("x", 180)])
@pytest.mark.parametrize("yaw", [0.0, 2.1])
def test_whoever_lies_or_crawls_has_a_frame_too(
    standing: NDArray[np.float64], axis: str, degrees: float, yaw: float
) -> None:
    """Supine, prone, on either side, on hands and knees, upside down."""
    pose = tilted(standing, axis, degrees)
    one = canonicalise(clip(pose, exercise="active_straight_leg_raise"))
    other = canonicalise(clip(pose @ yaw_matrix(yaw).T + 1.0, exercise="active_straight_leg_raise"))
    assert np.isfinite(one.positions).all()
    # the sway of clip() is along the room's axes, so the two differ by it and by nothing else
    assert np.allclose(one.positions, other.positions, atol=0.04)
    assert np.percentile(one.positions[..., 1], 5) == pytest.approx(0.0, abs=ATOL)


def test_nobody_is_turned_by_joints_that_lie_in_one_point() -> None:
    out, frame = canonicalise_with_frame(Motion(np.ones((20, 22, 3)), 30.0))
    assert np.isfinite(out.positions).all()
    assert frame.yaw == 0.0


def test_the_mirror_image_faces_z_as_well(standing: NDArray[np.float64]) -> None:
    motion = clip(standing @ yaw_matrix(1.0).T)
    image = canonicalise(mirror(motion))
    assert np.allclose(facing(image), 0, atol=1e-5)
    assert np.allclose(image.positions, mirror(canonicalise(motion)).positions, atol=2e-5)


@pytest.mark.parametrize("lying", [False, True])
def test_garbage_under_the_mask_does_not_move_the_frame(standing: NDArray[np.float64], lying: bool) -> None:
    """Lying on the side, the shoulders were once read although they were masked."""
    rng = np.random.default_rng(3)
    motion = clip(tilted(standing, "z", 90) if lying else standing)
    valid = rng.random((40, 22)) < 0.7
    valid[:, 0:3] |= rng.random((40, 1)) < 0.5
    spoilt = np.where(valid[..., None], motion.positions, rng.normal(0, 1e4, motion.positions.shape))
    a, frame_a = canonicalise_with_frame(motion.but(valid=valid))
    b, frame_b = canonicalise_with_frame(motion.but(valid=valid, positions=spoilt))
    assert frame_a == frame_b
    assert np.array_equal(a.positions[valid], b.positions[valid])


def test_side_lying_without_shoulders_still_has_a_frame(standing: NDArray[np.float64]) -> None:
    motion = clip(tilted(standing, "z", 90))
    valid = np.ones((40, 22), bool)
    valid[:, ARMS] = False
    assert np.isfinite(canonicalise(motion.but(valid=valid)).positions).all()


def test_the_first_frames_that_are_valid_count(standing: NDArray[np.float64]) -> None:
    positions = np.repeat(standing[None], 40, axis=0)
    positions[:15] = positions[:15] @ yaw_matrix(1.0).T
    valid = np.ones((40, 22), bool)
    valid[:15, 1] = False
    assert np.allclose(facing(canonicalise(Motion(positions, 30.0, valid=valid)))[15:], 0, atol=1e-5)


def test_without_hips_nothing_tells_where_a_person_faces(standing: NDArray[np.float64]) -> None:
    valid = np.ones((40, 22), bool)
    valid[:, 2] = False
    with pytest.raises(UserError, match="facing direction is unknown"):
        canonicalise(clip(standing).but(valid=valid))


def test_one_glitch_does_not_lift_the_floor(standing: NDArray[np.float64]) -> None:
    motion = clip(standing)
    glitch = motion.positions.copy()
    glitch[20, CANONICAL.index("left_foot"), 1] = -0.8
    moved = canonicalise(motion.but(positions=glitch)).positions - canonicalise(motion).positions
    assert np.abs(moved[:20]).max() < 1e-3
