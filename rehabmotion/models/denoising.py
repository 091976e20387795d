"""What the families that take noise away step by step have in common: the network, guidance, and mending."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Denoiser, Observed
from rehabmotion.models.generator import Generator, Request, streams
from rehabmotion.models.guidance import Predict, guided
from rehabmotion.models.text import TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder

DRAWS = 4  # of noise, whose answers are averaged where a clip is mended


class DenoisingGenerator(Generator):
    """A family whose network predicts the clean clip from one mixed with noise."""

    def __init__(self, config: GeneratorConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__(config, text)
        self.denoiser = Denoiser(config.network)

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
        raise NotImplementedError

    def _start(self, request: Request) -> tuple[Tensor, list[torch.Generator]]:
        """Return noise (B, T, C), and the stream of each motion for more of it."""
        draws = streams(request)
        shape = (self.config.network.n_frames, self.config.network.n_features)
        return torch.stack([torch.randn(shape, generator=g) for g in draws]), draws

    def _predict(self, request: Request, c: Conditions, w_text: float, w_score: float) -> Predict:
        """Return the guided prediction of x0 for a request."""
        n = self.config.network
        valid = torch.ones(len(request.texts), n.n_frames, n.n_masked, dtype=torch.bool)
        return guided(self._estimate, c, valid, self._frame_mask(request), w_text, w_score)

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
