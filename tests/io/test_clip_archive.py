"""The packed archives: exact decoding of wrapped differences, and refusal of arrays that do not fit together."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.clip_archive import read_clips

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def arrays(positions: np.ndarray, lengths: list[int]) -> dict[str, Any]:
    """The archive of integer positions (F, 2, 3), in units of 1 mm, cut into clips of the given lengths."""
    flat = positions.reshape(len(positions), -1).astype(np.int16).T
    return {
        "pos_d": np.diff(flat, axis=1, prepend=np.int16(0)).astype(np.int16),
        "start": np.cumsum([0, *lengths[:-1]]),
        "length": np.array(lengths, dtype=np.int32),
        "name": np.array([f"clip{i}" for i in range(len(lengths))]),
        "label": np.array([f"label{i}" for i in range(len(lengths))]),
        "joints": np.array(["a", "b"]),
        "parents": np.array([-1, 0], dtype=np.int16),
        "fps": np.float32(30),
        "unit_mm": np.float32(1),
    }


def write(path: Path, **changes: Any) -> Path:
    whole = arrays(np.arange(30).reshape(5, 2, 3) * 100, [2, 3])
    kept = {**whole, **changes}
    np.savez(path, **{name: value for name, value in kept.items() if value is not None})
    return path


def test_clips_come_back_in_metres_with_their_labels(tmp_path: Path):
    first, second = read_clips(write(tmp_path / "x.npz"), labels=("label",))
    assert (first.n_frames, second.n_frames, first.fps) == (2, 3, 30)
    np.testing.assert_allclose(second.positions[0], np.arange(12, 18).reshape(2, 3) * 0.1, rtol=1e-6)
    assert second.meta["clip"] == "clip1"
    assert second.meta["label"] == "label1"
    assert second.meta["index"] == 1
    assert second.skeleton.parents == (-1, 0)


@QUICK
@given(st.lists(st.integers(-32768, 32767), min_size=12, max_size=12))
def test_every_int16_comes_back_exactly_though_differences_wrap(tmp_path: Path, values: list[int]):
    positions = np.array(values).reshape(2, 2, 3)
    np.savez(tmp_path / "x.npz", **arrays(positions, [2]))
    (motion,) = read_clips(tmp_path / "x.npz")
    np.testing.assert_array_equal(np.round(motion.positions * 1000).astype(int), positions)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pos_d": None}, "lacks pos_d"),
        ({"label": None}, "lacks label"),
        ({"pos_d": np.zeros((6, 5))}, "pos_d to hold whole numbers"),
        ({"pos_d": np.zeros((6, 5), np.int32)}, "int16"),
        ({"pos_d": np.zeros((5, 6), np.int16)}, "6 channels"),
        ({"start": np.array([0, 3])}, "inside 5 frames"),
        ({"start": np.array([0, 0]), "length": np.array([5, 5])}, "each in one clip"),
        ({"start": np.array([-1, 2])}, "at least one frame"),
        ({"length": np.array([0, 3])}, "at least one frame"),
        ({"length": np.array([2**62, 3])}, "inside 5 frames"),
        ({"length": np.array([5])}, "as many entries"),
        ({"name": np.array(["a"])}, "as many entries"),
        ({"parents": np.array([1, 0])}, "tree of joints"),
        ({"parents": np.array([-1])}, "one parent per joint"),
        ({"joints": np.array(["a", "a"])}, "names that differ"),
        ({"joints": np.array([], dtype=str)}, "1 to 256 joints"),
        ({"fps": np.float32(0)}, "fps > 0"),
        ({"fps": np.float32("nan")}, "fps > 0"),
        ({"unit_mm": np.float32(-1)}, "unit_mm"),
        ({"joints": np.array(["a", None], dtype=object)}, "without pickles"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any], words: str):
    path = write(tmp_path / "x.npz", **changes)
    with pytest.raises(UserError, match=words) as caught:
        read_clips(path, labels=("label",))
    assert str(path) in str(caught.value)


@QUICK
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_garbage_and_truncation_raise_only_user_errors(tmp_path: Path, data: bytes, length: int):
    path = tmp_path / "x.npz"
    path.write_bytes(data)
    with pytest.raises(UserError):
        read_clips(path)
    whole = write(path).read_bytes()
    path.write_bytes(whole[: min(length, len(whole) - 1)])
    with pytest.raises(UserError):
        read_clips(path)


@QUICK
@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_flipped_byte_gives_clips_or_a_user_error(tmp_path: Path, at: int, flip: int):
    data = bytearray(write(tmp_path / "x.npz").read_bytes())
    data[at % len(data)] ^= flip
    (tmp_path / "x.npz").write_bytes(bytes(data))
    with contextlib.suppress(UserError):
        assert read_clips(tmp_path / "x.npz")
