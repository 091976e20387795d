"""The flow family: straight paths from noise to motion (Lipman et al. 2023; Liu et al. 2023).

The network predicts the clean end x0 of the path and not the velocity, whose fine errors would be jitter; the loss is
that of the velocity, (x_t - x0) / s, with its weight held below a ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.models.denoising import DenoisingConfig, DenoisingGenerator
from rehabmotion.models.samplers import Predict, straight_levels, straight_ode
from rehabmotion.models.trainable import Draws

NEAREST = 0.3  # share of noise below which the weight of the loss, 1 / s^2, no longer grows


@dataclass(frozen=True)
class FlowConfig(DenoisingConfig):
    """Adds Heun's steps in the place of Euler's, and which steps training sees.

    middle: of their logit-normal draw (Esser et al. 2024); above 0 the noisy half is seen more.
    """

    sampling_steps: int = 8
    heun: bool = False
    middle: float = 0.4


class FlowGenerator(DenoisingGenerator):
    """Text, score, duration in; normalised motion out, along straight paths."""

    kind = "flow"
    described = "Flow matching on straight paths (x0 prediction)"
    config: FlowConfig

    def _levels(self, step: Tensor) -> tuple[Tensor, Tensor]:
        return straight_levels(step)

    def _training_steps(self, draws: Draws, n: int) -> Tensor:
        return (draws.normal(n) + self.config.middle).sigmoid()

    def _share(self, step: Tensor) -> Tensor:
        return super()._share(step) / step.clamp(min=NEAREST).square()

    def _solve(
        self, predict: Predict, noise: Tensor, n_steps: int, draws: list[torch.Generator], eta: float | None
    ) -> Tensor:
        return straight_ode(predict, noise, n_steps, self.config.step_power, self.config.heun)
