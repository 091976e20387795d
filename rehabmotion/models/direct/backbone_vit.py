"""ViT-S/16: a transformer over patches (Dosovitskiy et al. 2021; Touvron et al. 2021), without a class token.

Places are told by fixed sines of row and column (Chen et al. 2021, MoCo v3), so that pictures of any size fit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import EncoderBlock, sinusoids
from rehabmotion.models.direct.backbone_parts import Backbone, deepened, rounded, started

PER_HEAD = 64  # channels; a narrower network has fewer heads


class ViT(Backbone):
    """Twelve blocks of width 384, six heads."""

    stride = 16

    def __init__(self, width: float = 1.0, depth: float = 1.0, centre: bool = False) -> None:
        super().__init__()
        self.channels = rounded(384 * width, 64 if width >= 0.5 else 16)
        heads = max(1, self.channels // PER_HEAD)
        heads = next(n for n in range(heads, 0, -1) if self.channels % n == 0)
        self.patches = nn.Conv2d(3, self.channels, self.stride, self.stride)
        self.blocks = nn.ModuleList(EncoderBlock(self.channels, heads, 0.0) for _ in range(deepened(12, depth)))
        self.norm = nn.LayerNorm(self.channels)
        started(self)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, channels, H / 16, W / 16)."""
        x = self.patches(images)
        h, w = x.shape[2:]
        x = (x + self._places(h, w).to(x)).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.norm(x).transpose(1, 2).unflatten(2, (h, w))

    def _places(self, h: int, w: int) -> Tensor:
        half = self.channels // 2
        rows = sinusoids(torch.arange(h), half, fastest=6.3).T[:, :, None].expand(-1, h, w)
        columns = sinusoids(torch.arange(w), half, fastest=6.3).T[:, None, :].expand(-1, h, w)
        return torch.cat([rows, columns])
