"""CSV: exact round trips, gaps, rates and hostile files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehabmotion.errors import UserError
from rehabmotion.io.table import read_csv, write_csv
from rehabmotion.motion import CANONICAL, Motion, Skeleton

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SMALL = "time,a_x,a_y,a_z,b c_x,b c_y,b c_z\n0.0,1,2,3,4,5,6\n0.05,1,2,3,,,\n0.1,1.5,2,3e-1,-4,5,8\n"


def read(tmp_path: Path, text: str) -> Motion:
    (tmp_path / "a.csv").write_text(text)
    (motion,) = read_csv(tmp_path / "a.csv")
    return motion


def test_a_small_file_by_hand(tmp_path: Path) -> None:
    motion = read(tmp_path, SMALL)
    assert motion.skeleton.joint_names == ("a", "b c")
    assert (motion.fps, motion.meta["name"]) == (20, "a")
    assert motion.valid.tolist() == [[True, True], [True, False], [True, True]]
    assert motion.positions[2].tolist() == pytest.approx(np.array([[1.5, 2, 0.3], [-4, 5, 8]]))
    assert motion.positions[1, 1] == pytest.approx([0, 5, 7])  # a placeholder between its neighbours


@quick
@given(
    arrays(np.float32, (3, 22, 3), elements=st.floats(-10, 10, width=32)),
    arrays(bool, (3, 22)),
    st.sampled_from([10.0, 29.97, 30.0, 59.94, 100.0, 120.0]),
)
def test_round_trip_is_exact(tmp_path: Path, x: np.ndarray, valid: np.ndarray, fps: float) -> None:
    motion = Motion(positions=x, valid=valid, fps=fps)
    write_csv(motion, tmp_path / "a.csv")
    (back,) = read_csv(tmp_path / "a.csv")
    assert back.skeleton == CANONICAL
    assert back.fps == fps
    assert (back.valid == valid).all()
    assert (back.positions[valid] == x[valid]).all()


def test_names_that_csv_cannot_hold_are_refused(tmp_path: Path) -> None:
    motion = Motion(positions=np.zeros((2, 1, 3), np.float32), fps=30, skeleton=Skeleton(("a,b",), (-1,)))
    with pytest.raises(UserError, match="commas"):
        write_csv(motion, tmp_path / "a.csv")


BAD = {
    "empty": "",
    "header only": SMALL.splitlines()[0],
    "no header": "0,1,2,3\n1,1,2,3\n",
    "order of axes": SMALL.replace("a_x,a_y", "a_y,a_x"),
    "a column short": SMALL.replace(",b c_z", ""),
    "same joint twice": SMALL.replace("b c", "a"),
    "row short": SMALL.replace(",5,6", ",5"),
    "row long": SMALL.replace(",5,6", ",5,6,7"),
    "word": SMALL.replace("3e-1", "three"),
    "nan": SMALL.replace("3e-1", "nan"),
    "infinite": SMALL.replace("3e-1", "1e999"),
    "part of a point": SMALL.replace(",,,", ",4,,"),
    "one frame": "\n".join(SMALL.splitlines()[:2]),
    "time missing": SMALL.replace("0.05,", ","),
    "times uneven": SMALL.replace("0.1,", "0.2,"),
    "times backwards": SMALL.replace("0.1,", "-0.1,"),
    "times equal": SMALL.replace("0.05,", "0,").replace("0.1,", "0,"),
    "pipes": "|" * 3_000_000,
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, BAD[name])
    assert "a.csv" in str(error.value)
    assert "\n" not in str(error.value)


@quick
@given(st.integers(0, len(SMALL)), st.binary(max_size=40), st.integers(0, 40))
def test_garbage_raises_user_error_only(tmp_path: Path, cut: int, garbage: bytes, skip: int) -> None:
    data = SMALL.encode()
    (tmp_path / "a.csv").write_bytes(data[:cut] + garbage + data[cut + skip :])
    try:
        (motion,) = read_csv(tmp_path / "a.csv")
    except UserError:
        return
    assert np.isfinite(motion.positions).all()
