"""Reads KIMORE: Kinect v2 skeletons of low-back-pain exercises, as redistributed arrays or as the original release.

Arrays: kimore_patients_ex1.npz ... ex5.npz, 18 joints, resampled to one length, repetition boundaries, 0-100 score.
Original: .../<group>/<subject>/Es1/Raw/JointPosition*.csv with a TimeStamp*.csv beside it and the therapist's scores in
../Label/ClinicalAssessment*.xlsx (Capecci et al., IEEE TNSRE 27(7), 2019).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.kimore_release import read_joint_positions
from rehabmotion.io.mars import SKELETON as KINECT_V2
from rehabmotion.io.npz_arrays import read_arrays, require
from rehabmotion.motion import Motion, Score, Skeleton
from rehabmotion.motion.exercises import KIMORE
from rehabmotion.motion.retarget import JointMap, map_joints

NOMINAL_FPS = 30.0
TO_SUBJECT_AXES = np.array([-1.0, 1.0, -1.0])  # half a turn about y: +x to the subject's left, the subject faces +z
_MAX_M = 100.0

# fmt: off
SKELETON_18 = Skeleton(  # the 25 joints of the Kinect v2 without head, feet, hand tips and thumbs; SpineShoulder last
    ("SpineBase", "SpineMid", "Neck", "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft", "ShoulderRight",
     "ElbowRight", "WristRight", "HandRight", "HipLeft", "KneeLeft", "AnkleLeft", "HipRight", "KneeRight",
     "AnkleRight", "SpineShoulder"),
    (-1, 0, 17, 17, 3, 4, 5, 17, 7, 8, 9, 0, 11, 12, 0, 14, 15, 1),
)
# fmt: on

# Heights above the hips' midpoint in standing patients: SpineBase -1 (and 3 cm behind), SpineMid 29, SpineShoulder 52,
# Neck 59 cm. Head and feet are not in the 18 joints and stay masked.
KIMORE_MAP: JointMap = {
    "pelvis": {"HipLeft": 0.45, "HipRight": 0.45, "SpineMid": 0.1},
    "left_hip": {"HipLeft": 1.0},
    "right_hip": {"HipRight": 1.0},
    "spine1": {"SpineBase": 0.6, "SpineMid": 0.4},
    "left_knee": {"KneeLeft": 1.0},
    "right_knee": {"KneeRight": 1.0},
    "spine2": {"SpineBase": 0.15, "SpineMid": 0.85},
    "left_ankle": {"AnkleLeft": 1.0},
    "right_ankle": {"AnkleRight": 1.0},
    "spine3": {"SpineMid": 1.0},
    "neck": {"SpineMid": 0.1, "SpineShoulder": 0.9},
    "left_collar": {"ShoulderLeft": 0.46, "SpineShoulder": 0.13, "SpineMid": 0.41},
    "right_collar": {"ShoulderRight": 0.46, "SpineShoulder": 0.13, "SpineMid": 0.41},
    "left_shoulder": {"ShoulderLeft": 1.0},
    "right_shoulder": {"ShoulderRight": 1.0},
    "left_elbow": {"ElbowLeft": 1.0},
    "right_elbow": {"ElbowRight": 1.0},
    "left_wrist": {"WristLeft": 1.0},
    "right_wrist": {"WristRight": 1.0},
}
KIMORE_25_MAP: JointMap = {
    **KIMORE_MAP,
    "head": {"Neck": 0.8, "Head": 0.2},
    "left_foot": {"FootLeft": 1.0},
    "right_foot": {"FootRight": 1.0},
}


def to_canonical(motion: Motion) -> Motion:
    """Return a motion read here on the canonical joints, with head and feet where the source has them."""
    return map_joints(motion, KIMORE_25_MAP if "Head" in motion.skeleton.joint_names else KIMORE_MAP)


def read_kimore(path: Path) -> list[Motion]:
    """Return the recordings of an array file (.npz), or the one recording of a JointPosition*.csv of the release.

    Positions are metres, y up, +x to the subject's left, the subject facing +z. y is the sensor's axis, not gravity's:
    sensors were pitched by up to 15 degrees; data.kimore levels the recordings of the arrays.

    Arrays: (748, 18, 3) each at the rate that gives the recording its true length, meta["repetitions"] a list of
    [first frame, last frame, direction] (fractional frames; direction as the source has it, -1 = none),
    meta["fps_known"] False where the true length is unknown and 30 is only nominal. The first and last 15 frames ring
    from the source's resampling. Release: the 25 joints; see kimore_release.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return list(_read_arrays(path))
    recording = read_joint_positions(path)
    meta = {"source": "kimore", **recording.meta}
    return [
        Motion(
            (recording.positions * TO_SUBJECT_AXES).astype(np.float32),
            recording.fps or NOMINAL_FPS,
            KINECT_V2,
            valid=recording.tracked,
            scores=recording.scores,
            meta={"fps_known": recording.fps is not None, **meta},
        )
    ]


