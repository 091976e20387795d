"""Standing quietly: what a person does where a plan asks for nothing. Nobody stands still: there is a little sway."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion.blending.clip import ANKLE
from rehabmotion.motion.blending.poses import ANKLES, HIPS, KNEES, SPINE, TOES, UPPER, Poses, hips_of
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]

# Directions of bones of a standing adult in the frames of Poses, left side: medians over the first frames of UI-PRMD's
# training people before they raise an arm or a leg (180 clips), left and right averaged. The right side is its mirror.
_LEFT = {
    "left_hip": (-0.378, 0.920, 0.101),
    "left_shoulder": (0.793, 0.605, 0.070),
    "left_elbow": (0.220, -0.975, 0.012),
    "left_wrist": (0.110, -0.944, 0.300),
}
OUT = 0.11  # of a foot's direction sideways, over that forwards
WIDTH = 0.22  # metres between the ankles
BEHIND = 0.06  # metres from the pelvis back to the ankles
EXTENDED = 0.99  # of thigh and shank: the rest is what sway needs
WIDEST, NARROWEST, STAGGER = 0.40, 0.10, 0.12  # metres; feet that stand so are left where they are
_SWAY_M = np.array([0.005, 0.0, 0.004])  # of the pelvis: standard deviations sideways, vertically, forwards
_SWAY = ((SPINE, 0.004), (UPPER, 0.010))  # of directions, radians
_HZ = (0.11, 0.19, 0.31, 0.43)  # quiet stance sways below half a hertz


def standing_pose(own: Poses, lengths: Array, spread: Array | None = None) -> Poses:
    """Return one pose (T = 1) of standing upright, facing +z, the pelvis above the origin.

    The spine, its tilt and the head are the mean of the poses `own` (T) of the person; arms hang, knees are all but
    straight. spread (2,): x and z from the right to the left ankle, metres; by default the feet stand side by side.
    """
    directions = normalise(own.directions.mean(axis=0))[None]
    for left, value in _LEFT.items():
        j = CANONICAL.index(left)
        over = np.array([1.0, -1.0, 1.0]) if j in HIPS else np.array([-1.0, 1.0, 1.0])  # y is to the left in the pelvis
        directions[0, j] = normalise(np.array(value))
        directions[0, CANONICAL.mirror_order[j]] = over * directions[0, j]
    directions[0, TOES] = _flat_feet(lengths)
    apart = np.array([WIDTH, 0.0]) if spread is None else spread
    ankles = np.array([[[0.5, 0.0, 0.5]], [[-0.5, 0.0, -0.5]]])[:, 0] * np.array([apart[0], 0.0, apart[1]])
    ankles += np.array([0.0, ANKLE, -BEHIND])
    bends = np.array([[[0.01, 0.0, 0.05], [-0.01, 0.0, 0.05]]])
    pose = Poses(np.zeros((1, 3)), _upright(own), ankles[None], bends, directions)
    reach = hips_of(pose, lengths)[0] - ankles
    high = np.sqrt((EXTENDED * (lengths[KNEES] + lengths[ANKLES])) ** 2 - (reach[:, [0, 2]] ** 2).sum(axis=-1))
    pose.root[0, 1] = (high - reach[:, 1]).min()
    return pose


def _flat_feet(lengths: Array) -> Array:
    """Return the directions (2, 3) of feet whose balls touch the floor below ankles ANKLE high, turned out a little."""
    down = np.minimum(ANKLE / lengths[TOES], 0.9)
    ahead = np.sqrt((1 - down**2) / (1 + OUT**2))
    return np.stack([OUT * ahead * np.array([1.0, -1.0]), -down, ahead], axis=-1)


def _upright(own: Poses) -> Array:
    """Return the frame (1, 3, 3) of a level pelvis facing +z, tilted as the person's is on average."""
    tilt = float(np.median(np.arctan2(_forward(own), own.pelvis[:, 1, 0])))
    up, left = np.array([0.0, np.cos(tilt), np.sin(tilt)]), np.array([1.0, 0.0, 0.0])
    return np.stack([up, left, np.cross(up, left)], axis=-1)[None]


def _forward(own: Poses) -> Array:
    """Return how far forward (T,) the pelvis' upward axis leans: along the horizontal at right angles to the hips."""
    across = own.pelvis[:, :, 1]
    ahead = normalise(np.stack([-across[:, 2], np.zeros(len(own)), across[:, 0]], axis=-1))
    return (own.pelvis[:, :, 0] * ahead).sum(axis=-1)


def spread_of(pose: Poses) -> Array:
    """Return x and z (2,) from the right to the left ankle of the first pose, as seen by somebody facing +z, metres."""
    turned = pose[:1].placed(-float(pose.heading()[0]), np.zeros(3))
    return (turned.ankles[0, 0] - turned.ankles[0, 1])[[0, 2]]


def stands_easily(pose: Poses) -> bool:
    """Return whether the feet of the first pose stand side by side on the floor, as in quiet stance."""
    x, z = spread_of(pose)
    low = pose.ankles[0, :, 1] < ANKLE + 0.05
    return bool(low.all() and NARROWEST <= x <= WIDEST and abs(z) <= STAGGER)


@dataclass(frozen=True)
class Quiet:
    """One pose kept from `start` to `end` seconds, with a sway that `phases` (n, 4) in radians decide."""

    pose: Poses
    start: float
    end: float
    phases: Array
    upright: bool = True  # standing; else lying or on hands and feet

    @classmethod
    def draw(cls, pose: Poses, start: float, end: float, rng: np.random.Generator, upright: bool = True) -> Quiet:
        """Return it with phases drawn from `rng`."""
        phases = rng.uniform(0, 2 * np.pi, (3 + 3 * len(CANONICAL), len(_HZ)))
        return cls(pose, start, end, phases, upright)

    def but(self, pose: Poses) -> Quiet:
        """Return the same sway of another pose."""
        return replace(self, pose=pose)

    def poses(self, times: Array) -> Poses:
        """Return the poses at times (T,) of the plan; the feet do not move."""
        still = self.pose[np.zeros(len(times), dtype=np.intp)]
        angles = 2 * np.pi * np.array(_HZ) * times[:, None]
        sway = np.sqrt(2 / len(_HZ)) * np.sin(angles[:, None] + self.phases).sum(axis=-1)  # (T, n), variance 1
        directions = still.directions.copy()
        by = sway[:, 3:].reshape(len(times), len(CANONICAL), 3)
        for joints, size in _SWAY:
            directions[:, joints] = normalise(directions[:, joints] + size * by[:, joints])
        return Poses(still.root + _SWAY_M * sway[:, :3], still.pelvis, still.ankles, still.bends, directions)
