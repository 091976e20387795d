"""MobileOne-S1: branches in training, one convolution afterwards (Vasu et al. 2023; after RepVGG, Ding et al. 2021)."""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import Backbone, conv, deepened, rounded, started


class Branches(nn.Module):
    """A convolution, one by 1 beside it where it is wider, and nothing beside where sizes agree, each with a norm.

    `fuse` makes one convolution of them, with the same results in evaluation.
    """

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, groups: int, centre: bool) -> None:
        super().__init__()
        self.main = conv(channels_in, channels, kernel, stride, groups, centre)
        self.main_norm = nn.BatchNorm2d(channels)
        self.point = conv(channels_in, channels, 1, stride, groups, centre) if kernel > 1 else None
        self.point_norm = nn.BatchNorm2d(channels) if kernel > 1 else None
        self.same_norm = nn.BatchNorm2d(channels) if stride == 1 and channels_in == channels else None
        self.fused = False

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, h / stride, w / stride)."""
        if self.fused:
            return F.relu(self.main(x))
        out = self.main_norm(self.main(x))
        if self.point is not None and self.point_norm is not None:
            out = out + self.point_norm(self.point(x))
        if self.same_norm is not None:
            out = out + self.same_norm(x)
        return F.relu(out)

    @torch.no_grad()
    def fuse(self) -> None:
        """Make one convolution of the branches, for use; it cannot be trained on."""
        if self.fused:
            return
        main = self.main
        weight, bias = _folded(main.weight, self.main_norm)
        side = main.kernel_size[0] // 2
        if self.point is not None and self.point_norm is not None:
            extra, more = _folded(self.point.weight, self.point_norm)
            weight, bias = weight + F.pad(extra, (side,) * 4), bias + more
        if self.same_norm is not None:
            per_group = main.in_channels // main.groups
            same = torch.zeros_like(main.weight)
            rows = torch.arange(main.out_channels)
            same[rows, rows % per_group, side, side] = 1.0
            extra, more = _folded(same, self.same_norm)
            weight, bias = weight + extra, bias + more
        main.weight.copy_(weight)
        main.bias = nn.Parameter(bias)
        self.point = self.point_norm = self.same_norm = None
        self.main_norm = nn.BatchNorm2d(0)
        self.fused = True


class MobileOne(Backbone):
    """Stages of 2, 8, 10 and 1 blocks: a convolution in each channel, then one by 1."""

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        channels_in = rounded(64 * width)
        parts = [Branches(3, channels_in, 3, 2, 1, False)]
        for channels, blocks in ((96, 2), (192, 8), (512, 10), (1280, 1)):
            channels = rounded(channels * width)
            for k in range(deepened(blocks, depth)):
                last = centre and blocks == 1
                parts.append(Branches(channels_in, channels_in, 3, 1 if k else 2, channels_in, last))
                parts.append(Branches(channels_in, channels, 1, 1, 1, False))
                channels_in = channels
        self.parts = nn.Sequential(*parts)
        self.channels = channels_in
        started(self)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 32, W / 32)."""
        return self.parts(images)

    def fuse(self) -> Self:
        """Return the network, in evaluation mode, with each block one convolution: for use, not for training."""
        for part in self.parts:
            if isinstance(part, Branches):
                part.fuse()
        return self.eval()


def _folded(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the weight and bias of a convolution and its norm in one."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    return weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor
