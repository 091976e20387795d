"""Body parts: which bones move with which name. A bone is named by the joint at its lower end."""

from __future__ import annotations

from collections.abc import Iterable

from rehabmotion.motion.skeleton import CANONICAL

# the parts that are moved one by one; together they are the whole body. `legs` brings the pelvis and its place along
PARTS: dict[str, tuple[str, ...]] = {
    "legs": (
        *("left_hip", "right_hip", "left_knee", "right_knee"),
        *("left_ankle", "right_ankle", "left_foot", "right_foot"),
    ),
    "spine": ("spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"),
    "head": ("head",),
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
}
BODIES: dict[str, tuple[str, ...]] = {  # what a plan can name
    "all": tuple(PARTS),
    "legs": ("legs",),
    "spine": ("spine",),
    "arms": ("left_arm", "right_arm"),
    "left_arm": ("left_arm",),
    "right_arm": ("right_arm",),
    "head": ("head",),
}


def joints_of(parts: Iterable[str]) -> list[int]:
    """Return the joints at the lower ends of the bones of parts, sorted: joint j is bone j - 1 of CANONICAL.bones."""
    return sorted(CANONICAL.index(name) for part in parts for name in PARTS[part])


def share_joints(one: str, other: str) -> bool:
    """Return whether two names of BODIES move a joint in common: arms and left_arm do."""
    return bool(set(BODIES[one]) & set(BODIES[other]))
