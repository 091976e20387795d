"""The points of a person that detectors see: one list for all of them, and which of it each detector gives.

A point that a detector lacks has confidence 0. Names follow BlazePose, OpenPose's Body_25B and HALPE_26.
"""

from __future__ import annotations

from rehabmotion.motion.skeleton import mirror_joint_name

SIDES = ("left", "right")
MIDDLE = ("nose", "neck", "head_top")  # neck: between the shoulders, at the top of the breastbone (OpenPose: UpperNeck)
PAIRED = (
    "eye", "ear", "shoulder", "elbow", "wrist", "thumb", "index", "pinky", "hip", "knee", "ankle", "heel", "big_toe",
    "small_toe",
)  # fmt: skip
POINTS: tuple[str, ...] = MIDDLE + tuple(f"{side}_{part}" for part in PAIRED for side in SIDES)
NUMBER = {name: i for i, name in enumerate(POINTS)}
MIRROR: tuple[int, ...] = tuple(NUMBER[mirror_joint_name(name)] for name in POINTS)
BONES: tuple[tuple[str, str], ...] = (
    ("head_top", "nose"), ("nose", "neck"), ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in SIDES
        for a, b in (
            ("shoulder", "hip"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("hip", "knee"),
            ("knee", "ankle"), ("ankle", "heel"), ("ankle", "big_toe"), ("heel", "big_toe"),
        )
    ),
)  # fmt: skip
