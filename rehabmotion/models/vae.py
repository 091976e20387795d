"""The VAE family: a conditional transformer VAE in the line of ACTOR (Petrovich et al. 2021).

Its latent is supervised by the score, as in SVAE (Devanne et al. 2024): a linear head reads every known score off it,
and motions are drawn from a Gaussian of their own text and score, which is learnt beside the encoder (a conditional
prior, Sohn et al. 2015). What the latent cannot carry, the fine deviations of repetitions, is drawn too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import ConditionedBlock
from rehabmotion.models.conditioning import Conditioned, Conditions, NetworkConfig
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.generator import Batch, masked_mean
from rehabmotion.models.single_pass import SinglePassGenerator
from rehabmotion.models.text import TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.models.trainable import Draws

Gaussian = tuple[Tensor, Tensor]  # mean and ln variance, (B, d_latent) each
SPREAD = 6.0  # of ln variances: beyond, they are held


@dataclass(frozen=True)
class VaeConfig(GeneratorConfig):
    """Adds the latent and its losses. kl_weight is per number of the clip, as the other losses are."""

    d_latent: int = 48
    kl_weight: float = 2e-4
    score_weight: float = 0.05


class Conditional(Conditioned):
    """Conditions, and a clip if there is one, -> a Gaussian of latents: the encoder, and without a clip its prior."""

    def __init__(self, config: NetworkConfig, d_latent: int, sees_clip: bool) -> None:
        super().__init__(config)
        d, p = config.d, config.patch
        self.patch_in = nn.Linear(p * (config.n_features + config.n_masked), d) if sees_clip else None
        self.position = nn.Parameter(0.02 * torch.randn(1 + (config.n_frames // p if sees_clip else 0), d))
        layers = max(1, config.layers // 2)
        self.blocks = nn.ModuleList(ConditionedBlock(d, config.heads, config.dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(d)
        self.out = nn.Linear(d, 2 * d_latent)

    def forward(
        self, c: Conditions, x: Tensor | None = None, seen: Tensor | None = None, frame_mask: Tensor | None = None
    ) -> Gaussian:
        """Return mean and ln variance, (B, d_latent) each. x (B, T, C), seen (B, T, J), frame_mask (B, T) or None."""
        h = self.position[:1].expand(len(c.scale), -1, -1)
        mask = None
        if self.patch_in is not None and x is not None and seen is not None:
            h = torch.cat([h, self.patch_in(self._patches(x, seen)) + self.position[1:]], dim=1)
            real = self._patch_mask(frame_mask)
            mask = None if real is None else torch.cat([torch.ones_like(real[:, :1]), real], dim=1)
        context, context_mask = self._tokens(c)
        vector = self._vector(c) + context[:, 0] + context[:, 1]
        for block in self.blocks:
            h = block(h, vector, context, context_mask, mask)
        mean, log_variance = self.out(self.norm(h[:, 0])).chunk(2, dim=-1)
        return mean, SPREAD * torch.tanh(log_variance / SPREAD)


class VaeGenerator(SinglePassGenerator):
    """Text, score, duration in; normalised motion out, in one pass from a drawn latent."""

    kind = "vae"
    described = "Conditional transformer VAE with a latent that knows the score"
    config: VaeConfig

    def __init__(self, config: VaeConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__(config, config.d_latent, text)
        self.encoder = Conditional(config.network, config.d_latent, sees_clip=True)
        self.latents = Conditional(config.network, config.d_latent, sees_clip=False)
        self.score_head = nn.Linear(config.d_latent, len(config.network.scales))

    def loss(self, batch: Batch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch: total, x0, velocity, bone, kl and score; invalid joints are never read."""
        x, seen = batch.x, self._seen(batch)
        weight = self._per_feature(seen)
        told = self._dropped(batch.conditions, draws)
        q = self.encoder(told, x * weight, seen, batch.frame_mask)
        z = q[0] + torch.exp(q[1] / 2) * draws.normal(*q[0].shape).to(x)
        made = self._painted(z, told, batch.frame_mask)
        parts = self._likeness(made, x, seen)
        parts["kl"] = divergence(q, self.latents(told)).mean()
        parts["score"] = self._score_loss(q[0], batch.conditions)
        c = self.config
        parts["total"] = parts["total"] + c.kl_weight * parts["kl"] + c.score_weight * parts["score"]
        return parts

    def _score_loss(self, z: Tensor, c: Conditions) -> Tensor:
        """Mean squared error of the score, 0..1, read off the latent of clips that have one."""
        read = self.score_head(z).gather(1, c.scale.clamp(min=0)[:, None])[:, 0]
        return masked_mean((read - c.score).square(), (c.scale >= 0).to(z.dtype))

    def _latent(self, c: Conditions, noise: Tensor) -> Tensor:
        mean, log_variance = self.latents(c)
        return mean + torch.exp(log_variance / 2) * noise


def divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """Return KL(q || p) (B,) of diagonal Gaussians, in nats."""
    ratio = (q[1] - p[1]).exp() + (q[0] - p[0]).square() / p[1].exp()
    return 0.5 * (ratio - 1 - q[1] + p[1]).sum(dim=-1)
