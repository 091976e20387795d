"""UI-PRMD markers: axes, missing markers, the packed archive, joint centres in closed form, and damage."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.uiprmd_joint_centres import MARKERS, SOURCES
from rehabmotion.io.uiprmd_vicon import MARKER_SET, read_uiprmd_vicon, vicon_joint_centres
from rehabmotion.motion import CANONICAL, Motion, Score

FIT_FOR_ANY = {"LFHD": (0.06, 1.70, 0.08), "LBHD": (0.07, 1.66, -0.06), "LUPA": (0.25, 1.32, -0.03)}
LEFT = FIT_FOR_ANY | {
    "LSHO": (0.17, 1.50, -0.02),
    "LELB": (0.242, 1.16, -0.02),
    "LFRM": (0.24, 1.05, 0.0),
    "LWRA": (0.19, 0.92, 0.02),
    "LWRB": (0.21, 0.92, -0.06),
    "LFIN": (0.20, 0.85, 0.0),
    "LASI": (0.12, 1.0, 0.082),
    "LPSI": (0.05, 1.0, -0.082),
    "LTHI": (0.19, 0.75, 0.0),
    "LKNE": (0.157, 0.5, 0.0),
    "LTIB": (0.17, 0.3, 0.0),
    "LANK": (0.157, 0.1, 0.0),
    "LHEE": (0.12, 0.06, -0.05),
    "LTOE": (0.12, 0.06, 0.13),
}
MIDDLE = {"C7": (0.0, 1.5, -0.08), "T10": (0.0, 1.27, -0.1), "CLAV": (0.0, 1.45, 0.06), "STRN": (0.0, 1.27, 0.12)}


def person(n_frames: int = 2, **moved: tuple[float, float, float]) -> Motion:
    """A standing person on the 39 markers, y up, facing +z, mirror symmetric but for the markers named."""
    right = {"R" + name[1:]: (-x, y, z) for name, (x, y, z) in LEFT.items()}
    at = LEFT | right | MIDDLE | {"RBAK": (-0.12, 1.4, -0.1)} | moved
    frame = np.array([at[name] for name in MARKERS], dtype=np.float32)
    return Motion(np.tile(frame, (n_frames, 1, 1)), 100, MARKER_SET)


def lab_mm(motion: Motion) -> np.ndarray:
    """Back to the laboratory: z up, +x forward, +y left, millimetres, (T, 39, 3)."""
    return motion.positions[..., [2, 0, 1]].astype(float) * 1000


def as_text(table_mm: np.ndarray) -> str:
    return "".join(",".join(f"{v:.4f}" for v in row) + "\n" for row in table_mm.reshape(len(table_mm), -1))


def as_archive(clips: list[np.ndarray], **changed: object) -> bytes:
    """Pack clips (T, 39, 3) mm as the data set's archive does."""
    x = np.round(np.concatenate(clips) / 0.1).astype(np.int16).reshape(-1, 117).T
    length = np.array([len(clip) for clip in clips], dtype=np.int32)
    n = len(clips)
    arrays = {
        "pos_d": np.diff(x, axis=1, prepend=np.int16(0)).astype(np.int16),
        "movement": np.full(n, 4, dtype=np.int16),
        "subject": np.full(n, 3, dtype=np.int16),
        "episode": np.arange(1, n + 1, dtype=np.int16),
        "correct": np.arange(n, dtype=np.int16) % 2,
        "start": np.cumsum(length, dtype=np.int64) - length,
        "length": length,
        "markers": np.array(MARKERS),
        "fps": np.float32(100),
        "unit_mm": np.float32(0.1),
    } | changed
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def test_text_turns_lab_axes_to_y_up(tmp_path: Path) -> None:
    """A head marker 1.70 m high, 80 mm ahead and 60 mm to the left stays there in words: (left, up, forward)."""
    path = tmp_path / "m01_s01_e03_positions_inc.txt.gz"
    path.write_bytes(gzip.compress(as_text(lab_mm(person(3))).encode()))
    motion = read_uiprmd_vicon(path)[0]
    assert (motion.n_frames, motion.fps) == (3, 100)
    np.testing.assert_allclose(motion.joint("LFHD")[0], [0.06, 1.70, 0.08], atol=1e-6)
    assert (motion.meta["subject"], motion.meta["exercise"], motion.meta["side"]) == ("s01", "deep_squat", "both")
    assert motion.scores == (Score("uiprmd", 0),)


def test_zero_marker_is_missing_and_one_zero_coordinate_is_not(tmp_path: Path) -> None:
    table = lab_mm(person(2))
    table[0, MARKERS.index("RTHI")] = 0.0
    table[1, MARKERS.index("LANK"), 1] = 0.0
    path = tmp_path / "clip.txt"
    path.write_text(as_text(table))
    motion = read_uiprmd_vicon(path)[0]
    assert motion.meta["exercise"] is None
    assert np.argwhere(~motion.valid).tolist() == [[0, MARKERS.index("RTHI")]]


