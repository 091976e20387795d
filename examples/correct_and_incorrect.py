"""How deep people squat when told to do it well and when told to do it badly: UI-PRMD. Needs REHABMOTION_DATA.

Prints:
correct    80 squats, knees bent to 125 degrees (median)
incorrect  80 squats, knees bent to 108 degrees (median)
"""

import numpy as np

from rehabmotion.data.prepare import prepared
from rehabmotion.motion import Motion


def knee_degrees(motion: Motion) -> float:
    """Return the largest flexion of the left knee, degrees."""
    hip, knee, ankle = (motion.joint(f"left_{name}") for name in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    cosine = (thigh * shank).sum(axis=-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shank, axis=-1)
    return float(np.degrees(np.arccos(cosine)).max())


squats = [motion for motion in prepared("uiprmd") if motion.meta["exercise"] == "deep_squat"]
for name, value in (("correct", 1), ("incorrect", 0)):
    angles = [knee_degrees(motion) for motion in squats if motion.scores[0].value == value]
    print(f"{name:10} {len(angles)} squats, knees bent to {np.median(angles):.0f} degrees (median)")
