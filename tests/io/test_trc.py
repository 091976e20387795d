"""TRC: units, gaps, counts, real files, hostile files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehabmotion.errors import UserError
from rehabmotion.io.bvh_names import bvh_joint_map
from rehabmotion.io.trc import read_trc, write_trc
from rehabmotion.motion import CANONICAL, Motion
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
    assert read(tmp_path, SMALL.replace("\tmm\t", "\tm\t")).positions[0, 0, 1] == pytest.approx(500)


@quick
@given(
    arrays(np.float32, (3, 22, 3), elements=st.floats(-10, 10, width=32)),
    arrays(bool, (3, 22)),
    st.sampled_from([10.0, 29.97, 30.0, 100.0]),
    st.sampled_from(["m", "mm"]),
)
def test_round_trip(tmp_path: Path, x: np.ndarray, valid: np.ndarray, fps: float, unit: str) -> None:
    """Metres exactly, millimetres to single precision; the mask always."""
    write_trc(Motion(positions=x, valid=valid, fps=fps), tmp_path / "a.trc", unit)
    (back,) = read_trc(tmp_path / "a.trc")
    assert (back.skeleton, back.fps, back.meta["unit"]) == (CANONICAL, fps, unit)
    assert (back.valid == valid).all()
    assert back.positions[valid] == pytest.approx(x[valid], abs=0 if unit == "m" else 2e-6)


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
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, BAD[name])
    assert "a.trc" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_unit_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unit"):
        write_trc(Motion(positions=np.zeros((1, 22, 3), np.float32), fps=60), tmp_path / "a.trc", "ell")


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
