"""C3D, the marker format of motion laboratories: read and written through ezc3d, an extra."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.io.c3d_axes import axes_of, rotation_of
from rehabmotion.io.c3d_child import REFUSED
from rehabmotion.io.files import read_bytes, write_atomic
from rehabmotion.io.marker_units import UNITS_M, expect_true_unit
from rehabmotion.io.points import LARGEST, skeleton_of
from rehabmotion.motion import Motion

BLOCK = 512
MAGIC = 80
SIGN_BYTE = {84: 3, 85: 1, 86: 0}  # of a float, by processor: Intel, DEC, MIPS; the last has the large byte first
NOT_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")  # groups of POINT: kept as points, but none in space
MOST_FRAMES = 65_535  # a number of 16 bits
TRIAL_FIELDS = ("ACTUAL_START_FIELD", "ACTUAL_END_FIELD")
MOST_BLOCKS = 255  # of parameters, labels among them
LONGEST_LABEL = 127
Z_UP = {"x": "+X", "y": "+Z", "z": "-Y"}


def read_c3d(path: Path) -> list[Motion]:
    """Return the one motion of a C3D file, metres, y up, its markers as joints; what was not seen is masked.

    A point is masked where its residual is negative or a coordinate is NaN. Analog channels are left out, and so are
    points that are no places (angles, forces, moments, powers, scalars of the group POINT), named in meta["left_out"].
    A prefix that all labels share ("Subject1:LASI") is taken off and kept as meta["subject"]. meta["axes"] says which
    axes of the file became x, y and z, and whether the file stated them (`axes_of`).

    ezc3d reads in a process of its own (0.4 s), as damaged files crash it. UserError: no C3D file, cut or damaged
    ones, no point, labels that are empty or repeated, no unit or one that the numbers contradict, no rate, and where
    ezc3d is not installed.
    """
    try:
        data = read_bytes(path)
        _need_ezc3d("Reading")
        header = _header(data)
        points, residuals, parameters = _through_ezc3d(data)
        point = parameters.get("POINT", {})
        n_frames = header.n_frames(points.shape[2], parameters.get("TRIAL", {}))
        labels, columns, left_out = _places(point, points.shape[1])
        subject, names = _without_prefix(labels)
        unit, axes = _unit(point), axes_of(point)
        x = points[:, columns, :n_frames].T * UNITS_M[unit]  # (T, J, 3), in the axes of the file
        valid = ~np.isnan(x).any(axis=-1) & (residuals[columns, :n_frames].T >= 0)
        if not valid.any():
            raise UserError("Expected a point seen in some frame, got none.")
        if not np.abs(x[valid]).max() <= LARGEST:
            raise UserError("Expected places in a laboratory, got larger numbers: a damaged file. Export it again.")
        x = np.where(valid[..., None], x, 0.0) @ rotation_of(axes).T
        expect_true_unit(x, valid, unit, "POINT:UNITS")
        meta = {"source": "c3d", "name": Path(path).name.split(".")[0], "unit": unit, "axes": axes}
        return [
            Motion(
                positions=fill_gaps(x, valid).astype(np.float32),
                valid=valid,
                fps=_rate(point),
                skeleton=skeleton_of(names),
                meta={**meta, "subject": subject, **({"left_out": left_out} if left_out else {})},
            )
        ]
    except UserError as error:
        raise UserError(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def write_c3d(motion: Motion, path: Path, unit: str = "mm") -> None:
    """Write a motion as C3D, z up as in most laboratories, in mm, cm or m; joints that are not valid get residual -1.

    Metres come back exactly, the others within a float32 of the number written (2.4e-7 m at 2 m). UserError: more than
    65,535 frames, labels that are no plain words or longer than 127 bytes, and where ezc3d is not installed.
    """
    if unit not in UNITS_M:
        raise UserError(f'Expected a unit out of {", ".join(UNITS_M)}, got "{unit}".')
    names = motion.skeleton.joint_names
    for name in names:
        if name != " ".join(name.split()) or not name or len(name.encode()) > LONGEST_LABEL:
            raise UserError(f"Expected joint names of plain words, {LONGEST_LABEL} bytes at most, got {name[:40]!r}.")
    if motion.n_frames > MOST_FRAMES:
        raise UserError(f"Expected at most {MOST_FRAMES} frames for C3D, got {motion.n_frames}. Cut the motion.")
    if not motion.valid.any():
        raise UserError(f"Expected a joint that is valid in some frame, got none. {path} would hold nothing.")
    _need_ezc3d("Writing")
    import ezc3d

    file = ezc3d.c3d()
    point = file["parameters"]["POINT"]
    point["RATE"]["value"], point["UNITS"]["value"], point["LABELS"]["value"] = [motion.fps], [unit], list(names)
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    x = np.where(motion.valid[..., None], motion.positions, 0).astype(np.float64) / UNITS_M[unit] @ rotation_of(Z_UP)
    file["data"]["points"] = np.concatenate([x.T, np.ones((1, *motion.valid.T.shape))])
    file["data"]["meta_points"]["residuals"] = np.where(motion.valid.T, 0.0, -1.0)[None]
    with tempfile.TemporaryDirectory() as folder:
        file.write(os.path.join(folder, "a.c3d"))
        data = Path(folder, "a.c3d").read_bytes()
    if struct.unpack_from("<H", data, 16)[0] - 2 > MOST_BLOCKS:  # the data begin after header and parameters
        raise UserError(
            f"Expected labels that fit into the header of C3D, got {len(names)}. Leave out or shorten some."
        )
    write_atomic(path, data)


def _need_ezc3d(doing: str) -> None:
    if importlib.util.find_spec("ezc3d") is None:
        raise UserError(f'{doing} .c3d needs ezc3d. Install it with: pip install "rehabmotion[c3d]"')


@dataclass(frozen=True)
class _Header:
    """What the header says of the frames, and for how many the file has room."""

    first: int
    last: int
    n_there: int

    def n_frames(self, n_read: int, trial: Mapping[str, Sequence[float]]) -> int:
        """Return how many of the frames that ezc3d read are frames; a file that states more raises UserError.

        The last frame is a word of 16 bits. From there on TRIAL:ACTUAL_START_FIELD and ACTUAL_END_FIELD tell, two
        words each, the low one first; ezc3d then reads to the end of the file, what fills the last block included.
        """
        stated, filling = self.last - self.first + 1, 0
        if self.last == MOST_FRAMES:
            filling = BLOCK
            words = [int(word) % 65_536 for name in TRIAL_FIELDS for word in trial.get(name, ())]
            if len(words) == 4:
                stated = words[2] - words[0] + 65_536 * (words[3] - words[1]) + 1
            elif self.n_there > stated + filling:
                raise UserError(f"Expected TRIAL:ACTUAL_END_FIELD where there are over {MOST_FRAMES} frames, got none.")
        if not 1 <= stated <= n_read <= stated + filling:
            raise UserError(f"Expected {stated} frames, got {n_read}: a cut or damaged file. Copy or export it again.")
        return stated


def _header(data: bytes) -> _Header:
    """The frames by the first block, after a look whether the file holds them: ezc3d would read what there is.

    It begins with the block of the parameters and a magic number, then words of 16 bits: points, analog samples a
    frame, first and last frame, gap, then a float, the scale (negative: the data are floats), then the block of the
    data (c3d.org, header section).
    """
    at = (data[0] - 1) * BLOCK + 3
    if len(data) < 2 * BLOCK or data[0] < 2 or data[1] != MAGIC or at >= len(data) or data[at] not in SIGN_BYTE:
        raise UserError("Expected a C3D file, which begins with a header of its kind, got something else or a part.")
    order = ">" if SIGN_BYTE[data[at]] == 0 else "<"
    n_points, n_analog, first, last = struct.unpack_from(f"{order}4H", data, 2)
    (start,) = struct.unpack_from(f"{order}H", data, 16)
    if n_points == 0:
        raise UserError("Expected a file with points, got none: analog channels alone are no motion.")
    n_bytes = (4 if data[12 + SIGN_BYTE[data[at]]] & 0x80 else 2) * (4 * n_points + n_analog)
    n_there = max(0, len(data) - max(start - 1, 0) * BLOCK) // n_bytes
    if last < first or start < 3 or n_there < last - first + 1:
        raise UserError(f"Expected frames {first} to {last}, got room for {n_there}: a cut file. Export it again.")
    return _Header(first, last, n_there)


def _through_ezc3d(data: bytes) -> tuple[np.ndarray, np.ndarray, dict[str, dict[str, list[Any]]]]:
    """Points (3, N, T) in file units, residuals (N, T) and parameters, read by a child process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "a.c3d")
        file.write_bytes(data)
        child = [sys.executable, "-P", str(Path(__file__).with_name("c3d_child.py")), str(file)]
        memory = 4 * 2**30 + 40 * len(data)  # ezc3d takes about 20 times the file
        try:
            done = subprocess.run(
                [*child, str(memory)],
                capture_output=True,
                timeout=20 + len(data) / 1e6,  # 16 MB take 1 s
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError("Expected a whole C3D file, ezc3d did not come to an end of it. Export it again.") from None
    if done.returncode == REFUSED:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UserError(f"Expected a whole C3D file, ezc3d could not read it ({' '.join(said)}). Export it again.")
    if done.returncode:
        raise UserError(f"Expected a whole C3D file, ezc3d crashed on it (status {done.returncode}). Export it again.")
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as answer:
        return answer["points"], answer["residuals"], json.loads(answer["parameters"].tobytes())


def _places(point: Mapping[str, Sequence[Any]], n_points: int) -> tuple[list[str], list[int], list[str]]:
    """Labels and columns of the points that are places, and the labels of the others.

    Labels beyond the 255th are in LABELS2, LABELS3, ...; labels beyond the number of points say nothing (c3d.org).
    """
    more = sorted((key for key in point if re.fullmatch(r"LABELS\d*", key)), key=lambda key: int(key[6:] or 1))
    labels = [str(label) for key in more for label in point[key]][:n_points]
    if len(labels) < n_points:
        raise UserError(f"Expected a label for each of {n_points} points, got {len(labels)}. Label them all.")
    if "" in labels:
        raise UserError(f"Expected a label for each point, got none for point {labels.index('') + 1}. Label them all.")
    others = {str(label).rpartition(":")[2] for key in NOT_PLACES for label in point.get(key, ())} - {""}
    columns = [i for i, label in enumerate(labels) if label.rpartition(":")[2] not in others]
    if not columns:
        raise UserError(f"Expected points that are places, got none but {', '.join(labels)[:60]}.")
    kept = [labels[i] for i in columns]
    if len(set(kept)) < len(kept):
        twice = next(label for i, label in enumerate(kept) if label in kept[:i])
        raise UserError(f"Expected labels that differ, got {twice[:40]!r} twice. Rename one point.")
    return kept, columns, [labels[i] for i in range(n_points) if i not in set(columns)]


def _without_prefix(labels: list[str]) -> tuple[str | None, list[str]]:
    """The subject that all labels begin with, up to a colon, and the labels without it."""
    prefixes = {label.partition(":")[0] if ":" in label else "" for label in labels}
    names = [label.partition(":")[2] for label in labels]
    if len(prefixes) != 1 or prefixes == {""} or not all(names):
        return None, labels
    return prefixes.pop(), names


def _unit(point: Mapping[str, Sequence[Any]]) -> str:
    values = [str(value).strip().lower() for value in point.get("UNITS", ())]
    unit = values[0] if values else ""
    if unit not in UNITS_M:
        raise UserError(
            f"Expected POINT:UNITS out of {', '.join(UNITS_M)}, got {unit[:20]!r}. Set it and export again."
        )
    return unit


def _rate(point: Mapping[str, Sequence[Any]]) -> float:
    """Frames per second, kept as the file has it in single precision: 29.97, not 29.969999."""
    values = point.get("RATE", ())
    rate = float(str(np.float32(values[0]))) if values else 0.0
    if not 1e-5 <= rate <= 1e4:
        raise UserError(f"Expected POINT:RATE in frames per second, got {rate:g}. Set it and export again.")
    return rate
