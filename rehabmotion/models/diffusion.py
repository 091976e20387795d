"""The diffusion family: denoising diffusion with x0 prediction, sampled by DDIM, or by DDPM with eta 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Observed
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.models.generator import Batch, Request
from rehabmotion.models.samplers import add_noise, cosine_levels, ddim
from rehabmotion.models.trainable import Draws


@dataclass(frozen=True)
class DiffusionConfig(GeneratorConfig):
    """Adds how motions are sampled.

    step_power: of the sampling steps' spacing; above 1 they lie closer where the clip is nearly clean.
    """

    sampling_steps: int = 10
    guidance_text: float = 1.0
    guidance_score: float = 2.0
    eta: float = 0.0
    step_power: float = 1.5


class DiffusionGenerator(DenoisingGenerator):
    """Text, score, duration in; normalised motion out, by denoising diffusion (Ho et al. 2020)."""

    kind = "diffusion"
    described = "Denoising diffusion (x0 prediction, cosine schedule)"
    config: DiffusionConfig

    def loss(self, batch: Batch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch: total, x0, velocity and bone, each a scalar; invalid joints are never read."""
        x, seen = batch.x, self._seen(batch)
        step = draws.uniform(len(x)).to(x)
        noise = draws.normal(*x.shape).to(x)
        x_t = add_noise(x * self._per_feature(seen), noise, step)
        told = self._dropped(batch.conditions, draws)
        made = self._estimate(x_t, step, seen, told, batch.frame_mask, batch.observed)
        return self._likeness(made, x, seen, self.prior.loss_weight(*cosine_levels(step)))

    def _estimate(
        self,
        x_t: Tensor,
        step: Tensor,
        seen: Tensor,
        c: Conditions,
        frames: Tensor | None = None,
        observed: Observed | None = None,
    ) -> Tensor:
        return self.prior(self.denoiser(x_t, step, seen, c, frames, observed), x_t, *cosine_levels(step))

    @torch.no_grad()
    def sample(
        self,
        request: Request,
        steps: int | None = None,
        guidance_text: float | None = None,
        guidance_score: float | None = None,
        eta: float | None = None,
    ) -> Tensor:
        """Return features (B, T, C) in units of the height proxy. The same request gives the same numbers."""
        self.eval()
        c, conditions = self.config, self.conditions(request)
        noise, draws = self._start(request)
        w_text = c.guidance_text if guidance_text is None else guidance_text
        w_score = c.guidance_score if guidance_score is None else guidance_score
        predict = self._predict(request, conditions, w_text, w_score)
        eta = c.eta if eta is None else eta
        x = ddim(predict, noise, steps or c.sampling_steps, eta, draws, power=c.step_power)
        return self._finished(x, conditions)
