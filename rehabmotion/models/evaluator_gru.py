"""The evaluator's encoders in the manner of Guo et al. 2022: strided convolutions, then bidirectional GRUs.

Their margin loss is left out: a caption that names no side pulls left and right together, and the margin, a mean over
all wrong answers, hardly parts them again (R@1 of unseen wording 0.55 with it).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence


class GruMotion(nn.Module):
    """Inputs (B, T, C) -> (B, 2d): time divided by four, both last states of the GRU."""

    def __init__(self, n_inputs: int, n_frames: int, d: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.movement = nn.Sequential(
            nn.Conv1d(n_inputs, d, 4, stride=2, padding=1),
            nn.Dropout(dropout),
            nn.LeakyReLU(0.2),
            nn.Conv1d(d, d, 4, stride=2, padding=1),
            nn.Dropout(dropout),
            nn.LeakyReLU(0.2),
        )
        self.gru = nn.GRU(d, d, batch_first=True, bidirectional=True)
        self.width = 2 * d

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 2d)."""
        _, last = self.gru(self.movement(x.transpose(1, 2)).transpose(1, 2))
        return torch.cat([last[0], last[1]], dim=-1)


class GruText(nn.Module):
    """Word vectors (B, W, d) with mask (B, W) -> (B, 2d): both last states; what follows a text is never read."""

    def __init__(self, d: int, max_words: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.gru = nn.GRU(d, d, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.width = 2 * d

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return (B, 2d)."""
        lengths = mask.sum(dim=1).cpu()
        packed = pack_padded_sequence(self.dropout(words), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)
        return torch.cat([last[0], last[1]], dim=-1)
