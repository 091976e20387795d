"""The motion file: a round trip, the same bytes, and nothing but UserError from what is no motion file."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import rehabmotion.io.npz_arrays as npz_arrays
from rehabmotion.errors import UserError
from rehabmotion.io.npz import FIELDS, read_npz, write_npz
from rehabmotion.motion import Motion, Score, Skeleton

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def motion(standing: NDArray[np.float64]) -> Motion:
    rng = np.random.default_rng(0)
    return Motion(
        standing + rng.normal(0, 0.01, (12, 22, 3)),
        29.97,
        valid=rng.random((12, 22)) < 0.9,
        text="Übung: tiefe Kniebeuge ↓↑",
        scores=(Score("fms", 2), Score("sim", 61.25)),
        meta={"subject": "s03", "side": None, "repetition": 4, "note": ["a", {"b": 1.5}]},
    )


def same(a: Motion, b: Motion) -> bool:
    arrays = np.array_equal(a.positions, b.positions) and np.array_equal(a.valid, b.valid)
    rest = all(getattr(a, k) == getattr(b, k) for k in ("fps", "skeleton", "text", "scores", "meta"))
    return arrays and rest


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_npz(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def rewritten(motion: Motion, path: Path, **changes: Any) -> Path:
    """Write the motion with some fields replaced (None: left out), pickled if need be."""
    write_npz(motion, path)
    with np.load(path) as loaded:
        arrays = {**{name: loaded[name] for name in FIELDS}, **changes}
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


# --- round trip ---------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(motion: Motion, tmp_path: Path) -> None:
    write_npz(motion, tmp_path / "a.npz")
    assert same(read_npz(tmp_path / "a.npz"), motion)


def test_the_same_motion_gives_the_same_bytes(motion: Motion, tmp_path: Path) -> None:
    write_npz(motion, tmp_path / "a.npz")
    write_npz(read_npz(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    write_npz(motion.but(meta=dict(reversed(list(motion.meta.items())))), tmp_path / "c.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()


def test_the_file_is_plain_numpy_without_pickles(motion: Motion, tmp_path: Path) -> None:
    write_npz(motion, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert loaded.files == list(FIELDS)
        assert loaded["positions"].dtype == np.float32
        assert json.loads(str(loaded["scores"]))[0] == {
            "scale": "fms",
            "value": 2,
            "range": [1, 3],
            "direction": "higher is better",
        }


names = st.lists(st.text(min_size=1, max_size=8).filter(lambda s: s == s.rstrip("\0")), min_size=1, max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    names=names.map(lambda s: tuple(dict.fromkeys(s))),
    text=st.text(max_size=30).filter(lambda s: s == s.rstrip("\0")),  # numpy drops NULs at the end of a text
    fps=st.floats(0.1, 10_000),
    meta=st.dictionaries(st.text(max_size=6), json_values, max_size=4),
    seed=st.integers(0, 99),
)
@QUICK
def test_any_motion_comes_back(
    tmp_path: Path, names: tuple[str, ...], text: str, fps: float, meta: dict[str, Any], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n, t = len(names), int(rng.integers(1, 9))
    skeleton = Skeleton(names, tuple(int(rng.integers(-1, j)) for j in range(n)))
    motion = Motion(rng.normal(size=(t, n, 3)), fps, skeleton, rng.random((t, n)) < 0.5, text, meta=meta)
    write_npz(motion, tmp_path / "a.npz")
    assert same(read_npz(tmp_path / "a.npz"), motion)


# --- hostile files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(motion: Motion, tmp_path: Path, field: str) -> None:
    assert field in refused(rewritten(motion, tmp_path / "a.npz", **{field: None}))


class Boom:
    """What a pickle would run on loading."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("field", FIELDS)
def test_pickled_arrays_are_never_loaded(motion: Motion, tmp_path: Path, field: str) -> None:
    assert "pickle" in refused(rewritten(motion, tmp_path / "a.npz", **{field: np.array([Boom()], dtype=object)}))


