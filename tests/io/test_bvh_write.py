"""Writing BVH: the rest pose, hinges where joints are hinges, and positions that survive the way back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.bvh import read_bvh, write_bvh
from rehabmotion.io.bvh_parse import BvhText, parse_bvh
from rehabmotion.io.bvh_rotations import euler_degrees
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.joint_frames import FOOT, joint_frames

at = CANONICAL.index
LENGTHS = {"knee": 0.4, "ankle": 0.42, "foot": 0.14, "shoulder": 0.13, "elbow": 0.28, "wrist": 0.26}
HIPS = {"left_hip": (0.06, -0.08, 0.0), "right_hip": (-0.06, -0.08, 0.0)}
COLLARS = {"left_collar": (0.08, 0.11, -0.02), "right_collar": (-0.08, 0.11, -0.02)}
SPINE = {"spine1": 0.12, "spine2": 0.14, "spine3": 0.06, "neck": 0.22, "head": 0.1}


def offset(joint: str) -> np.ndarray:
    """Bones of the T-pose: arms to the sides, legs down, feet forward and slightly down."""
    if joint in HIPS or joint in COLLARS:
        return np.array({**HIPS, **COLLARS}[joint])
    if joint in SPINE:
        return np.array([0.0, SPINE[joint], 0.0])
    side, _, name = joint.partition("_")
    if name in ("shoulder", "elbow", "wrist"):
        return np.array([LENGTHS[name] * (1 if side == "left" else -1), 0, 0])
    return LENGTHS[name] * (FOOT if name == "foot" else np.array([0.0, -1.0, 0.0]))


def posed(turns: dict[str, Rotation], n: int = 12, fps: float = 30.0) -> Motion:
    """A body of rigid bones whose joints carry the given local rotations (one, or one per frame)."""
    frames: dict[int, Rotation] = {}
    x = np.zeros((n, 22, 3))
    for j in CANONICAL.order:
        name, parent = CANONICAL.joint_names[j], CANONICAL.parents[j]
        local = Rotation.identity(n) * turns.get(name, Rotation.identity())
        frames[j] = local if parent < 0 else frames[parent] * local
        x[:, j] = [0, 1, 0] if parent < 0 else x[:, parent] + frames[parent].apply(offset(name))
    return Motion(positions=x.astype(np.float32), fps=fps)


def written(motion: Motion, tmp_path: Path) -> tuple[Motion, BvhText]:
    write_bvh(motion, tmp_path / "a.bvh")
    (back,) = read_bvh(tmp_path / "a.bvh", unit="cm")
    order = back.skeleton.indices(*motion.skeleton.joint_names)
    return back.but(positions=back.positions[:, order], skeleton=motion.skeleton), parse_bvh(
        (tmp_path / "a.bvh").read_text()
    )


def angles(bvh: BvhText, joint: str) -> dict[str, np.ndarray]:
    j = bvh.names.index(joint)
    first = sum(map(len, bvh.channels[:j]))
    return {name: bvh.values[:, first + i] for i, name in enumerate(bvh.channels[j])}


def test_a_t_pose_that_faces_z_has_no_rotation(tmp_path: Path) -> None:
    """The rest pose of the file is upright and faces +z, which Blender shows from the front."""
    motion = posed({})
    back, bvh = written(motion, tmp_path)
    assert bvh.values[:, 3:] == pytest.approx(0, abs=1e-4)
    assert bvh.values[:, :3] == pytest.approx(np.tile([0, 100, 0], (12, 1)), abs=1e-4)
    assert bvh.offsets[bvh.names.index("left_elbow")] == pytest.approx([28, 0, 0], abs=1e-3)
    assert back.positions == pytest.approx(motion.positions, abs=1e-6)


def test_rigid_bones_need_rotations_only(tmp_path: Path) -> None:
    """Only the root moves in space; hips and collars of a rigid pelvis and thorax stay at their OFFSET."""
    bend = Rotation.from_rotvec(np.linspace(0, 1, 12)[:, None] * [0.7, 0.3, -0.2])
    motion = posed({"pelvis": bend, "spine2": bend, "left_hip": bend, "right_shoulder": bend, "right_elbow": bend})
    back, bvh = written(motion, tmp_path)
    assert [name for name, channels in zip(bvh.names, bvh.channels, strict=True) if len(channels) == 6] == ["pelvis"]
    assert back.positions == pytest.approx(motion.positions, abs=1e-6)


@pytest.mark.parametrize(
    ("joint", "upper", "axis", "sign"),
    [
        ("left_elbow", "left_shoulder", "Y", -1),
        ("right_elbow", "right_shoulder", "Y", 1),
        ("left_knee", "left_hip", "X", 1),
        ("right_knee", "right_hip", "X", 1),
    ],
)
def test_elbows_and_knees_are_hinges(tmp_path: Path, joint: str, upper: str, axis: str, sign: int) -> None:
    """The bone above is turned about all axes, twist too; the hinge keeps its axis, and its angle is the bend."""
    bend = np.radians(np.linspace(40, 80, 12))
    twisted = Rotation.from_euler("YZX", [25, 20, -30], degrees=True)
    hinge = Rotation.from_rotvec(sign * bend[:, None] * np.eye(3)["XYZ".index(axis)])
    _, bvh = written(posed({upper: twisted, joint: hinge}), tmp_path)
    got = angles(bvh, joint)
    assert sign * got[f"{axis}rotation"] == pytest.approx(np.degrees(bend), abs=0.1)
    for other in {"X", "Y", "Z"} - {axis}:
        assert got[f"{other}rotation"] == pytest.approx(0, abs=0.1)


def test_the_upper_arm_shows_the_twist_of_the_elbow_plane(tmp_path: Path) -> None:
    """A hanging arm, its elbow bent by 90 degrees, turned inwards by 40 degrees about itself."""
    arm = Rotation.from_euler("ZX", [-90, 40], degrees=True)
    _, bvh = written(posed({"left_shoulder": arm, "left_elbow": Rotation.from_euler("Y", -90, degrees=True)}), tmp_path)
    assert angles(bvh, "left_shoulder")["Xrotation"] == pytest.approx(40, abs=0.1)
    assert angles(bvh, "left_shoulder")["Zrotation"] == pytest.approx(-90, abs=0.1)


def test_a_straight_elbow_holds_the_twist_it_had() -> None:
    """Bent, then straight, then bent: no spin of the upper arm in the straight part, where its plane is noise."""
    n = 90
    bend = np.radians(np.where(np.abs(np.arange(n) - 45) < 20, 0.5, 60.0))
    noise = np.random.default_rng(0).normal(0, 0.01, (n, 3))
    elbow = Rotation.from_rotvec(noise) * Rotation.from_rotvec(bend[:, None] * [0, -1, 0])
    motion = posed({"left_shoulder": Rotation.from_euler("ZX", [-80, 30], degrees=True), "left_elbow": elbow}, n)
    upper = Rotation.from_matrix(joint_frames(motion)[:, at("left_shoulder")])
    steps = (upper[:-1].inv() * upper[1:]).magnitude()
    assert np.degrees(steps).max() < 2


def test_trunk_rotation_is_kept_whole(tmp_path: Path) -> None:
    """Hips still, shoulders turned by 60 degrees: the thorax reads 60 against the pelvis, shared by the spine."""
    motion = posed({"spine3": Rotation.from_euler("Y", 60, degrees=True)})
    _, bvh = written(motion, tmp_path)
    parts = [angles(bvh, joint)["Yrotation"] for joint in ("spine1", "spine2", "spine3")]
    assert sum(parts) == pytest.approx(60, abs=1e-3)
    assert parts[0] == pytest.approx(parts[2], abs=4)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.float64, (4, 22, 3), elements=st.floats(-3, 3)))
def test_any_positions_come_back(tmp_path: Path, x: np.ndarray) -> None:
    """Bones that change, joints in one point: position channels keep all of it."""
    x[:, at("head")] += [0, 5, 0]  # far enough apart for a size
    motion = Motion(positions=x.astype(np.float32), fps=29.97)
    back, _ = written(motion, tmp_path)
    assert back.positions == pytest.approx(motion.positions, abs=3e-4)
    assert back.fps == 29.97


def test_another_skeleton_is_written_as_it_is(tmp_path: Path) -> None:
    skeleton = Skeleton(("Hand", "Base", "Mid", "Side"), (2, -1, 1, 1))  # a child before its parent
    x = np.random.default_rng(2).normal(size=(5, 4, 3)).astype(np.float32)
    back, _ = written(Motion(positions=x, fps=50, skeleton=skeleton), tmp_path)
    assert back.positions == pytest.approx(x, abs=3e-4)


def test_missing_joints_are_written_at_their_placeholders(tmp_path: Path) -> None:
    motion = posed({})
    valid = motion.valid.copy()
    valid[:, at("left_foot")] = False
    x = motion.positions.copy()
    x[:, at("left_foot")] = x[:, at("left_ankle")]
    back, bvh = written(motion.but(valid=valid, positions=x), tmp_path)
    assert back.positions == pytest.approx(x, abs=1e-5)
    assert np.isfinite(bvh.values).all()


def test_one_frame_is_enough(tmp_path: Path) -> None:
    motion = posed({}, n=1)
    assert written(motion, tmp_path)[0].positions == pytest.approx(motion.positions, abs=1e-6)


@pytest.mark.parametrize("order", ["ZXY", "YZX"])
def test_angles_do_not_jump(order: str) -> None:
    """Two full turns about each axis, and through the place where the middle angle reaches 90 degrees."""
    for axis in range(3):
        turns = np.linspace(0, 720, 97)
        vectors = np.zeros((97, 3))
        vectors[:, axis] = np.radians(turns)
        rotations = (Rotation.from_rotvec(vectors) * Rotation.from_rotvec([0.1, 0.05, 0.02])).as_matrix()
        got = euler_degrees(rotations, order)
        assert np.abs(np.diff(got, axis=0)).max() < 120  # a turn of the angles themselves would be 180 or 360
        assert Rotation.from_euler(order, got, degrees=True).as_matrix() == pytest.approx(rotations, abs=1e-9)


def test_what_bvh_cannot_hold_is_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(2, 2, 3)).astype(np.float32)
    with pytest.raises(UserError, match="2 roots"):
        write_bvh(Motion(positions=x, fps=30, skeleton=Skeleton(("a", "b"), (-1, -1))), tmp_path / "a.bvh")
    with pytest.raises(UserError, match="plain words"):
        write_bvh(Motion(positions=x, fps=30, skeleton=Skeleton(("a", "b\n}"), (-1, 0))), tmp_path / "a.bvh")
    assert not (tmp_path / "a.bvh").exists()
