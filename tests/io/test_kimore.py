"""KIMORE: axes and true rates of the arrays; the original release with its blank, joined and damaged lines."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from rehabmotion.errors import UserError
from rehabmotion.io.kimore import KIMORE_25_MAP, KIMORE_MAP, SKELETON_18, read_kimore, to_canonical, true_fps
from rehabmotion.io.mars import SKELETON as KINECT_V2
from rehabmotion.motion import CANONICAL, Score


def as_archive(**changed: object) -> bytes:
    """Two recordings of 61 frames: every joint at (0.1, 0.2, 2.5) in the sensor's axes."""
    arrays = {
        "x": np.tile(np.array([0.1, 0.2, 2.5], dtype=np.float32), (2, 61, 18, 1)),
        "subject": np.array([40, 50], dtype=np.int16),
        "kimore_id": np.array(["S_ID4", "P_ID5"]),
        "group": np.array(["stroke", "parkinson"]),
        "score": np.array([40.0, 75.5], dtype=np.float32),
        "joints": np.array(SKELETON_18.joint_names),
        "raw_frames": np.array([121, 0], dtype=np.int32),
        "rep_seq": np.array([0, 0], dtype=np.int16),
        "rep_start": np.array([16.5, 30.0], dtype=np.float32),
        "rep_end": np.array([30.0, 44.0], dtype=np.float32),
        "rep_dir": np.array([1, 0], dtype=np.int8),
    } | changed
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def frame(value: float = 0.5, state: int = 2) -> list[float]:
    return [value, value + 1, value + 2, state] * 25


def line(values: list[float]) -> str:
    return "".join(f"{v:g}," for v in values)


def release(root: Path, text: str, group: str = "Stroke", subject: str = "S_ID3", exercise: str = "Es2") -> Path:
    path = root / "KIMORE" / "GPP" / group / subject / exercise / "Raw" / "JointPosition020514_1.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def sheet(path: Path, header: list[object], *rows: list[object]) -> Path:
    target = path.parent.parent / "Label" / "ClinicalAssessment_S_ID3.xlsx"
    target.parent.mkdir(exist_ok=True)
    book = Workbook()
    for row in (header, *rows):
        book.active.append(row)
    book.save(target)
    return target


def test_half_a_turn_puts_left_on_plus_x(tmp_path: Path) -> None:
    """The sensor's +x is the subject's right and its +z the way back: both change sign, which is a rotation."""
    path = tmp_path / "kimore_patients_ex2.npz"
    path.write_bytes(as_archive())
    first, second = read_kimore(path)
    np.testing.assert_allclose(first.positions[0, 0], [-0.1, 0.2, -2.5], atol=1e-6)
    assert (first.meta["exercise"], first.meta["subject"], first.meta["group"]) == (
        "lateral_trunk_tilt",
        "S_ID4",
        "stroke",
    )
    assert (first.scores, second.scores) == ((Score("kimore", 40.0),), (Score("kimore", 75.5),))
    assert first.meta["repetitions"] == [[16.5, 30.0, 1], [30.0, 44.0, 0]]


def test_rate_gives_the_recording_its_true_length(tmp_path: Path) -> None:
    """121 raw frames at 30 fps last 4 s from first to last; 61 frames over 4 s are 15 fps."""
    path = tmp_path / "ex1.npz"
    path.write_bytes(as_archive())
    first, second = read_kimore(path)
    assert true_fps(61, 121) == first.fps == 15.0
    assert first.meta["fps_known"]
    assert (second.fps, second.meta["fps_known"]) == (30.0, False)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rep_dir": None}, "lacks rep_dir"),
        ({"joints": np.array(SKELETON_18.joint_names[::-1])}, "Expected joints SpineBase"),
        ({"x": np.zeros((2, 61, 17, 3), dtype=np.float32)}, r"\(n, T, 18, 3\)"),
        ({"x": np.zeros((2, 0, 18, 3), dtype=np.float32)}, "at least two frames"),
        ({"x": np.full((2, 61, 18, 3), np.nan, dtype=np.float32)}, "NaN"),
        ({"x": np.zeros((61, 18, 3), dtype=np.float32)}, "4 dimensions"),
        ({"score": np.array([140.0, 0.0])}, r"kimore:0\.\.100"),
        ({"score": np.array([40.0])}, "each of 2 recordings"),
        ({"rep_seq": np.array([0, 2])}, "recordings 0 to 1"),
        ({"rep_end": np.array([30.0, 90.0])}, "inside frames 0 to 60"),
        ({"rep_end": np.array([30.0])}, "one entry per repetition"),
        ({"subject": np.array([40, None], dtype=object)}, "without pickles"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changed: dict, message: str) -> None:
    path = tmp_path / "ex1.npz"
    path.write_bytes(as_archive(**changed))
    with pytest.raises(UserError, match=message):
        read_kimore(path)


