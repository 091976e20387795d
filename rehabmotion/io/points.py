"""Text tables of points: x, y, z per joint in cells of a row, empty cells for what was not seen."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.motion import CANONICAL, Skeleton

LARGEST = 1e9  # of any number: beyond it the file is not a motion
LONGEST_LINE = 1 << 20
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")  # a gigabyte is never cut into lines all at once


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) for the lines that are not blank, one by one."""
    for number, match in enumerate(_LINE.finditer(text), start=1):
        if match.end() - match.start() > LONGEST_LINE:
            raise UserError(f"line {number}: Expected at most {LONGEST_LINE} characters in a line.")
        if match[1].strip():
            yield number, match[1]


def read_points(
    rows: Iterable[tuple[int, Sequence[str]]], n_leading: int, n_joints: int, missing: Sequence[str] = ("",)
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return leading numbers (T, n_leading), positions (T, J, 3) in file units and valid (T, J).

    rows: line number and cells. A joint whose three cells are `missing` is masked, its placeholder interpolated in
    time (zero if never seen). One or two missing cells, words, NaN and infinity raise UserError with the line.
    """
    values = array("d")
    width = n_leading + 3 * n_joints
    for number, cells in rows:
        if len(cells) != width:
            raise UserError(f"line {number}: Expected {width} cells, got {len(cells)}.")
        values.extend(_number(cell.strip(), missing if i >= n_leading else (), number) for i, cell in enumerate(cells))
    table = np.frombuffer(values, dtype=np.float64).reshape(-1, width)
    if len(table) == 0:
        raise UserError("Expected at least one frame, got none.")
    x = table[:, n_leading:].reshape(-1, n_joints, 3)
    n_absent = np.isnan(x).sum(axis=-1)
    if ((n_absent == 1) | (n_absent == 2)).any():
        frame, joint = np.argwhere((n_absent == 1) | (n_absent == 2))[0]
        raise UserError(f"Expected x, y and z or none of them, got some: point {joint + 1} of frame {frame + 1}.")
    valid: NDArray[np.bool_] = n_absent == 0
    return table[:, :n_leading], fill_gaps(np.nan_to_num(x), valid).astype(np.float64), valid


def skeleton_of(names: Sequence[str]) -> Skeleton:
    """Return the canonical skeleton for its names in its order, else one of loose points: tables hold no tree."""
    if tuple(names) == CANONICAL.joint_names:
        return CANONICAL
    return Skeleton(tuple(names), (-1,) * len(names))


def _number(cell: str, missing: Sequence[str], line: int) -> float:
    if cell in missing:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        raise UserError(f"line {line}: Expected a number, got {cell[:40]!r}.") from None
    if not abs(value) <= LARGEST:
        raise UserError(f"line {line}: Expected a finite number, got {cell[:40]}. Leave the cells of a gap empty.")
    return value
