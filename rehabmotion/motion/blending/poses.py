"""Poses as they are blended: the pelvis and the ankles in the world, every other bone in the frame it hangs from.

Spine bones are kept relative to the pelvis, arms and head relative to the upper trunk, so that arms raised at the
sides stay at the sides of a trunk that leans. The legs are kept by where the ankles stand: knees follow from the two
bones between hip and ankle, and a foot that is to stay stays exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.limbs import two_bones
from rehabmotion.geometry.rotations import frame_from, normalise, yaw_matrix
from rehabmotion.motion.blending.parts import PARTS
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]

HIPS, KNEES, ANKLES, TOES = (CANONICAL.indices(f"left_{n}", f"right_{n}") for n in ("hip", "knee", "ankle", "foot"))
COLLARS = CANONICAL.indices("left_collar", "right_collar")
PELVIS, SPINE1, SPINE3, NECK = CANONICAL.indices("pelvis", "spine1", "spine3", "neck")
SPINE = CANONICAL.indices(*PARTS["spine"])
UPRIGHT = 1.0  # of an arm's frame: people lift arms against gravity, and let them hang, however far the trunk leans
UPPER = CANONICAL.indices(*PARTS["head"], *PARTS["left_arm"], *PARTS["right_arm"])


@dataclass(frozen=True)
class Poses:
    """Poses over time.

    root (T, 3) and ankles (T, 2, 3), metres, in the world; pelvis (T, 3, 3) its frame; bends (T, 2, 3) from the line
    hip to ankle to the knee, metres; directions (T, 22, 3) of the bone above each joint, unit vectors: hips and spine
    in the frame of the pelvis, arms and head in that of the upper trunk, feet in the world, knees and ankles unused.
    """

    root: Array
    pelvis: Array
    ankles: Array
    bends: Array
    directions: Array

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> Poses:
        return Poses(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: NDArray[np.intp], poses: Poses) -> None:
        """Write poses in the place of some rows."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(poses, f.name)

    def placed(self, yaw: float, shift: Array) -> Poses:
        """Return the poses turned by `yaw` radians about the vertical axis, then shifted by `shift` (3,) metres."""
        turn = yaw_matrix(yaw)
        directions = self.directions.copy()
        directions[:, TOES] = directions[:, TOES] @ turn.T
        ankles, root = self.ankles @ turn.T + shift, self.root @ turn.T + shift
        return Poses(root, turn @ self.pelvis, ankles, self.bends @ turn.T, directions)

    def heading(self) -> Array:
        """Return the angle (T,) radians about the vertical axis by which the pelvis is turned from facing +z."""
        across = self.pelvis[:, :, 1]  # from the right hip to the left one
        return np.arctan2(-across[:, 2], across[:, 0])


def pelvis_frame(x: Array) -> Array:
    """Return the frames (T, 3, 3) of the pelvis: y to the left along the hips, x up the lowest bone of the spine.

    That bone, not the short ones between pelvis and hips, says how far the pelvis is tilted: a sensor's hips jump.
    """
    return frame_from(x[:, HIPS[0]] - x[:, HIPS[1]], x[:, SPINE1] - x[:, PELVIS])


def trunk_frame(x: Array) -> Array:
    """Return the frames (T, 3, 3) of the upper trunk: y up, x to the left along the collars.

    Up is between the vertical (the share UPRIGHT of the way) and the line from the middle of the back to the neck.
    """
    up = (1 - UPRIGHT) * normalise(x[:, NECK] - x[:, SPINE3]) + np.array([0.0, UPRIGHT, 0.0])
    return frame_from(up, x[:, COLLARS[0]] - x[:, COLLARS[1]])


def take_apart(positions: NDArray[np.floating]) -> Poses:
    """Return the poses of positions (T, 22, 3), metres; put_together with the same bones gives them back."""
    x = np.array(positions, np.float64)  # a copy: poses are changed in place
    pelvis, trunk = pelvis_frame(x), trunk_frame(x)
    directions = normalise(x - x[:, [max(p, 0) for p in CANONICAL.parents]])
    for joints, frame in ((HIPS, pelvis), (SPINE, pelvis), (UPPER, trunk)):
        directions[:, joints] = np.einsum("tba,tjb->tja", frame, directions[:, joints])
    line = normalise(x[:, ANKLES] - x[:, HIPS])
    thigh = x[:, KNEES] - x[:, HIPS]
    bends = thigh - (thigh * line).sum(axis=-1, keepdims=True) * line
    return Poses(x[:, PELVIS], pelvis, x[:, ANKLES], bends, directions)


def hips_of(poses: Poses, lengths: Array) -> Array:
    """Return where the hips are (T, 2, 3), metres."""
    bones = np.einsum("tab,tjb->tja", poses.pelvis, poses.directions[:, HIPS])
    return poses.root[:, None] + bones * lengths[HIPS][:, None]


def put_together(poses: Poses, lengths: Array) -> Array:
    """Return positions (T, 22, 3), metres, with bone lengths (22,): constant by construction.

    An ankle out of the leg's reach is left behind: the leg then points to it.
    """
    x = np.zeros((len(poses), len(CANONICAL), 3))
    x[:, PELVIS] = poses.root
    x[:, HIPS] = hips_of(poses, lengths)
    x[:, KNEES], x[:, ANKLES] = _legs(x[:, HIPS], poses, lengths)
    x[:, TOES] = x[:, ANKLES] + poses.directions[:, TOES] * lengths[TOES][:, None]
    _hang(x, SPINE, poses.pelvis, poses.directions, lengths)
    _hang(x, UPPER, trunk_frame(x), poses.directions, lengths)
    return x


def _hang(x: Array, joints: list[int], frame: Array, directions: Array, lengths: Array) -> None:
    """Place joints below their parents; in the order of the skeleton parents come first."""
    for joint in (j for j in CANONICAL.order if j in joints):
        bone = np.einsum("tab,tb->ta", frame, directions[:, joint])
        x[:, joint] = x[:, CANONICAL.parents[joint]] + lengths[joint] * bone


def _legs(hips: Array, poses: Poses, lengths: Array) -> tuple[Array, Array]:
    """Return knees and ankles (T, 2, 3): two bones from hip to ankle, bent the way `bends` says, or forwards."""
    knees, ankles = np.empty_like(hips), np.empty_like(hips)
    line = normalise(poses.ankles - hips)
    across = poses.bends - (poses.bends * line).sum(axis=-1, keepdims=True) * line
    straight = np.linalg.norm(across, axis=-1, keepdims=True) < 1e-6
    bends = np.where(straight, -poses.pelvis[:, None, :, 2], across)
    for i in (0, 1):
        thigh, shank = float(lengths[KNEES[i]]), float(lengths[ANKLES[i]])
        upper, lower = two_bones(hips[:, i], poses.ankles[:, i], thigh, shank, bends[:, i])
        knees[:, i] = hips[:, i] + thigh * upper
        ankles[:, i] = knees[:, i] + shank * lower
    return knees, ankles
