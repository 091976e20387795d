"""Reads the Kinect text files of UI-PRMD: parent-relative positions and their angle twin, by forward kinematics.

The name m01_s02_e03_positions_inc.txt.gz says: movement 1, subject 2, repetition 3, deliberately incorrect.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_table
from rehabmotion.io.uiprmd_side import performed_side
from rehabmotion.motion import Motion, Score, Skeleton
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.motion.retarget import JointMap, map_joints

FPS = 30.0
_MAX_CM = 10_000.0  # 100 m: beyond any sensor; such a number is another unit or a damaged file

# fmt: off
KINECT_SKELETON = Skeleton(
    ("Waist", "Spine", "Chest", "Neck", "Head", "HeadTip", "LCollar", "LUpArm", "LForearm", "LHand", "RCollar",
     "RUpArm", "RForearm", "RHand", "LUpLeg", "LLowLeg", "LFoot", "LToes", "RUpLeg", "RLowLeg", "RFoot", "RToes"),
    (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20),
)
# fmt: on

# Heights above the hips' midpoint in the standing first frames: Waist 0 (and 4 cm behind it), Spine 30, Chest 52,
# Neck 53, Head 60, HeadTip 75 cm. LCollar and RCollar lie 2 cm beside the midline, so collars are interpolated
# (42 cm high, 7-8 cm aside). LHand and RHand are the wrists.
UIPRMD_KINECT_MAP: JointMap = {
    "pelvis": {"LUpLeg": 0.45, "RUpLeg": 0.45, "Spine": 0.1},
    "left_hip": {"LUpLeg": 1.0},
    "right_hip": {"RUpLeg": 1.0},
    "spine1": {"Waist": 0.64, "Spine": 0.36},
    "left_knee": {"LLowLeg": 1.0},
    "right_knee": {"RLowLeg": 1.0},
    "spine2": {"Waist": 0.17, "Spine": 0.83},
    "left_ankle": {"LFoot": 1.0},
    "right_ankle": {"RFoot": 1.0},
    "spine3": {"Spine": 1.0},
    "left_foot": {"LToes": 1.0},
    "right_foot": {"RToes": 1.0},
    "neck": {"Spine": 0.1, "Chest": 0.9},
    "left_collar": {"LUpArm": 0.46, "Chest": 0.13, "Spine": 0.41},
    "right_collar": {"RUpArm": 0.46, "Chest": 0.13, "Spine": 0.41},
    "head": {"Head": 1.0},
    "left_shoulder": {"LUpArm": 1.0},
    "right_shoulder": {"RUpArm": 1.0},
    "left_elbow": {"LForearm": 1.0},
    "right_elbow": {"RForearm": 1.0},
    "left_wrist": {"LHand": 1.0},
    "right_wrist": {"RHand": 1.0},
}


def read_uiprmd_kinect(path: Path) -> list[Motion]:
    """Return the one motion of a Kinect positions file, (T, 22, 3) metres, y up, +x to the subject's left, 30 fps.

    `path` is the positions file (.txt or .txt.gz) in a folder `Positions`; its twin `..._angles...` lies in the
    sibling folder `Angles` (or beside it). The file keeps only the waist in the world; every other joint is in the
    frame of its parent, so the angles are needed. The sensor's tracking state is not in the file: every joint counts
    as measured, though in standing_shoulder_extension the side turned away from the sensor is a guess.
    """
    path = Path(path)
    positions_cm = _read_joints(path, limit=_MAX_CM, what="positions in cm")
    angles_path = _angles_twin(path)
    angles_deg = _read_joints(angles_path, limit=360.0, what="angles in degrees")
    if len(positions_cm) != len(angles_deg):
        raise UserError(
            f"{path}: Expected as many frames as its angle file, got {len(positions_cm)} and {len(angles_deg)} "
            f"({angles_path.name}). Fetch both files again."
        )
    world = forward_kinematics(positions_cm / 100.0, np.radians(angles_deg))
    meta, scores = describe(path.name)
    motion = Motion(world.astype(np.float32), FPS, KINECT_SKELETON, scores=scores, meta={"source": "uiprmd", **meta})
    side = performed_side(map_joints(motion, UIPRMD_KINECT_MAP), meta.get("exercise"))
    return [motion.but(meta={"side": side})]


def forward_kinematics(relative: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return world positions (T, 22, 3) from parent-relative ones (any length unit) and angles (T, 22, 3) radians.

    X_j = X_parent + G_parent p_j with G_j = G_parent R(a_j) and R(a) = Rz(az) Rx(ax) Ry(ay), the columns being ax, ay,
    az. The publication (Vakanski et al. 2018) does not state the order; this one makes standing feet stand still.
    """
    turns = Rotation.from_euler("ZXY", angles[..., [2, 0, 1]].reshape(-1, 3)).as_matrix()
    local = turns.reshape(*angles.shape[:2], 3, 3)
    world, frames = np.zeros_like(relative), np.zeros_like(local)
    for joint in KINECT_SKELETON.order:
        parent = KINECT_SKELETON.parents[joint]
        if parent < 0:
            world[:, joint], frames[:, joint] = relative[:, joint], local[:, joint]
            continue
        world[:, joint] = world[:, parent] + np.einsum("tab,tb->ta", frames[:, parent], relative[:, joint])
        frames[:, joint] = frames[:, parent] @ local[:, joint]
    return world


