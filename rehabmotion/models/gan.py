"""The GAN family: a painter against a critic, with the relativistic loss of R3GAN (Huang et al. 2024).

The critic says how much more real a recorded clip looks than a made one of the same request; both its slopes are held
down, at real clips (R1) and at made ones (R2), which WGAN-GP does between them. So that few clips are enough, the
painter's mean over its latents is also held to the recording (moment reconstruction, Lee et al. 2019), unbiased: what
the latents spread is not punished.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.models.conditioning import Conditioned, Conditions, NetworkConfig
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.generator import Batch, masked_mean
from rehabmotion.models.single_pass import SinglePassGenerator
from rehabmotion.models.text import TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.models.trainable import Draws


@dataclass(frozen=True)
class GanConfig(GeneratorConfig):
    """Adds the latent and the losses. gamma: of the slopes' penalties; mean_weight: of the moment reconstruction."""

    d_latent: int = 32
    gamma: float = 1.0
    mean_weight: float = 10.0


class Critic(Conditioned):
    """Clip (B, T, C) and conditions -> how real it looks (B,): convolutions over time, one told-for direction."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        d = config.d
        self.first = nn.Conv1d(2 * config.n_features + config.n_masked, d, 6, stride=2, padding=2)
        self.layers = nn.ModuleList(nn.Conv1d(d, d, 5, stride=2, padding=2) for _ in range(3))
        self.shifts = nn.ModuleList(nn.Linear(d, d) for _ in range(3))
        self.out = nn.Linear(d, 1)
        self.told = nn.Linear(d, d)  # projection of the conditions, Miyato & Koyama 2018

    def forward(self, x: Tensor, seen: Tensor, c: Conditions) -> Tensor:
        """Return (B,). seen (B, T, J): what is measured; the rest of x counts as 0."""
        tokens, mask = self._tokens(c)
        words = (tokens * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        told = self._vector(c) + tokens[:, 0] + tokens[:, 1] + words
        speed = F.pad(x.diff(dim=1), (0, 0, 1, 0)) * 5.0
        h = self.first(torch.cat([x, speed, seen.to(x.dtype)], dim=-1).transpose(1, 2))
        for layer, shift in zip(self.layers, self.shifts, strict=True):
            h = layer(F.leaky_relu(h + shift(told)[..., None], 0.2))
        h = F.leaky_relu(h, 0.2).mean(dim=-1)
        return self.out(h)[:, 0] + (h * self.told(told)).sum(dim=-1) / h.shape[1] ** 0.5


class GanGenerator(SinglePassGenerator):
    """Text, score, duration in; normalised motion out, in one pass from noise."""

    kind = "gan"
    described = "Conditional GAN (relativistic loss, both slopes held down)"
    turns = ("critic", "painter")
    betas = (0.0, 0.99)
    rate = 0.3
    config: GanConfig

    def __init__(self, config: GanConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__(config, config.d_latent, text)
        self.critic = Critic(config.network)

    @property
    def players(self) -> dict[str, list[nn.Parameter]]:
        """The weights of the critic and of the painter."""
        return {"critic": list(self.critic.parameters()), "painter": list(self.decoder.parameters())}

    def loss(self, batch: Batch, draws: Draws, player: str = "painter") -> dict[str, Tensor]:
        """Return the losses of a player on a batch, each a scalar; invalid joints are never read."""
        seen = self._seen(batch)
        told = self._dropped(batch.conditions, draws)
        weight = self._per_feature(seen)
        real = batch.x * weight
        if player == "critic":
            return self._critic_loss(real, seen, weight, told, batch.frame_mask, draws)
        made, other = (self._paint(told, batch.frame_mask, draws) for _ in range(2))
        with torch.no_grad():
            recorded = self.critic(real, seen, told)
        gap = self.critic(made * weight, seen, told) - recorded
        mean, spread = (made + other) / 2, (made - other).square() / 4  # of the mean of two: its variance
        moment = masked_mean((mean - batch.x).square() - spread, weight)
        parts = {"painter": F.softplus(-gap).mean(), "mean": moment, "bone": self._bone_loss(made, batch.x, seen)}
        parts["total"] = parts["painter"] + self.config.mean_weight * moment + self.config.bone_weight * parts["bone"]
        return parts

    def _critic_loss(
        self,
        real: Tensor,
        seen: Tensor,
        weight: Tensor,
        c: Conditions,
        frames: Tensor | None,
        draws: Draws,
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            made = self._paint(c, frames, draws) * weight
        with torch.enable_grad():  # the penalties are slopes: validation needs them too
            real, made = real.detach().requires_grad_(), made.detach().requires_grad_()
            scores = self.critic(real, seen, c), self.critic(made, seen, c)
            slopes = [
                torch.autograd.grad(s.sum(), x, create_graph=True)[0].square().sum(dim=(1, 2)).mean()
                for s, x in zip(scores, (real, made), strict=True)
            ]
        parts = {"critic": F.softplus(scores[1] - scores[0]).mean(), "slope": slopes[0] + slopes[1]}
        parts["total"] = parts["critic"] + self.config.gamma / 2 * parts["slope"]
        return parts

    def _paint(self, c: Conditions, frames: Tensor | None, draws: Draws) -> Tensor:
        n, network = len(c.scale), self.config.network
        z = draws.normal(n, self.config.d_latent).to(self.mean)
        fine = draws.normal(n, network.n_frames, network.n_features).to(self.mean)
        return self._painted(z, c, frames) + self.prior.unrest(fine)

    def _latent(self, c: Conditions, noise: Tensor) -> Tensor:
        return noise
