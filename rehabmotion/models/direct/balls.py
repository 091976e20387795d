"""Joints that turn freely: their rotation, read as the coordinates of the model."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rehabmotion.biomech.description import Joint
from rehabmotion.biomech.functions import Linear
from rehabmotion.models.direct.rotations import SIX_OF_NO_TURN, euler_of_matrix, matrix_of_six
from rehabmotion.models.direct.targets import Targets, as_buffer


class BallJoints(nn.Module):
    """Six numbers a joint (..., N, 6) -> its three coordinates (..., N, 3) rad.

    coordinates: their numbers among the targets', in threes. With axes a1, a2, a3 at right angles, R = R(a1, q1)
    R(a2, q2) R(a3, q3) is an x-y-z sequence in their frame; where they are left-handed, of the negative angles. Of the
    two sets of angles a rotation has, the one that exceeds the ranges less is taken.
    """

    frame: Tensor
    sign: Tensor
    middle: Tensor
    reach: Tensor

    def __init__(self, targets: Targets) -> None:
        super().__init__()
        found = [(joint, axes) for joint in targets.model.joints if (axes := _axes(joint, targets)) is not None]
        names = [a.coordinate for joint, _ in found for a in joint.rotations]
        self.coordinates = [targets.coordinates.index(str(name)) for name in names]
        frame = torch.stack([axes for _, axes in found]) if found else torch.zeros(0, 3, 3)
        self.register_buffer("frame", frame, persistent=False)
        self.register_buffer("sign", torch.linalg.det(frame).sign()[:, None], persistent=False)
        for name, numbers in (("middle", targets.middle), ("reach", targets.half)):
            mine = as_buffer(tuple(numbers[i] for i in self.coordinates)).reshape(-1, 3)
            self.register_buffer(name, mine, persistent=False)

    def __len__(self) -> int:
        return len(self.frame)

    def forward(self, six: Tensor) -> Tensor:
        """Return the coordinates for six numbers; nothing said is no turn."""
        return self.angles(matrix_of_six(six + six.new_tensor(SIX_OF_NO_TURN)))

    def angles(self, rotation: Tensor) -> Tensor:
        """Return the coordinates (..., N, 3) of rotations (..., N, 3, 3)."""
        one = self.sign * euler_of_matrix(self.frame.transpose(-1, -2) @ rotation @ self.frame)
        two = torch.stack([one[..., 0] + math.pi, math.pi - one[..., 1], one[..., 2] + math.pi], dim=-1)
        one, two = self._near(one), self._near(two)
        better = self._excess(two) < self._excess(one) - 1e-6
        return torch.where(better[..., None], two, one)

    def _near(self, angles: Tensor) -> Tensor:
        """Return the angles within half a turn of the middle of their range."""
        whole = 2 * math.pi
        return angles + whole * ((self.middle - angles) / whole).round()

    def _excess(self, angles: Tensor) -> Tensor:
        return ((angles - self.middle).abs() - self.reach).clamp(min=0).sum(dim=-1).detach()


def _axes(joint: Joint, targets: Targets) -> Tensor | None:
    """Return the axes of a joint as columns (3, 3), turned so that angles are the coordinates; None: it is no ball."""
    names = [axis.coordinate for axis in joint.rotations]
    if len(set(names)) < 3 or not set(names) <= set(targets.coordinates):
        return None
    columns = []
    for axis in joint.rotations:
        if not isinstance(axis.function, Linear) or axis.function.b != 0 or abs(axis.function.a) != 1:
            return None
        direction = torch.tensor(axis.direction, dtype=torch.float64)
        columns.append(axis.function.a * direction / torch.linalg.vector_norm(direction))
    frame = torch.stack(columns, dim=1)
    square = torch.allclose(frame.T @ frame, torch.eye(3, dtype=torch.float64), atol=1e-6)
    return frame.float() if square else None
