"""The evaluator's encoders as transformers, after TMR (Petrovich et al. 2023) without its generative half."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import EncoderBlock

PATCH = 4  # frames a token


class TransformerMotion(nn.Module):
    """Inputs (B, T, C) -> (B, 2d): mean and deviation over time of what the layers say (statistics pooling).

    The deviation is what a frozen pose lacks and noise adds to.
    """

    def __init__(self, n_inputs: int, n_frames: int, d: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.patch_in = nn.Linear(PATCH * n_inputs, d)
        self.position = nn.Parameter(0.02 * torch.randn(n_frames // PATCH, d))
        self.blocks = nn.ModuleList(EncoderBlock(d, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(d)
        self.width = 2 * d

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 2d)."""
        x = self.patch_in(x.unflatten(1, (-1, PATCH)).flatten(2)) + self.position
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return torch.cat([x.mean(dim=1), x.var(dim=1, correction=0).add(1e-4).sqrt()], dim=-1)


class TransformerText(nn.Module):
    """Word vectors (B, W, d) with mask (B, W) -> (B, 2d): the bag of the words, and the mean of what the layers say."""

    def __init__(self, d: int, max_words: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(max_words, d))
        self.blocks = nn.ModuleList(EncoderBlock(d, heads, dropout) for _ in range(layers))
        self.bag_norm, self.norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.width = 2 * d

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return (B, 2d)."""
        weight = mask[..., None].float()
        count = weight.sum(dim=1)
        bag = self.bag_norm((words * weight).sum(dim=1) / count.sqrt())
        x = words + self.position[: words.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        return torch.cat([bag, (self.norm(x) * weight).sum(dim=1) / count], dim=-1)
