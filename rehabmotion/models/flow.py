"""The flow family: straight paths from noise to motion (Lipman et al. 2023; Liu et al. 2023).

The network predicts the clean end x0 of the path and not the velocity, whose fine errors would be jitter; the loss is
that of the velocity, (x_t - x0) / s, with its weight held below a ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Observed
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.models.generator import Batch, Request
from rehabmotion.models.samplers import between, straight_ode
from rehabmotion.models.trainable import Draws

NEAREST = 0.3  # share of noise below which the weight of the loss, 1 / s^2, no longer grows


@dataclass(frozen=True)
class FlowConfig(GeneratorConfig):
    """Adds how motions are sampled.

    middle: of the logit-normal draw of training steps (Esser et al. 2024); above 0 the noisy half is seen more.
    """

    sampling_steps: int = 8
    guidance_text: float = 1.0
    guidance_score: float = 2.0
    step_power: float = 1.0
    heun: bool = False
    middle: float = 0.4


class FlowGenerator(DenoisingGenerator):
    """Text, score, duration in; normalised motion out, along straight paths."""

    kind = "flow"
    described = "Flow matching on straight paths (x0 prediction)"
    config: FlowConfig

    def loss(self, batch: Batch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch: total, x0, velocity and bone, each a scalar; invalid joints are never read."""
        x, seen = batch.x, self._seen(batch)
        step = (draws.normal(len(x)) + self.config.middle).sigmoid().to(x)
        noise = draws.normal(*x.shape).to(x)
        x_t = between(x * self._per_feature(seen), noise, step)
        told = self._dropped(batch.conditions, draws)
        made = self._estimate(x_t, step, seen, told, batch.frame_mask, batch.observed)
        share = self.prior.loss_weight(1 - step, step) / step.clamp(min=NEAREST).square()
        return self._likeness(made, x, seen, share)

    def _estimate(
        self,
        x_t: Tensor,
        step: Tensor,
        seen: Tensor,
        c: Conditions,
        frames: Tensor | None = None,
        observed: Observed | None = None,
    ) -> Tensor:
        return self.prior(self.denoiser(x_t, step, seen, c, frames, observed), x_t, 1 - step, step)

    @torch.no_grad()
    def sample(
        self,
        request: Request,
        steps: int | None = None,
        guidance_text: float | None = None,
        guidance_score: float | None = None,
    ) -> Tensor:
        """Return features (B, T, C) in units of the height proxy. The same request gives the same numbers."""
        self.eval()
        c, conditions = self.config, self.conditions(request)
        w_text = c.guidance_text if guidance_text is None else guidance_text
        w_score = c.guidance_score if guidance_score is None else guidance_score
        predict = self._predict(request, conditions, w_text, w_score)
        noise, _ = self._start(request)
        x = straight_ode(predict, noise, steps or c.sampling_steps, c.step_power, c.heun)
        return self._finished(x, conditions)
