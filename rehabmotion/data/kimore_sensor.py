"""What the Kinect got wrong in KIMORE, per subject: its pitch against gravity, and moments when it lost the legs.

Both rest on one fact: all five exercises are done standing with both feet on the floor, before a sensor that was not
moved between them (the five estimates of a pitched sensor agree within 5 degrees).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion import Motion

UPRIGHT = 0.95  # of the usual distance ankles to SpineShoulder: bent knees or lost legs fall below
LIFTED_M = 0.20  # an ankle further above the subject's floor is not where the sensor says
SHRUNK = 0.85  # of the subject's trunk length: the sensor moved the hips up with the legs it lost
LOWER_BODY = ("SpineMid", "SpineBase", "HipLeft", "HipRight", "KneeLeft", "KneeRight", "AnkleLeft", "AnkleRight")


def sensor_pitch(recordings: list[Motion]) -> float:
    """Return the pitch in radians of the sensor of one subject's recordings; + = the body seems to lean to the sensor.

    It is the lean of the line from the ankles' midpoint to SpineShoulder, median over the frames in which this line
    is long: the person stands upright and the legs are seen. Nobody stands exactly upright, so a few degrees of
    posture are taken for pitch (13 of the 24 subjects: -10 to 7 degrees; 11: 12 to 15).
    """
    line = np.concatenate([_ankles_to_shoulders(motion) for motion in recordings])
    upright = line[_is_upright(line)]
    return float(np.arctan2(np.median(upright[:, 2]), np.median(upright[:, 1])))


def levelled(motion: Motion, pitch: float) -> Motion:
    """Return the motion turned about x by -pitch, so that y is opposite to gravity; meta["tilt_deg"] = the pitch."""
    c, s = np.cos(pitch), np.sin(pitch)
    turn = np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    return motion.but(
        positions=(motion.positions.astype(np.float64) @ turn.T).astype(np.float32),
        meta={"tilt_deg": round(float(np.degrees(pitch)), 1)},
    )


def with_lost_legs_masked(recordings: list[Motion]) -> list[Motion]:
    """Return one subject's levelled recordings with everything below SpineShoulder masked where the legs were lost.

    Knee and ankle where that ankle is 20 cm above the floor (the ankles' usual height upright); the whole lower body
    and SpineMid where the trunk is shorter than 85 % of its usual length.
    """
    joined = np.concatenate([motion.positions for motion in recordings])
    left, right, base, top = recordings[0].skeleton.indices("AnkleLeft", "AnkleRight", "SpineBase", "SpineShoulder")
    upright = _is_upright(np.concatenate([_ankles_to_shoulders(motion) for motion in recordings]))
    floor = float(np.median(joined[upright][:, [left, right], 1]))
    trunk = float(np.median(np.linalg.norm(joined[upright, top] - joined[upright, base], axis=-1)))
    return [_masked(motion, floor, trunk) for motion in recordings]


def _masked(motion: Motion, floor: float, trunk: float) -> Motion:
    valid = motion.valid.copy()
    length = np.linalg.norm(motion.joint("SpineShoulder") - motion.joint("SpineBase"), axis=-1)
    shrunk = length < SHRUNK * trunk
    valid[:, motion.skeleton.indices(*LOWER_BODY)] &= ~shrunk[:, None]
    for side in ("Left", "Right"):
        lifted = motion.joint(f"Ankle{side}")[:, 1] > floor + LIFTED_M
        valid[:, motion.skeleton.indices(f"Knee{side}", f"Ankle{side}")] &= ~lifted[:, None]
    return motion.but(valid=valid)


def _ankles_to_shoulders(motion: Motion) -> NDArray[np.float64]:
    x = motion.positions.astype(np.float64)
    left, right, top = motion.skeleton.indices("AnkleLeft", "AnkleRight", "SpineShoulder")
    return x[:, top] - 0.5 * (x[:, left] + x[:, right])


def _is_upright(line: NDArray[np.float64]) -> NDArray[np.bool_]:
    length = np.linalg.norm(line, axis=-1)
    # The 95th percentile, not the longest: a jump of the sensor must not set the measure.
    return length >= UPRIGHT * np.percentile(length, 95)
