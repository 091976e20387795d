"""CSV: one row per frame, `time,pelvis_x,pelvis_y,pelvis_z,...`, seconds and metres, y up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text, write_atomic
from rehabmotion.io.points import numbered_lines, read_points, skeleton_of
from rehabmotion.io.rates import regular_rate
from rehabmotion.motion import Motion


def read_csv(path: Path) -> list[Motion]:
    """Return the one motion of a CSV: joints as the header names them, the rate from the time column.

    Joints with empty cells are masked. Uneven times, a single frame, and anything else that does not follow the header
    raise UserError.
    """
    try:
        lines = numbered_lines(read_text(path))
        names = _joint_names(next(lines, (1, ""))[1])
        times, positions, valid = read_points(((number, line.split(",")) for number, line in lines), 1, len(names))
        return [
            Motion(
                positions=positions.astype(np.float32),
                valid=valid,
                fps=regular_rate(times[:, 0].tolist()),
                skeleton=skeleton_of(names),
                meta={"source": "csv", "name": Path(path).name.split(".")[0]},
            )
        ]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_csv(motion: Motion, path: Path) -> None:
    """Write a motion as CSV; positions come back exactly, joints that are not valid become empty cells.

    One frame alone can be written but not read back: its rate would be lost. Names with commas raise UserError.
    """
    for name in motion.skeleton.joint_names:
        if name != " ".join(name.split()) or not name or "," in name:
            raise UserError(f"Expected joint names of plain words without commas for CSV, got {name!r}.")
    header = ",".join(["time", *(f"{name}_{axis}" for name in motion.skeleton.joint_names for axis in "xyz")])
    seen = np.repeat(motion.valid, 3, axis=1)
    cells = np.where(seen, motion.positions.reshape(motion.n_frames, -1).astype(str), "")
    rows = [f"{t / motion.fps!r},{','.join(row)}" for t, row in enumerate(cells)]
    write_atomic(path, "\n".join([header, *rows]) + "\n")


def _joint_names(header: str) -> list[str]:
    cells = [cell.strip() for cell in header.split(",")]
    names = [cell.removesuffix("_x") for cell in cells[1::3]]
    expected = ["time", *(f"{name}_{axis}" for name in names for axis in "xyz")]
    if cells != expected or not names:
        at = next((i for i, (a, b) in enumerate(zip(cells, expected, strict=False)) if a != b), len(cells))
        got = repr(cells[at][:40]) if at < len(cells) else "the end"
        raise UserError(f"line 1: Expected time,JOINT_x,JOINT_y,JOINT_z,..., got {got} in column {at + 1}.")
    return names