_ARRAYS = {
    "x": ("f", 4),
    "subject": ("iu", 1),
    "kimore_id": ("U", 1),
    "group": ("U", 1),
    "score": ("f", 1),
    "joints": ("U", 1),
    "raw_frames": ("iu", 1),
    "rep_seq": ("iu", 1),
    "rep_start": ("f", 1),
    "rep_end": ("f", 1),
    "rep_dir": ("i", 1),
}


def _read_arrays(path: Path) -> Iterator[Motion]:
    z = read_arrays(path, _ARRAYS)
    _check_arrays(path, z)
    match = re.search(r"ex([1-5])(?!\d)", path.name)
    exercise = KIMORE[int(match[1]) - 1] if match else None
    for k in range(len(z["x"])):
        raw = int(z["raw_frames"][k])
        meta: dict[str, Any] = {
            "source": "kimore",
            "subject": str(z["kimore_id"][k]),
            "subject_number": int(z["subject"][k]),
            "group": str(z["group"][k]),
            "exercise": exercise,
            "side": "both" if exercise in ("arm_lift", "pelvis_rotation", "squat") else None,
            "fps_known": raw > 1,
            "repetitions": _repetitions(z, k),
        }
        yield Motion(
            (z["x"][k].astype(np.float64) * TO_SUBJECT_AXES).astype(np.float32),
            true_fps(z["x"].shape[1], raw) if raw > 1 else NOMINAL_FPS,
            SKELETON_18,
            scores=(_score(path, float(z["score"][k])),),
            meta=meta,
        )


def true_fps(n_frames: int, raw_frames: int) -> float:
    """Return the rate of a recording of `raw_frames` at 30 fps that was resampled to `n_frames`, ends kept.

    748 frames from 1495 at 30 fps, 49.8 s: 15 fps.
    """
    return (n_frames - 1) * NOMINAL_FPS / (raw_frames - 1)


def _repetitions(z: dict[str, NDArray], recording: int) -> list[list[float]]:
    rows = np.flatnonzero(z["rep_seq"] == recording)
    return [[float(z["rep_start"][r]), float(z["rep_end"][r]), int(z["rep_dir"][r])] for r in rows]


def _score(path: Path, value: float) -> Score:
    try:
        return Score("kimore", value)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _check_arrays(path: Path, z: dict[str, NDArray]) -> None:
    """Refuse arrays that do not fit together."""
    n, n_frames, n_joints, n_axes = z["x"].shape
    names = tuple(str(name) for name in z["joints"])
    require(
        names == SKELETON_18.joint_names, path, f"joints {' '.join(SKELETON_18.joint_names)}", " ".join(names)[:300]
    )
    require((n_joints, n_axes) == (len(SKELETON_18), 3), path, "x of shape (n, T, 18, 3)", z["x"].shape)
    require(n > 0 and n_frames > 1, path, "recordings of at least two frames", z["x"].shape)
    require(bool((np.abs(z["x"]) <= _MAX_M).all()), path, f"positions in m up to {_MAX_M:g}", "NaN or larger ones")
    per_recording = {name: len(z[name]) for name in ("subject", "kimore_id", "group", "score", "raw_frames")}
    require(set(per_recording.values()) == {n}, path, f"one entry for each of {n} recordings", per_recording)
    per_repetition = {name: len(z[name]) for name in ("rep_seq", "rep_start", "rep_end", "rep_dir")}
    require(len(set(per_repetition.values())) == 1, path, "one entry per repetition in every list", per_repetition)
    seq, start, end = z["rep_seq"], z["rep_start"], z["rep_end"]
    require(bool(((seq >= 0) & (seq < n)).all()), path, f"repetitions of recordings 0 to {n - 1}", seq.tolist()[:5])
    inside = (start >= 0) & (start < end) & (end <= n_frames - 1)
    require(bool(inside.all()), path, f"repetitions inside frames 0 to {n_frames - 1}", "one outside or empty")
