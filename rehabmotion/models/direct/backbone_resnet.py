"""Residual networks: He et al. 2016; ResNeXt, groups in the middle of each block: Xie et al. 2017."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import Backbone, conv_norm, deepened, rounded, started


class Basic(nn.Module):
    """Two convolutions by 3."""

    widening: ClassVar[int] = 1

    def __init__(self, channels_in: int, channels: int, stride: int, groups: int, centre: bool) -> None:
        super().__init__()
        self.parts = nn.Sequential(
            conv_norm(channels_in, channels, 3, stride, centre=centre, act=nn.ReLU), conv_norm(channels, channels, 3)
        )
        self.beside = _beside(channels_in, channels, stride, centre)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, h / stride, w / stride)."""
        return F.relu(self.parts(x) + self.beside(x))


class Bottleneck(nn.Module):
    """Convolutions by 1, 3 and 1; with groups the middle has twice the channels, in as many groups."""

    widening: ClassVar[int] = 4

    def __init__(self, channels_in: int, channels: int, stride: int, groups: int, centre: bool) -> None:
        super().__init__()
        inner = channels if groups == 1 else 2 * channels
        self.parts = nn.Sequential(
            conv_norm(channels_in, inner, 1, act=nn.ReLU),
            conv_norm(inner, inner, 3, stride, groups, centre, act=nn.ReLU),
            conv_norm(inner, 4 * channels, 1),
        )
        self.beside = _beside(channels_in, 4 * channels, stride, centre)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4 channels, h / stride, w / stride)."""
        return F.relu(self.parts(x) + self.beside(x))


class ResNet(Backbone):
    """Four stages behind a convolution by 7 and a maximum by 3."""

    block: ClassVar[type[Basic] | type[Bottleneck]]
    blocks: ClassVar[tuple[int, int, int, int]]
    groups: ClassVar[int] = 1

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        first = rounded(64 * width)
        groups = max(1, round(self.groups * first / 64))  # groups keep their size: a narrow network has fewer
        self.stem = nn.Sequential(conv_norm(3, first, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1))
        stages, channels_in = [], first
        for i, n_blocks in enumerate(self.blocks):
            channels = first * 2**i
            for k in range(deepened(n_blocks, depth)):
                stride = 2 if i and not k else 1
                stages.append(self.block(channels_in, channels, stride, groups, centre and i == 3))
                channels_in = channels * self.block.widening
        self.stages = nn.Sequential(*stages)
        self.channels = channels_in
        started(self)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 32, W / 32)."""
        return self.stages(self.stem(images))


class ResNet18(ResNet):
    """ResNet-18."""

    block = Basic
    blocks = (2, 2, 2, 2)


class ResNet50(ResNet):
    """ResNet-50, the stride in the middle of a block."""

    block = Bottleneck
    blocks = (3, 4, 6, 3)


class ResNeXt50(ResNet50):
    """ResNeXt-50 32x4d, the paper's."""

    groups = 32


def _beside(channels_in: int, channels_out: int, stride: int, centre: bool) -> nn.Module:
    """Return what goes past a block."""
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return conv_norm(channels_in, channels_out, 1, stride, centre=centre)
