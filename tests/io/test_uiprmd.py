"""UI-PRMD Kinect text: forward kinematics in closed form, names, and every kind of damage."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.uiprmd import KINECT_SKELETON, UIPRMD_KINECT_MAP, forward_kinematics, read_uiprmd_kinect
from rehabmotion.io.uiprmd_side import performed_side, side_margin
from rehabmotion.motion import CANONICAL, Motion, Score

WAIST, SPINE, CHEST, ARM = KINECT_SKELETON.indices("Waist", "Spine", "Chest", "LUpArm")


def still_person(n_frames: int = 2) -> np.ndarray:
    """Parent-relative positions (T, 22, 3) in cm: every joint 10 cm above its parent, the waist at (1, 2, 3)."""
    positions = np.zeros((n_frames, 22, 3))
    positions[:, :, 1] = 10.0
    positions[:, WAIST] = (1.0, 2.0, 3.0)
    return positions


def write_pair(root: Path, positions: np.ndarray, angles: np.ndarray, stem: str = "m02_s03_e04_{}_inc.txt") -> Path:
    for kind, folder, table in (("positions", "Positions", positions), ("angles", "Angles", angles)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        rows = [",".join(f"{v:.6f}" for v in row) for row in table.reshape(len(table), -1)]
        (root / folder / stem.format(kind)).write_text("\n".join(rows) + "\n")
    return root / "Positions" / stem.format("positions")


def test_without_angles_the_joints_stack_up(tmp_path: Path) -> None:
    """Head tip: waist 2 cm high, then Spine, Chest, Neck, Head, HeadTip at 10 cm each: 52 cm."""
    motion = read_uiprmd_kinect(write_pair(tmp_path, still_person(), np.zeros((2, 22, 3))))[0]
    assert motion.positions.shape == (2, 22, 3)
    assert motion.fps == 30
    np.testing.assert_allclose(motion.joint("HeadTip"), [[0.01, 0.52, 0.03]] * 2, atol=1e-6)


def test_forward_kinematics_follows_the_parent_chain() -> None:
    """Frame 0: the waist turned 90 degrees about z carries the Spine from above to -x; a quarter turn of the Spine
    about x then acts inside that frame: its child's +y becomes +z. Frame 1: a leaf's own angle moves nothing."""
    angles = np.zeros((2, 22, 3))
    angles[0, WAIST, 2] = np.pi / 2
    angles[0, SPINE, 0] = np.pi / 2
    angles[1, KINECT_SKELETON.index("HeadTip")] = (1.0, 2.0, 3.0)
    world = forward_kinematics(still_person(), angles)
    np.testing.assert_allclose(world[0, SPINE], [1 - 10, 2, 3], atol=1e-9)
    np.testing.assert_allclose(world[0, CHEST], [1 - 10, 2, 3 + 10], atol=1e-9)
    np.testing.assert_allclose(world[1, KINECT_SKELETON.index("HeadTip")], [1, 52, 3], atol=1e-9)


def test_rotation_order_is_z_then_x_then_y() -> None:
    """R = Rz(az) Rx(ax) Ry(ay), applied to (0, 1, 0): Ry keeps it, Rx(90) makes it +z, Rz keeps that.

    With the order Y, X, Z the result would be Ry(90) (0, 0, 1) = +x, so this pins the order.
    """
    angles = np.zeros((1, 22, 3))
    angles[0, WAIST] = np.radians([90.0, 90.0, 90.0])
    world = forward_kinematics(still_person(1), angles)
    np.testing.assert_allclose(world[0, SPINE] - world[0, WAIST], [0, 0, 10], atol=1e-9)


def test_bone_lengths_survive_any_angles() -> None:
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (5, 22, 3))
    world = forward_kinematics(still_person(5), angles)
    for parent, joint in KINECT_SKELETON.bones:
        np.testing.assert_allclose(np.linalg.norm(world[:, joint] - world[:, parent], axis=-1), 10.0, atol=1e-9)


def test_name_tells_subject_exercise_and_score(tmp_path: Path) -> None:
    meta = read_uiprmd_kinect(write_pair(tmp_path, still_person(), np.zeros((2, 22, 3))))[0]
    assert (meta.meta["subject"], meta.meta["exercise"], meta.meta["repetition"]) == ("s03", "hurdle_step", 4)
    assert meta.scores == (Score("uiprmd", 0),)


@pytest.mark.parametrize("stem", ["my squat {}.txt", "m11_s01_e01_{}.txt", "m00_s01_e01_{}_inc.txt"])
def test_other_names_are_read_without_meta(tmp_path: Path, stem: str) -> None:
    motion = read_uiprmd_kinect(write_pair(tmp_path, still_person(), np.zeros((2, 22, 3)), stem))[0]
    assert motion.meta["exercise"] is None
    assert motion.meta["side"] is None
    assert motion.scores == ()


def test_gzip_and_plain_may_be_mixed(tmp_path: Path) -> None:
    path = write_pair(tmp_path, still_person(), np.zeros((2, 22, 3)))
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read_uiprmd_kinect(packed)[0].positions, read_uiprmd_kinect(path)[0].positions)


def test_missing_twin_angle_file_and_frame_counts_are_refused(tmp_path: Path) -> None:
    path = write_pair(tmp_path, still_person(3), np.zeros((2, 22, 3)))
    with pytest.raises(UserError, match=r"as many frames.*3 and 2"):
        read_uiprmd_kinect(path)
    twin = next((tmp_path / "Angles").iterdir())
    with pytest.raises(UserError, match="got an angle file"):
        read_uiprmd_kinect(twin)
    twin.unlink()
    with pytest.raises(UserError, match="Expected its angle file"):
        read_uiprmd_kinect(path)
    with pytest.raises(UserError, match="existing file"):
        read_uiprmd_kinect(tmp_path / "nothing.txt")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_numbers_that_cannot_be_are_refused(tmp_path: Path, value: float) -> None:
    positions = still_person()
    positions[1, 0, 0] = value
    with pytest.raises(UserError, match=r"frame 2.*column 1"):
        read_uiprmd_kinect(write_pair(tmp_path, positions, np.zeros((2, 22, 3))))


def test_wrong_column_count_names_the_line(tmp_path: Path) -> None:
    path = write_pair(tmp_path, still_person(), np.zeros((2, 22, 3)))
    path.write_text(path.read_text() + "1,2,3\n")
    with pytest.raises(UserError, match="line 3: Expected 66 columns, got 3"):
        read_uiprmd_kinect(path)
    path.write_text(",".join(["1"] * 117))
    with pytest.raises(UserError, match=r"got 117\. That many .* uiprmd-vicon"):
        read_uiprmd_kinect(path)


@pytest.mark.parametrize("name", ["m01_s01_e01_positions.txt", "m01_s01_e01_positions.txt.gz"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), cut=st.integers(0, 1500), flips=st.lists(st.integers(0, 400), max_size=3))
def test_damage_raises_user_error_or_nothing(
    tmp_path: Path, name: str, data: bytes, cut: int, flips: list[int]
) -> None:
    """Random bytes, truncation and flipped bytes in the positions file: UserError or a motion, never another error."""
    path = write_pair(tmp_path, still_person(), np.zeros((2, 22, 3)), "m01_s01_e01_{}.txt")
    good = path.read_bytes()
    good = gzip.compress(good) if name.endswith(".gz") else good
    broken = bytearray(good[:cut])
    for at in flips:
        if at < len(broken):
            broken[at] ^= 0xA5
    for damaged in (data, bytes(broken)):
        path.with_name(name).write_bytes(damaged)
        message = ""
        try:
            read_uiprmd_kinect(path.with_name(name))
        except UserError as error:
            message = str(error)
        assert "\n" not in message


def canonical_person(**moved: tuple[float, float, float]) -> Motion:
    """20 frames of a person facing +z; each named joint travels from rest by the vector given and back."""
    rest = dict.fromkeys(CANONICAL.joint_names, (0.0, 1.0, 0.0))
    for sign, side in ((1, "left"), (-1, "right")):
        rest |= {f"{side}_hip": (0.1 * sign, 0.9, 0), f"{side}_ankle": (0.1 * sign, 0.1, 0)}
        rest |= {f"{side}_shoulder": (0.2 * sign, 1.4, 0), f"{side}_elbow": (0.2 * sign, 1.1, 0)}
        rest |= {f"{side}_wrist": (0.2 * sign, 0.8, 0)}
    positions = np.tile(np.array([rest[name] for name in CANONICAL.joint_names]), (20, 1, 1))
    for name, vector in moved.items():
        positions[:, CANONICAL.index(name)] += np.sin(np.linspace(0, np.pi, 20))[:, None] * np.array(vector)
    return Motion(positions.astype(np.float32), 30)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("exercise", "joint", "vector"),
    [
        ("hurdle_step", "ankle", (0, 0.4, 0)),
        ("inline_lunge", "ankle", (0, 0, 0.6)),
        ("standing_active_straight_leg_raise", "ankle", (0, 0.5, 0.5)),
        ("standing_shoulder_abduction", "wrist", (0.5, 0.8, 0)),
        ("standing_shoulder_extension", "wrist", (0, 0.1, -0.4)),
        ("standing_shoulder_internal_external_rotation", "elbow", (0.1, 0.3, 0)),
        ("standing_shoulder_scaption", "wrist", (0.3, 0.6, 0.3)),
    ],
)
def test_side_is_the_limb_that_moves(exercise: str, joint: str, vector: tuple, side: str) -> None:
    motion = canonical_person(**{f"{side}_{joint}": vector})
    assert performed_side(motion, exercise) == side
    turned = motion.but(positions=motion.positions @ np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]]))
    assert side_margin(turned, exercise) == pytest.approx(side_margin(motion, exercise), abs=1e-5)


@pytest.mark.parametrize(("sign", "side"), [(1, "left"), (-1, "right")])
def test_side_lunge_goes_where_the_pelvis_sinks(sign: int, side: str) -> None:
    sink = (0.3 * sign, -0.3, 0)
    assert performed_side(canonical_person(left_hip=sink, right_hip=sink), "side_lunge") == side


def test_side_stays_unknown_rather_than_guessed() -> None:
    motion = canonical_person()
    assert performed_side(motion, "hurdle_step") is None
    assert performed_side(motion, "deep_squat") == "both"
    assert performed_side(motion, None) is None
    unseen = canonical_person(left_ankle=(0, 0.4, 0)).but(valid=np.zeros((20, 22), dtype=bool))
    assert performed_side(unseen, "hurdle_step") is None


def test_map_weights_sum_to_one() -> None:
    assert set(UIPRMD_KINECT_MAP) == set(CANONICAL.joint_names)
    for sources in UIPRMD_KINECT_MAP.values():
        assert sum(sources.values()) == pytest.approx(1.0)
        KINECT_SKELETON.indices(*sources)


def test_real_squat_stands_on_the_floor_facing_the_sensor(data_dir: Path) -> None:
    """As measured on the set: head near 1.40 m, toes near 5 cm, left hip on the +x side, feet that stand still."""
    folder = data_dir / "uiprmd" / "Segmented Movements" / "Kinect" / "Positions"
    motion = read_uiprmd_kinect(folder / "m01_s01_e01_positions.txt.gz")[0]
    assert motion.n_frames == 73
    assert motion.joint("Head")[0, 1] == pytest.approx(1.40, abs=0.1)
    assert motion.joint("LToes")[0, 1] == pytest.approx(0.05, abs=0.06)
    assert motion.joint("LUpLeg")[0, 0] > motion.joint("RUpLeg")[0, 0]
    steps = np.linalg.norm(np.diff(motion.joint("LFoot"), axis=0), axis=-1)
    assert np.median(steps) < 0.01  # another rotation order slides by 5-8 cm per frame in this exercise
