"""Ranges of joints as cones: a bone stays within an angle of an axis of the body; only what leaves it is turned back.

Three points show no axis of a joint, so ranges are wide and each is one side of one movement: hips that extend at most
60 degrees lie within 150 degrees of straight ahead. Sources: the coordinates of the OpenSim models Rajagopal2016 (IEEE
TBME 63(10)), LaiUhlrich2022 (Uhlrich et al., PLoS Comput Biol 2023) and Pose2Sim (Pagnon et al. 2022), and the norms of
the American Academy of Orthopaedic Surgeons (AAOS, Joint Motion, 1965); widened by what clean recordings (UI-PRMD's
Vicon) and the simulator reach, and by how differently sources place pelvis, collars and feet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rehabmotion.geometry.limbs import cross, dot, turned
from rehabmotion.geometry.rotations import normalise
from rehabmotion.geometry.signal import envelope
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
SURE = 0.3  # an axis across a bone means less the nearer it lies along that bone; below this, proportionally less
UPWARDS = np.array(CANONICAL.parents).clip(0)
PELVIS = ("left_hip", "right_hip", "pelvis", "spine1")
CHEST = ("left_shoulder", "right_shoulder", "neck", "spine3")


class Body:
    """The directions in positions (T, 22, 3): bones (T, 22, 3), each from its parent, and the body's axes."""

    def __init__(self, x: Array) -> None:
        self.x = x
        self.bones = normalise(x - x[:, UPWARDS])

    def bone(self, joint: str) -> Array:
        """Return the direction (T, 3) of the bone above a joint."""
        return self.bones[:, CANONICAL.index(joint)]

    def _axes(self, left: str, right: str, low: str, high: str) -> tuple[Array, Array, Array]:
        at = [self.x[:, j] for j in CANONICAL.indices(left, right, low, high)]
        across, trunk = normalise(at[0] - at[1]), at[3] - at[2]
        up = normalise(trunk - dot(trunk, across)[:, None] * across)
        return across, up, cross(across, up)

    @cached_property
    def pelvis(self) -> tuple[Array, Array, Array]:
        """Left, up and forward (T, 3) of the pelvis."""
        return self._axes("left_hip", "right_hip", "pelvis", "spine1")

    @cached_property
    def chest(self) -> tuple[Array, Array, Array]:
        """Left, up and forward (T, 3) of the chest."""
        return self._axes("left_shoulder", "right_shoulder", "spine3", "neck")


@dataclass(frozen=True)
class Range:
    """The bone above `joint` stays within `most_deg` of an axis ({s} stands for the side).

    axis (body, sign of the side) gives directions (T, 3), in full length where they are sure. `frame`: the joints, but
    for those of the bone and the one before it, that it is made of.
    """

    name: str
    joint: str
    axis: Callable[[Body, float], Array]
    most_deg: float
    frame: tuple[str, ...] = ()


def _along(joint: str) -> Callable[[Body, float], Array]:
    return lambda body, side: body.bone(joint.format(s=_word(side)))


def _word(side: float) -> str:
    return "left" if side > 0 else "right"


def _behind_thigh(body: Body, side: float) -> Array:
    """Where a bent shank goes: backwards, at right angles to thigh and hips; unsure for a thigh along the hips."""
    return cross(body.pelvis[0], body.bone(f"{_word(side)}_knee"))


def _before_upper_arm(body: Body, side: float) -> Array:
    """Where a forearm bends with the arm turned neither in nor out: ahead of a hanging arm, carried along with it.

    The shortest arc carries it; for an arm straight up there is none, and near that the axis is unsure.
    """
    arm, (_, up, forward) = body.bone(f"{_word(side)}_elbow"), body.chest
    lifted = 1.0 - dot(arm, up)  # 2 hanging, 1 level, 0 overhead
    carried = forward - (dot(arm, forward) / np.maximum(lifted, 1e-3))[:, None] * (arm - up)
    return np.clip(2.0 * lifted - 0.5, 0.0, 1.0)[:, None] * normalise(carried)


