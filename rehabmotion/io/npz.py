"""The motion file: `.npz` without pickles. docs/conventions.md states every field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.io.files import write_atomic
from rehabmotion.io.npz_arrays import load_named, packed
from rehabmotion.motion import Motion, Score, Skeleton

FIELDS = {  # name: kinds of NumPy type, number of axes
    "positions": ("f", 3),
    "fps": ("fiu", 0),
    "joint_names": ("U", 1),
    "parents": ("iu", 1),
    "valid": ("b", 2),
    "text": ("U", 0),
    "scores": ("U", 0),
    "meta": ("U", 0),
}


def read_npz(path: Path) -> Motion:
    """Return the motion kept in a `.npz` file. Anything but the contract raises UserError."""
    arrays = load_named(path, tuple(FIELDS), "a motion file,")
    try:
        for name, (kinds, axes) in FIELDS.items():
            if arrays[name].dtype.kind not in kinds or arrays[name].ndim != axes:
                got = f"{arrays[name].dtype} {arrays[name].shape}"
                raise UserError(f"Expected {name} with {axes} axes and of NumPy kind {' or '.join(kinds)}, got {got}.")
        skeleton = Skeleton(
            tuple(str(name) for name in arrays["joint_names"].tolist()),
            tuple(int(p) for p in arrays["parents"].tolist()),
        )
        return Motion(
            positions=arrays["positions"],
            fps=float(arrays["fps"]),
            skeleton=skeleton,
            valid=arrays["valid"],
            text=str(arrays["text"]),
            scores=tuple(Score(s["scale"], float(s["value"])) for s in json.loads(str(arrays["scores"]))),
            meta=_meta(str(arrays["meta"])),
        )
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise UserError(f"{path}: Expected a motion file, got a field that cannot be read ({error}).") from None


def _meta(text: str) -> dict[str, Any]:
    meta = json.loads(text)
    if not isinstance(meta, dict):
        raise UserError("Expected meta to be a JSON object.")
    return meta


def write_npz(motion: Motion, path: Path) -> None:
    """Write the motion file, whole or not at all; the same motion gives the same bytes."""
    arrays = {
        "positions": motion.positions,
        "fps": np.float64(motion.fps),
        "joint_names": np.array(motion.skeleton.joint_names, dtype=np.str_),
        "parents": np.array(motion.skeleton.parents, dtype=np.int64),
        "valid": motion.valid,
        "text": np.array(motion.text, dtype=np.str_),
        "scores": np.array(json.dumps([score.as_json() for score in motion.scores]), dtype=np.str_),
        "meta": np.array(json.dumps(motion.meta, sort_keys=True), dtype=np.str_),
    }
    write_atomic(path, packed(arrays))
