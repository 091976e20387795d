"""HumanML3D files: both kinds of array, the round trip, and hostile bytes."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.humanml3d import HUMANML3D_MAP, read_humanml3d, write_humanml3d
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import map_joints

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def npy_bytes(array: np.ndarray, **kwargs: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **kwargs)
    return buffer.getvalue()


def moving(n: int = 41, fps: float = 40.0) -> Motion:
    """Joints apart, hips and shoulders across x, all swaying at half a hertz."""
    base = np.random.default_rng(1).uniform(0.2, 1.8, (22, 3)) * np.array([0.1, 1, 0.1])
    base[[1, 16], 0], base[[2, 17], 0] = 0.2, -0.2
    base[[1, 2, 16, 17], 2] = 0.0
    sway = 0.1 * np.sin(np.pi * np.arange(n) / fps)[:, None, None]
    return Motion(positions=base + sway, fps=fps)


def test_joints_are_read_as_they_are(tmp_path: Path) -> None:
    joints = moving().positions
    (tmp_path / "012314.npy").write_bytes(npy_bytes(joints))
    (motion,) = read_humanml3d(tmp_path / "012314.npy")
    assert (motion.positions == joints).all()
    assert motion.fps == 20
    assert (motion.meta["source"], motion.meta["name"]) == ("humanml3d", "012314")
    assert (map_joints(motion, HUMANML3D_MAP).positions == joints).all()


def test_arrays_in_fortran_order_are_read(tmp_path: Path) -> None:
    joints = moving().positions
    (tmp_path / "a.npy").write_bytes(npy_bytes(np.asfortranarray(joints)))
    assert (read_humanml3d(tmp_path / "a.npy")[0].positions == joints).all()


def test_written_features_give_the_motion_back_at_20_fps(tmp_path: Path) -> None:
    motion = moving(fps=20.0)
    write_humanml3d(motion, tmp_path / "a.npy")
    (back,) = read_humanml3d(tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (motion.n_frames - 1, 263)
    shift = back.positions[0, 0] - motion.positions[0, 0]
    assert back.positions == pytest.approx(motion.positions[:-1] + shift, abs=2e-6)
    assert back.positions[..., 1].min() == pytest.approx(0, abs=1e-6)


def test_writing_resamples_to_20_fps(tmp_path: Path) -> None:
    write_humanml3d(moving(n=41, fps=40.0), tmp_path / "a.npy")
    assert read_humanml3d(tmp_path / "a.npy")[0].n_frames == 20  # 1 s, and one frame lost to velocities


def test_missing_joints_cannot_be_written(tmp_path: Path) -> None:
    valid = np.ones((41, 22), dtype=bool)
    valid[3, CANONICAL.index("left_foot")] = False
    with pytest.raises(UserError, match="left_foot"):
        write_humanml3d(moving().but(valid=valid), tmp_path / "a.npy")
    assert not (tmp_path / "a.npy").exists()


BAD = {
    "pickle": npy_bytes(np.array([{"a": 1}], dtype=object), allow_pickle=True),
    "text": npy_bytes(np.array(["a", "b"])),
    "shape": npy_bytes(np.zeros((5, 21, 3))),
    "flat": npy_bytes(np.zeros(263)),
    "scalar": npy_bytes(np.array(3.0)),
    "no frames": npy_bytes(np.zeros((0, 263))),
    "nan": npy_bytes(np.full((4, 263), np.nan)),
    "nan joints": npy_bytes(np.full((4, 22, 3), np.nan)),
    "cut": npy_bytes(np.zeros((5, 263)))[:-9],
    "too long": npy_bytes(np.zeros((5, 263))) + b"\0",
    "claims a terabyte": npy_bytes(np.zeros((5, 263), np.float32)).replace(b"(5, 263), }     ", b"(999999999, 263), }"),
    "not numpy": b"\x93NUMPY",
    "zip": b"PK\x03\x04",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(BAD[name])
    with pytest.raises(UserError) as error:
        read_humanml3d(tmp_path / "a.npy")
    assert "a.npy" in str(error.value)
    assert "\n" not in str(error.value)


@quick
@given(st.binary(max_size=300), st.integers(0, 400))
def test_garbage_raises_user_error_only(tmp_path: Path, garbage: bytes, keep: int) -> None:
    """Any bytes after a cut anywhere in a good file."""
    good = npy_bytes(np.zeros((3, 263), np.float32))
    (tmp_path / "a.npy").write_bytes(good[:keep] + garbage)
    with pytest.raises(UserError):
        read_humanml3d(tmp_path / "a.npy")


def test_the_published_pair_agrees(data_dir: Path) -> None:
    root = data_dir / "humanml3d"
    (joints,) = read_humanml3d(root / "new_joints/012314.npy")
    (features,) = read_humanml3d(root / "new_joint_vecs/012314.npy")
    assert (joints.n_frames, joints.meta["content"]) == (170, "joints")
    assert features.positions == pytest.approx(joints.positions, abs=1e-6)
