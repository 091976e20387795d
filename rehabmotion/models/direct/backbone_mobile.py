"""Networks for phones: inverted residuals (Sandler et al. 2018) with squeeze and excitation (Hu et al. 2018).

MobileNetV3-Large: Howard et al. 2019; EfficientNet-B0: Tan & Le 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import Backbone, conv_norm, deepened, rounded, started

Act = Callable[[], nn.Module]


class Squeeze(nn.Sequential):
    """Channels weighted by what the whole picture holds."""

    def __init__(self, channels: int, inner: int, act: Act, gate: Act) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), act(), nn.Conv2d(inner, channels, 1), gate()
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, C, h, w)."""
        return input * super().forward(input)


class InvertedResidual(nn.Module):
    """Wide inside: a convolution by 1, one in each channel, the squeeze if there is one, a convolution by 1."""

    def __init__(
        self,
        channels_in: int,
        inner: int,
        channels: int,
        kernel: int,
        stride: int,
        act: Act,
        squeeze: Squeeze | None,
        centre: bool,
        eps: float,
    ) -> None:
        super().__init__()
        wider = [] if inner == channels_in else [conv_norm(channels_in, inner, 1, act=act)]
        each = conv_norm(inner, inner, kernel, stride, inner, centre, act)
        last = conv_norm(inner, channels, 1)
        self.parts = nn.Sequential(*wider, each, *([squeeze] if squeeze else []), last)
        self.stays = stride == 1 and channels_in == channels
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, h / stride, w / stride)."""
        return x + self.parts(x) if self.stays else self.parts(x)


class MobileNetV3(Backbone):
    """MobileNetV3-Large."""

    # kernel, inner channels, channels, squeeze, hard swish, stride
    ROWS = (
        (3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1),
        (5, 72, 40, True, False, 2), (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1),
        (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1), (3, 184, 80, False, True, 1),
        (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
        (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1),
    )  # fmt: skip

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        channels_in = rounded(16 * width)
        parts: list[nn.Module] = [conv_norm(3, channels_in, 3, 2, act=nn.Hardswish)]
        for kernel, inner, channels, squeezed, hard, stride in self._rows(depth):
            act: Act = nn.Hardswish if hard else nn.ReLU
            inner, channels = rounded(inner * width), rounded(channels * width)
            squeeze = Squeeze(inner, rounded(inner / 4), nn.ReLU, nn.Hardsigmoid) if squeezed else None
            last = centre and stride == 2 and kernel == 5 and hard
            parts.append(InvertedResidual(channels_in, inner, channels, kernel, stride, act, squeeze, last, 1e-3))
            channels_in = channels
        self.channels = 6 * channels_in
        self.parts = nn.Sequential(*parts, conv_norm(channels_in, self.channels, 1, act=nn.Hardswish))
        started(self)

    def _rows(self, depth: float) -> list[tuple[int, int, int, bool, bool, int]]:
        """Return the rows of a network of another depth: rows of one size are repeated less, or more often."""
        stages: list[list[tuple[int, int, int, bool, bool, int]]] = []
        for row in self.ROWS:
            if stages and stages[-1][0][2] == row[2]:
                stages[-1].append(row)
            else:
                stages.append([row])
        return [stage[min(i, len(stage) - 1)] for stage in stages for i in range(deepened(len(stage), depth))]

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 32, W / 32)."""
        return self.parts(images)


class EfficientNet(Backbone):
    """EfficientNet-B0; `width` and `depth` are its own compound dials, with 1.1 and 1.2 it is nearly B2."""

    # widening, channels, blocks, stride, kernel
    ROWS = (
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    )  # fmt: skip

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        channels_in = rounded(32 * width)
        parts: list[nn.Module] = [conv_norm(3, channels_in, 3, 2, act=nn.SiLU)]
        for widening, channels, blocks, stride, kernel in self.ROWS:
            for k in range(deepened(blocks, depth)):
                inner, out = widening * channels_in, rounded(channels * width)
                squeeze = Squeeze(inner, max(1, channels_in // 4), nn.SiLU, nn.Sigmoid)
                last = centre and channels == 192
                make = partial(InvertedResidual, channels_in, inner, out, kernel, 1 if k else stride, nn.SiLU)
                parts.append(make(squeeze, last, 1e-5))
                channels_in = out
        self.channels = 4 * channels_in
        self.parts = nn.Sequential(*parts, conv_norm(channels_in, self.channels, 1, act=nn.SiLU))
        started(self)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 32, W / 32)."""
        return self.parts(images)
