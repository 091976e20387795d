"""From raw recordings to clips a model can learn from: 22 joints, constant bones, 30 fps, 6 Hz, canonical frame."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.corpora import corpus_root, load_raw, of_split, split_name
from rehabmotion.errors import UserError
from rehabmotion.features.canonical import height_of
from rehabmotion.files import cache_folder, read_bytes, write_atomic
from rehabmotion.motion import Motion, Score
from rehabmotion.motion.retarget import bone_lengths, symmetric, with_bone_lengths
from rehabmotion.motion.transforms import canonicalise, resample, smooth

VERSION = 3  # raise when prepared data change: old caches are then made anew
FPS = 30.0
CUTOFF_HZ = 6.0
SHRUNK = 0.9


def prepare(motions: Sequence[Motion]) -> list[Motion]:
    """Return the clips of one corpus, prepared; those shorter than 4 frames or never showing a pelvis are left out.

    Bone lengths are the medians over all frames of a subject, left and right averaged: the person, not the clip, has a
    size. They are set before the filter, so that it sees limbs and not a sensor's changing guesses of their length, and
    once more after it; there a bone that the filter shrank by a tenth (its end had jumped) is bridged.
    """
    lengths = {key: _subject_lengths(group) for key, group in _by_subject(motions).items()}
    prepared = []
    for motion in motions:
        hips = motion.skeleton.indices("pelvis", "left_hip", "right_hip")
        if motion.n_frames < 4 or not motion.valid[:, hips].all(axis=1).any():
            continue
        sized = lengths[_body(motion)]
        motion = motion.but(meta=_size(sized))
        clip = smooth(with_bone_lengths(resample(motion, FPS), sized), CUTOFF_HZ)
        prepared.append(canonicalise(with_bone_lengths(clip, sized, least=SHRUNK)))
    return prepared


def _size(lengths: NDArray[np.float64]) -> dict[str, float]:
    """Return the person's height proxy for meta: in some clips the legs are lost, and with them the size."""
    try:
        return {"height_proxy": height_of(lengths)}
    except UserError:
        return {}


def _body(motion: Motion) -> str:
    """Who a clip shows: its subject; a clip of unknown subject is a body of its own."""
    subject = motion.meta.get("subject")
    return str(subject) if subject is not None else f"clip {id(motion)}"


def _by_subject(motions: Iterable[Motion]) -> dict[str, list[Motion]]:
    groups: dict[str, list[Motion]] = {}
    for motion in motions:
        groups.setdefault(_body(motion), []).append(motion)
    return groups


def _subject_lengths(motions: Sequence[Motion]) -> NDArray[np.float64]:
    positions = np.concatenate([motion.positions for motion in motions])
    valid = np.concatenate([motion.valid for motion in motions])
    return symmetric(bone_lengths(positions, valid))


def prepared(name: str, data_dir: Path | None = None, say: Callable[[str], None] = lambda _: None) -> list[Motion]:
    """Return the prepared clips of NAME, NAME:train or NAME:val; made on first use and kept in the cache folder."""
    base, split = split_name(name)
    motions = _cached(base, data_dir, say)
    return of_split(base, motions, split)


def _cached(name: str, data_dir: Path | None, say: Callable[[str], None]) -> list[Motion]:
    path = cache_folder() / "prepared" / f"{name}-{fingerprint(name, data_dir)}.npz"
    if path.exists():
        return _unpack(path)
    say(f"preparing {name} (first use)")
    motions = prepare(list(load_raw(name, data_dir)))
    write_atomic(path, _pack(motions))
    return motions


def fingerprint(name: str, data_dir: Path | None) -> str:
    """Return a short hash of what the corpus holds: paths, sizes and dates, so that changed data are prepared anew."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    root = corpus_root(name, data_dir)
    if root is None:
        import rehabmotion.data.simulator.corpus as simulator

        digest.update(str(simulator.VERSION).encode())
    else:
        digest.update(str(root.resolve()).encode())
        for folder, folders, files in os.walk(root):
            folders.sort()
            for file in sorted(files):
                status = os.stat(os.path.join(folder, file))
                digest.update(f"{folder}/{file}:{status.st_size}:{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def _pack(motions: Sequence[Motion]) -> bytes:
    records = [
        {"text": m.text, "scores": [s.as_json() for s in m.scores], "meta": dict(m.meta), "frames": m.n_frames}
        for m in motions
    ]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        positions=np.concatenate([m.positions for m in motions]) if motions else np.zeros((0, 22, 3), np.float32),
        valid=np.concatenate([m.valid for m in motions]) if motions else np.zeros((0, 22), bool),
        records=np.array(json.dumps(records)),
    )
    return buffer.getvalue()


def _unpack(path: Path) -> list[Motion]:
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as arrays:
            positions, valid = arrays["positions"], arrays["valid"]
            records: list[dict[str, Any]] = json.loads(str(arrays["records"]))
    except (zipfile.BadZipFile, ValueError, KeyError) as error:
        raise OSError(f"damaged cache file {path} ({error}): delete it") from error
    ends = np.cumsum([record["frames"] for record in records])
    return [
        Motion(
            positions=positions[end - record["frames"] : end],
            fps=FPS,
            valid=valid[end - record["frames"] : end],
            text=record["text"],
            scores=tuple(Score(s["scale"], s["value"]) for s in record["scores"]),
            meta=record["meta"],
        )
        for record, end in zip(records, ends, strict=True)
    ]
