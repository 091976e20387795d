"""Reads an `.npz` that packs many clips of joint positions: first differences along time, channels first.

Adding up int16 differences in int16 gives every value back exactly: the sum is meant to wrap around.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.npz_arrays import read_arrays, require
from rehabmotion.motion import Motion, Skeleton

_FIELDS = {
    "pos_d": ("i", 2),
    "start": ("iu", 1),
    "length": ("iu", 1),
    "name": ("U", 1),
    "joints": ("U", 1),
    "parents": ("i", 1),
    "fps": ("f", 0),
    "unit_mm": ("f", 0),
}


def read_clips(path: Path, labels: tuple[str, ...] = ()) -> list[Motion]:
    """Return one motion per clip on the archive's own joints, metres, axes as stored.

    meta: index (place in the archive, from 0), clip (its name), and the entries of the text arrays named in `labels`.
    """
    z = read_arrays(path, {**_FIELDS, **{label: ("U", 1) for label in labels}})
    _check(path, z, ("start", "length", "name", *labels))
    try:
        skeleton = Skeleton(tuple(z["joints"].tolist()), tuple(z["parents"].tolist()))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    x = np.cumsum(z["pos_d"], axis=1, dtype=np.int16).T.reshape(-1, len(skeleton), 3)
    metre = float(z["unit_mm"]) / 1000
    motions = []
    for index, (start, length) in enumerate(zip(z["start"].tolist(), z["length"].tolist(), strict=True)):
        about = {label: str(z[label][index]) for label in labels}
        meta = {"index": index, "clip": str(z["name"][index]), **about}
        positions = (x[start : start + length] * metre).astype(np.float32)
        motions.append(Motion(positions, float(z["fps"]), skeleton, meta=meta))
    return motions


def _check(path: Path, z: dict[str, NDArray], per_clip: tuple[str, ...]) -> None:
    """Refuse arrays that do not fit together."""
    channels, frames = z["pos_d"].shape
    require(z["pos_d"].dtype == np.int16, path, "pos_d of type int16", z["pos_d"].dtype)
    require(0 < len(z["joints"]) <= 256, path, "1 to 256 joints", len(z["joints"]))
    require(channels == 3 * len(z["joints"]), path, f"pos_d with {3 * len(z['joints'])} channels", channels)
    counts = {name: len(z[name]) for name in per_clip}
    require(len(set(counts.values())) == 1 and len(z["start"]) > 0, path, "as many entries as clips in each", counts)
    start, length = (z[name].astype(object) for name in ("start", "length"))  # Python integers cannot overflow
    require(bool((start >= 0).all() and (length > 0).all()), path, "clips of at least one frame", "an empty one")
    require(max(start + length) <= frames, path, f"clips inside {frames} frames", f"an end at {max(start + length)}")
    require(sum(length) <= frames, path, f"{frames} frames, each in one clip", f"{sum(length)} frames")
    require(bool(0 < z["fps"] <= 10_000), path, "fps > 0", z["fps"])
    require(bool(0 < z["unit_mm"] <= 10), path, "unit_mm between 0 and 10 mm", z["unit_mm"])
