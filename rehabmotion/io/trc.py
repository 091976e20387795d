"""TRC, the marker format of OpenSim: tab-separated, y up, metres or millimetres as its header says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text, write_atomic
from rehabmotion.io.marker_units import UNITS_M, expect_true_unit
from rehabmotion.io.points import numbered_lines, read_points, skeleton_of
from rehabmotion.io.rates import regular_rate
from rehabmotion.motion import Motion

HEADER = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
MISSING = ("", "nan", "NaN", "NAN")  # OpenSim writes nan for a marker that was not seen, others leave the cells empty

Lines = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class _Header:
    """What the five lines of the header say: values by key, the line they stand in, names of the markers."""

    values: dict[str, str]
    line: int
    names: list[str]

    @property
    def unit(self) -> str:
        return self.values.get("Units", "")

    def expect_count(self, key: str, got: int) -> None:
        """Raise UserError where a count is not what is there."""
        stated = self.values.get(key, "in line 2")[:20]
        if stated != str(got) or got == 0:
            raise UserError(f"line {self.line}: Expected {key} {stated}, got {got}. Copy or export the file again.")


def read_trc(path: Path) -> list[Motion]:
    """Return the one motion of a TRC file, metres, its markers as joints; markers not seen are masked.

    A marker whose three cells are empty or NaN was not seen in that frame. The rate is DataRate, and the times must
    agree with it. UserError, with the line: counts that differ from the header (a cut file), a row too short, words,
    one or two missing cells of three, a unit that the numbers contradict (`expect_true_unit`), no marker ever seen.

    Positions become float32: what is lost is at most 1.2e-7 m within 4 m of the origin, 1e-6 m within 32 m.
    """
    try:
        lines = numbered_lines(read_text(path))
        header = _header(lines)
        numbers: list[int] = []  # the line of each frame
        leading, positions, valid = read_points(_rows(lines, header.names, numbers), 2, len(header.names), MISSING)
        header.expect_count("NumFrames", len(positions))
        if not valid.any():
            raise UserError(f"lines {numbers[0]} to {numbers[-1]}: Expected a marker seen in some frame, got none.")
        metres = positions * UNITS_M[header.unit]
        expect_true_unit(metres, valid, header.unit, f"line {header.line}, Units")
        start = float(leading[0, 1])  # seconds
        return [
            Motion(
                positions=metres.astype(np.float32),
                valid=valid,
                fps=_rate(header, leading[:, 1].tolist(), numbers[0]),
                skeleton=skeleton_of(header.names),
                meta={"source": "trc", "name": Path(path).name.split(".")[0], "unit": header.unit, "start": start},
            )
        ]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_trc(motion: Motion, path: Path, unit: str = "m") -> None:
    """Write a motion as TRC in metres, centimetres or millimetres; joints that are not valid become `nan` cells.

    OpenSim reads nan anywhere, but fails at a row that ends in empty cells. Positions come back exactly. Joint names
    with tabs or line ends, and a motion of which nothing was seen, raise UserError.
    """
    if unit not in UNITS_M:
        raise UserError(f'Expected a unit out of {", ".join(UNITS_M)}, got "{unit}".')
    if not motion.valid.any():
        raise UserError(f"Expected a joint that is valid in some frame, got none. {path} would hold nothing.")
    times = [t / motion.fps for t in range(motion.n_frames)]
    _write(path, motion.skeleton.joint_names, times, motion.fps, _spelled(motion, unit), unit)


def write_trc_points(path: Path, names: Sequence[str], times: NDArray[np.float64], points: NDArray[np.float64]) -> None:
    """Write points (T, M, 3), metres, float64, at times (T,) s as TRC, bit for bit; NaN where one was not seen.

    Times that do not step evenly and names with tabs or line ends raise UserError.
    """
    rate = regular_rate(times.tolist()) if len(times) > 1 else 1.0
    cells = np.array([[repr(x) for x in row] for row in points.reshape(len(times), -1).tolist()])
    _write(path, names, times.tolist(), rate, cells, "m")


def _write(
    path: Path, names: Sequence[str], times: Sequence[float], fps: float, cells: NDArray[np.str_], unit: str
) -> None:
    for name in names:
        if name != " ".join(name.split()) or not name:
            raise UserError(f"Expected joint names of plain words for TRC, got {name!r}.")
    rate, n = f"{fps:.9g}", len(times)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}",
        HEADER.replace(" ", "\t"),
        "\t".join([rate, rate, str(n), str(len(names)), unit, rate, "1", str(n)]),
        "\t".join(["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))]),
        "\t".join(["", "", *(f"{axis}{i}" for i in range(1, len(names) + 1) for axis in "XYZ")]),
        "",
        *(f"{t}\t{time!r}\t" + "\t".join(row) for t, (time, row) in enumerate(zip(times, cells, strict=True), start=1)),
    ]
    write_atomic(path, "\n".join(lines) + "\n")


def _spelled(motion: Motion, unit: str) -> np.ndarray:
    """The cells (T, 3 J) of the positions: as short as they can be to come back exactly."""
    if unit == "m":
        cells = motion.positions.astype(str)
    else:  # nine digits tell any two float32 apart, scaled or not
        cells = np.char.mod("%.9g", motion.positions.astype(np.float64) / UNITS_M[unit])
    return np.where(motion.valid[..., None], cells, "nan").reshape(motion.n_frames, -1)


def _header(lines: Lines) -> _Header:
    five = list(islice(lines, 5))
    if five and not five[0][1].startswith("PathFileType"):
        raise UserError(f"line {five[0][0]}: Expected PathFileType, so this is no TRC file, got {five[0][1][:30]!r}.")
    if len(five) < 5:
        raise UserError(f"Expected five header lines and frames of a TRC file, got {len(five)} lines.")
    _, (_, keys), (n_values, values), (n_names, markers), (n_axes, axes) = five
    names = [cell.strip() for cell in markers.split("\t")[2:] if cell.strip()]  # names may hold spaces
    header = _Header(dict(zip(keys.split(), values.split(), strict=False)), n_values, names)
    header.expect_count("NumMarkers", len(names))
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise UserError(f"line {n_names}: Expected names that differ, got {twice[:40]!r} twice. Rename one marker.")
    if not axes.split()[0].upper().startswith("X"):
        raise UserError(f"line {n_axes}: Expected the axes X1, Y1, Z1, ..., got {axes.split()[0][:20]!r}.")
    if header.unit not in UNITS_M:
        raise UserError(f"line {n_values}: Expected Units out of {', '.join(UNITS_M)}, got {header.unit[:20]!r}.")
    return header


def _rows(lines: Lines, names: list[str], numbers: list[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of each frame, tabs beyond the last column dropped; `numbers` takes the line."""
    width = 2 + 3 * len(names)
    for number, line in lines:
        cells = line.split("\t")
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            raise UserError(
                f"line {number}: Expected {width} cells (frame, time, 3 for each of {len(names)} markers), got"
                f" {len(cells)}. A marker that was not seen keeps its three cells, empty or nan."
            )
        _expect_whole_markers(number, cells, names)
        numbers.append(number)
        yield number, cells


def _expect_whole_markers(number: int, cells: list[str], names: list[str]) -> None:
    """Raise UserError where one or two cells of a marker are missing."""
    missing = [cell.strip() in MISSING for cell in cells[2:]]
    if not any(missing):
        return
    for i, name in enumerate(names):
        if sum(missing[3 * i : 3 * i + 3]) in (1, 2):
            raise UserError(f"line {number}: Expected x, y and z of {name[:40]!r} or none of them, got some.")


def _rate(header: _Header, times: list[float], line: int) -> float:
    """The rate of the header, which the times must agree with; `line` is that of the first frame."""
    stated = header.values.get("DataRate", "")
    try:
        rate = float(stated)
    except ValueError:
        rate = float("nan")
    if not 1e-5 <= rate <= 1e4:
        raise UserError(f"line {header.line}: Expected DataRate in frames per second, got {stated[:20]!r}.")
    if len(times) < 2:
        return rate
    try:
        measured = regular_rate(times)
    except UserError as error:
        raise UserError(f"line {line}, where frame 1 is, and on: {error}") from None
    if abs(measured / rate - 1) > 0.01:
        raise UserError(
            f"line {header.line}: Expected a DataRate that the times agree with, {measured:.6g}, got {stated[:20]}."
        )
    return rate
