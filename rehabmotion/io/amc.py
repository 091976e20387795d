"""Acclaim motion (.amc, with its skeleton .asf): CMU and HDM05. A bone's point is its far end."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.asf import SHIFTS, TURNS, Asf, Bone, read_asf
from rehabmotion.io.files import read_text
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import JointMap

FPS = 120.0  # the files do not state it; CMU and HDM05 give 120 in their documentation

# Heights above the hips' midpoint of four standing men: root 10, lowerback 24, upperback 38, thorax 52, lowerneck 61,
# upperneck 70, head 79, shoulders 55 cm, and these 21 cm to the side.
AMC_MAP: JointMap = {
    "pelvis": {"lhipjoint": 0.35, "rhipjoint": 0.35, "root": 0.3},
    "left_hip": {"lhipjoint": 1.0},
    "right_hip": {"rhipjoint": 1.0},
    "spine1": {"root": 0.9, "lowerback": 0.1},
    "left_knee": {"lfemur": 1.0},
    "right_knee": {"rfemur": 1.0},
    "spine2": {"lowerback": 1.0},
    "left_ankle": {"ltibia": 1.0},
    "right_ankle": {"rtibia": 1.0},
    "spine3": {"lowerback": 0.5, "upperback": 0.5},
    "left_foot": {"lfoot": 1.0},
    "right_foot": {"rfoot": 1.0},
    "neck": {"thorax": 1.0},
    "left_collar": {"lclavicle": 0.36, "upperback": 0.54, "thorax": 0.1},
    "right_collar": {"rclavicle": 0.36, "upperback": 0.54, "thorax": 0.1},
    "head": {"lowerneck": 0.5, "upperneck": 0.5},
    "left_shoulder": {"lclavicle": 1.0},
    "right_shoulder": {"rclavicle": 1.0},
    "left_elbow": {"lhumerus": 1.0},
    "right_elbow": {"rhumerus": 1.0},
    "left_wrist": {"lradius": 1.0},
    "right_wrist": {"rradius": 1.0},
}


def read_amc(path: Path, asf: Path | None = None, fps: float = FPS) -> list[Motion]:
    """Return the one motion of an .amc file, on the bones of its skeleton, metres, y up.

    Without `asf`, the skeleton is the .asf in the same folder whose name begins the motion's (01.asf for 01_08.amc,
    HDM_bd.asf for HDM_bd_squat1Reps_001_120.amc), else the only one there.
    """
    path = Path(path)
    found = Path(asf) if asf else skeleton_of(path)
    skeleton = read_asf(found)
    values = read_frames(path, skeleton)
    try:
        motion = Motion(
            forward_kinematics(skeleton, values).astype(np.float32), fps, skeleton.skeleton, meta=describe(path.name)
        )
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return [motion]


def skeleton_of(path: Path) -> Path:
    """Return the skeleton file that belongs to a motion file; none, or several that may, raises UserError."""
    try:
        here = sorted(p for p in path.parent.iterdir() if re.search(r"\.asf(\.gz)?$", p.name, re.IGNORECASE))
    except OSError:
        raise UserError(f"Expected an existing file, got {path}.") from None
    fitting = [p for p in here if path.name.startswith(p.name.split(".", 1)[0] + "_")]
    if fitting:
        return max(fitting, key=lambda p: len(p.name))
    if len(here) != 1:
        raise UserError(
            f"{path}: Expected its skeleton, one .asf beside it, got {len(here)}."
            f" Put it there, named like the beginning of {path.name}."
        )
    return here[0]


def read_frames(path: Path, asf: Asf) -> dict[str, NDArray[np.float64]]:
    """Return the channels by bone, (T, number of its dof), in file units. Every frame must name every moving bone.

    A number alone on its line starts a frame; frames must be numbered one after the other.
    """
    counts = {bone.name: len(bone.dof) for bone in asf.bones if bone.dof}
    frames: list[dict[str, list[float]]] = []
    first = 0
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0][0] in "#:":
            _check_flag(path, number, words, asf)
        elif len(words) == 1 and words[0].isdecimal():
            first = first if frames else _number(words[0])
            if _number(words[0]) != first + len(frames):
                raise UserError(f"{path} line {number}: Expected frame {first + len(frames)}, got {words[0][:40]}.")
            _check_whole(path, frames, counts)
            frames.append({})
        elif not frames or words[0] not in counts or words[0] in frames[-1]:
            raise UserError(
                f"{path} line {number}: Expected a frame number or a bone with channels, got {words[0][:40]!r}."
            )
        else:
            frames[-1][words[0]] = _values(path, number, words, counts[words[0]])
    if not frames:
        raise UserError(f"{path}: Expected at least one frame, got none.")
    _check_whole(path, frames, counts)
    return {name: _plausible(path, name, np.array([frame[name] for frame in frames])) for name in counts}


def _number(word: str) -> int:
    return int(word[:18])


def _check_flag(path: Path, number: int, words: list[str], asf: Asf) -> None:
    unit = {":degrees": math.pi / 180, ":radians": 1.0}.get(words[0].lower() if words else "")
    if unit is not None and unit != asf.radian:
        raise UserError(f"{path} line {number}: Expected the angle unit of the skeleton, got {words[0]}.")


def _values(path: Path, number: int, words: list[str], n: int) -> list[float]:
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    if len(values) != n:
        raise UserError(f"{path} line {number}: Expected {n} numbers for {words[0]}, got {' '.join(words[1:])[:40]!r}.")
    return values


def _plausible(path: Path, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = ~(np.abs(values) < 1e6).all(axis=1)  # also true of NaN
    if bad.any():
        raise UserError(
            f"{path}: Expected finite numbers, got NaN or a huge one for {name} in frame {bad.argmax() + 1}."
        )
    return values


def _check_whole(path: Path, frames: list[dict[str, list[float]]], counts: dict[str, int]) -> None:
    if frames and len(frames[-1]) != len(counts):
        lacking = next(name for name in counts if name not in frames[-1])
        raise UserError(
            f"{path}: Expected every frame whole, number {len(frames)} lacks {lacking}. Is the file cut off?"
        )


def forward_kinematics(asf: Asf, values: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the far ends of all bones (T, J, 3), metres.

    Each bone turns by L = C R C^-1, with R = Rz Ry Rx of its channels and C its own axes; G = G_parent L, and its end
    lies at the parent's end + G direction length. A bone without channels takes G of its parent.
    """
    root = asf.bones[0]
    n = len(values[root.name])
    positions, turns = np.zeros((n, len(asf.bones), 3)), np.zeros((n, len(asf.bones), 3, 3))
    shift = np.stack([values[root.name][:, root.dof.index(channel)] for channel in SHIFTS], axis=-1)
    positions[:, 0] = shift + asf.root_position
    turns[:, 0] = _turn(asf, root, values)
    for joint in asf.skeleton.order[1:]:
        bone, parent = asf.bones[joint], asf.skeleton.parents[joint]
        turns[:, joint] = turns[:, parent] @ _turn(asf, bone, values) if bone.dof else turns[:, parent]
        positions[:, joint] = positions[:, parent] + turns[:, joint] @ (bone.direction * bone.length)
    return positions * asf.metre


def _turn(asf: Asf, bone: Bone, values: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    angles = np.zeros((len(values[bone.name]), 3))
    for axis, channel in enumerate(TURNS):
        if channel in bone.dof:
            angles[:, axis] = values[bone.name][:, bone.dof.index(channel)]
    c = asf.frame(bone)
    return c @ Rotation.from_euler("xyz", angles * asf.radian).as_matrix() @ c.T


def describe(name: str) -> dict[str, Any]:
    """Return what a file's name tells: 02_01.amc is CMU, HDM_bd_squat1Reps_001_120.amc is HDM05; else the format."""
    stem = name.split(".", 1)[0]
    if cmu := re.fullmatch(r"(\d+)_(\d+)", stem):
        return {"source": "cmu", "subject": cmu[1], "clip": stem}
    if hdm := re.fullmatch(r"HDM_([a-z]+)_(\w+)_(\d+)_120", stem):
        squat = {"exercise": "squat", "side": "both"} if hdm[2] == "squat1Reps" else {}
        return {
            "source": "hdm05",
            "subject": hdm[1],
            "action": hdm[2],
            "repetition": int(hdm[3]),
            "clip": stem,
            **squat,
        }
    return {"source": "amc", "clip": stem}
