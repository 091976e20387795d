"""Bodies: height and proportions drawn, left and right alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion.skeleton import CANONICAL

# Rest offsets from the parent joint at a height of 1.70 m (metres; y up, z forward, the left side at +x). Limbs after
# Winter, Biomechanics and Motor Control (2009), table 4.1; the trunk after the canonical skeleton: spine1 11 cm, spine2
# 25 cm, spine3 30 cm, neck 50 cm and head 60 cm above the middle of the hips.
_REST = {
    "left_hip": (0.082, -0.030, 0.0),
    "spine1": (0.0, 0.080, -0.015),
    "left_knee": (0.0, -0.415, 0.0),
    "spine2": (0.0, 0.140, -0.005),
    "left_ankle": (0.0, -0.410, 0.0),
    "spine3": (0.0, 0.050, 0.005),
    "left_foot": (0.0, -0.080, 0.130),
    "neck": (0.0, 0.200, -0.010),
    "left_collar": (0.075, 0.120, -0.005),
    "head": (0.0, 0.100, 0.035),
    "left_shoulder": (0.105, 0.025, -0.005),
    "left_elbow": (0.0, -0.275, 0.0),
    "left_wrist": (0.0, -0.250, 0.0),
}
_GROUPS = (  # what varies together; the spine as one, so that people do not come out in pieces
    ("left_hip",),
    ("spine1", "spine2", "spine3"),
    ("left_knee",),
    ("left_ankle",),
    ("left_foot",),
    ("neck", "head"),
    ("left_collar", "left_shoulder"),
    ("left_elbow",),
    ("left_wrist",),
)
HEIGHTS_M = (1.50, 1.95)
PROPORTION = 0.04  # each group of bones is up to this much longer or shorter


@dataclass(frozen=True, eq=False)
class Body:
    """A body: rest offsets (22, 3) from each joint's parent in metres, standing height in metres, and a name."""

    id: str
    height: float
    offsets: NDArray[np.float64]

    def length(self, joint: str) -> float:
        """Return the length of the bone above a joint, metres."""
        return float(np.linalg.norm(self.offsets[CANONICAL.index(joint)]))

    def offset(self, joint: str) -> NDArray[np.float64]:
        """Return the rest offset (3,) of a joint from its parent, metres."""
        return self.offsets[CANONICAL.index(joint)]

    @property
    def hip_half_width(self) -> float:
        """Half the distance of the hip joints, metres."""
        return float(self.offset("left_hip")[0])

    @property
    def hip_drop(self) -> float:
        """How far the hip joints lie below the pelvis joint, metres."""
        return -float(self.offset("left_hip")[1])

    @property
    def thigh(self) -> float:
        """Hip to knee, metres."""
        return self.length("left_knee")

    @property
    def shank(self) -> float:
        """Knee to ankle, metres."""
        return self.length("left_ankle")

    @property
    def arm(self) -> float:
        """Shoulder to wrist of the straight arm, metres."""
        return self.length("left_elbow") + self.length("left_wrist")

    @property
    def ankle_height(self) -> float:
        """Height of the ankle above the ball of the foot when the foot is flat, metres."""
        return -float(self.offset("left_foot")[1])

    @property
    def foot_length(self) -> float:
        """Horizontal distance from ankle to ball of the foot, metres."""
        return float(self.offset("left_foot")[2])


def draw_body(rng: np.random.Generator) -> Body:
    """Return a body: height uniform in 1.50-1.95 m, bone groups within +-4 % of their usual share."""
    height = rng.uniform(*HEIGHTS_M)
    factors = rng.uniform(1 - PROPORTION, 1 + PROPORTION, size=len(_GROUPS))
    name = f"body-{rng.integers(1 << 40):010x}"
    return Body(name, float(height), _offsets(height / 1.70, factors))


def _offsets(scale: float, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    factor = {joint: f for group, f in zip(_GROUPS, factors, strict=True) for joint in group}
    offsets = np.zeros((len(CANONICAL), 3))
    for j, name in enumerate(CANONICAL.joint_names):
        key = name.replace("right_", "left_")
        if key in _REST:
            flip = -1.0 if name.startswith("right_") else 1.0
            offsets[j] = np.array(_REST[key]) * scale * factor[key] * (flip, 1.0, 1.0)
    return offsets
