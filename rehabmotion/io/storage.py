"""Tables of OpenSim, .mot and .sto: a free header, then columns over time, `time` the first of them."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text, write_atomic
from rehabmotion.io.points import numbered_lines

END = "endheader"
DEGREES = "inDegrees"
ROWS, COLUMNS = ("nRows", "datarows"), ("nColumns", "datacolumns")  # both count what the file holds, time included
_KEY = re.compile(r"(\w+)\s*=\s*(.*)")
_OLD_KEY = re.compile(r"(name|datacolumns|datarows|range)\s+(.*)")

Lines = Iterator[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class Storage:
    """A table over time: coordinates of a model, states, forces.

    name: the title; times (T,) float64, seconds, growing; labels of the N columns beside time, as the file has them;
    values (T, N) float64 in the units of the file, NaN where the file says nan; in_degrees: whether rotations are in
    degrees (True) or radians (False), None where the file does not say, and then only the user knows. Lengths are in
    metres and never converted, and of the rotations OpenSim leaves some in radians whatever the header says
    (coordinates of motion type Coupled). Shapes that disagree, no row, no column, labels that are empty or repeated,
    times that do not grow and infinite values raise UserError.
    """

    name: str
    times: NDArray[np.float64]
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    in_degrees: bool | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", np.asarray(self.times, dtype=np.float64))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))
        shape = (len(self.times), len(self.labels)) if self.times.ndim == 1 else None
        if self.values.shape != shape or 0 in shape:
            raise UserError(
                f"Expected times (T,) and values (T, {len(self.labels)}) of one row or more, got {self.times.shape} and"
                f" {self.values.shape}. Time is no column of the values."
            )
        if not all(self.labels) or len(set(self.labels) | {"time"}) <= len(self.labels):
            raise UserError(f"Expected labels that differ, none of them empty or time, got {', '.join(self.labels)}.")
        if not (np.isfinite(self.times).all() and (np.diff(self.times) > 0).all()):
            raise UserError("Expected finite times that grow. Sort the rows, leave out repeated ones.")
        if np.isinf(self.values).any():
            row, column = np.argwhere(np.isinf(self.values))[0]
            raise UserError(f"Expected finite values, got infinity in {self.labels[column]}, row {row + 1}.")


def read_storage(path: Path) -> Storage:
    """Return the table of a .mot or .sto file, .gz as it is; numbers come back as written, nothing is converted.

    Read are the header of OpenSim 4 (`nRows=3`), the old one (`datarows 3`) and none at all but `endheader`; cells are
    parted by tabs, or by white space where the line of labels has no tab. nan cells stay NaN: a sensor may have
    nothing to say for a time, and the consumer decides what that means.

    UserError, with the line: no endheader, counts that are not what is there, a word or infinity in a cell, short and
    long rows, times that do not grow, repeated labels, inDegrees that is neither yes nor no, other types than double.
    """
    try:
        lines = numbered_lines(read_text(path))
        header = _read_header(lines)
        number, line = next(lines, (0, ""))
        tabs = "\t" in line
        labels = _labels(number, _cells(line, tabs))
        header.expect_count(COLUMNS, len(labels))
        table = _table(lines, labels, tabs)
        header.expect_count(ROWS, len(table))
        return Storage(header.name, table[:, 0], tuple(labels[1:]), table[:, 1:], header.in_degrees())
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_storage(storage: Storage, path: Path) -> None:
    """Write a table as .mot or .sto with the whole header, so that both readers of OpenSim take it.

    Times and values come back bit for bit. UserError where OpenSim would silently read something else: NaN (its
    Storage reads 0 and drops the rows after it), white space in a label (it becomes two columns), in_degrees that is
    None (it takes degrees), a name that reads as a line of the header.
    """
    if storage.in_degrees is None:
        raise UserError(f"Expected in_degrees True or False for {path}, got None. Say what the rotations are in.")
    for label in storage.labels:
        if len(label.split()) != 1 or label != label.strip():
            raise UserError(f"Expected labels without white space, got {label!r}. Write an underscore instead.")
    name = storage.name
    if name != " ".join(name.split()) or name == END or _KEY.match(name) or _OLD_KEY.match(name):
        raise UserError(f"Expected a name in plain words, no line of a header, got {name[:40]!r}.")
    if np.isnan(storage.values).any():
        row, column = np.argwhere(np.isnan(storage.values))[0]
        raise UserError(
            f"Expected a number in every cell, got NaN in {storage.labels[column]}, row {row + 1}: OpenSim's"
            " Storage reads 0 there and drops the rows after it. Fill the gap or cut the rows."
        )
    n_rows, n_labels = storage.values.shape
    header = [f"nRows={n_rows}", f"nColumns={n_labels + 1}", f"{DEGREES}={'yes' if storage.in_degrees else 'no'}", END]
    table = np.column_stack([storage.times, storage.values]).tolist()
    lines = [*([name] if name else []), "version=1", *header, "\t".join(["time", *storage.labels])]
    write_atomic(path, "\n".join([*lines, *("\t".join(map(repr, row)) for row in table)]) + "\n")


def coordinate_of(label: str) -> str | None:
    """Return the coordinate whose value a column holds, by its short name; None for speeds and whatever else.

    `/jointset/hip_r/hip_flexion_r/value`, `hip_r/hip_flexion_r/value` (OpenSim 3) and `hip_flexion_r` all give
    hip_flexion_r; `/jointset/hip_r/hip_flexion_r/speed` and `/forceset/soleus_r/activation` give None. A label that is
    no path is taken to be a coordinate: the model knows whether it is one.
    """
    if "/" not in label:
        return label
    parts = label.split("/")
    return parts[-2] if len(parts) > 2 and parts[-1] == "value" and parts[-2] else None


@dataclass
class _Header:
    """The lines before endheader: title, keys with the line and the value of each."""

    name: str = ""
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)

    def expect_count(self, keys: Sequence[str], got: int) -> None:
        """Raise UserError where one of the keys states another number; files without it are fine."""
        for key in keys:
            number, stated = self.keys.get(key, (0, str(got)))
            if stated != str(got):
                raise UserError(f"line {number}: Expected {key} {stated[:20]}, got {got}. Copy or export it again.")

    def in_degrees(self) -> bool | None:
        number, stated = self.keys.get(DEGREES, (0, ""))
        if number == 0:
            return None
        if stated.lower() not in ("yes", "no"):
            raise UserError(f"line {number}: Expected inDegrees=yes or inDegrees=no, got {stated[:20]!r}.")
        return stated.lower() == "yes"


def _read_header(lines: Lines) -> _Header:
    header = _Header()
    for number, line in lines:
        text = line.strip()
        if text == END:
            break
        key = _KEY.fullmatch(text) or _OLD_KEY.fullmatch(text)
        if key is None:  # free text, of which the first line is the title
            header.name = header.name or (text if not header.keys else "")
        elif header.keys.setdefault(key[1], (number, key[2]))[1] != key[2] and key[1] in (*ROWS, *COLUMNS, DEGREES):
            raise UserError(f"line {number}: Expected one {key[1]}, got {key[2][:20]!r} after another value.")
    else:
        raise UserError(f"Expected a line {END}, so this is no table of OpenSim, got none to the end of the file.")
    number, kind = header.keys.get("DataType", (0, "double"))
    if kind != "double":
        raise UserError(f"line {number}: Expected a table of numbers, DataType=double, got {kind[:20]!r}.")
    header.name = header.keys.get("name", (0, header.name))[1]
    return header


def _cells(line: str, tabs: bool, at_least: int = 1) -> list[str]:
    """The cells of a line; those that are blank after the last column are dropped."""
    cells = [cell.strip() for cell in line.split("\t")] if tabs else line.split()
    while len(cells) > at_least and not cells[-1]:
        cells.pop()
    return cells


def _labels(number: int, labels: list[str]) -> list[str]:
    where = f"line {number}" if number else "after endheader"
    if len(labels) < 2 or labels[0].lower() != "time":
        raise UserError(f"{where}: Expected labels, time and one column or more, got {' '.join(labels)[:40]!r}.")
    if "" in labels:
        raise UserError(f"{where}: Expected a label for every column, got none for column {labels.index('') + 1}.")
    if len(set(labels)) < len(labels):
        twice = next(label for i, label in enumerate(labels) if label in labels[:i])
        raise UserError(f"{where}: Expected labels that differ, got {twice[:60]!r} twice. Rename one column.")
    return labels


def _table(lines: Lines, labels: list[str], tabs: bool) -> NDArray[np.float64]:
    """The rows below the labels, time first."""
    numbers, last = array("d"), -math.inf
    for number, line in lines:
        cells = _cells(line, tabs, len(labels))
        if len(cells) != len(labels):
            raise UserError(f"line {number}: Expected {len(labels)} cells, time included, got {len(cells)}.")
        row = [_number(cell, number, label) for cell, label in zip(cells, labels, strict=True)]
        if not row[0] > last:
            raise UserError(f"line {number}: Expected a time after {last:g}, got {cells[0][:20]}. Rows must be sorted.")
        last = row[0]
        numbers.extend(row)
    if not numbers:
        raise UserError("Expected at least one row below the labels, got none.")
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, len(labels)).copy()


def _number(cell: str, line: int, label: str) -> float:
    try:
        value = float(cell.replace("_", "word"))  # Python alone takes 1_000 for a number
    except ValueError:
        raise UserError(f"line {line}: Expected a number in {label[:60]}, got {cell[:40]!r}.") from None
    if math.isinf(value):
        raise UserError(f"line {line}: Expected a finite number in {label[:60]}, got {cell[:40]}.")
    return value
