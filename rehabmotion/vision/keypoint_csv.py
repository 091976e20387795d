"""Keypoints of one person as CSV: `frame` or `time`, then `nose_x,nose_y,nose_confidence,...`, in pixels."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import read_text
from rehabmotion.vision.keypoints import Cleaner, Keypoints, check_numbers, extent_of, missing_note, person_of
from rehabmotion.vision.points import MIDDLE, NUMBER, PAIRED, POINTS, SIDES
from rehabmotion.vision.track import Person

MIN_FPS, MAX_FPS = 1.0, 10_000.0
_COLUMN = re.compile(r"(.+?)[\s_.\-]+(x|y|confidence|conf|c|score|likelihood|visibility)", re.IGNORECASE)
_EMPTY = {"", "na", "n/a", "null", "none"}
_ALSO = {
    "neck": ["upperneck"], "head_top": ["tophead", "topofhead"], "big_toe": ["footindex"], "small_toe": ["littletoe"],
    "index": ["indexfinger"], "pinky": ["pinkyfinger", "littlefinger"],
}  # fmt: skip


def _spellings() -> dict[str, str]:
    """Return how names may be spelt, small letters and digits only, and the point each one means."""
    found: dict[str, str] = {}
    for name in MIDDLE:
        found |= {plain: name for plain in (name.replace("_", ""), *_ALSO.get(name, []))}
    for part in PAIRED:
        for plain in (part.replace("_", ""), *_ALSO.get(part, [])):
            for side in SIDES:
                for spelt in (side + plain, side[0] + plain, plain + side, plain + side[0]):
                    found[spelt] = f"{side}_{part}"
    return found


SPELLINGS = _spellings()


@dataclass(frozen=True)
class _Header:
    """Which column holds what: columns (n, 3) of x, y, confidence (-1: no such column) of the points `points` (n,)."""

    width: int
    frame: int | None
    time: int | None
    points: list[int]
    columns: list[tuple[int, int, int]]
    unknown: list[str]


def read_keypoint_csv(path: Path) -> Keypoints:
    """Return the one person of a CSV of keypoints in pixels; names as POINTS or near it (LShoulder, `left shoulder`).

    Confidence columns may end in _confidence, _c, _score, _likelihood or _visibility; without one a point has 1.
    Missing cells: not seen. Frame numbers left out become frames with nobody, and a note; times are s and need not be
    even. fps: the mean rate, gaps aside. Columns that say nothing of POINTS are in a note. UserError names the line.
    """
    try:
        rows = _rows(read_text(path))
        header = _header(next(rows, (1, []))[1])
        numbered = [(line, row) for line, row in rows]
        if not numbered:
            raise UserError("Expected at least one frame, got none.")
        places, first = _places(header, numbered)
        times = _times(header, numbered, places)
        cleaner = Cleaner()
        points = cleaner.seen(np.array([_keypoints(header, line, row) for line, row in numbered]))
        frames: list[list[Person]] = [[] for _ in range(places[-1] + 1)]
        for place, row in zip(places, points, strict=True):
            person = person_of(row)
            frames[place] = [] if person is None else [person]
        notes = missing_note(len(frames) - len(places), first, first + places[-1]) + cleaner.notes + _unknown(header)
        return Keypoints(frames, times, _fps(times), extent_of(frames), "CSV", notes)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise UserError(f"line {reader.line_num}: Expected comma-separated values, got {error}.") from None


def _header(cells: list[str]) -> _Header:
    kinds = {cell.lower(): i for i, cell in reversed(list(enumerate(cells))) if cell.lower() in ("frame", "time")}
    found: dict[int, dict[str, int]] = {}
    unknown = []
    for i, cell in enumerate(cells):
        if cell.lower() in kinds:
            continue
        match = _COLUMN.fullmatch(cell)
        name = SPELLINGS.get(re.sub(r"[^a-z0-9]", "", match[1].lower())) if match else None
        if match is None or name is None:
            unknown.append(cell)
            continue
        axis = match[2].lower() if match[2].lower() in "xy" else "confidence"
        if axis in found.setdefault(NUMBER[name], {}):
            raise UserError(
                f"line 1: Expected one {axis} of {name}, got {cells[found[NUMBER[name]][axis]]} and {cell}."
            )
        found[NUMBER[name]][axis] = i
    _check_header(cells, kinds, found)
    columns = [(axes["x"], axes["y"], axes.get("confidence", -1)) for axes in found.values()]
    return _Header(len(cells), kinds.get("frame"), kinds.get("time"), list(found), columns, unknown)


def _check_header(cells: list[str], kinds: dict[str, int], found: dict[int, dict[str, int]]) -> None:
    got = ",".join(cells)[:60]
    for kind in kinds:
        if [cell.lower() for cell in cells].count(kind) > 1:
            raise UserError(f"line 1: Expected one column {kind}, got several.")
    if not kinds:
        raise UserError(f"line 1: Expected a header frame,NAME_x,NAME_y,... or time,NAME_x,NAME_y,..., got {got!r}.")
    if not found:
        raise UserError(f"line 1: Expected columns like {POINTS[9]}_x,{POINTS[9]}_y, got {got!r}. Name the points so.")
    for number, axes in found.items():
        for axis in "xy":
            if axis not in axes:
                raise UserError(f"line 1: Expected {POINTS[number]}_{axis} beside its other columns, got none.")


def _cell(header: _Header, line: int, row: list[str], column: int) -> float:
    """Return a number, NaN where the cell is empty."""
    if len(row) != header.width:
        raise UserError(f"line {line}: Expected {header.width} cells as in line 1, got {len(row)}.")
    try:
        return math.nan if row[column].lower() in _EMPTY else float(row[column])
    except ValueError:
        raise UserError(f"line {line} column {column + 1}: Expected a number, got {row[column][:40]!r}.") from None


def _keypoints(header: _Header, line: int, row: list[str]) -> NDArray[np.float64]:
    """Return one line's points (P, 3), NaN for those without columns."""
    points = np.full((len(POINTS), 3), np.nan)
    for number, columns in zip(header.points, header.columns, strict=True):
        points[number] = [1.0 if column < 0 else _cell(header, line, row, column) for column in columns]
    return points


