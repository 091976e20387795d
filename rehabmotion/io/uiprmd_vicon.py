"""Reads the optical (Vicon) markers of UI-PRMD: native text files, and the archive that packs all clips.

Native: m01_s02_e03_positions_inc.txt[.gz], 117 comma-separated columns, 39 markers x (x, y, z) in mm, no names,
100 frames/s. Archive: first differences along time as int16, channels first, all clips one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_table
from rehabmotion.io.npz_arrays import read_arrays, require
from rehabmotion.io.uiprmd import describe, episode
from rehabmotion.io.uiprmd_joint_centres import MARKERS, vicon_joint_centres
from rehabmotion.io.uiprmd_side import performed_side
from rehabmotion.motion import Motion, Score, Skeleton
from rehabmotion.motion.exercises import UIPRMD

FPS = 100.0
MARKER_SET = Skeleton(MARKERS, (-1,) * len(MARKERS))  # a cloud: markers have no parents
_MAX_MM = 100_000.0  # 100 m: beyond any laboratory

_ARCHIVE = {
    "pos_d": ("i", 2),
    "movement": ("iu", 1),
    "subject": ("iu", 1),
    "episode": ("iu", 1),
    "correct": ("iub", 1),
    "start": ("iu", 1),
    "length": ("iu", 1),
    "markers": ("U", 1),
    "fps": ("f", 0),
    "unit_mm": ("f", 0),
}


def read_uiprmd_vicon(path: Path) -> list[Motion]:
    """Return the markers of a text file (one motion) or of the .npz archive (one per clip), (T, 39, 3) metres.

    The laboratory's z up, +x forward, +y to the subject's left becomes y up, +x left, +z forward. A marker at exactly
    (0, 0, 0) was not seen: valid is False there. Clips of a single frame are returned like any other. Joint centres:
    vicon_joint_centres.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return list(_read_archive(path))
    return [_read_text(path)]


def _read_text(path: Path) -> Motion:
    table = _table(path)
    wrong = ~(np.abs(table) <= _MAX_MM)  # also catches NaN
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(
            f"{path} frame {row + 1}: Expected mm up to {_MAX_MM:g}, got {table[row, column]:g} in column {column + 1}."
            " A marker that was not seen is written as 0,0,0."
        )
    return _motion(table.reshape(len(table), -1, 3), 1.0, FPS, *describe(path.name))


def _table(path: Path) -> NDArray[np.float64]:
    try:
        return read_table(path, n_columns=3 * len(MARKERS))
    except UserError as error:  # the two parts of the set name their files alike
        hint = " That many are in the Kinect files: read them as uiprmd-kinect." if "got 66." in str(error) else ""
        raise UserError(f"{error}{hint}") from None


def _read_archive(path: Path) -> Iterator[Motion]:
    z = read_arrays(path, _ARCHIVE)
    n_frames = _check_archive(path, z)
    # The differences wrap around on purpose: int16 arithmetic restores every value exactly.
    x = np.cumsum(z["pos_d"], axis=1, dtype=np.int16).T.reshape(n_frames, len(MARKERS), 3)
    for k, (start, length) in enumerate(zip(z["start"].tolist(), z["length"].tolist(), strict=True)):
        about = [int(z[name][k]) for name in ("movement", "subject", "episode")]
        meta, scores = episode(about[0], about[1], about[2], correct=bool(z["correct"][k]))
        yield _motion(x[start : start + length], float(z["unit_mm"]), float(z["fps"]), meta, scores)


def _check_archive(path: Path, z: dict[str, NDArray]) -> int:
    """Return the number of frames after checking what ties the arrays together."""
    n_channels, n_frames = z["pos_d"].shape
    require(z["pos_d"].dtype == np.int16, path, "pos_d of type int16", z["pos_d"].dtype)
    require(n_channels == 3 * len(MARKERS), path, f"pos_d with {3 * len(MARKERS)} channels", n_channels)
    names = tuple(str(name) for name in z["markers"])
    require(names == MARKERS, path, f"the markers {' '.join(MARKERS)}", " ".join(names)[:300])
    counts = {name: len(z[name]) for name in ("movement", "subject", "episode", "correct", "start", "length")}
    require(len(set(counts.values())) == 1, path, "one entry per clip in every list", counts)
    require(counts["start"] > 0, path, "at least one clip", "none")
    start, length = (z[name].astype(object) for name in ("start", "length"))  # Python integers cannot overflow
    require(bool((start >= 0).all() and (length >= 1).all()), path, "clips of at least one frame", "an empty one")
    require(
        max(start + length) <= n_frames, path, f"clips inside {n_frames} frames", f"an end at {max(start + length)}"
    )
    require(sum(length) <= n_frames, path, f"clips that do not overlap, {n_frames} frames", f"{sum(length)} frames")
    known = (z["movement"] >= 1) & (z["movement"] <= len(UIPRMD))
    require(bool(known.all()), path, f"movements 1 to {len(UIPRMD)}", sorted(set(z["movement"][~known].tolist()))[:5])
    require(bool(0 < z["fps"] <= 10_000), path, "fps > 0", z["fps"])
    require(bool(0 < z["unit_mm"] <= 10), path, "unit_mm between 0 and 10 mm", z["unit_mm"])
    return n_frames


def _motion(
    marker_mm: NDArray, unit_mm: float, fps: float, meta: dict[str, object], scores: tuple[Score, ...]
) -> Motion:
    """Turn lab coordinates (T, 39, 3) in units of `unit_mm` into a motion, missing markers masked."""
    seen = (marker_mm != 0).any(axis=-1)
    positions = marker_mm[..., [1, 2, 0]].astype(np.float64) * (unit_mm / 1000.0)  # a cyclic turn: stays right-handed
    motion = Motion(
        positions.astype(np.float32),
        fps,
        MARKER_SET,
        valid=seen,
        scores=scores,
        meta={"source": "uiprmd_vicon", **meta},
    )
    exercise = motion.meta["exercise"]
    return motion.but(meta={"side": performed_side(vicon_joint_centres(motion), exercise) if exercise else None})
