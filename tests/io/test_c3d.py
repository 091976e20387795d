"""C3D: round trips, units, axes, labels, files by hand, files that would crash ezc3d."""

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io import c3d, c3d_child
from rehabmotion.io.c3d import read_c3d, write_c3d
from rehabmotion.io.c3d_axes import axes_of, rotation_of
from rehabmotion.io.formats import read_canonical
from rehabmotion.motion import CANONICAL, Motion, Skeleton

Parameters = dict[str, list[Any]]


@pytest.fixture
def ezc3d() -> Any:
    """The extra."""
    return pytest.importorskip("ezc3d", reason='needs ezc3d: pip install "rehabmotion[c3d]"')


@pytest.fixture
def here(ezc3d: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files are read in this process: that takes a hundredth of the time."""

    def through_ezc3d(data: bytes) -> Any:
        (tmp_path / "here").write_bytes(data)
        return c3d_child.read(str(tmp_path / "here"))

    monkeypatch.setattr(c3d, "_through_ezc3d", through_ezc3d)


def parameter(group: int, name: str, value: Any) -> bytes:
    """One parameter as a file holds it: text, whole numbers or floats, one or a list."""
    values = value if isinstance(value, list) else [value]
    dims = [len(values)] if isinstance(value, list) else []
    if isinstance(values[0], str):
        width = max(map(len, values))
        kind, dims, raw = -1, [width, *dims], "".join(v.ljust(width) for v in values).encode("latin-1")
    elif isinstance(values[0], float):
        kind, raw = 4, struct.pack(f"<{len(values)}f", *values)
    else:
        kind, raw = 2, struct.pack(f"<{len(values)}H", *values)
    body = struct.pack("bB", kind, len(dims)) + bytes(dims) + raw + b"\0"
    return struct.pack("bb", len(name), group) + name.encode() + struct.pack("<h", 2 + len(body)) + body


def by_hand(words: list[list[float]], integers: bool = False, groups: dict[str, Parameters] | None = None) -> bytes:
    """A file as the format's description has it: words (T, 4 N) are x, y, z and residual of each point."""
    n, t = len(words[0]) // 4, len(words)
    scale = 0.5 if integers else -0.5
    point: Parameters = {"USED": n, "SCALE": scale, "RATE": 50.0, "FRAMES": t, "DATA_START": 5, "UNITS": "mm"}  # type: ignore[dict-item]
    point |= {"LABELS": ["RASI", "R.Knee", "CLAV"][:n]}
    packed = bytes([1, 80, 3, 84])
    for i, (name, more) in enumerate({"POINT": point, "ANALOG": {"USED": 0}, **(groups or {})}.items(), start=1):
        values = {**point, **more} if name == "POINT" else more
        packed += struct.pack("bb", len(name), -i) + name.encode() + struct.pack("<hB", 3, 0)
        packed += b"".join(parameter(i, key, value) for key, value in values.items() if value is not None)
    head = struct.pack("<BB5HfHHf", 2, 80, n, 0, 1, t, 10, scale, 5, 0, 50.0).ljust(512, b"\0")
    data = b"".join(struct.pack(f"<{4 * n}{'h' if integers else 'f'}", *row) for row in words)
    return head + packed.ljust(1536, b"\0") + data.ljust(-(-len(data) // 512) * 512, b"\0")


FLOATS = [[100, 20, 900, 0, 120, 30, 500, 0.5], [110, 20, 900, 0, 0, 0, 0, -1], [120, 20, 900, 0, 140, 30, 500, 0]]
INTEGERS = [[200, 40, 1800, 0, 240, 60, 1000, 1], [220, 40, 1800, 0, 0, 0, 0, -1], [240, 40, 1800, 0, 280, 60, 1000, 0]]
SMALL = by_hand(FLOATS)


def read(tmp_path: Path, data: bytes) -> Motion:
    (tmp_path / "a.c3d").write_bytes(data)
    (motion,) = read_c3d(tmp_path / "a.c3d")
    return motion


def test_a_small_file_by_hand(ezc3d: Any, tmp_path: Path) -> None:
    """z up in the file, y up with us; a negative residual is a point not seen, bridged by a placeholder."""
    motion = read(tmp_path, SMALL)
    assert motion.skeleton == Skeleton(("RASI", "R.Knee"), (-1, -1))
    assert (motion.fps, motion.meta["unit"], motion.meta["name"], motion.meta["source"]) == (50, "mm", "a", "c3d")
    assert motion.meta["axes"] == {"x": "+X", "y": "+Z", "z": "-Y", "stated": False}
    assert (motion.meta["subject"], "left_out" in motion.meta) == (None, False)
    assert motion.valid.tolist() == [[True, True], [True, False], [True, True]]
    assert motion.positions[:, 0] == pytest.approx(
        np.array([[0.1, 0.9, -0.02], [0.11, 0.9, -0.02], [0.12, 0.9, -0.02]])
    )
    assert motion.positions[1, 1] == pytest.approx([0.13, 0.5, -0.03])


@pytest.mark.usefixtures("here")
def test_integers_are_scaled(tmp_path: Path) -> None:
    one, two = read(tmp_path, SMALL), read(tmp_path, by_hand(INTEGERS, integers=True))
    assert np.array_equal(one.positions, two.positions)
    assert np.array_equal(one.valid, two.valid)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("unit", ["m", "cm", "mm"])
def test_round_trip(tmp_path: Path, unit: str) -> None:
    """Metres exactly, the others to single precision; the mask always."""
    rng = np.random.default_rng(0)
    x, valid = rng.normal(size=(7, 22, 3)).astype(np.float32), rng.random((7, 22)) < 0.7
    write_c3d(Motion(positions=x, valid=valid, fps=29.97), tmp_path / "a.c3d", unit)
    (back,) = read_c3d(tmp_path / "a.c3d")
    assert (back.skeleton, back.fps, back.meta["unit"]) == (CANONICAL, 29.97, unit)
    assert back.meta["axes"] == {"x": "+X", "y": "+Z", "z": "-Y", "stated": True}
    assert np.array_equal(back.valid, valid)
    assert back.positions[valid] == pytest.approx(x[valid], abs=0 if unit == "m" else 5e-7)


@pytest.mark.usefixtures("here")
def test_more_than_255_labels_and_one_frame(tmp_path: Path) -> None:
    """Labels go on in LABELS2 after the 255th."""
    names = tuple(f"marker {i}" for i in range(300))
    x = np.random.default_rng(0).normal(size=(1, 300, 3)).astype(np.float32)
    write_c3d(Motion(x, 100.0, Skeleton(names, (-1,) * 300)), tmp_path / "a.c3d")
    (back,) = read_c3d(tmp_path / "a.c3d")
    assert (back.skeleton.joint_names, back.n_frames) == (names, 1)


@pytest.mark.usefixtures("here")
def test_it_is_a_format_like_the_others(tmp_path: Path, standing: np.ndarray) -> None:
    write_c3d(Motion(standing[None].repeat(3, 0), 30.0), tmp_path / "a.C3D")
    (motion,) = read_canonical(tmp_path / "a.C3D")
    assert motion.skeleton is CANONICAL
    assert motion.positions[0] == pytest.approx(standing, abs=1e-6)


@pytest.mark.parametrize(
    ("right", "up", "expected"),
    [
        (None, None, "+X +Z -Y"),
        ("+X", None, "+X +Z -Y"),
        ("+X", "+Z", "+X +Z -Y"),
        ("+Y", "+Z", "+Y +Z +X"),
        ("-x ", " z", "-X +Z +Y"),
        ("+X", "+Y", "+X +Y +Z"),
        (None, "+Y", "+X +Y +Z"),
        (None, "-Y", "+X -Y -Z"),
        (None, "-Z", "+X -Z +Y"),
        (None, "+X", "-Y +X +Z"),
        ("", "-X", "+Y -X +Z"),
    ],
)
def test_axes(right: str | None, up: str | None, expected: str) -> None:
    """Whatever is up becomes y, without a mirror image."""
    named = {"X_SCREEN": right, "Y_SCREEN": up}
    axes = axes_of({name: [value] for name, value in named.items() if value is not None})
    assert (" ".join(axes[name] for name in "xyz"), axes["stated"]) == (expected, up is not None)
    rotation = rotation_of(axes)
    assert np.linalg.det(rotation) == pytest.approx(1)
    vertical = dict(zip("XYZ", np.eye(3), strict=True))[expected[4]] * (1 if expected[3] == "+" else -1)
    assert (rotation @ vertical).tolist() == [0, 1, 0]


@pytest.mark.parametrize("screen", [("+X", "+X"), ("+Z", ""), ("+X", "up"), ("+X", "+W"), ("++", "+Z")])
def test_axes_that_are_none_are_refused(screen: tuple[str, str]) -> None:
    with pytest.raises(UserError, match="_SCREEN"):
        axes_of({"X_SCREEN": [screen[0]], "Y_SCREEN": [screen[1]]})


@pytest.mark.usefixtures("here")
def test_stated_axes_are_honoured(tmp_path: Path) -> None:
    motion = read(tmp_path, by_hand(FLOATS, groups={"POINT": {"X_SCREEN": "+X", "Y_SCREEN": "+Y"}}))  # type: ignore[dict-item]
    assert motion.positions[0, 0] == pytest.approx([0.1, 0.02, 0.9])
    assert motion.meta["axes"] == {"x": "+X", "y": "+Y", "z": "+Z", "stated": True}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("labels", "subject", "names"),
    [
        (["Kim:RASI", "Kim:LASI"], "Kim", ("RASI", "LASI")),
        (["Kim:RASI", "Ann:RASI"], None, ("Kim:RASI", "Ann:RASI")),
        (["Kim:RASI", "LASI"], None, ("Kim:RASI", "LASI")),
        (["Kim:RASI", "Kim:"], None, ("Kim:RASI", "Kim:")),
        (["RASI", "LASI", "more than points"], None, ("RASI", "LASI")),
    ],
)
def test_a_shared_prefix_is_the_subject(
    tmp_path: Path, labels: list[str], subject: str | None, names: tuple[str, ...]
) -> None:
    motion = read(tmp_path, by_hand(FLOATS, groups={"POINT": {"LABELS": labels}}))
    assert (motion.meta["subject"], motion.skeleton.joint_names) == (subject, names)


@pytest.mark.usefixtures("here")
def test_angles_among_the_points_are_left_out(tmp_path: Path) -> None:
    """Plug-in Gait keeps them as points; taken for places they would lie metres away."""
    words = [[100, 20, 900, 0, 60000, 3, 5, 0, 120, 30, 500, 0]] * 2
    named: Parameters = {"LABELS": ["Kim:RASI", "Kim:RKneeAngles", "Kim:RKNE"], "ANGLES": ["RKneeAngles", ""]}
    motion = read(tmp_path, by_hand(words, groups={"POINT": named}))
    assert motion.skeleton.joint_names == ("RASI", "RKNE")
    assert (motion.meta["left_out"], motion.meta["subject"]) == (["Kim:RKneeAngles"], "Kim")
    assert motion.positions[0, 1] == pytest.approx([0.12, 0.5, -0.03])


def changed(at: int, value: bytes) -> bytes:
    """The small file with some bytes replaced."""
    return SMALL[:at] + value + SMALL[at + len(value) :]


def point(**values: Any) -> bytes:
    """The small file with other parameters of the group POINT."""
    return by_hand(FLOATS, groups={"POINT": values})


BAD = {  # name: bytes, and what the message says
    "random": (np.random.default_rng(0).bytes(5000), "C3D file"),
    "text": (b"PathFileType\t4\t(X/Y/Z)\n" * 100, "C3D file"),
    "two bytes": (b"\2\120", "C3D file"),
    "other processor": (changed(515, b"\0"), "C3D file"),
    "parameters before the header": (changed(0, b"\0"), "C3D file"),
    "parameters beyond the end": (changed(0, b"\377"), "C3D file"),
    "header alone": (SMALL[:512], "C3D file"),
    "no points": (changed(2, b"\0\0"), "no motion"),
    "no data": (SMALL[:2048], "frames 1 to 3, got room for 0: a cut file"),
    "cut in the data": (SMALL[:2120], "frames 1 to 3, got room for 2: a cut file"),
    "frames backwards": (changed(6, b"\11\0"), "frames 9 to 3"),
    "data in the header": (changed(16, b"\0\0"), "cut file"),
    "labels": (point(LABELS=["RASI"]), "a label for each of 2 points, got 1"),
    "empty label": (point(LABELS=["RASI", " "]), "none for point 2"),
    "label twice": (point(LABELS=["RASI", "RASI"]), "'RASI' twice"),
    "only angles": (point(ANGLES=["RASI", "R.Knee"]), "points that are places"),
    "no unit": (point(UNITS=None), "POINT:UNITS"),
    "inches": (point(UNITS="in"), "POINT:UNITS out of m, cm, mm, got 'in'"),
    "metres for millimetres": (point(UNITS="m"), "POINT:UNITS: .* 400 m by the unit m; .* 0.4 m as mm"),
    "rate zero": (point(RATE=0.0)[:20] + bytes(4) + point(RATE=0.0)[24:], "POINT:RATE"),
    "never seen": (by_hand([[0, 0, 0, -1] * 2] * 3), "seen in some frame"),
    "infinite": (by_hand([[1, 2, float("inf"), 0] * 2] * 3), "larger numbers"),
    "axes": (point(Y_SCREEN="up"), "Y_SCREEN"),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, message = BAD[name]
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, data)
    assert str(error.value).startswith(str(tmp_path / "a.c3d"))
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("here")
def test_nan_is_masked(tmp_path: Path) -> None:
    words = [row[:] for row in FLOATS]
    words[2][1] = float("nan")
    assert read(tmp_path, by_hand(words)).valid.tolist() == [[True, True], [True, False], [False, True]]


@pytest.mark.usefixtures("here")
def test_more_frames_than_the_header_can_count(tmp_path: Path) -> None:
    """Beyond 65,535 the group TRIAL counts; without it, frames would be lost or padding taken for frames."""
    ends: Parameters = {"ACTUAL_START_FIELD": [1, 0], "ACTUAL_END_FIELD": [70_000 - 65_536, 1]}
    short = by_hand([[1, 2, 3, 0]], groups={"POINT": {"FRAMES": 65_535}, "TRIAL": ends})  # type: ignore[dict-item]
    long = short[:8] + struct.pack("<H", 65_535) + short[10:2048] + struct.pack("<4f", 1, 2, 3, 0) * 70_016
    assert read(tmp_path, long).n_frames == 70_000
    with pytest.raises(UserError, match="ACTUAL_END_FIELD"):
        read(tmp_path, long.replace(b"ACTUAL_", b"VIRTUAL"))


@pytest.mark.parametrize("data", [b"", None])
def test_a_file_that_is_not_there_or_empty(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "a.c3d").write_bytes(data)
    with pytest.raises(UserError, match=r"a\.c3d"):
        read_c3d(tmp_path / "a.c3d")


DAMAGED = {  # in the parameters: name: bytes, and what ezc3d 1.7.2 does with them
    "a group without name": (changed(516, b"\0\0\0\0"), "Expected"),
    "random bytes": (SMALL[:520] + np.random.default_rng(1).bytes(1000) + SMALL[1520:], "could not read it"),
    "rate nan": (point(RATE=float("nan")), "could not read it"),
    "labels of 176 dimensions": (SMALL.replace(b"LABELS\x13\0\xff\x02", b"LABELS\x13\0\xff\xb0"), "crashed on it"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_ezc3d_fails_at_is_an_error_like_others(ezc3d: Any, tmp_path: Path, name: str) -> None:
    """The last of them ended the whole session by a segmentation fault when ezc3d read it in this process."""
    data, message = DAMAGED[name]
    with pytest.raises(UserError, match=rf"a\.c3d: .*{message}"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("code", "seconds", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 60, "ezc3d crashed on it"),
        ("import time; time.sleep(60)", 0.1, "did not come to an end"),
        ("raise ValueError", 60, "crashed on it"),
    ],
)
def test_the_child_may_die(
    ezc3d: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, seconds: float, message: str
) -> None:
    """A segmentation fault or an endless loop of ezc3d ends with one line, and the session goes on."""
    (tmp_path / "child.py").write_text(code)
    run = c3d.subprocess.run

    def instead(command: list[str], timeout: float, **options: Any) -> Any:
        return run([sys.executable, "-S", str(tmp_path / "child.py")], timeout=seconds, **options)

    monkeypatch.setattr(c3d.subprocess, "run", instead)
    with pytest.raises(UserError, match=f"a.c3d: .*{message}"):
        read(tmp_path, SMALL)


@pytest.mark.parametrize("use", [lambda path: read_c3d(path), lambda path: write_c3d(read_nothing(), path)])
def test_without_ezc3d_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[Path], Any]
) -> None:
    (tmp_path / "a.c3d").write_bytes(SMALL)
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[c3d\]"'):
        use(tmp_path / "a.c3d")


def read_nothing() -> Motion:
    """A motion of no meaning."""
    return Motion(np.ones((2, 22, 3), np.float32), 30.0)


@pytest.mark.parametrize(
    ("motion", "unit", "message"),
    [
        (read_nothing(), "ell", "unit"),
        (read_nothing().but(valid=np.zeros((2, 22), bool)), "mm", "valid in some frame"),
        (Motion(np.ones((65_536, 1, 3)), 30.0, Skeleton(("a",), (-1,))), "mm", "65535 frames"),
        (Motion(np.ones((1, 1, 3)), 30.0, Skeleton(("a" * 128,), (-1,))), "mm", "127 bytes"),
        (Motion(np.ones((1, 1, 3)), 30.0, Skeleton(("a\nb",), (-1,))), "mm", "plain words"),
        (
            Motion(np.ones((1, 2000, 3)), 30.0, Skeleton(tuple(f"{i:099}" for i in range(2000)), (-1,) * 2000)),
            "mm",
            "fit",
        ),
    ],
)
def test_what_c3d_cannot_hold_is_not_written(
    ezc3d: Any, tmp_path: Path, motion: Motion, unit: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        write_c3d(motion, tmp_path / "a.c3d", unit)
    assert list(tmp_path.iterdir()) == []
