"""A temporal convolutional network (VideoPose3D: Pavllo et al. 2019), 1024 channels, dropout 0.25.

Each convolution by 3 has a stride of 3, which for one frame out of a window is the same as dilation, and does less.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.direct.backbone_parts import rounded
from rehabmotion.models.direct.sequence_parts import Raw, SequenceModule

DROPOUT = 0.25


class Tcn(SequenceModule):
    """Windows of 27, 81, 243 frames; the depth follows from the window and `depth` is not read."""

    def __init__(
        self, n_in: int, n_out: int, frames: int, causal: bool = False, width: float = 1.0, depth: float = 1.0
    ) -> None:
        super().__init__(n_in, n_out, frames, causal)
        levels = round(math.log(frames, 3))
        if frames < 3 or 3**levels != frames:
            raise UserError(f"Expected a window of 27, 81 or 243 frames for the tcn, a power of 3, got {frames}.")
        d = rounded(1024 * width)
        self.kept = 2 if causal else 1  # of three frames, which goes past a block
        self.first = _threes(n_in, d)
        self.blocks = nn.ModuleList(nn.Sequential(_threes(d, d), _ones(d)) for _ in range(levels - 1))
        self.out = nn.Conv1d(d, n_out, 1)

    def raw(self, x: Tensor) -> Raw:
        """Return the raw numbers of the target."""
        y = self.first(x.transpose(1, 2))
        for block in self.blocks:
            y = y[..., self.kept :: 3] + block(y)
        return Raw(self.out(y)[..., 0], None)

    def set_momentum(self, momentum: float) -> None:
        """Set how fast norms follow the batches: the paper lowers it from 0.1 to 0.001 over the training."""
        for part in self.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.momentum = momentum


def _threes(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels_in, channels, 3, 3, bias=False), nn.BatchNorm1d(channels), nn.ReLU(), nn.Dropout(DROPOUT)
    )


def _ones(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, channels, 1, bias=False), nn.BatchNorm1d(channels), nn.ReLU(), nn.Dropout(DROPOUT)
    )