RING, CHAIN = np.array([1, 0, *[0] * 20]), np.arange(-1, 21)
WRONG: list[tuple[str, Any]] = [
    ("positions", np.zeros((0, 22, 3), np.float32)),
    ("positions", np.zeros((12, 21, 3), np.float32)),
    ("positions", np.zeros((12, 22), np.float32)),
    ("positions", np.float32(1.0)),
    ("positions", np.full((12, 22, 3), np.nan, np.float32)),
    ("positions", np.full((12, 22, 3), np.inf)),
    ("positions", np.zeros((12, 22, 3), int)),
    ("positions", np.zeros((12, 22, 3), complex)),
    ("positions", np.full((12, 22, 3), "1.0")),
    ("positions", np.zeros((12, 22), [("x", "f4"), ("y", "f4"), ("z", "f4")])),
    ("valid", np.ones((12, 22), np.uint8)),
    ("valid", np.ones((11, 22), bool)),
    ("valid", np.True_),
    ("fps", np.float64(0)),
    ("fps", np.float64(-30)),
    ("fps", np.float64("nan")),
    ("fps", np.float64("inf")),
    ("fps", np.array([30.0, 60.0])),
    ("fps", np.array([30.0])),
    ("fps", np.array("30")),
    ("fps", np.complex128(30 + 1j)),
    ("fps", np.True_),
    ("joint_names", np.array(["pelvis"] * 22)),
    ("joint_names", np.array(["pelvis", "left_hip"])),
    ("joint_names", np.array("pelvis")),
    ("joint_names", np.arange(22)),
    ("joint_names", np.array([f"joint_{i}".encode() for i in range(22)])),
    ("joint_names", np.array([[f"joint_{i}" for i in range(22)]])),
    ("joint_names", np.array([], dtype=str)),
    ("parents", RING),
    ("parents", np.full(22, 22)),
    ("parents", np.full(22, -2)),
    ("parents", np.full(22, 2**62)),
    ("parents", CHAIN[:-1]),
    ("parents", CHAIN + 0.5),
    ("parents", CHAIN[None]),
    ("parents", CHAIN.astype(str)),
    ("text", np.arange(3)),
    ("text", np.array(["a", "b"])),
    ("scores", np.array("")),
    ("scores", np.array("{")),
    ("scores", np.array("3")),
    ("scores", np.array("null")),
    ("scores", np.array('{"scale": "fms", "value": 2}')),
    ("scores", np.array('["fms"]')),
    ("scores", np.array('[{"scale": "fms"}]')),
    ("scores", np.array('[{"value": 2}]')),
    ("scores", np.array('[{"scale": "berg", "value": 2}]')),
    ("scores", np.array('[{"scale": "be\\nrg", "value": 2}]')),
    ("scores", np.array('[{"scale": ["fms"], "value": 2}]')),
    ("scores", np.array('[{"scale": "fms", "value": 0}]')),
    ("scores", np.array('[{"scale": "fms", "value": "two"}]')),
    ("scores", np.array('[{"scale": "fms", "value": null}]')),
    ("scores", np.array('[{"scale": "sim", "value": NaN}]')),
    ("scores", np.array('[{"scale": "sim", "value": 1' + "0" * 400 + "}]")),
    ("scores", np.array("[" * 100_000)),
    ("scores", np.zeros(3)),
    ("meta", np.array("[]")),
    ("meta", np.array("not json")),
    ("meta", np.array("{" * 10_000)),
    ("meta", np.array('{"a":' * 100_000)),
    ("meta", np.float64(1)),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{field}-{i}" for i, (field, _) in enumerate(WRONG)])
def test_a_field_of_another_kind_is_refused(motion: Motion, tmp_path: Path, field: str, value: Any) -> None:
    path = rewritten(motion, tmp_path / "a.npz", **{field: value})
    assert refused(path).startswith(str(path))


def test_the_reason_says_what_came(motion: Motion, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert "(12, 21, 3)" in refused(rewritten(motion, path, positions=np.zeros((12, 21, 3), np.float32)))
    assert "berg" in refused(rewritten(motion, path, scores=np.array('[{"scale": "berg", "value": 2}]')))
    assert "parents" in refused(rewritten(motion, path, parents=CHAIN + 0.5))


def test_a_file_that_declares_more_than_the_limit_is_refused_unread(
    motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rewritten(motion, tmp_path / "a.npz", extra=np.zeros(1 << 18))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert path.stat().st_size < 1 << 16
    monkeypatch.setattr(npz_arrays, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(npz_arrays.np, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    assert "at most 1 MiB unpacked" in refused(path)


def test_a_file_that_declares_less_than_it_holds_is_refused(motion: Motion, tmp_path: Path) -> None:
    """The sizes in a zip's list are what its maker writes there."""
    path = rewritten(motion, tmp_path / "a.npz", positions=np.zeros((60_000, 22, 3), np.float32))
    with zipfile.ZipFile(path) as archive:
        big = next(info for info in archive.infolist() if info.filename == "positions.npy").file_size
    data = path.read_bytes()
    assert data.count(struct.pack("<I", big)) >= 2
    path.write_bytes(data.replace(struct.pack("<I", big), struct.pack("<I", 200)))
    refused(path)


@pytest.mark.parametrize("shape", ["(1000000000000, 22, 3)", "(99999999999999999999, 22, 3)", "(-5, 22, 3)", "(2.5,)"])
def test_a_header_that_promises_too_much_is_refused(motion: Motion, tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    path = rewritten(motion, tmp_path / "a.npz", positions=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("positions.npy", member)
    refused(path)


@given(st.floats(0, 1))
@QUICK
def test_a_truncated_file_is_refused(motion: Motion, tmp_path: Path, share: float) -> None:
    write_npz(motion, tmp_path / "a.npz")
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(data[: int(share * (len(data) - 1))])
    refused(tmp_path / "b.npz")


@given(st.binary(max_size=200))
@QUICK
def test_bytes_that_are_no_file_at_all_are_refused(tmp_path: Path, data: bytes) -> None:
    for name in ("a.npz", "a.npz.gz"):
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name)


def test_a_single_array_is_no_motion_file(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((5, 22, 3)))
    (tmp_path / "a.npz").write_bytes(buffer.getvalue())
    refused(tmp_path / "a.npz")


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5))
@settings(QUICK, max_examples=150)
def test_flipped_bytes_give_a_motion_or_a_user_error(
    motion: Motion, tmp_path: Path, flips: list[tuple[float, int]]
) -> None:
    write_npz(motion, tmp_path / "a.npz")
    data = bytearray((tmp_path / "a.npz").read_bytes())
    for at, byte in flips:
        data[int(at * len(data))] = byte
    (tmp_path / "b.npz").write_bytes(data)
    try:
        read = read_npz(tmp_path / "b.npz")
    except UserError as error:
        said = str(error)
    else:
        said = f"{read.n_frames}"
    assert len(said.splitlines()) == 1
