"""What the families that take noise away step by step have in common: the network, its loss, guidance, and mending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Denoiser, Observed
from rehabmotion.models.generator import Batch, Generator, Request, streams
from rehabmotion.models.guidance import guided
from rehabmotion.models.samplers import Predict, mixed
from rehabmotion.models.text import TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.models.trainable import Draws

DRAWS = 4  # of noise, whose answers are averaged where a clip is mended


@dataclass(frozen=True)
class DenoisingConfig(GeneratorConfig):
    """Adds how motions are sampled.

    step_power: of the sampling steps' spacing; above 1 they lie closer where the clip is nearly clean. noise_scale: of
    the noise a sample begins with; above 1 makes up for the variety that few steps lose.
    """

    sampling_steps: int = 10
    guidance_text: float = 1.0
    guidance_score: float = 2.0
    step_power: float = 1.0
    noise_scale: float = 1.0


class DenoisingGenerator(Generator):
    """A family whose network predicts the clean clip x0 from x_t = signal x0 + level noise, at a step from 0 to 1.

    A family says how much there is of both at a step, which steps training sees, and how noise is taken away.
    """

    config: DenoisingConfig

    def __init__(self, config: DenoisingConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__(config, text)
        self.denoiser = Denoiser(config.network)

    def _levels(self, step: Tensor) -> tuple[Tensor, Tensor]:
        """Return signal and level (B,) at steps (B,): 1 and 0 at step 0, nearly 0 and 1 at step 1."""
        raise NotImplementedError

    def _training_steps(self, draws: Draws, n: int) -> Tensor:
        """Return the steps (n,) that a batch is trained at."""
        return draws.uniform(n)

    def _share(self, step: Tensor) -> Tensor:
        """Return the weight (B,) of each clip's error in the loss."""
        return self.prior.loss_weight(*self._levels(step))

    def _solve(
        self, predict: Predict, noise: Tensor, n_steps: int, draws: list[torch.Generator], eta: float | None
    ) -> Tensor:
        """Return x0 (B, T, C) from noise; draws: for fresh noise, eta: how much of it, where a sampler takes any."""
        raise NotImplementedError

    def loss(self, batch: Batch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch: total, x0, velocity and bone, each a scalar; invalid joints are never read."""
        x, seen = batch.x, self._seen(batch)
        step = self._training_steps(draws, len(x)).to(x)
        noise = draws.normal(*x.shape).to(x)
        x_t = mixed(x * self._per_feature(seen), noise, self._levels(step))
        told = self._dropped(batch.conditions, draws)
        made = self._estimate(x_t, step, seen, told, batch.frame_mask, batch.observed)
        return self._likeness(made, x, seen, self._share(step))

    def _estimate(
        self,
        x_t: Tensor,
        step: Tensor,
        seen: Tensor,
        c: Conditions,
        frames: Tensor | None = None,
        observed: Observed | None = None,
    ) -> Tensor:
        """Return x0 (B, T, C) of clips x_t mixed with noise at step (B,), 1 = noise alone."""
        return self.prior(self.denoiser(x_t, step, seen, c, frames, observed), x_t, *self._levels(step))

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
        c, n, conditions, draws = self.config, self.config.network, self.conditions(request), streams(request)
        noise = c.noise_scale * torch.stack([torch.randn(n.n_frames, n.n_features, generator=g) for g in draws])
        predict = guided(
            self._estimate,
            conditions,
            torch.ones(len(noise), n.n_frames, n.n_masked, dtype=torch.bool),
            self._frame_mask(request),
            c.guidance_text if guidance_text is None else guidance_text,
            c.guidance_score if guidance_score is None else guidance_score,
        )
        return self._finished(self._solve(predict, noise, steps or c.sampling_steps, draws, eta), conditions)

    @torch.no_grad()
    def mend(self, x: Tensor, seen: Tensor, seconds: Sequence[float], seed: int = 0) -> Tensor:
        """Return clips like x (B, T, C), in units of the height proxy, whole and calm: what is most likely on average.

        seen (B, T, J): what is measured; the rest of x is not read. Asked at full noise in one pass, so nothing is
        drawn at random but what the answer is averaged over. UserError for a model that was not trained to mend.
        """
        if not self.config.network.observes:
            raise UserError("This model was not trained to mend motions. Train one with: rehabmotion train.")
        self.eval()
        n = len(x)
        nothing = Request([""] * n, ["none"] * n, [None] * n, [0.0] * n, list(seconds))
        c = self.conditions(nothing).without_text()
        weight = seen.repeat_interleave(3, dim=-1)
        observed = Observed(torch.where(weight, (x - self.mean) / self.std, torch.zeros_like(x)), seen)
        stream = torch.Generator().manual_seed(seed)
        everything, full = torch.ones_like(seen), torch.ones(n)
        made = [
            self._estimate(torch.randn(x.shape, generator=stream), full, everything, c, None, observed)
            for _ in range(DRAWS)
        ]
        return torch.stack(made).mean(dim=0) * self.std + self.mean
