"""Joint names of common skeletons in BVH and marker files, and how each leads to the canonical 22 joints.

Weights place spine, neck, collars and head at about the same heights of the body for every source; see
docs/conventions.md. The joints of limbs are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.retarget import JointMap


def _limbs(pattern: Mapping[str, str], left: str, right: str) -> dict[str, dict[str, float]]:
    """Both sides of the joints in `pattern` (canonical name -> source name with {}), weight 1."""
    return {
        f"{side}_{joint}": {name.format(mark): 1.0}
        for side, mark in (("left", left), ("right", right))
        for joint, name in pattern.items()
    }


BANDAI: JointMap = {
    "pelvis": {"Hips": 1.0},
    "spine1": {"Hips": 0.43, "Spine": 0.57},
    "spine2": {"Spine": 0.2, "Chest": 0.8},
    "spine3": {"Chest": 0.8, "Neck": 0.2},
    "neck": {"Neck": 0.5, "Head": 0.5},
    "head": {"Neck": -1.0, "Head": 2.0},  # its Head joint is the base of the skull; the ears are one neck further up
    "left_collar": {"Shoulder_L": 0.5, "UpperArm_L": 0.5},
    "right_collar": {"Shoulder_R": 0.5, "UpperArm_R": 0.5},
    **_limbs(
        {
            "hip": "UpperLeg_{}",
            "knee": "LowerLeg_{}",
            "ankle": "Foot_{}",
            "foot": "Toes_{}",
            "shoulder": "UpperArm_{}",
            "elbow": "LowerArm_{}",
            "wrist": "Hand_{}",
        },
        "L",
        "R",
    ),
}

_HUMANOID_LIMBS = _limbs(
    {
        "hip": "{}UpLeg",
        "knee": "{}Leg",
        "ankle": "{}Foot",
        "foot": "{}ToeBase",
        "collar": "{}Shoulder",
        "shoulder": "{}Arm",
        "elbow": "{}ForeArm",
        "wrist": "{}Hand",
    },
    "Left",
    "Right",
)

MIXAMO: JointMap = {
    "pelvis": {"Hips": 1.0},
    "spine1": {"Hips": 0.4, "Spine": 0.6},
    "spine2": {"Spine": 0.2, "Spine1": 0.8},
    "spine3": {"Spine1": 0.8, "Spine2": 0.2},
    "neck": {"Spine2": 0.35, "Neck": 0.65},
    "head": {"Neck": 0.4, "Head": 0.6},
    **_HUMANOID_LIMBS,
}

# The conversions of the CMU recordings, and others with two joints in the spine
CMU: JointMap = {
    **MIXAMO,
    "spine1": {"Hips": 0.2, "Spine": 0.8},
    "spine2": {"Spine": 0.3, "Spine1": 0.7},
    "spine3": {"Spine1": 1.0},
    "neck": {"Neck": 1.0},
    "head": {"Head": 1.0},
}

# Keypoints of pose estimators as Pose2Sim writes them to TRC: no spine, so it is laid from the hips to the neck
POSE2SIM: JointMap = {
    "pelvis": {"LHip": 0.48, "RHip": 0.48, "Neck": 0.04},
    "spine1": {"LHip": 0.41, "RHip": 0.41, "Neck": 0.18},
    "spine2": {"LHip": 0.3, "RHip": 0.3, "Neck": 0.4},
    "spine3": {"LHip": 0.25, "RHip": 0.25, "Neck": 0.5},
    "neck": {"LHip": 0.075, "RHip": 0.075, "Neck": 0.85},
    "head": {"Neck": 0.7, "Head": 0.3},
    "left_collar": {"LHip": 0.15, "RHip": 0.15, "Neck": 0.35, "LShoulder": 0.35},
    "right_collar": {"LHip": 0.15, "RHip": 0.15, "Neck": 0.35, "RShoulder": 0.35},
    "left_foot": {"LBigToe": 0.4, "LSmallToe": 0.4, "LHeel": 0.2},
    "right_foot": {"RBigToe": 0.4, "RSmallToe": 0.4, "RHeel": 0.2},
    **_limbs({name: "{}" + name.title() for name in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")}, "L", "R"),
}

BVH_MAPS: dict[str, JointMap] = {
    "rehabmotion": {name: {name: 1.0} for name in CANONICAL.joint_names},
    "bandai": BANDAI,
    "mixamo": MIXAMO,
    "cmu": CMU,
    "pose2sim": POSE2SIM,
}
NEEDED = {"pelvis", "left_hip", "right_hip"}  # of our own names: without them a motion faces nowhere


def bvh_joint_map(names: Iterable[str]) -> JointMap:
    """Return the map from a skeleton, known by its joint names, to the canonical joints.

    A prefix up to a colon ("mixamorig:Hips") is allowed for, and of our own names a part will do, if pelvis and hips
    are among them. Another skeleton raises UserError that says what it lacks of the nearest known one.
    """
    full = {name.rpartition(":")[2]: name for name in names}
    if set(full) >= NEEDED:
        return {joint: {full[joint]: 1.0} for joint in CANONICAL.joint_names if joint in full}
    lacking = {}
    for kind, joint_map in BVH_MAPS.items():
        lacking[kind] = sorted({source for sources in joint_map.values() for source in sources} - set(full))
        if not lacking[kind]:
            return {
                joint: {full[source]: weight for source, weight in sources.items()}
                for joint, sources in joint_map.items()
            }
    nearest = min(lacking, key=lambda kind: len(lacking[kind]))
    raise UserError(
        f"Expected the joints of a known skeleton ({', '.join(BVH_MAPS)}); the nearest, {nearest}, lacks"
        f" {', '.join(lacking[nearest])}. Rename the joints, or map them with motion.retarget.map_joints."
    )