def test_archive_gives_one_motion_per_clip(tmp_path: Path) -> None:
    """Coordinates fall by over 32767 units at a clip boundary on purpose: the differences wrap around and back."""
    far = person(3, LFHD=(3.2, 1.7, 0.0))
    path = tmp_path / "markers.npz"
    path.write_bytes(as_archive([lab_mm(far), lab_mm(person(1, LFHD=(-3.2, 1.7, 0.0)))]))
    first, second = read_uiprmd_vicon(path)
    assert (first.n_frames, second.n_frames) == (3, 1)
    np.testing.assert_allclose(first.positions, far.positions, atol=6e-5)
    np.testing.assert_allclose(second.joint("LFHD")[0], [-3.2, 1.7, 0.0], atol=6e-5)
    assert [m.meta["repetition"] for m in (first, second)] == [1, 2]
    assert [m.scores[0].value for m in (first, second)] == [0, 1]
    assert first.meta["exercise"] == "side_lunge"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"markers": None}, "lacks markers"),
        ({"markers": np.array(MARKERS[::-1])}, "Expected the markers LFHD"),
        ({"length": np.array([2, 90])}, "clips inside 4 frames"),
        ({"length": np.array([2, 0])}, "at least one frame"),
        ({"start": np.array([-1, 2])}, "at least one frame"),
        ({"start": np.array([0, 0]), "length": np.array([4, 4])}, "do not overlap"),
        ({"start": np.array([0, 2**62]), "length": np.array([2, 2**62])}, "clips inside"),
        ({"movement": np.array([4, 11])}, "movements 1 to 10"),
        ({"episode": np.array([1])}, "one entry per clip"),
        ({"pos_d": np.zeros((117, 4), dtype=np.int32)}, "type int16"),
        ({"pos_d": np.zeros((39, 4), dtype=np.int16)}, "117 channels"),
        ({"fps": np.float32("nan")}, "fps > 0"),
        ({"unit_mm": np.float32(0)}, "unit_mm"),
        ({"subject": np.array(["s1", "s2"])}, "subject to hold whole numbers"),
        ({"start": np.array([0, None], dtype=object)}, "without pickles"),
    ],
)
def test_archives_that_cannot_be_are_refused(tmp_path: Path, changed: dict, message: str) -> None:
    path = tmp_path / "markers.npz"
    path.write_bytes(as_archive([lab_mm(person(2)), lab_mm(person(2))], **changed))
    with pytest.raises(UserError, match=message):
        read_uiprmd_vicon(path)


def test_wrong_columns_and_nan_name_the_place(tmp_path: Path) -> None:
    path = tmp_path / "clip.txt"
    path.write_text(",".join(["1.0"] * 66))
    with pytest.raises(UserError, match=r"line 1: Expected 117 columns, got 66\. That many .* uiprmd-kinect"):
        read_uiprmd_vicon(path)
    path.write_text(",".join(["1.0"] * 116 + ["nan"]))
    with pytest.raises(UserError, match=r"frame 1: .* in column 117"):
        read_uiprmd_vicon(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=300),
    cut=st.integers(0, 6000),
    flips=st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 255)), max_size=3),
    kind=st.sampled_from(["clip.txt", "clip.txt.gz", "clip.npz"]),
)
def test_damage_raises_user_error_or_nothing(tmp_path: Path, data: bytes, cut: int, flips: list, kind: str) -> None:
    """Random bytes, truncation and flipped bytes in every kind of file: UserError, never another error."""
    good = as_text(lab_mm(person(2))).encode()
    good = {"clip.txt": good, "clip.txt.gz": gzip.compress(good)}.get(kind) or as_archive([lab_mm(person(2))])
    broken, shorn = bytearray(good), good[:cut]
    for at, mask in flips:
        broken[at % len(broken)] ^= mask
    for damaged in (data, shorn, bytes(broken)):
        path = tmp_path / kind
        path.write_bytes(damaged)
        message = ""
        try:
            read_uiprmd_vicon(path)
        except UserError as error:
            message = str(error)
        assert "\n" not in message


def test_hips_follow_the_regression() -> None:
    """ASIS 240 mm apart and 164 mm before the PSIS: bone depth 150 mm, so hips 52.9 mm behind the ASIS markers' line

    (7 of them marker radius), 82.9 mm below and 86.5 mm beside it.
    """
    joints = vicon_joint_centres(person())
    np.testing.assert_allclose(joints.joint("left_hip")[0], [0.0865, 1.0 - 0.0829, 0.082 - 0.0529], atol=1e-6)
    np.testing.assert_allclose(joints.joint("right_hip")[0], [-0.0865, 1.0 - 0.0829, 0.082 - 0.0529], atol=1e-6)


def test_knee_and_ankle_lie_inside_their_markers() -> None:
    """Half of 100 mm and 7 mm from the knee marker, at right angles to the thigh; 42 mm straight in at the ankle."""
    joints, markers = vicon_joint_centres(person()), person()
    hip, knee = joints.joint("left_hip")[0], joints.joint("left_knee")[0]
    offset = markers.joint("LKNE")[0] - knee
    assert np.linalg.norm(offset) == pytest.approx(0.057, abs=1e-6)
    assert float(offset @ (hip - knee)) == pytest.approx(0, abs=1e-6)
    assert offset[0] > 0.055
    np.testing.assert_allclose(joints.joint("left_ankle")[0], [0.157 - 0.042, 0.1, 0.0], atol=1e-6)
    np.testing.assert_allclose(joints.joint("left_foot")[0], [0.12, 0.04, 0.13], atol=1e-6)


