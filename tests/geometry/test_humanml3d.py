"""The 263 numbers: closed forms, the round trip, and the one published pair of joints and features."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehabmotion.errors import UserError
from rehabmotion.geometry.humanml3d import (
    CHAINS,
    N_FEATURES,
    REST,
    SLICES,
    decode_humanml3d,
    encode_humanml3d,
    heading,
    place_humanml3d,
    uniform_skeleton,
)
from rehabmotion.geometry.rotations import yaw_matrix


def body(bone: float = 0.3) -> np.ndarray:
    """The reference pose (22, 3), every bone 0.3 m, pelvis at 1 m, facing +z."""
    x = np.zeros((22, 3))
    x[0, 1] = 1.0
    for chain in CHAINS:
        for parent, child in itertools.pairwise(chain):
            x[child] = x[parent] + bone * REST[child]
    return x


def degrees_of(forward: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(forward[0, 0], forward[0, 2])))


def test_layout_is_12_j_minus_1() -> None:
    assert sum(s.stop - s.start for s in SLICES.values()) == N_FEATURES == 12 * 22 - 1
    stops = [s.stop for s in SLICES.values()]
    assert [s.start for s in SLICES.values()] == [0, *stops[:-1]]


@pytest.mark.parametrize("twist", [10, 20, 30, 45, 60, 75])
def test_a_trunk_twist_is_halved_or_doubled_by_the_two_facings(twist: float) -> None:
    """Shoulders 0.36 m, hips 0.12 m wide, hips still: closed forms of both formulas."""
    phi = np.radians(twist)
    x = np.zeros((1, 22, 3))
    x[0, 1], x[0, 2] = [0.06, 1, 0], [-0.06, 1, 0]
    x[0, 16] = [0.18 * np.cos(phi), 1.4, -0.18 * np.sin(phi)]
    x[0, 17] = [-0.18 * np.cos(phi), 1.4, 0.18 * np.sin(phi)]
    for legacy, sign in ((False, 1), (True, -1)):
        expected = np.degrees(np.arctan2(0.36 * np.sin(phi), 0.36 * np.cos(phi) + sign * 0.12))
        assert degrees_of(heading(x, legacy)) == pytest.approx(expected, abs=1e-9)


def test_the_legacy_facing_of_a_30_degree_twist_is_43_degrees() -> None:
    """One number of the published table, so that the closed form above cannot drift with the code."""
    phi = np.radians(30)
    x = np.zeros((1, 22, 3))
    x[0, 1, 0], x[0, 2, 0] = 0.06, -0.06
    x[0, 16] = [0.18 * np.cos(phi), 0, -0.18 * np.sin(phi)]
    x[0, 17] = -x[0, 16]
    assert degrees_of(heading(x, True)) == pytest.approx(43.2, abs=0.05)
    assert degrees_of(heading(x, False)) == pytest.approx(22.6, abs=0.05)


def wide_shoulders() -> np.ndarray:
    x = body()
    x[[16, 18, 20], 0] += 0.2
    x[[17, 19, 21], 0] -= 0.2
    return x


def test_a_straight_walk_has_its_speed_and_no_turn() -> None:
    """0.04 m a frame along +z: root and joint velocities read 0.04 in z, nothing turns, the feet are 'in contact'."""
    walk = np.repeat(wide_shoulders()[None], 12, axis=0) + 0.04 * np.arange(12)[:, None, None] * np.array([0, 0, 1])
    f = encode_humanml3d(walk)
    assert f.shape == (11, 263)
    assert f[:, 0] == pytest.approx(0, abs=1e-12)
    assert f[:, 1:4] == pytest.approx(np.tile([0, 0.04, 1.0], (11, 1)), abs=1e-12)
    assert f[:, 193:259].reshape(11, 22, 3) == pytest.approx(np.broadcast_to([0, 0, 0.04], (11, 22, 3)), abs=1e-12)
    assert (f[:, 259:] == 1).all()  # 0.8 m/s still counts as contact: the threshold is 0.89 m/s


def test_contacts_end_at_the_square_root_of_0_002() -> None:
    x = np.repeat(wide_shoulders()[None], 3, axis=0)
    x[1:, 7, 0] += 0.0446  # the left ankle just inside, the right toe just outside
    x[1:, 11, 0] += 0.0448
    assert encode_humanml3d(x)[0, 259:].tolist() == [1, 1, 1, 0]


def test_turning_past_180_degrees_keeps_the_sign_of_the_turn() -> None:
    """Half of the arcsin of a quaternion's y part changes sign where the heading wraps; the turn here does not."""
    turn = np.radians(7.0)
    x = np.stack([wide_shoulders() @ yaw_matrix(turn * t).T for t in range(80)])  # 553 degrees
    f = encode_humanml3d(x, smoothing_frames=0)
    assert f[:, 0] == pytest.approx(-0.5 * turn, abs=1e-9)
    assert decode_humanml3d(f) == pytest.approx(x[:-1], abs=1e-9)


