"""The skeletal layer: from what a network says to where joints and markers are, relative to the root."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.models.direct.targets import Estimate, Targets


@dataclass(frozen=True)
class Places:
    """Joint centres (..., J, 3), the root's first, then ends; markers (..., M, 3): m, relative to the root's centre."""

    joints: Tensor
    markers: Tensor


class SkeletalLayer(nn.Module):
    """Estimates -> places, differentiable, without weights.

    The root's rotation stands for that of the root's body (the pelvis), in whatever frame it is given; coordinates of
    the root's joint are not used. Locked coordinates stay at their defaults, driven ones follow their couplers.
    Computes in single precision, inside autocast too: a half would round a leg to a millimetre.
    """

    chosen: Tensor
    rows: Tensor
    start: Tensor

    def __init__(self, targets: Targets, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.targets = targets
        model = targets.model
        self.kinematics = Kinematics(model, dtype)
        self.root = 1 + [body.name for body in model.bodies].index(targets.root.child.body)
        first = model.joints.index(targets.root)
        joints = [first, *(i for i in range(len(model.joints)) if i != first)]
        self.joint_names = tuple(model.joints[i].name for i in joints)
        names = self.kinematics.names
        self.register_buffer("chosen", torch.tensor([names.index(n) for n in targets.coordinates]), persistent=False)
        self.register_buffer("rows", torch.tensor([model.order.index(i) for i in joints]), persistent=False)
        start = torch.tensor([c.default for c in model.coordinates], dtype=dtype)
        self.register_buffer("start", start, persistent=False)

    @property
    def n_joints(self) -> int:
        """How many joints there are, ends included."""
        return len(self.joint_names) + self.targets.n_ends

    @property
    def n_markers(self) -> int:
        """How many markers there are."""
        return len(self.targets.model.markers) - self.targets.n_ends

    def forward(self, estimate: Estimate) -> Places:
        """Return the places for an estimate with tied scale factors."""
        return self.places(estimate.root, estimate.coordinates, self.targets.ties.spread(estimate.scales))

    def places(self, root: Tensor, coordinates: Tensor, scales: Tensor) -> Places:
        """Return the places for rotations (..., 3, 3), coordinates (..., C), and factors of bodies (..., B, 3)."""
        if coordinates.shape[-1] != len(self.targets.coordinates):
            raise UserError(f"Expected {len(self.targets.coordinates)} coordinates, got {coordinates.shape[-1]}.")
        lead = coordinates.shape[:-1]
        if root.shape != (*lead, 3, 3) or scales.shape[:-2] != lead:
            raise UserError(
                f"Expected rotations, scales and coordinates of the same frames, got {tuple(root.shape)}, "
                f"{tuple(scales.shape)} and {tuple(coordinates.shape)}."
            )
        with torch.autocast(coordinates.device.type, enabled=False):
            points = self._points(*(x.to(self.start.dtype) for x in (root, coordinates, scales)))
        joints, markers, ends = points.split([len(self.joint_names), self.n_markers, self.targets.n_ends], dim=-2)
        return Places(torch.cat([joints, ends], dim=-2), markers)

    def _points(self, root: Tensor, coordinates: Tensor, scales: Tensor) -> Tensor:
        """Return all points (..., J + M, 3) relative to the root."""
        lead = coordinates.shape[:-1]
        q = self.start.expand(*lead, -1).index_copy(-1, self.chosen, coordinates)
        flat, factors, _ = self.kinematics.flat(q, scales)
        state = self.kinematics.state(flat, factors)
        centres = state.centre[:, self.rows]
        points = torch.cat([centres, self.kinematics.points(state, factors)], dim=1) - centres[:, :1]
        turned = root.reshape(-1, 3, 3) @ state.rotation[:, :, self.root].permute(2, 1, 0)  # R_root inverse(R_now)
        return (points.permute(2, 1, 0) @ turned.transpose(1, 2)).reshape(*lead, -1, 3)
