"""HDM05, eleven actions: joint positions of four actors.

Origin: M. Mueller, T. Roeder, M. Clausen, B. Eberhardt, B. Krueger, A. Weber, "Documentation: Mocap Database HDM05",
Technical report CG-2007-2, Universitaet Bonn, 2007. Licence: CC BY-SA 3.0 (share alike). Changed: the published
archive holds positions computed from the native ASF/AMC files, in 0.1 mm.

Worked sample: clip HDM_bk_squat1Reps_013_120 is 181 frames at 120 fps: one motion of 1.5 s, subject "bk", exercise
"squat", side "both", text "a person squats once with the arms stretched forward".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehabmotion.io.amc import AMC_MAP, describe
from rehabmotion.io.clip_archive import read_clips
from rehabmotion.io.npz_arrays import require
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import map_joints

ARCHIVE = "hdm05_motion_120hz.npz"

TEXTS = {  # the set names its actions; these sentences are ours
    "depositFloorR": "a person bends down and puts something on the floor with the right hand",
    "elbowToKnee1RepsLelbowStart": "a person brings the left elbow to the raised right knee",
    "grabHighR": "a person reaches up and takes something from a high shelf with the right hand",
    "hopBothLegs1hops": "a person hops forward once on both legs",
    "jogLeftCircle4StepsRstart": "a person jogs four steps in a circle to the left, starting with the right foot",
    "kickLFront1Reps": "a person kicks forward with the left leg",
    "lieDownFloor": "a person lies down on the floor",
    "rotateArmsBothBackward1Reps": "a person swings both arms backward in a full circle",
    "sneak2StepsLStart": "a person sneaks two steps, starting with the left foot",
    "squat1Reps": "a person squats once with the arms stretched forward",
    "throwBasketball": "a person throws a basketball with both hands",
}


def load(root: Path) -> Iterator[Motion]:
    """Yield the clips in the order of the archive, 120 fps.

    meta: subject (bd, bk, dg, tr), action, clip, index; exercise "squat" and side "both" for squat1Reps, else None.
    """
    path = Path(root) / ARCHIVE
    motions = read_clips(path, labels=("actor", "action"))
    bones = {source for sources in AMC_MAP.values() for source in sources}
    lacking = bones - set(motions[0].skeleton.joint_names)
    require(not lacking, path, "the bones of HDM05", f"none of the name {', '.join(sorted(lacking))}")
    for motion in motions:
        action, subject = motion.meta["action"], motion.meta["actor"]
        meta: dict[str, Any] = {**describe(str(motion.meta["clip"])), "source": "hdm05", "subject": subject}
        yield map_joints(motion, AMC_MAP).but(text=TEXTS.get(action, ""), meta=meta)