_NAME = re.compile(r"m(\d{2})_s(\d{2})_e(\d{2})_positions(_inc)?\.txt(?:\.gz)?", re.IGNORECASE)


def describe(name: str) -> tuple[dict[str, Any], tuple[Score, ...]]:
    """Return (meta, scores) that a positions file's name tells; nothing for a name of another pattern."""
    match = _NAME.fullmatch(name)
    if not match or not 1 <= int(match[1]) <= len(UIPRMD):
        return {}, ()
    return episode(int(match[1]), int(match[2]), int(match[3]), correct=match[4] is None)


def episode(movement: int, subject: int, repetition: int, correct: bool) -> tuple[dict[str, Any], tuple[Score, ...]]:
    """Return (meta, scores) of one episode of the set; movement counts from 1."""
    meta = {"subject": f"s{subject:02d}", "exercise": UIPRMD[movement - 1], "repetition": repetition}
    return meta, (Score("uiprmd", 1 if correct else 0),)


def _angles_twin(path: Path) -> Path:
    """Return the angle file of a positions file; gzip may differ between the two."""
    if "angles" in path.name.lower() or path.parent.name.lower() == "angles":
        raise UserError(f"{path}: Expected a positions file, got an angle file. Give its twin in the folder Positions.")
    name = re.sub("positions", "angles", path.name, flags=re.IGNORECASE)
    spellings = (name, name[:-3] if name.lower().endswith(".gz") else f"{name}.gz")
    sibling = path.parent.parent / "Angles"
    candidates = [folder / spelling for folder in (sibling, path.parent) for spelling in spellings]
    for candidate in candidates:
        if candidate != path and candidate.is_file():
            return candidate
    raise UserError(
        f"{path}: Expected its angle file {name} in {sibling}, found none. Kinect positions are relative to the "
        "parent joint and mean nothing without it."
    )


def _read_joints(path: Path, limit: float, what: str) -> NDArray[np.float64]:
    """Return a table of 66 columns as (T, 22, 3); numbers that are not finite or beyond the limit are refused."""
    try:
        table = read_table(path, n_columns=3 * len(KINECT_SKELETON))
    except UserError as error:  # the two parts of the set name their files alike
        hint = " That many are in the marker files: read them as uiprmd-vicon." if "got 117." in str(error) else ""
        raise UserError(f"{error}{hint}") from None
    wrong = ~(np.abs(table) <= limit)  # also catches NaN
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(
            f"{path} frame {row + 1}: Expected {what} up to {limit:g}, got {table[row, column]:g} in column "
            f"{column + 1}. Remove the damaged frame from both files."
        )
    return table.reshape(len(table), -1, 3)
