"""ConvNeXt-T: convolutions laid out like a transformer (Liu et al. 2022). Its strides are those of patches: centred."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import Backbone, ChannelNorm, deepened, rounded, started


class Block(nn.Module):
    """A convolution by 7 in each channel, then two layers in each cell, scaled by weights that start near nought."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.across = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.within = nn.Sequential(
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )
        self.share = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, h, w)."""
        return x + (self.share * self.within(self.across(x).movedim(1, -1))).movedim(-1, 1)


class ConvNeXt(Backbone):
    """Four stages of 96, 192, 384, 768 channels and 3, 3, 9, 3 blocks."""

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        first = rounded(96 * width)
        parts: list[nn.Module] = [nn.Conv2d(3, first, 4, 4), ChannelNorm(first, eps=1e-6)]
        for i, n_blocks in enumerate((3, 3, 9, 3)):
            channels = first * 2**i
            if i:
                parts += [ChannelNorm(channels // 2, eps=1e-6), nn.Conv2d(channels // 2, channels, 2, 2)]
            parts += [Block(channels) for _ in range(deepened(n_blocks, depth))]
        self.parts = nn.Sequential(*parts, ChannelNorm(channels, eps=1e-6))
        self.channels = channels
        started(self)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 32, W / 32)."""
        return self.parts(images)
