"""Which of the two sets of angles that a ball joint's rotation has is meant, and where neither can be told.

Solved motion takes either by where it came from: an arm raised in front is (173, -48, 56) degrees for one person of
UI-PRMD and (14, -130, -64) for another. A network would have to guess which, and a pipeline that guesses the other
would seem wrong by 180 degrees. So labels are read in one way, in ranges that hold it, and answers in the nearer one.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from rehabmotion.biomech.description import Model
from rehabmotion.models.direct.balls import BallJoints
from rehabmotion.models.direct.rotations import matrix_of_euler
from rehabmotion.models.direct.targets import Targets

NEAR = 0.26  # cosine: within 15 degrees of a quarter turn of the middle angle, the outer two turn about one axis


def widened(model: Model) -> Model:
    """Return the model with shoulders whose ranges hold one way to read every rotation: a quarter turn in the middle.

    Solved motion keeps to the model's own ranges, which cut that way short: a hand at the hip is (-33, -42, -124).
    """
    joints = []
    for joint in model.joints:
        names = [axis.coordinate for axis in joint.rotations]
        if joint.child.body.startswith("humerus") and len(joint.coordinates) == 3:
            each = [replace(c, range=_wide(c.range, names.index(c.name) == 1)) for c in joint.coordinates]
            joint = replace(joint, coordinates=tuple(each))
        joints.append(joint)
    return replace(model, joints=tuple(joints))


def _wide(limits: tuple[float, float], middle: bool) -> tuple[float, float]:
    if middle:
        return -math.pi / 2, math.pi / 2
    centre = sum(limits) / 2
    return centre - math.pi, centre + math.pi


class Branches:
    """The ball joints of what is asked for: coordinates (..., C) rad read in one way, rotations (..., N, 3, 3)."""

    def __init__(self, targets: Targets) -> None:
        self.balls = BallJoints(targets)

    def rotations(self, coordinates: Tensor) -> Tensor:
        """Return the rotations of the ball joints."""
        frame, angles = self.balls.frame, self._triples(coordinates)
        return frame @ matrix_of_euler(self.balls.sign * angles) @ frame.transpose(-1, -2)

    def one(self, coordinates: Tensor) -> Tensor:
        """Return the coordinates with ball joints' middle angles within a quarter turn, if ranges hold that."""
        read = coordinates.clone()
        read[..., self.balls.coordinates] = self.balls.angles(self.rotations(coordinates)).flatten(-2)
        return read

    def nearest(self, coordinates: Tensor, truth: Tensor) -> Tensor:
        """Return the coordinates with ball joints read in that of their sets, whole turns added, nearest the truth."""
        one, goal = self.balls.angles(self.rotations(coordinates)), self._triples(truth)
        two = torch.stack([one[..., 0] + math.pi, math.pi - one[..., 1], one[..., 2] + math.pi], dim=-1)
        one, two = (x + 2 * math.pi * ((goal - x) / (2 * math.pi)).round() for x in (one, two))
        far, near = ((x - goal).abs().sum(dim=-1, keepdim=True) for x in (one, two))
        read = coordinates.clone()
        read[..., self.balls.coordinates] = torch.where(near < far, two, one).flatten(-2)
        return read

    def told(self, coordinates: Tensor) -> Tensor:
        """Return which coordinates (..., C) are told: the outer two of a ball joint are not near its lock."""
        known = torch.ones_like(coordinates, dtype=torch.bool)
        free = self._triples(coordinates)[..., 1].cos().abs() > NEAR
        middle = torch.ones_like(free)
        known[..., self.balls.coordinates] = torch.stack([free, middle, free], dim=-1).flatten(-2)
        return known

    def _triples(self, coordinates: Tensor) -> Tensor:
        return coordinates[..., self.balls.coordinates].unflatten(-1, (len(self.balls), 3))