@pytest.mark.parametrize("flexion_deg", [20, 60, 120])
def test_elbow_is_recovered_from_a_true_hinge(flexion_deg: float) -> None:
    """Arm hanging, forearm swung forward; marker 42 mm outside the centre along the hinge axis: centre given back."""
    shoulder = vicon_joint_centres(person()).joint("left_shoulder")[0].astype(float)
    centre = shoulder + np.array([0.0, -0.28, 0.0])
    angle = np.radians(flexion_deg)
    wrist = centre + 0.25 * np.array([0.0, -np.cos(angle), np.sin(angle)])
    markers = {"LELB": centre + np.array([0.042, 0, 0]), "LWRA": wrist, "LWRB": wrist}
    joints = vicon_joint_centres(person(**{name: tuple(at) for name, at in markers.items()}))
    np.testing.assert_allclose(joints.joint("left_elbow")[0], centre, atol=1e-6)


def test_straight_arm_has_its_elbow_on_the_line() -> None:
    shoulder = vicon_joint_centres(person()).joint("left_shoulder")[0].astype(float)
    wrist, marker = shoulder + np.array([0, -0.5, 0]), shoulder + np.array([0.03, -0.25, 0])
    joints = vicon_joint_centres(person(LELB=tuple(marker), LWRA=tuple(wrist), LWRB=tuple(wrist)))
    np.testing.assert_allclose(joints.joint("left_elbow")[0], shoulder + np.array([0, -0.25, 0]), atol=1e-6)


def test_left_and_right_are_mirror_images() -> None:
    joints = vicon_joint_centres(person())
    mirrored = joints.positions[:, CANONICAL.mirror_order] * np.array([-1, 1, 1])
    np.testing.assert_allclose(joints.positions, mirrored, atol=1e-6)


def test_centres_turn_with_the_person() -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    still = person()
    turned = still.but(positions=still.positions @ turn.T + np.array([1.0, 0.2, -3.0]))
    expected = vicon_joint_centres(still).positions @ turn.T + np.array([1.0, 0.2, -3.0])
    np.testing.assert_allclose(vicon_joint_centres(turned).positions, expected, atol=1e-5)


@pytest.mark.parametrize("lost", ["LKNE", "STRN", "LWRB", "LTHI", "LASI"])
def test_a_lost_marker_masks_exactly_the_joints_that_need_it(lost: str) -> None:
    whole = person(3)
    valid = whole.valid.copy()
    valid[1, MARKERS.index(lost)] = False
    positions = whole.positions.copy()
    positions[1, MARKERS.index(lost)] = 0.0
    joints = vicon_joint_centres(whole.but(positions=positions, valid=valid))
    needs = np.array([lost in SOURCES[name] for name in CANONICAL.joint_names])
    np.testing.assert_array_equal(joints.valid[1], ~needs)
    assert joints.valid[[0, 2]].all()
    np.testing.assert_allclose(joints.positions[joints.valid], vicon_joint_centres(whole).positions[joints.valid])


def test_nothing_seen_gives_nothing_valid() -> None:
    blind = person().but(positions=np.zeros((2, 39, 3)), valid=np.zeros((2, 39), dtype=bool))
    assert not vicon_joint_centres(blind).valid.any()


def test_other_skeletons_are_refused() -> None:
    with pytest.raises(UserError, match="39 Plug-in-Gait markers"):
        vicon_joint_centres(Motion(np.zeros((1, 22, 3), dtype=np.float32), 30))


def test_one_frame_file_is_read(data_dir: Path) -> None:
    folder = data_dir / "uiprmd" / "Incorrect Segmented Movements" / "Vicon" / "Positions"
    motion = read_uiprmd_vicon(folder / "m10_s05_e09_positions_inc.txt.gz")[0]
    assert motion.n_frames == 1
    assert motion.meta["side"] is None  # one frame has no travel


def test_real_squat_has_human_proportions(data_dir: Path) -> None:
    folder = data_dir / "uiprmd" / "Segmented Movements" / "Vicon" / "Positions"
    motion = vicon_joint_centres(read_uiprmd_vicon(folder / "m01_s01_e03_positions.txt.gz")[0])
    lengths = {
        "left_hip": (0.08, 0.12),
        "left_knee": (0.33, 0.45),
        "left_ankle": (0.36, 0.48),
        "left_elbow": (0.24, 0.32),
        "left_wrist": (0.2, 0.28),
    }
    for name, (low, high) in lengths.items():
        parent = CANONICAL.parents[CANONICAL.index(name)]
        bone = np.linalg.norm(motion.joint(name) - motion.positions[:, parent], axis=-1)
        assert low < np.median(bone) < high, name
    assert motion.joint("left_hip")[0, 0] > motion.joint("right_hip")[0, 0]
