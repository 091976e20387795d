"""The denoising network: a transformer over time, told text, score, duration and which joints are real.

In the manner of MDM (Tevet et al. 2023): it predicts the clean motion x0. Text enters as tokens by cross-attention;
diffusion step, score and duration as one vector that modulates every layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import ConditionedBlock, sinusoids
from rehabmotion.models.conditioning import Conditioned, Conditions, NetworkConfig


@dataclass
class Observed:
    """A motion to be mended: x (B, T, C) normalised, noisy; seen (B, T, J) True = measured."""

    x: Tensor
    seen: Tensor


class Denoiser(Conditioned):
    """x_t (B, T, C), step (B,), conditions -> predicted x0 (B, T, C)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        d, p = config.d, config.patch
        width = p * (config.n_features + config.n_masked)
        self.patch_in = nn.Linear(width, d)
        self.observed_in = nn.Linear(width, d) if config.observes else None
        self.position = nn.Parameter(0.02 * torch.randn(config.n_frames // p, d))
        self.time = nn.Sequential(nn.Linear(d, d), nn.SiLU(), nn.Linear(d, d))
        self.blocks = nn.ModuleList(ConditionedBlock(d, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.patch_out = nn.Linear(d, p * config.n_features)

    def forward(
        self,
        x: Tensor,
        step: Tensor,
        valid: Tensor,
        c: Conditions,
        frame_mask: Tensor | None = None,
        observed: Observed | None = None,
    ) -> Tensor:
        """Return x0 (B, T, C). valid (B, T, J) True = measured; frame_mask (B, T) True = a real frame, None = all.

        step (B,) in 0..1 is the share of the diffusion that is done.
        """
        h = self.patch_in(self._patches(x, valid)) + self.position[: x.shape[1] // self.config.patch]
        if self.observed_in is not None and observed is not None:
            h = h + self.observed_in(self._patches(observed.x, observed.seen))
        context, context_mask = self._tokens(c)
        time = self.time(sinusoids(step * 100.0, self.config.d, fastest=20.0))
        vector = time + self._vector(c) + context[:, 0] + context[:, 1]
        mask = self._patch_mask(frame_mask)
        for block in self.blocks:
            h = block(h, vector, context, context_mask, mask)
        return self.patch_out(self.norm(h)).reshape(*x.shape[:2], -1)
