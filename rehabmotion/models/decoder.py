"""From a latent and conditions to a whole clip in one pass: the decoder of the VAE and the painter of the GAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import ConditionedBlock
from rehabmotion.models.conditioning import Conditioned, Conditions, NetworkConfig


class MotionDecoder(Conditioned):
    """z (B, d_latent) and conditions -> clip (B, T, C): learnt queries over time that look at latent and text."""

    def __init__(self, config: NetworkConfig, d_latent: int) -> None:
        super().__init__(config)
        d, p = config.d, config.patch
        self.latent = nn.Sequential(nn.Linear(d_latent, d), nn.SiLU(), nn.Linear(d, d))
        self.query = nn.Parameter(0.5 * torch.randn(config.n_frames // p, d))
        self.blocks = nn.ModuleList(ConditionedBlock(d, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.patch_out = nn.Linear(d, p * config.n_features)

    def forward(self, z: Tensor, c: Conditions, frame_mask: Tensor | None = None) -> Tensor:
        """Return clips (B, T, C); frame_mask (B, T) True = a real frame, None = all."""
        latent = self.latent(z)
        context, context_mask = self._tokens(c)
        context = torch.cat([latent[:, None], context], dim=1)
        context_mask = torch.cat([torch.ones_like(context_mask[:, :1]), context_mask], dim=1)
        vector = latent + self._vector(c) + context[:, 1] + context[:, 2]
        h = self.query.expand(len(z), -1, -1)
        mask = self._patch_mask(frame_mask)
        for block in self.blocks:
            h = block(h, vector, context, context_mask, mask)
        return self.patch_out(self.norm(h)).reshape(len(z), self.config.n_frames, -1)
