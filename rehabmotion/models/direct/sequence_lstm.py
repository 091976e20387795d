"""A bidirectional LSTM over the window: three layers of 512 a direction, dropout 0.1."""

from __future__ import annotations

from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import deepened, rounded
from rehabmotion.models.direct.sequence_parts import Raw, SequenceModule


class Lstm(SequenceModule):
    """The target frame is scored, the others are there for an auxiliary loss."""

    def __init__(
        self, n_in: int, n_out: int, frames: int, causal: bool = False, width: float = 1.0, depth: float = 1.0
    ) -> None:
        super().__init__(n_in, n_out, frames, causal)
        d, layers = rounded(512 * width), deepened(3, depth)
        dropout = 0.1 if layers > 1 else 0.0
        self.lstm = nn.LSTM(n_in, d, layers, batch_first=True, dropout=dropout, bidirectional=True)
        self.out = nn.Linear(2 * d, n_out)

    def raw(self, x: Tensor) -> Raw:
        """Return the raw numbers of the target and of every frame."""
        every = self.out(self.lstm(x)[0])
        return Raw(every[:, self.target], every)