def test_the_rotation_block_depends_on_where_the_person_faces() -> None:
    """A known fault of the format, kept: the same pose turned by 90 degrees has the same places, other rotations."""
    pose = wide_shoulders()
    pose[[4, 7, 10], 2] += 0.15
    pose[[18, 20], 1] += 0.1
    x = np.stack([pose, pose, pose @ yaw_matrix(np.pi / 2).T, pose @ yaw_matrix(np.pi / 2).T])
    f = encode_humanml3d(x, smoothing_frames=0)
    assert f[2, 4:67] == pytest.approx(f[1, 4:67], abs=1e-9)
    assert np.abs(f[2, 67:193] - f[1, 67:193]).max() > 0.5


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, (7, 22, 3), elements=st.floats(-0.05, 0.05)), st.booleans())
def test_decode_of_encode_is_the_motion(shaken: np.ndarray, legacy: bool) -> None:
    """Whatever the joints do while the person keeps facing about the same way, once the path starts at the origin.

    Arbitrary joints failed now and then: the format's yaw is an arcsin, which cannot tell a turn beyond 180 degrees
    between two frames from its mirror image. That fault is the format's and stays.
    """
    x = wide_shoulders() + shaken
    x = x - x[:1, :1] * np.array([1, 0, 1])
    f = encode_humanml3d(x, legacy)
    assert np.isfinite(f).all()
    assert decode_humanml3d(f) == pytest.approx(x[:-1], abs=1e-9)


def test_all_joints_in_one_point_are_encoded_and_come_back() -> None:
    x = np.zeros((7, 22, 3))
    assert decode_humanml3d(encode_humanml3d(x)) == pytest.approx(x[:-1], abs=1e-9)


def test_placing_is_idempotent_and_faces_z() -> None:
    x = np.stack([wide_shoulders() @ yaw_matrix(2.0).T + np.array([3.0, 0.4, -1.0])] * 4)
    placed = place_humanml3d(x)
    assert placed[:, 0, [0, 2]] == pytest.approx(0, abs=1e-12)
    assert placed[..., 1].min() == pytest.approx(0, abs=1e-12)
    assert degrees_of(heading(placed, False)) == pytest.approx(0, abs=1e-9)
    assert place_humanml3d(placed) == pytest.approx(placed, abs=1e-12)


def test_uniform_skeleton_scales_the_root_with_the_legs() -> None:
    lengths = np.full(22, 0.45)
    out = uniform_skeleton(body(0.3)[None], lengths)
    assert out[0, 0, 1] == pytest.approx(1.5)
    assert np.linalg.norm(out[0, 20] - out[0, 18]) == pytest.approx(0.45)
    assert uniform_skeleton(out, lengths) == pytest.approx(out, abs=1e-12)


@pytest.mark.parametrize(
    "bad",
    [np.zeros((5, 21, 3)), np.zeros((1, 22, 3)), np.full((5, 22, 3), np.nan), np.zeros((5, 22, 3), dtype=complex)],
)
def test_what_cannot_be_encoded_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UserError, match="Expected"):
        encode_humanml3d(bad)


@pytest.mark.parametrize("bad", [np.zeros((5, 251)), np.zeros((0, 263)), np.full((2, 263), np.inf), np.zeros(263)])
def test_what_cannot_be_decoded_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UserError, match="Expected"):
        decode_humanml3d(bad)


@pytest.fixture(scope="module")
def golden(data_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    root = data_dir / "humanml3d"
    return np.load(root / "new_joints/012314.npy").astype(float), np.load(root / "new_joint_vecs/012314.npy")


def test_golden_values(golden: tuple[np.ndarray, np.ndarray]) -> None:
    joints, features = golden
    assert features[0, :4] == pytest.approx([0.10637326, -0.0020943, 0.00162028, 0.8369993], abs=1e-7)
    assert joints[0, 0] == pytest.approx([0, 0.8369993, 0], abs=1e-7)
    assert joints[..., 1].min() == pytest.approx(0, abs=1e-6)
    forward = heading(joints, legacy_facing=False)
    angles = np.degrees(np.arctan2(forward[:, 0], forward[:, 2]))
    assert (angles.min(), angles.max()) == pytest.approx((-39.7, 142.6), abs=0.05)
    assert place_humanml3d(joints) == pytest.approx(joints, abs=1e-6)  # published clips are placed


def test_golden_decode(golden: tuple[np.ndarray, np.ndarray]) -> None:
    joints, features = golden
    assert decode_humanml3d(features) == pytest.approx(joints, abs=1e-6)
    assert decode_humanml3d(encode_humanml3d(joints)) == pytest.approx(joints[:-1], abs=1e-6)


def test_golden_encode(golden: tuple[np.ndarray, np.ndarray]) -> None:
    """The last 85 frames see a frame that the published joints have lost, through the smoothing of the heading."""
    joints, features = golden
    mine = encode_humanml3d(joints)
    assert np.abs(mine[:85] - features[:85]).max() < 1e-5
    assert np.abs(mine - features[:-1]).max() < 2e-2
    assert (mine[:, 259:] == features[:-1, 259:]).all()


@pytest.mark.parametrize(("legacy", "smoothing"), [(False, 20), (True, 0), (False, 0)])
def test_golden_encode_tells_the_variants_apart(
    golden: tuple[np.ndarray, np.ndarray], legacy: bool, smoothing: float
) -> None:
    joints, features = golden
    other = encode_humanml3d(joints, legacy, smoothing)
    for block in ("places", "rotations"):
        assert np.abs(other[:, SLICES[block]] - features[:-1, SLICES[block]]).max() > 0.1