def test_release_csv_with_trailing_comma_blank_and_joined_lines(tmp_path: Path) -> None:
    """Line 4 holds two frames (201 columns with the trailing comma): they are read as two, and said so."""
    text = "\n\n" + line(frame(0.1)) + "\n" + line(frame(0.2)) + line(frame(0.3)) + "\n\n" + line(frame(0.4)) + "\n"
    motion = read_kimore(release(tmp_path, text))[0]
    np.testing.assert_allclose(motion.positions[:, 0, 0], [-0.1, -0.2, -0.3, -0.4], atol=1e-6)
    assert motion.meta["joined_lines"] == [4]
    assert motion.skeleton is KINECT_V2
    assert (motion.meta["subject"], motion.meta["exercise"]) == ("S_ID3", "lateral_trunk_tilt")
    assert (motion.fps, motion.meta["fps_known"], motion.scores) == (30.0, False, ())


def test_only_tracked_joints_are_valid(tmp_path: Path) -> None:
    values = frame()
    values[3], values[7] = 1, 0
    motion = read_kimore(release(tmp_path, line(values)))[0]
    assert motion.valid[0].tolist() == [False, False] + [True] * 23
    np.testing.assert_allclose(motion.positions[0, 0], [-0.5, 1.5, -2.5])  # the guess stays as placeholder
    assert motion.meta["inferred_share"] == pytest.approx(1 / 25)
    assert motion.meta["untracked_share"] == pytest.approx(1 / 25)


def test_group_folder_beats_a_misnamed_subject(tmp_path: Path) -> None:
    motion = read_kimore(release(tmp_path, line(frame()), group="BackPain", subject="P_ID7", exercise="Es5"))[0]
    assert (motion.meta["subject"], motion.meta["group"]) == ("B_ID7", "backpain")
    assert (motion.meta["exercise"], motion.meta["side"]) == ("squat", "both")


def test_time_stamps_give_the_rate(tmp_path: Path) -> None:
    """Steps of 330,000 ticks are 33 ms: 30.3 fps; one dropped frame does not slow the rest."""
    path = release(tmp_path, "\n".join([line(frame())] * 5))
    start = 635_346_521_234_567_890
    steps = np.cumsum([0, 330_000, 330_000, 660_000, 330_000])
    stamps = path.with_name("TimeStamp020514_1.csv")
    stamps.write_text("".join(f"{start + int(s)},\n" for s in steps))
    motion = read_kimore(path)[0]
    assert motion.fps == pytest.approx(1 / 0.033)
    assert motion.meta["fps_known"]
    stamps.write_text("12:30:01\n")
    with pytest.raises(UserError, match="line 1: Expected one time in ticks"):
        read_kimore(path)
    stamps.write_text("5\n5\n5\n")
    with pytest.raises(UserError, match="330,000 ticks"):
        read_kimore(path)


HEADER = ["Subject ID", *(f"clinical {kind} Ex#{n}" for kind in ("TS", "PO", "CF") for n in range(1, 6))]


def test_therapists_total_is_read_on_its_own_scale(tmp_path: Path) -> None:
    path = release(tmp_path, line(frame()))
    sheet(path, HEADER, ["S_ID3", 41, 33.5, 20, 21, 22, *range(10)])
    assert read_kimore(path)[0].scores == (Score("kimore_ts", 33.5),)
    sheet(path, HEADER, ["S_ID3", 41, None, 20])
    assert read_kimore(path)[0].scores == ()
    for value in ("n/a", 51.0, True):
        sheet(path, HEADER, ["S_ID3", 41, value, 20])
        with pytest.raises(UserError, match=r"xlsx: Expected"):
            read_kimore(path)