# from the trunk outwards: what is turned carries the rest of its limb along
RANGES = (
    Range("spine_bend_lower", "spine2", _along("spine1"), 60.0),  # Vicon reaches 34; three joints share AAOS' 80
    Range("spine_bend_middle", "spine3", _along("spine2"), 60.0),
    Range("spine_bend_upper", "neck", _along("spine3"), 60.0),
    Range("neck_bend", "head", _along("neck"), 80.0),  # AAOS 45; the line from neck to ear leans forward by itself
    Range("hip_extension", "{s}_knee", lambda b, s: b.pelvis[2], 90.0 + 60.0, PELVIS),  # Rajagopal 30; joint's tilt 20
    Range("hip_adduction", "{s}_knee", lambda b, s: s * b.pelvis[0], 90.0 + 45.0, PELVIS),  # Rajagopal 30
    Range("hip_abduction", "{s}_knee", lambda b, s: -s * b.pelvis[0], 90.0 + 80.0, PELVIS),  # 50; flexed hips more
    Range("hip_flexion", "{s}_knee", lambda b, s: -b.pelvis[1], 150.0, PELVIS),  # Rajagopal 120; Kinect's pelvis more
    Range("knee_extension", "{s}_ankle", _behind_thigh, 90.0 + 5.0, PELVIS),  # Rajagopal 0, AAOS up to 10
    Range("knee_flexion", "{s}_ankle", _along("{s}_knee"), 160.0),  # LaiUhlrich 140, Pose2Sim 155
    Range("ankle_dorsiflexion", "{s}_foot", _along("{s}_ankle"), 120.0),  # Rajagopal 30, from 60 to 75 at rest
    Range("shoulder_extension", "{s}_elbow", lambda b, s: b.chest[2], 90.0 + 75.0, CHEST),  # AAOS 60, the blade more
    Range("shoulder_adduction", "{s}_elbow", lambda b, s: s * b.chest[0], 90.0 + 75.0, CHEST),  # AAOS 45, the blade
    Range("elbow_extension", "{s}_wrist", _before_upper_arm, 90.0 + 30.0, CHEST),  # 0; bent arms turn in by 70
    Range("elbow_flexion", "{s}_wrist", _along("{s}_elbow"), 170.0),  # Rajagopal 150; hands behind the head 167
)
# (range, sign of the side, its name, its joint): middle ones once
ALL = tuple(
    (one, side, one.name if "{s}" not in one.joint else f"{_word(side)}_{one.name}", one.joint.format(s=_word(side)))
    for one in RANGES
    for side in ((1.0, -1.0) if "{s}" in one.joint else (1.0,))
)
MOST = np.radians([one.most_deg for one, *_ in ALL])
JOINTS = np.array([CANONICAL.index(joint) for *_, joint in ALL])
# what must be seen: the bone, the one before it, and the axes
NEEDED = [[j, UPWARDS[j], UPWARDS[UPWARDS[j]], *CANONICAL.indices(*ALL[i][0].frame)] for i, j in enumerate(JOINTS)]
BELOW: dict[int, list[int]] = {}  # a joint and all that hangs on it
for _j in reversed(CANONICAL.order):
    BELOW[_j] = [_j, *(k for c, p in enumerate(CANONICAL.parents) if p == _j for k in BELOW[c])]


def excesses(body: Body, rows: list[int]) -> tuple[Array, Array]:
    """Return by how much the ranges of `rows` of ALL are exceeded (R, T), radians, and about what to turn back."""
    axis = np.stack([ALL[row][0].axis(body, ALL[row][1]) for row in rows])
    bone = body.bones[:, JOINTS[rows]].transpose(1, 0, 2)
    length = np.sqrt(dot(axis, axis))
    across = cross(bone, axis)
    sine = np.sqrt(dot(across, across))
    sure = np.clip(length / SURE, 0.0, 1.0) * (dot(bone, bone) > 0.5)
    excess = sure * np.maximum(np.arctan2(sine, dot(bone, axis)) - MOST[rows, None], 0.0)
    return excess, across / np.maximum(sine, 1e-12)[..., None]


def exceeded_deg(x: Array, valid: Mask) -> dict[str, Array]:
    """Return by how much each range is exceeded (T,), degrees, by name; positions (T, 22, 3), valid (T, 22)."""
    excess, _ = excesses(Body(x), list(range(len(ALL))))
    return {name: np.degrees(excess[i]) * valid[:, NEEDED[i]].all(axis=1) for i, (_, _, name, _) in enumerate(ALL)}


def within_limits(x: Array, valid: Mask, fps: float, blend: float) -> tuple[Array, dict[str, float]]:
    """Return positions (T, 22, 3) inside all ranges, and the largest excess met by name, degrees.

    Where a range is exceeded the bone and all beyond it turn about the joint by no less than the excess; the turn sets
    in and ends over `blend` seconds. Frames further away from a violation are not touched.
    """
    body, found = Body(x), {}
    suspects = np.flatnonzero((excesses(body, list(range(len(ALL))))[0] > 1e-6).any(axis=1))
    moved: set[int] = set()
    for row in range(len(ALL)):
        if row not in suspects and not moved & {*NEEDED[row]}:
            continue
        excess, across = (part[0] for part in excesses(body, [row]))
        excess = excess * valid[:, NEEDED[row]].all(axis=1)
        if not (excess > 1e-6).any():
            continue
        found[ALL[row][2]] = float(np.degrees(excess.max()))
        # one smooth axis, weighted by need: a bone that points straight away has a direction back that flickers
        about = gaussian_filter1d(excess[:, None] * across, blend * fps, axis=0, mode="nearest")
        turn, chain = envelope(excess, fps, blend), BELOW[int(JOINTS[row])]
        y, centre = body.x.copy(), body.x[:, UPWARDS[JOINTS[row]], None]
        y[:, chain] = centre + turned(y[:, chain] - centre, normalise(about, least=1e-12)[:, None], turn[:, None])
        body, moved = Body(y), moved | {*chain}
    return body.x, found
