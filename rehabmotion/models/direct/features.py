"""What the frame network says of a frame, as one row of numbers for the sequence network, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.direct.layer import Places, SkeletalLayer
from rehabmotion.models.direct.targets import Estimate


class FrameFeatures:
    """Rows in the paper's order: joints, markers, scales of bodies, the root's rotation row by row, coordinates.

    positions: without, joints and markers are left out. width: how many numbers a row has.
    """

    def __init__(self, layer: SkeletalLayer, positions: bool = True) -> None:
        self.targets, self.positions = layer.targets, positions
        n_bodies, n_coordinates = len(self.targets.model.bodies), len(self.targets.coordinates)
        places = 3 * (layer.n_joints + layer.n_markers) if positions else 0
        self.widths = [places, 3 * n_bodies, 9, n_coordinates]
        self.width = sum(self.widths)

    def join(self, estimate: Estimate, places: Places) -> Tensor:
        """Return rows (..., width)."""
        scales = self.targets.ties.spread(estimate.scales)
        parts = [places.joints, places.markers] if self.positions else []
        return torch.cat([p.flatten(-2) for p in (*parts, scales, estimate.root)] + [estimate.coordinates], dim=-1)

    def split(self, rows: Tensor) -> Estimate:
        """Return the estimate that rows (..., width) are of."""
        if rows.shape[-1] != self.width:
            raise UserError(f"Expected rows of {self.width} numbers a frame, got {rows.shape[-1]}.")
        _, scales, root, coordinates = rows.split(self.widths, dim=-1)
        return Estimate(
            root.unflatten(-1, (3, 3)), self.targets.ties.gather(scales.unflatten(-1, (-1, 3))), coordinates
        )
