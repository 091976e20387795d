"""TRC, the marker format of OpenSim: tab-separated, y up, metres or millimetres as its header says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text, write_atomic
from rehabmotion.io.points import numbered_lines, read_points, skeleton_of
from rehabmotion.io.rates import regular_rate
from rehabmotion.motion import Motion

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001}
HEADER = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
MISSING = ("", "NaN", "nan")  # OpenSim writes NaN for a marker that was not seen


def read_trc(path: Path) -> list[Motion]:
    """Return the one motion of a TRC file, metres, its markers as joints; markers not seen are masked.

    The rate is DataRate, and the times must agree with it. Counts that differ from the header (a cut file) raise
    UserError.
    """
    try:
        lines = numbered_lines(read_text(path))
        first, keys, values, markers, _axes = _five(lines)
        if not first.startswith("PathFileType"):
            raise UserError(f"line 1: Expected PathFileType, so this is no TRC file, got {first[:30]!r}.")
        header = dict(zip(keys.split(), values.split(), strict=False))
        names = [cell.strip() for cell in markers.split("\t")[2:] if cell.strip()]
        _expect_count(header, "NumMarkers", len(names))
        unit = header.get("Units", "")
        if unit not in UNITS_M:
            raise UserError(f"line 3: Expected Units out of {', '.join(UNITS_M)}, got {unit[:20]!r}.")
        rows = ((number, _cells(line, 2 + 3 * len(names))) for number, line in lines)
        leading, positions, valid = read_points(rows, 2, len(names), MISSING)
        _expect_count(header, "NumFrames", len(positions))
        return [
            Motion(
                positions=(positions * UNITS_M[unit]).astype(np.float32),
                valid=valid,
                fps=_rate(header, leading[:, 1].tolist()),
                skeleton=skeleton_of(names),
                meta={"source": "trc", "name": Path(path).name.split(".")[0], "unit": unit},
            )
        ]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_trc(motion: Motion, path: Path, unit: str = "m") -> None:
    """Write a motion as TRC in metres or millimetres; joints that are not valid become empty cells.

    Metres come back exactly. Joint names with tabs or line ends raise UserError.
    """
    if unit not in UNITS_M:
        raise UserError(f'Expected a unit out of {", ".join(UNITS_M)}, got "{unit}".')
    names = motion.skeleton.joint_names
    for name in names:
        if name != " ".join(name.split()) or not name:
            raise UserError(f"Expected joint names of plain words for TRC, got {name!r}.")
    rate, n = f"{motion.fps:.9g}", motion.n_frames
    positions = motion.positions if unit == "m" else motion.positions / np.float32(UNITS_M[unit])
    cells = np.where(np.repeat(motion.valid, 3, axis=1), positions.reshape(n, -1).astype(str), "")
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}",
        HEADER.replace(" ", "\t"),
        "\t".join([rate, rate, str(n), str(len(names)), unit, rate, "1", str(n)]),
        "\t".join(["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))]),
        "\t".join(["", "", *(f"{axis}{i}" for i in range(1, len(names) + 1) for axis in "XYZ")]),
        "",
        *(f"{t + 1}\t{t / motion.fps!r}\t" + "\t".join(row) for t, row in enumerate(cells)),
    ]
    write_atomic(path, "\n".join(lines) + "\n")


def _five(lines: Iterator[tuple[int, str]]) -> list[str]:
    """The header: file type, keys, values, marker names, axis names."""
    header = [line for _, line in islice(lines, 5)]
    if len(header) < 5:
        raise UserError(f"Expected five header lines and frames of a TRC file, got {len(header)} lines.")
    return header


def _cells(line: str, expected: int) -> list[str]:
    """The cells of a row; tabs beyond the last column are dropped."""
    cells = line.split("\t")
    while len(cells) > expected and not cells[-1].strip():
        cells.pop()
    return cells


def _expect_count(header: dict[str, str], key: str, got: int) -> None:
    if header.get(key) != str(got) or got == 0:
        raise UserError(f"Expected {key} {header.get(key, 'in line 2')[:20]}, got {got}. Copy or export it again.")


def _rate(header: dict[str, str], times: list[float]) -> float:
    try:
        rate = float(header.get("DataRate", ""))
    except ValueError:
        rate = float("nan")
    if not 1e-5 <= rate <= 1e4:
        raise UserError(f"line 3: Expected DataRate in frames per second, got {header.get('DataRate', '')[:20]!r}.")
    if len(times) > 1 and abs(regular_rate(times) / rate - 1) > 0.01:
        raise UserError(f"Expected times that step by 1/DataRate = {1 / rate:.4g} s, got {times[1] - times[0]:.4g} s.")
    return rate