def _places(header: _Header, rows: list[tuple[int, list[str]]]) -> tuple[list[int], int]:
    """Return where each line stands among the frames, from 0, and the first frame's number; they rise."""
    if header.frame is None:
        return list(range(len(rows))), 0
    numbers: list[int] = []
    for line, row in rows:
        value = _cell(header, line, row, header.frame)
        if not value.is_integer() or abs(value) > 1e15:
            raise UserError(f"line {line}: Expected a whole frame number, got {row[header.frame][:40]!r}.")
        if numbers and value <= numbers[-1]:
            raise UserError(f"line {line}: Expected a frame number above {numbers[-1]}, got {value:.0f}.")
        numbers.append(int(value))
    check_numbers(numbers[0], numbers[-1])
    return [number - numbers[0] for number in numbers], numbers[0]


def _times(header: _Header, rows: list[tuple[int, list[str]]], places: list[int]) -> NDArray[np.float64] | None:
    """Return the time of each frame, s; of frames that the numbering leaves out, between their neighbours'."""
    if header.time is None:
        return None
    times: list[float] = []
    for line, row in rows:
        value = _cell(header, line, row, header.time)
        if not math.isfinite(value):
            raise UserError(f"line {line}: Expected a time in seconds, got {row[header.time][:40]!r}.")
        if times and value <= times[-1]:
            raise UserError(f"line {line}: Expected a time above {times[-1]:g} s, got {value:g}.")
        times.append(value)
    return np.interp(np.arange(places[-1] + 1), places, times)


def _fps(times: NDArray[np.float64] | None) -> float | None:
    """Return the mean rate with gaps of whole frames aside: times rounded to ms give 30, where one step says 30.3."""
    if times is None or len(times) < 2:
        return None
    steps = np.diff(times)
    fps = float(np.maximum(np.rint(steps / np.median(steps)), 1).sum() / (times[-1] - times[0]))
    if not MIN_FPS <= fps <= MAX_FPS:
        raise UserError(f"Expected times in seconds, got {fps:.3g} frames/s. Divide milliseconds by 1000.")
    return fps


def _unknown(header: _Header) -> list[str]:
    if not header.unknown:
        return []
    more = f" and {len(header.unknown) - 12} more" if len(header.unknown) > 12 else ""
    names = ", ".join(name[:40] or "(no name)" for name in header.unknown[:12])
    return [f"Columns that are no point we know, left out: {names}{more}."]
