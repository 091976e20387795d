"""The diffusion family: denoising diffusion with x0 prediction, sampled by DDIM, or by DDPM with eta 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.models.denoising import DenoisingConfig, DenoisingGenerator
from rehabmotion.models.samplers import Predict, cosine_levels, ddim


@dataclass(frozen=True)
class DiffusionConfig(DenoisingConfig):
    """Adds how much fresh noise the sampler takes: eta 0 none, 1 as much as DDPM."""

    eta: float = 0.0
    sampling_steps: int = 4
    step_power: float = 2.5
    noise_scale: float = 1.25


class DiffusionGenerator(DenoisingGenerator):
    """Text, score, duration in; normalised motion out, by denoising diffusion (Ho et al. 2020)."""

    kind = "diffusion"
    described = "Denoising diffusion (x0 prediction, cosine schedule)"
    config: DiffusionConfig

    def _levels(self, step: Tensor) -> tuple[Tensor, Tensor]:
        return cosine_levels(step)

    def _solve(
        self, predict: Predict, noise: Tensor, n_steps: int, draws: list[torch.Generator], eta: float | None
    ) -> Tensor:
        eta = self.config.eta if eta is None else eta
        return ddim(predict, noise, n_steps, eta, draws, power=self.config.step_power)
