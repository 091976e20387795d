"""Another body of the same 22 joints, brought to move as a motion does: its shape by bone lengths, then its pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rehabmotion.errors import UserError
from rehabmotion.geometry.kinematics import place_joints, reach
from rehabmotion.geometry.rotations import normalise, shortest_arc
from rehabmotion.motion.joint_frames import joint_frames
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.retarget import bone_lengths
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
BONE_M = 0.005  # how exactly a bone's length is known, metres, beside a shape of deviation 1


@dataclass(frozen=True)
class BodyShape:
    """Canonical joints at rest as a linear family: rest (22, 3) + directions (22, 3, B) @ betas (B,), metres.

    At rest the body stands in a T-pose, y up, facing +z; betas have mean 0 and deviation 1 over people.
    """

    rest: Array
    directions: Array

    def joints(self, betas: Array) -> Array:
        """Return the joints (22, 3) of a person at rest."""
        return self.rest + self.directions @ betas


@dataclass(frozen=True)
class BodyFit:
    """betas (B,); rotations (T, 22, 3, 3) in the parent's axes; root (T, 3); where that puts the joints (T, 22, 3)."""

    betas: Array
    rotations: Array
    root: Array
    positions: Array


def fit_body(motion: Motion, shape: BodyShape) -> BodyFit:
    """Return the shape and pose whose joints are nearest to those of a canonical motion, over valid joints.

    The pose begins with the frames of `joint_frames`, which settle twist, and is then moved by least squares. Another
    skeleton, or none of the joints ever valid, raises UserError.
    """
    if motion.skeleton != CANONICAL:
        raise UserError(f"Expected the {len(CANONICAL)} canonical joints for a body model, got {len(motion.skeleton)}.")
    lengths = bone_lengths(motion.positions, motion.valid)
    if not (lengths > 0).any():
        raise UserError("Expected bones with both ends valid in some frame, got none.")
    betas = fit_betas(lengths, shape)
    rest = shape.joints(betas)
    parents = CANONICAL.parents
    offsets = rest - rest[list(parents)]
    x = motion.positions.astype(np.float64)
    frames = _first_frames(x, joint_frames(motion), offsets)
    local = np.stack(
        [frames[:, j] if p < 0 else np.swapaxes(frames[:, p], 1, 2) @ frames[:, j] for j, p in enumerate(parents)], 1
    )
    local, root = reach(local, offsets, x[:, 0], parents, x, motion.valid.astype(float))
    return BodyFit(betas, local, root, place_joints(local, offsets, root, parents)[0])


def fit_betas(lengths: Array, shape: BodyShape) -> Array:
    """Return betas (B,) for bone lengths (22,), metres, 0 where unknown: maximum a posteriori, each beta N(0, 1)."""
    known = [joint for _, joint in CANONICAL.bones if lengths[joint] > 0]
    above = [CANONICAL.parents[joint] for joint in known]

    def residuals(betas: Array) -> Array:
        joints = shape.joints(betas)
        bones = np.linalg.norm(joints[known] - joints[above], axis=1)
        return np.concatenate([(bones - lengths[known]) / BONE_M, betas])

    return np.asarray(least_squares(residuals, np.zeros(shape.directions.shape[-1])).x)


def _first_frames(x: Array, frames: Array, offsets: Array) -> Array:
    """World rotations (T, 22, 3, 3): those of our own rest pose, swung so that the other body's bones point as seen."""
    out = frames.copy()
    for joint in range(len(CANONICAL)):
        children = [child for child, parent in enumerate(CANONICAL.parents) if parent == joint]
        if len(children) == 1:
            bone, rest = normalise(x[:, children[0]] - x[:, joint]), normalise(offsets[children[0]])
            swung = shortest_arc(normalise(frames[:, joint] @ rest), bone) @ frames[:, joint]
            out[:, joint] = np.where(np.linalg.norm(bone, axis=-1)[:, None, None] > 0, swung, frames[:, joint])
    return out
