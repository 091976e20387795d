"""What sequence networks have in common: a window of frames in, raw numbers for one of its frames out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Raw:
    """Raw numbers for the target frame (B, n_out), and for every frame (B, T, n_out) if there are such."""

    target: Tensor
    every: Tensor | None


class SequenceModule(nn.Module, ABC):
    """Windows (B, frames, n_in) -> Raw. The target is the middle frame; where `causal`, the last.

    Made from n_in, n_out, frames, causal, and `width` and `depth`, factors of the paper's channels and layers.
    """

    def __init__(
        self, n_in: int, n_out: int, frames: int, causal: bool = False, width: float = 1.0, depth: float = 1.0
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, self.frames = n_in, n_out, frames
        self.target = target_of(frames, causal)

    def forward(self, x: Tensor) -> Raw:
        """Return the raw numbers; windows of another length raise UserError."""
        if x.dim() != 3 or x.shape[1:] != (self.frames, self.n_in):
            raise UserError(f"Expected windows (B, {self.frames}, {self.n_in}), got {tuple(x.shape)}.")
        return self.raw(x)

    @abstractmethod
    def raw(self, x: Tensor) -> Raw:
        """Return the raw numbers."""


def target_of(frames: int, causal: bool) -> int:
    """Return the number of the frame that a window is about."""
    return frames - 1 if causal else frames // 2


def windows(x: Tensor, frames: int, causal: bool) -> Tensor:
    """Return the window of every frame, (T, frames, ...) of (T, ...); at the ends the edge frame is repeated."""
    if x.dim() < 1 or not len(x):
        raise UserError(f"Expected at least one frame, got {tuple(x.shape)}.")
    offsets = torch.arange(frames, device=x.device) - target_of(frames, causal)
    return x[(torch.arange(len(x), device=x.device)[:, None] + offsets).clamp(0, len(x) - 1)]
