"""What backbones have in common: pictures in, a map of features out; strides that keep the middle; sizes by a dial."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.errors import UserError


class Backbone(nn.Module, ABC):
    """Pictures (B, 3, H, W), mean 0 and deviation 1 -> features (B, channels, H / stride, W / stride).

    Made from `width` and `depth`, factors of the published numbers of channels and of blocks, and `centre`: whether the
    last stride samples the middle (see `CentredConv`).
    """

    channels: int
    stride: int = 32

    def forward(self, images: Tensor) -> Tensor:
        """Return the features; sides that are no multiple of the stride raise UserError."""
        s = self.stride
        if images.dim() != 4 or images.shape[1] != 3 or any(n < s or n % s for n in images.shape[2:]):
            raise UserError(
                f"Expected images (B, 3, H, W) with sides of {s}, {2 * s}, ... pixels, got {tuple(images.shape)}."
            )
        return self.features(images)

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, h, w)."""


class CentredConv(nn.Conv2d):
    """A convolution by an odd kernel with a stride of 2 that starts at the second pixel, not at the first.

    Five strides that start at the first see a picture of 256 at 0, 32, ..., 224: its middle as at 112. Where the last
    starts at the second it is 16, 48, ..., 240, about the true middle (centre striding, Sárándi et al. 2021). For sides
    that are even.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the map of half the size."""
        after = self.kernel_size[0] // 2  # for a kernel of 3: none before, one after
        before = after - 1
        if before < 0:
            return F.conv2d(input[..., 1:, 1:], self.weight, self.bias, 2, 0, 1, self.groups)
        padded = F.pad(input, (before, after, before, after))
        return F.conv2d(padded, self.weight, self.bias, 2, 0, 1, self.groups)


def conv(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1, centre: bool = False
) -> nn.Conv2d:
    """Return a convolution that keeps the size up to its stride, without bias: a norm follows."""
    kind = CentredConv if centre and stride == 2 else nn.Conv2d
    return kind(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)


def conv_norm(
    channels_in: int,
    channels_out: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    centre: bool = False,
    act: Callable[[], nn.Module] | None = None,
) -> nn.Sequential:
    """Return a convolution, batch norm, and an activation if there is one."""
    parts = [conv(channels_in, channels_out, kernel, stride, groups, centre), nn.BatchNorm2d(channels_out)]
    return nn.Sequential(*parts, *([act()] if act else []))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of maps (B, C, h, w)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the maps, normalised in every cell."""
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


def rounded(number: float, divisor: int = 8) -> int:
    """Return the nearest multiple of the divisor, not below nine tenths of the number (Sandler et al. 2018)."""
    whole = max(divisor, int(number + divisor / 2) // divisor * divisor)
    return whole + divisor if whole < 0.9 * number else whole


def deepened(blocks: int, depth: float) -> int:
    """Return how many blocks a stage has: one at least."""
    return max(1, math.ceil(blocks * depth - 1e-9))


def started(backbone: nn.Module) -> None:
    """Draw the weights: normal, by the inputs of each (He et al. 2015); linear ones with a deviation of 0.02."""
    for part in backbone.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_in")
        elif isinstance(part, nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.02)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
