"""Reads one recording of the original KIMORE release: JointPosition csv, TimeStamp csv and the therapist's scores.

Folders: KIMORE/CG/{Expert,NotExpert}/<subject>/Es1/{Raw,Label} and the same below KIMORE/GPP/{BackPain,Parkinson,
Stroke}.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_bytes, read_text
from rehabmotion.motion import Score
from rehabmotion.motion.exercises import KIMORE

N_JOINTS = 25
TRACKED = 2.0  # Kinect v2 TrackingState: 2 tracked, 1 inferred, 0 not tracked
TICKS_PER_SECOND = 10_000_000
_GROUPS = {"expert": "E", "notexpert": "NE", "backpain": "B", "parkinson": "P", "stroke": "S"}
_MAX_M = 100.0
_MAX_SHEET_BYTES = 16 << 20  # a real sheet unpacks to some 50 kB


@dataclass(frozen=True)
class Recording:
    """positions (T, 25, 3) metres in the sensor's axes, tracked (T, 25), fps or None without time stamps."""

    positions: NDArray[np.float64]
    tracked: NDArray[np.bool_]
    fps: float | None
    scores: tuple[Score, ...]
    meta: dict[str, Any]


def read_joint_positions(path: Path) -> Recording:
    """Return one recording; subject, group and exercise from its folders, fps from the TimeStamp file beside it.

    A joint is valid where the sensor tracked it (state 2). An inferred one (state 1) is not: the sensor guessed it
    from its neighbours, and valid means measured. Its guess stays as the placeholder, its share in
    meta["inferred_share"]. Blank lines are skipped; a line of exactly two frames run together is read as two, its
    number listed in meta["joined_lines"]; any other count is refused.
    """
    if "jointposition" not in path.name.lower():
        raise UserError(
            f"{path}: Expected a KIMORE file JointPosition*.csv or an .npz of arrays. Rename it if it is one."
        )
    table, joined = _read_frames(path)
    frames = table.reshape(len(table), N_JOINTS, 4)
    _check_frames(path, frames)
    state = frames[..., 3]
    meta = _folders(path)
    meta |= {"inferred_share": float((state == 1).mean()), "untracked_share": float((state == 0).mean())}
    if joined:
        meta["joined_lines"] = joined
    scores = _clinical_score(path, meta["exercise"])
    return Recording(frames[..., :3], state == TRACKED, _fps(path), scores, meta)


def _read_frames(path: Path) -> tuple[NDArray[np.float64], list[int]]:
    """Return (T, 100) numbers and the lines that held two frames."""
    rows: list[list[float]] = []
    joined = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = line.strip()
        if not text:
            continue
        cells = text.removesuffix(",").split(",")
        if len(cells) not in (4 * N_JOINTS, 8 * N_JOINTS):
            raise UserError(
                f"{path} line {number}: Expected {4 * N_JOINTS} numbers (25 joints of x, y, z, state) and perhaps a "
                f"trailing comma, got {len(cells)}."
            )
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            raise UserError(f"{path} line {number}: Expected numbers, got {text[:40]!r}.") from None
        if len(values) > 4 * N_JOINTS:
            joined.append(number)
        rows += [values[k : k + 4 * N_JOINTS] for k in range(0, len(values), 4 * N_JOINTS)]
    if not rows:
        raise UserError(f"{path}: Expected at least one frame, got none.")
    return np.array(rows), joined


def _check_frames(path: Path, frames: NDArray[np.float64]) -> None:
    state = frames[..., 3]
    wrong = ~(np.abs(frames[..., :3]) <= _MAX_M).all(axis=-1) | ~np.isin(state, (0.0, 1.0, 2.0))
    if wrong.any():
        frame, joint = np.argwhere(wrong)[0]
        raise UserError(
            f"{path} frame {frame + 1} joint {joint + 1}: Expected x, y, z in metres and a tracking state 0, 1 or 2, "
            f"got {', '.join(f'{v:g}' for v in frames[frame, joint])}. JointOrientation files are not positions."
        )


