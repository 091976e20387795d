"""The paper's sequence network: a transformer over all frames, then one that thins them out to the target.

After the strided transformer of Li et al. 2022: width 256, 8 heads, three plain blocks, strided ones by 3, 9, 9;
layers of 512 within, norms last, neither dropout nor batch norm. A second output on the plain part is for all frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.blocks import Attention, sinusoids
from rehabmotion.models.direct.backbone_parts import deepened, rounded
from rehabmotion.models.direct.sequence_parts import Raw, SequenceModule

STRIDES = {9: (3, 3), 27: (3, 3, 3), 81: (3, 3, 9), 243: (3, 9, 9)}  # window: how it is thinned out to one frame
HEADS = 8


class Block(nn.Module):
    """Attention over all frames, then one in `stride` of them is kept; norms last (Vaswani et al. 2017).

    Which is kept, the middle or the last of each stride, is `kept`. Layers in each frame need computing for it only.
    """

    def __init__(self, d: int, stride: int = 1, kept: int = 0) -> None:
        super().__init__()
        self.stride, self.kept = stride, kept
        self.attention = Attention(d, HEADS)
        self.within = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, d))
        self.norm_attention, self.norm_within = nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T / stride, d)."""
        x = self.norm_attention(x + self.attention(x))[:, self.kept :: self.stride]
        return self.norm_within(x + self.within(x))


class StridedTransformer(SequenceModule):
    """Plain blocks, then strided ones."""

    def __init__(
        self, n_in: int, n_out: int, frames: int, causal: bool = False, width: float = 1.0, depth: float = 1.0
    ) -> None:
        super().__init__(n_in, n_out, frames, causal)
        if frames not in STRIDES:
            known = ", ".join(map(str, STRIDES))
            raise UserError(f"Expected a window of {known} frames for the strided transformer, got {frames}.")
        d = rounded(256 * width, 2 * HEADS)
        self.d = d
        self.first = nn.Linear(n_in, d)
        self.plain = nn.Sequential(*(Block(d) for _ in range(deepened(3, depth))))
        self.strided = nn.Sequential(*(Block(d, s, s - 1 if causal else s // 2) for s in STRIDES[frames]))
        self.out_every, self.out = nn.Linear(d, n_out), nn.Linear(d, n_out)

    def raw(self, x: Tensor) -> Raw:
        """Return the raw numbers of the target and, from the plain part, of every frame."""
        place = sinusoids(torch.arange(self.frames, device=x.device), self.d, fastest=6.3).to(x.dtype)
        every = self.plain(self.first(x) + place)
        return Raw(self.out(self.strided(every))[:, 0], self.out_every(every))
