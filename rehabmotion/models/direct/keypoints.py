"""The first of several steps: a network that places joints and markers; scaling and inverse kinematics come after it.

What the direct networks are compared with: the same backbone, the same mean over the map, the same points to learn.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.layer import Places, SkeletalLayer
from rehabmotion.models.direct.network import DEVIATION, MEAN, FrameConfig
from rehabmotion.models.direct.targets import targets_of


class KeypointNetwork(nn.Module):
    """Pictures (B, 3, S, S) -> joints (B, J, 3), markers (B, M, 3): m, about the root, in the camera's axes.

    Of the configuration head and root are not read. usual (J + M, 3): where points are before anything is learnt.
    """

    mean: Tensor
    deviation: Tensor
    usual: Tensor

    def __init__(self, config: FrameConfig, model: Model) -> None:
        super().__init__()
        self.config = config
        self.targets = targets_of(config.targets, model)
        layer = SkeletalLayer(self.targets)
        self.n_joints, self.n_points = layer.n_joints, layer.n_joints + layer.n_markers
        self.backbone = BACKBONES[config.backbone](config.width, config.depth, config.centre)
        self.out = nn.Conv2d(self.backbone.channels, 3 * self.n_points, 1)
        for name, numbers in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(numbers)[:, None, None], persistent=False)
        self.register_buffer("usual", torch.zeros(self.n_points, 3))

    def forward(self, images: Tensor) -> Places:
        """Return the places; other sizes than the configuration's raise UserError."""
        size = self.config.image
        if images.dim() != 4 or images.shape[1:] != (3, size, size):
            raise UserError(f"Expected images (B, 3, {size}, {size}), got {tuple(images.shape)}.")
        maps = self.out(self.backbone((images - self.mean) / self.deviation))
        points = maps.mean(dim=(2, 3)).unflatten(1, (self.n_points, 3)) + self.usual
        points = points - points[:, :1]
        return Places(points[:, : self.n_joints], points[:, self.n_joints :])

    @torch.no_grad()
    def start_at(self, joints: Tensor, markers: Tensor) -> None:
        """Begin from the mean of places (N, J, 3) and (N, M, 3), as a direct network begins amid its ranges."""
        self.usual.copy_(torch.cat([joints.mean(dim=0), markers.mean(dim=0)]))