def _folders(path: Path) -> dict[str, Any]:
    """Return what the folders tell. The group folder decides the subject's letter: one subject folder is misnamed."""
    meta: dict[str, Any] = {"subject": None, "group": None, "exercise": None}
    parts = path.absolute().parts[:-1]
    for above, part in pairwise(parts):
        subject = re.fullmatch(r"(?:NE|E|B|P|S)_ID(\d+)", part, re.IGNORECASE)
        if subject and above.lower() in _GROUPS:
            meta |= {"subject": f"{_GROUPS[above.lower()]}_ID{subject[1]}", "group": above.lower()}
        elif subject:
            meta["subject"] = part
        exercise = re.fullmatch(r"Es([1-5])", part, re.IGNORECASE)
        if exercise:
            meta["exercise"] = KIMORE[int(exercise[1]) - 1]
    if meta["exercise"] in ("arm_lift", "pelvis_rotation", "squat"):
        meta["side"] = "both"
    return meta


def _fps(path: Path) -> float | None:
    """Return the usual rate of the TimeStamp file beside the positions (ticks of 100 ns), None where there is none."""
    stamps = path.with_name(re.sub("jointposition", "TimeStamp", path.name, flags=re.IGNORECASE))
    if not stamps.is_file():
        return None
    ticks = []
    for number, line in enumerate(read_text(stamps).splitlines(), start=1):
        text = line.strip().removesuffix(",").strip()
        if not text:
            continue
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise UserError(f"{stamps} line {number}: Expected one time in ticks of 100 ns, got {text[:40]!r}.")
        ticks.append(int(text))
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    # The median: dropped frames double single steps, and must not slow down all the others.
    step = float(np.median(steps)) if steps else 0.0
    if not 1e-3 < step / TICKS_PER_SECOND < 10:
        raise UserError(f"{stamps}: Expected times some 330,000 ticks (of 100 ns) apart, got steps of {step:g}.")
    return TICKS_PER_SECOND / step


def _clinical_score(path: Path, exercise: str | None) -> tuple[Score, ...]:
    """Return the total score of this exercise from ../Label/ClinicalAssessment*.xlsx; none where it is not given."""
    if exercise is None:
        return ()
    sheets = sorted(path.absolute().parent.parent.glob("Label/ClinicalAssessment*.xlsx"))
    originals = [sheet for sheet in sheets if "(" not in sheet.name] or sheets  # "(1)" marks a second copy
    if not originals:
        return ()
    sheet = originals[0]
    value = _row(sheet).get(f"clinicaltsex#{KIMORE.index(exercise) + 1}")
    if value is None:
        return ()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{sheet}: Expected a number as clinical TS of {exercise}, got {str(value)[:40]!r}.")
    try:
        return (Score("kimore_ts", float(value)),)
    except (UserError, OverflowError) as error:
        raise UserError(f"{sheet}: {error}") from None


def _row(sheet: Path) -> dict[str, Any]:
    """Return the first row below the header of a one-row workbook, by header without spaces, in lower case."""
    from openpyxl import load_workbook  # slow to import, and only this needs it

    data = read_bytes(sheet)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
            if unpacked > _MAX_SHEET_BYTES:
                raise UserError(
                    f"{sheet}: Expected at most {_MAX_SHEET_BYTES >> 20} MiB unpacked, got {unpacked >> 20}."
                )
            if any(b"<!ENTITY" in archive.read(info) for info in archive.infolist()):
                raise UserError(f"{sheet}: Expected a plain workbook, got one with XML entities.")
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        rows = list(workbook.worksheets[0].iter_rows(min_row=1, max_row=2, max_col=64, values_only=True))
    except UserError:
        raise
    except Exception as error:  # zipfile, xml and openpyxl raise many kinds on hostile bytes
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{sheet}: Expected an Excel workbook, could not read it ({reason}).") from None
    if len(rows) < 2:
        raise UserError(f"{sheet}: Expected a header and one row, got {len(rows)} rows.")
    return {"".join(str(name).split()).lower(): value for name, value in zip(rows[0], rows[1], strict=False)}