def test_workbooks_that_are_bombs_are_refused(tmp_path: Path) -> None:
    path = release(tmp_path, line(frame()))
    target = sheet(path, HEADER, ["S_ID3", 41, 33.5])
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * (17 << 20))
    with pytest.raises(UserError, match="MiB unpacked"):
        read_kimore(path)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(UserError, match="entities"):
        read_kimore(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("\n \n", "at least one frame"),
        (line(frame()[:-1]), "line 1: Expected 100 numbers"),
        (line(frame() + frame() + frame()), "got 300"),
        (line(frame()) + ",", "got 101"),
        (line(frame(np.nan)), "frame 1 joint 1"),
        (line(frame(state=3)), "tracking state 0, 1 or 2"),
        (line(frame()).replace("0.5", "left"), "line 1: Expected numbers"),
    ],
)
def test_damaged_csv_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_kimore(release(tmp_path, text))


def test_orientations_are_not_taken_for_positions(tmp_path: Path) -> None:
    path = tmp_path / "JointOrientation1.csv"
    path.write_text(line(frame()))
    with pytest.raises(UserError, match="JointPosition"):
        read_kimore(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=400),
    cut=st.integers(0, 4000),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), min_size=1, max_size=3),
    kind=st.sampled_from(["positions", "stamps", "sheet", "arrays"]),
)
def test_damage_raises_user_error_or_nothing(tmp_path: Path, data: bytes, cut: int, flips: list, kind: str) -> None:
    """Random bytes, truncation and flipped bytes in each of the four files: UserError, never another error."""
    path = release(tmp_path, line(frame()) + "\n" + line(frame()))
    stamps = path.with_name("TimeStamp020514_1.csv")
    stamps.write_text("1000000\n1330000\n")
    book = sheet(path, HEADER, ["S_ID3", 41, 33.5])
    arrays = tmp_path / "ex1.npz"
    arrays.write_bytes(as_archive())
    target = {"positions": path, "stamps": stamps, "sheet": book, "arrays": arrays}[kind]
    good = target.read_bytes()
    broken = bytearray(good)
    for at, mask in flips:
        broken[at % len(broken)] ^= mask
    for damaged in (data, good[:cut], bytes(broken)):
        target.write_bytes(damaged)
        message = ""
        try:
            read_kimore(arrays if kind == "arrays" else path)
        except UserError as error:
            message = str(error)
        assert "\n" not in message


def test_maps_sum_to_one_and_leave_out_what_is_not_there(tmp_path: Path) -> None:
    for joint_map, skeleton in ((KIMORE_MAP, SKELETON_18), (KIMORE_25_MAP, KINECT_V2)):
        for sources in joint_map.values():
            assert sum(sources.values()) == pytest.approx(1.0)
            skeleton.indices(*sources)
    assert set(CANONICAL.joint_names) - set(KIMORE_MAP) == {"head", "left_foot", "right_foot"}
    assert set(KIMORE_25_MAP) == set(CANONICAL.joint_names)
    path = tmp_path / "ex1.npz"
    path.write_bytes(as_archive())
    motion = read_kimore(path)[0]
    mapped = to_canonical(motion)
    unseen = CANONICAL.indices("head", "left_foot", "right_foot")
    assert not mapped.valid[:, unseen].any()
    assert mapped.valid.mean() == pytest.approx(19 / 22)


def test_real_recordings_face_forward(data_dir: Path) -> None:
    motions = read_kimore(data_dir / "kimore" / "kimore_patients_ex1.npz")
    assert len(motions) == 24
    assert sum(len(m.meta["repetitions"]) for m in motions) == 109
    assert [m.meta["subject_number"] for m in motions if not m.meta["fps_known"]] == [50]
    for motion in motions:
        across = np.median(motion.joint("ShoulderLeft") - motion.joint("ShoulderRight"), axis=0)
        assert across[0] > 0.2
        assert 9 < motion.fps < 85
