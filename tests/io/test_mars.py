"""The MARS reader: column order, axes, and refusals."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.mars import MARS_MAP, SKELETON, read_mars
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.retarget import map_joints

HEADER = ",".join(f"{name}_{axis}" for axis in "XYZ" for name in SKELETON.joint_names)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table_text(table: np.ndarray) -> str:
    return "\n".join([HEADER, *(",".join(f"{value:.5f}" for value in row) for row in table)]) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "subject7" / "timesplit"
    folder.mkdir(parents=True)
    return folder / "kinect_data_train.csv"


def test_columns_are_25_x_then_25_y_then_25_z_and_z_is_up(path: Path):
    row = np.arange(75) / 100
    path.write_text(table_text(np.stack([row, row + 1])))
    (motion,) = read_mars(path)
    assert motion.positions.shape == (2, 25, 3)
    assert motion.fps == 10
    assert motion.valid.all()
    head = 3
    np.testing.assert_allclose(motion.positions[0, head], [0.03, 0.53, -0.28], atol=1e-6)  # x, height, towards
    assert motion.meta["source"] == "mars"
    assert motion.meta["subject"] == "7"
    assert motion.meta["part"] == "train"


def test_gzip_reads_the_same(path: Path):
    path.write_text(table_text(np.ones((3, 75))))
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read_mars(packed)[0].positions, read_mars(path)[0].positions)
    assert read_mars(packed)[0].meta["part"] == "train"


def test_a_file_anywhere_has_no_subject(tmp_path: Path):
    (tmp_path / "x.csv").write_text(table_text(np.ones((1, 75))))
    assert read_mars(tmp_path / "x.csv")[0].meta["subject"] is None


def test_map_covers_all_joints_and_is_symmetric():
    assert set(MARS_MAP) == set(CANONICAL.joint_names)
    for sources in MARS_MAP.values():
        assert sum(sources.values()) == pytest.approx(1)
        assert set(sources) <= set(SKELETON.joint_names)
    swap = {"Left": "Right", "Right": "Left"}
    for name, sources in MARS_MAP.items():
        if name.startswith("left_"):
            other = {s.replace("Left", swap["Left"]): w for s, w in sources.items()}
            assert MARS_MAP["right_" + name[5:]] == other


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "\n", "at least one frame"),
        (HEADER.replace("Head_X", "Skull_X") + "\n" + ",".join(["0"] * 75), "line 1: Expected column 4 to be Head_X"),
        (HEADER + ",Tail_X\n" + ",".join(["0"] * 76), "line 1: Expected 75 column names, got 76"),
        (HEADER + "\n" + ",".join(["0"] * 74), "line 2: Expected 75 columns, got 74"),
        (HEADER + "\n" + ",".join(["0"] * 74 + ["x"]), "line 2: Expected numbers"),
        (HEADER + "\n" + ",".join(["0"] * 74 + ["nan"]), "NaN"),
    ],
)
def test_bad_files_are_refused_by_name_and_line(path: Path, text: str, words: str):
    path.write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        read_mars(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@QUICK
@given(st.binary(min_size=0, max_size=300), st.booleans())
def test_garbage_raises_only_user_errors(tmp_path: Path, data: bytes, with_header: bool):
    file = tmp_path / "garbage.csv"
    file.write_bytes((HEADER.encode() + b"\n" if with_header else b"") + data)
    with pytest.raises(UserError):
        read_mars(file)


@QUICK
@given(st.integers(0, 2_000))
def test_truncation_gives_whole_frames_or_a_user_error(tmp_path: Path, length: int):
    whole = table_text(np.full((2, 75), 1.25)).encode()
    file = tmp_path / "cut.csv"
    file.write_bytes(whole[: min(length, len(whole))])
    with contextlib.suppress(UserError):
        assert read_mars(file)[0].positions.shape[1:] == (25, 3)


def test_real_people_stand_upright_and_face_forward(data_dir: Path):
    (motion,) = read_mars(data_dir / "mars/synced_data/wooutlier/subject3/timesplit/kinect_data_test.csv.gz")
    assert motion.positions.shape == (1769, 25, 3)
    mapped = map_joints(motion, MARS_MAP)
    hips = 0.5 * (mapped.joint("left_hip") + mapped.joint("right_hip"))
    above = {name: np.median(mapped.joint(name) - hips, axis=0) for name in CANONICAL.joint_names}
    heights = [above[name][1] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert heights == sorted(heights)
    assert 0.02 < heights[0] < 0.08
    assert 0.6 < heights[-1] < 0.75
    assert above["left_shoulder"][0] > 0.15 > -0.15 > above["right_shoulder"][0]
    toes = np.median(mapped.joint("left_foot") - mapped.joint("left_ankle"), axis=0)
    assert toes[2] > 0.05  # forward is +z
