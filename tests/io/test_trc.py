"""TRC: units, gaps, counts, real files, hostile files."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehabmotion.errors import UserError
from rehabmotion.io.bvh_names import bvh_joint_map
from rehabmotion.io.marker_units import UNITS_M
from rehabmotion.io.trc import read_trc, write_trc
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.retarget import map_joints

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SMALL = (
    "PathFileType\t4\t(X/Y/Z)\tsmall.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
    "50.00\t50.00\t3\t2\tmm\t50.00\t1\t3\n"
    "Frame#\tTime\tL.Knee\t\t\tR Knee\t\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
    "\n"
    "1\t0.00\t100\t500\t0\t-100\t500\t0\t\n"
    "2\t0.02\t110\t500\t0\t\t\t\n"
    "3\t0.04\t120.5\t500\t0\tNaN\tNaN\tNaN\n"
)


def read(tmp_path: Path, text: str) -> Motion:
    (tmp_path / "a.trc").write_text(text)
    (motion,) = read_trc(tmp_path / "a.trc")
    return motion


def test_a_small_file_by_hand(tmp_path: Path) -> None:
    motion = read(tmp_path, SMALL)
    assert motion.skeleton.joint_names == ("L.Knee", "R Knee")
    assert (motion.fps, motion.meta["unit"]) == (50, "mm")
    assert motion.valid.tolist() == [[True, True], [True, False], [True, False]]
    assert motion.positions[:, 0, 0] == pytest.approx([0.1, 0.11, 0.1205])
    assert motion.positions[0, 1] == pytest.approx([-0.1, 0.5, 0])


def test_metres_are_metres(tmp_path: Path) -> None:
    """The numbers were those of millimetres until a unit that they contradict was refused."""
    text = SMALL.replace("\tmm\t", "\tm\t").replace("00\t", "\t")
    assert read(tmp_path, text).positions[0].tolist() == [[1, 5, 0], [-1, 5, 0]]


SAME = {
    "Windows line ends": SMALL.replace("\n", "\r\n"),
    "no blank line": SMALL.replace("\n\n", "\n"),
    "Windows path": SMALL.replace("\t(X/Y/Z)\tsmall.trc", "\t(X/Y/Z) D:\\rec 1\\small.trc"),
    "stray spaces": SMALL.replace("50.00\t50.00\t3\t2\tmm\t", " 50.00\t 50.00 3\t2 \tmm \t").replace(
        "1\t3\n", "1\t3 \t\n"
    ),
    "spaces in cells": SMALL.replace("\t500", "\t  500 "),
    "nan": SMALL.replace("NaN", "nan"),
    "empty": SMALL.replace("NaN", ""),
    "one more tab": SMALL.replace("NaN\tNaN\tNaN", "\t\t\t"),
    "blank cells": SMALL.replace("NaN", " "),
}


@pytest.mark.parametrize("name", SAME)
def test_what_says_the_same_is_read_the_same(tmp_path: Path, name: str) -> None:
    one, two = read(tmp_path, SMALL), read(tmp_path, SAME[name])
    assert (one.skeleton, one.fps) == (two.skeleton, two.fps)
    assert np.array_equal(one.valid, two.valid)
    assert np.array_equal(one.positions, two.positions)


def test_a_frame_without_any_marker_is_masked(tmp_path: Path) -> None:
    motion = read(tmp_path, re.sub(r"(\n2\t0.02).*", r"\1" + "\tnan" * 6, SMALL))
    assert motion.valid.any(axis=1).tolist() == [True, False, True]


@quick
@given(
    arrays(np.float32, (3, 22, 3), elements=st.floats(-0.25, 0.25, width=32)),
    arrays(bool, (3, 22)).filter(np.any),
    st.sampled_from([10.0, 29.97, 30.0, 100.0]),
    st.sampled_from(["m", "cm", "mm"]),
)
def test_round_trip_is_exact(tmp_path: Path, noise: np.ndarray, valid: np.ndarray, fps: float, unit: str) -> None:
    """Markers a metre apart on a diagonal, so that the unit is plausible: others are refused."""
    x = noise + np.arange(22, dtype=np.float32)[:, None] - 11
    write_trc(Motion(positions=x, valid=valid, fps=fps), tmp_path / "a.trc", unit)
    (back,) = read_trc(tmp_path / "a.trc")
    assert (back.skeleton, back.fps, back.meta["unit"]) == (CANONICAL, fps, unit)
    assert (back.valid == valid).all()
    assert (back.positions[valid] == x[valid]).all()


def spread(metres: float, unit: str, written: str) -> str:
    """A file of two markers this far apart whose header names another unit than the numbers have."""
    number = f"{metres / UNITS_M[unit]:.9g}"
    return re.sub(r"\n(\d)\t(0\.0\d)\t.*", rf"\n\1\t\2\t0\t{number}\t1\t0\t0\t1", SMALL).replace(
        "\tmm\t", f"\t{written}\t"
    )


@pytest.mark.parametrize(
    ("metres", "unit", "written"),
    [(1.7, "mm", "m"), (0.2, "mm", "m"), (1.7, "cm", "m"), (1.7, "m", "mm"), (9, "m", "mm")],
)
def test_a_unit_that_the_numbers_contradict_is_refused(tmp_path: Path, metres: float, unit: str, written: str) -> None:
    with pytest.raises(UserError, match=f"line 3, Units: .* {metres:g} m as {unit}.*true unit"):
        read(tmp_path, spread(metres, unit, written))


@pytest.mark.parametrize("written", ["m", "cm", "mm"])
@pytest.mark.parametrize("metres", [0.0, 0.012, 0.2, 1.7, 20])
def test_a_true_unit_is_taken(tmp_path: Path, metres: float, written: str) -> None:
    """From the markers of a finger to two people in a hall; markers at one place say nothing."""
    (x,) = read(tmp_path, spread(metres, written, written)).positions[:1, 0, 1]
    assert x == pytest.approx(metres)


def test_a_long_walk_and_a_ghost_are_no_wrong_unit(tmp_path: Path) -> None:
    """A walk of 60 m by two markers 0.4 m apart; in one of the three frames one of them is thrown 90 m away."""
    rows = "1\t0.00\t0\t0.5\t0\t0.4\t0.5\t0\n2\t0.02\t30\t0.5\t0\t30\t0.5\t90\n3\t0.04\t60\t0.5\t0\t60.4\t0.5\t0\n"
    motion = read(tmp_path, SMALL[: SMALL.index("1\t0.00")].replace("\tmm\t", "\tm\t") + rows)
    assert np.ptp(motion.positions[:, 0, 0]) == 60


def test_one_frame_keeps_its_rate(tmp_path: Path) -> None:
    write_trc(Motion(positions=np.ones((1, 22, 3), np.float32), fps=60), tmp_path / "a.trc")
    assert read_trc(tmp_path / "a.trc")[0].fps == 60


BAD = {
    "other file": "time,a_x,a_y,a_z\n0,1,2,3\n",
    "header only": "".join(SMALL.splitlines(keepends=True)[:5]),
    "three lines": "".join(SMALL.splitlines(keepends=True)[:3]),
    "cut": SMALL[: SMALL.index("3\t0.04")],
    "cut in a row": SMALL[:-12],
    "row too long": SMALL.replace("0\t-100", "0\t0\t-100"),
    "markers": SMALL.replace("\t3\t2\tmm", "\t3\t3\tmm"),
    "a billion markers": SMALL.replace("\t3\t2\tmm", "\t3\t1000000000\tmm"),
    "a billion frames": SMALL.replace("\t3\t2\tmm", "\t1000000000\t2\tmm"),
    "no markers": SMALL.replace("L.Knee", "").replace("R Knee", "").replace("\t3\t2\tmm", "\t3\t0\tmm"),
    "same marker twice": SMALL.replace("R Knee", "L.Knee"),
    "inches": SMALL.replace("\tmm\t", "\tin\t"),
    "no units": SMALL.replace("Units", "Unit"),
    "rate zero": SMALL.replace("50.00", "0"),
    "rate nan": SMALL.replace("50.00", "nan"),
    "rate against times": SMALL.replace("50.00", "60.00"),
    "word": SMALL.replace("120.5", "far"),
    "infinite": SMALL.replace("120.5", "1e999"),
    "part of a marker": SMALL.replace("NaN\tNaN\tNaN", "NaN\t1\t1"),
    "uneven times": SMALL.replace("0.04", "0.08"),
    "nothing seen": re.sub(r"\n(\d\t0\.0\d).*", r"\n\1" + "\tnan" * 6, SMALL),
    "no axes": SMALL.replace("\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n", ""),
}
MESSAGES = {  # of the line, where it is not the third
    "other file": "line 1: Expected PathFileType",
    "header only": "at least one frame",
    "three lines": "five header lines",
    "cut": "line 3: Expected NumFrames 3, got 2",
    "cut in a row": "line 9: Expected 8 cells .* got 6",
    "row too long": "line 7: Expected 8 cells .* got 9",
    "no markers": "line 3: Expected NumMarkers 0, got 0",
    "same marker twice": "line 4: .*'L.Knee' twice",
    "rate against times": "line 3: Expected a DataRate .* 50, got 60",
    "word": "line 9: Expected a number, got 'far'",
    "infinite": "line 9",
    "part of a marker": "line 9: Expected x, y and z of 'R Knee'",
    "uneven times": "line 7, where frame 1 is, and on: .*frame 2 is off",
    "nothing seen": "lines 7 to 9: Expected a marker seen",
    "no axes": "line 6: Expected the axes",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=MESSAGES.get(name, "line 3")) as error:
        read(tmp_path, BAD[name])
    assert "a.trc" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_unit_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unit"):
        write_trc(Motion(positions=np.zeros((1, 22, 3), np.float32), fps=60), tmp_path / "a.trc", "ell")


def test_a_motion_of_which_nothing_was_seen_is_not_written(tmp_path: Path) -> None:
    unseen = Motion(positions=np.zeros((1, 22, 3), np.float32), valid=np.zeros((1, 22), bool), fps=60)
    with pytest.raises(UserError, match="valid in some frame"):
        write_trc(unseen, tmp_path / "a.trc")


@pytest.mark.parametrize("unit", ["m", "mm"])
def test_opensim_reads_what_we_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """Markers not seen are nan, the last of a row too: as empty cells OpenSim 4.6 failed at them."""
    monkeypatch.chdir(tmp_path)  # where OpenSim would log
    opensim: Any = pytest.importorskip("opensim", reason="OpenSim is the oracle: pip install opensim")
    opensim.Logger.removeFileSink()
    x = np.random.default_rng(0).normal(size=(4, 3, 3)).astype(np.float32)
    valid = np.array([[1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]], bool)
    names = ("RASI", "L Knee", "r.heel")
    write_trc(Motion(x, 30.0, Skeleton(names, (-1,) * 3), valid), tmp_path / "a.trc", unit)
    table = opensim.TimeSeriesTableVec3(str(tmp_path / "a.trc"))
    columns = [table.getDependentColumn(name) for name in names]
    seen = np.array([[column[t].to_numpy() for column in columns] for t in range(4)]) * UNITS_M[unit]
    assert list(table.getColumnLabels()) == list(names)
    assert table.getTableMetaDataString("Units") == unit
    assert list(table.getIndependentColumn()) == [t / 30 for t in range(4)]
    assert np.array_equal(seen.astype(np.float32)[valid], x[valid])
    assert np.isnan(seen[~valid]).all()


@quick
@given(st.integers(0, len(SMALL)), st.binary(max_size=40), st.integers(0, 60))
def test_garbage_raises_user_error_only(tmp_path: Path, cut: int, garbage: bytes, skip: int) -> None:
    data = SMALL.encode()
    (tmp_path / "a.trc").write_bytes(data[:cut] + garbage + data[cut + skip :])
    try:
        (motion,) = read_trc(tmp_path / "a.trc")
    except UserError:
        return
    assert np.isfinite(motion.positions).all()


def test_real_files(data_dir: Path) -> None:
    """Six files of a marker program: 60 Hz, metres; a standing person whose hips are 0.2 m apart."""
    paths = sorted((data_dir / "video").rglob("*.trc"))
    assert len(paths) == 6
    for path in paths:
        (motion,) = read_trc(path)
        assert (motion.fps, motion.meta["unit"], motion.n_frames) == (60, "m", 12 if "T00" in path.name else 100)
    (motion,) = read_trc(next(p for p in paths if p.name.endswith("StaticTrial_0-12.trc")))
    body = map_joints(motion, bvh_joint_map(motion.skeleton.joint_names))
    assert body.valid.all()
    across = body.joint("left_hip") - body.joint("right_hip")
    assert np.linalg.norm(across, axis=-1) == pytest.approx(0.21, abs=0.03)
    assert (body.joint("head")[:, 1] - body.joint("left_ankle")[:, 1] > 1.3).all()


def test_single_precision_loses_less_than_a_micrometre(data_dir: Path) -> None:
    """The positions of a person near the origin, read from 17 digits: 1.2e-7 m at most, where IK needs 1e-6."""
    path = next(p for p in (data_dir / "video").rglob("*BalancingTrial_0-100.trc"))
    table = np.array([line.split("\t") for line in path.read_text().splitlines()[5:]], float)
    (motion,) = read_trc(path)
    assert np.abs(motion.positions.reshape(len(table), -1) - table[:, 2:]).max() < 1.2e-7
