"""A motion as a rig: each joint a rotation in its parent's axes, at a rest offset or, where it leaves that, at a place.

For what stores a tree of rotations (BVH, glTF); forward kinematics of the rig gives the positions back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion.joint_frames import joint_frames
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.skeleton import Skeleton

Array = NDArray[np.floating]
RIGID_M = 1e-4  # a joint that stays this near to its offset needs no place of its own


@dataclass(frozen=True)
class Rig:
    """Rotations from joint positions, for a skeleton of J joints over T frames; metres.

    frames (T, J, 3, 3): each joint's axes in the world; rotations (T, J, 3, 3): in its parent's axes. Both are the
    identity at rest: upright, arms to the sides, facing +z. offsets (J, 3): the joint's rest place in its parent's
    axes, zero for a root. places (T, J, 3): its true place there. rigid (J,): the offset says it within 0.1 mm.
    """

    skeleton: Skeleton
    frames: Array
    rotations: Array
    offsets: Array
    places: Array
    rigid: NDArray[np.bool_]

    def positions(self) -> Array:
        """Return where the rig puts the joints (T, J, 3): rigid ones by their offsets, the others by their places."""
        at = np.where(self.rigid[:, None], self.offsets, self.places)
        for joint in self.skeleton.order:
            parent = self.skeleton.parents[joint]
            if parent >= 0:
                at[:, joint] = at[:, parent] + np.einsum("tab,tb->ta", self.frames[:, parent], at[:, joint])
        return at


def rig(motion: Motion) -> Rig:
    """Return the rig of a motion. Placeholders of missing joints are carried like any other joint.

    A child makes good, in its place, what its parent's offset lacks, so errors do not add up along a limb.
    """
    frames, target = joint_frames(motion), motion.positions.astype(np.float64)
    reached = target.copy()  # where the rig puts each joint
    rotations, places = frames.copy(), target.copy()
    offsets, rigid = np.zeros((len(motion.skeleton), 3)), np.zeros(len(motion.skeleton), dtype=bool)
    for joint in motion.skeleton.order:
        parent = motion.skeleton.parents[joint]
        if parent < 0:
            continue
        rotations[:, joint] = np.swapaxes(frames[:, parent], 1, 2) @ frames[:, joint]
        place = np.einsum("tba,tb->ta", frames[:, parent], target[:, joint] - reached[:, parent])
        seen = motion.valid[:, joint] & motion.valid[:, parent]
        offsets[joint] = np.median(place[seen] if seen.any() else place, axis=0)
        rigid[joint] = np.abs(place - offsets[joint]).max() <= RIGID_M
        if rigid[joint]:
            reached[:, joint] = reached[:, parent] + frames[:, parent] @ offsets[joint]
        places[:, joint] = place
    return Rig(motion.skeleton, frames, rotations, offsets, places, rigid)
