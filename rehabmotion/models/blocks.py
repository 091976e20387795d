"""Transformer parts shared by the networks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sinusoids(x: Tensor, width: int, fastest: float = 1.0) -> Tensor:
    """Return sines and cosines (..., width) of x (...) at wavelengths from `fastest` upwards (Vaswani et al. 2017)."""
    half = width // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = x[..., None].float() * rates * (2 * math.pi / fastest)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Attention(nn.Module):
    """Multi-head attention of queries (B, Tq, d) over context (B, Tk, d_context), mask (B, Tk) True = real."""

    def __init__(self, d: int, heads: int, d_context: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key_value = nn.Linear(d_context or d, 2 * d)
        self.out = nn.Linear(d, d)

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Return (B, Tq, d)."""
        context = x if context is None else context
        q = self._split(self.query(x))
        k, v = self.key_value(context).chunk(2, dim=-1)
        bias = None if mask is None else mask[:, None, None, :]
        y = F.scaled_dot_product_attention(q, self._split(k), self._split(v), attn_mask=bias)
        return self.out(y.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Two linear layers with GELU between."""

    def __init__(self, d: int, dropout: float, factor: int = 4) -> None:
        super().__init__(nn.Linear(d, factor * d), nn.GELU(), nn.Dropout(dropout), nn.Linear(factor * d, d))


class EncoderBlock(nn.Module):
    """Self-attention and feed-forward, layer norm first."""

    def __init__(self, d: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention, self.norm_forward = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = Attention(d, heads)
        self.forward_part = FeedForward(d, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return (B, T, d)."""
        x = x + self.dropout(self.attention(self.norm_attention(x), mask=mask))
        return x + self.dropout(self.forward_part(self.norm_forward(x)))


class ConditionedBlock(nn.Module):
    """Self-attention, cross-attention to the context, feed-forward; a global vector shifts and scales each (adaLN).

    The modulation starts at zero (Peebles & Xie 2023, adaLN-Zero), so every block begins as the identity.
    """

    def __init__(self, d: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(d, elementwise_affine=False) for _ in range(3))
        to_modulation = nn.Linear(d, 7 * d)
        nn.init.zeros_(to_modulation.weight)
        nn.init.zeros_(to_modulation.bias)
        self.modulation = nn.Sequential(nn.SiLU(), to_modulation)
        self.self_attention = Attention(d, heads)
        self.cross_attention = Attention(d, heads)
        self.forward_part = FeedForward(d, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, condition: Tensor, context: Tensor, context_mask: Tensor, mask: Tensor | None
    ) -> Tensor:
        """Return (B, T, d) from x (B, T, d), condition (B, d), context (B, K, d), masks True = real."""
        m = self.modulation(condition)[:, None].chunk(7, dim=-1)
        y = self.norms[0](x) * (1 + m[0]) + m[1]
        x = x + m[2] * self.dropout(self.self_attention(y, mask=mask))
        x = x + self.dropout(self.cross_attention(self.norms[1](x) * (1 + m[3]), context, context_mask))
        y = self.norms[2](x) * (1 + m[4]) + m[5]
        return x + m[6] * self.dropout(self.forward_part(y))
