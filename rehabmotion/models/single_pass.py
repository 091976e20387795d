"""What the families that paint a clip in one pass have in common: latent, decoder, and fine deviations drawn beside.

A network that paints in patches leaves jitter between them, more than there is in clips. Each frequency of what it
paints is scaled down to the size it has in training clips, which is learnt once, when training has ended.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.decoder import MotionDecoder
from rehabmotion.models.generator import Batch, Generator, Request, streams
from rehabmotion.models.prior import SpectralMatch
from rehabmotion.models.text import TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder


class SinglePassGenerator(Generator):
    """A family that decodes a clip from one latent."""

    d_latent: int

    def __init__(
        self, config: GeneratorConfig, d_latent: int, text: TextEncoder | HubTextEncoder | None = None
    ) -> None:
        super().__init__(config, text)
        self.d_latent = d_latent
        self.decoder = MotionDecoder(config.network, d_latent)
        self.matched = SpectralMatch(config.network.n_frames, config.network.n_features)

    def _latent(self, c: Conditions, noise: Tensor) -> Tensor:
        """Return latents (B, d_latent) of conditions from unit noise of that shape."""
        raise NotImplementedError

    @torch.no_grad()
    def finish(self, batch: Batch) -> None:
        """Learn how large each frequency of what is painted is beside that of training clips."""
        self.eval()
        noise = torch.randn(len(batch.x), self.d_latent, generator=torch.Generator().manual_seed(0))
        painted = self._painted(self._latent(batch.conditions, noise), batch.conditions, batch.frame_mask)
        if batch.frame_mask is None:  # clips of other lengths have no common spectrum
            seen = self._per_feature(batch.valid).bool().all(dim=1)
            self.matched.fit(painted, batch.x, seen, self.prior.deviation)

    def _painted(self, z: Tensor, c: Conditions, frames: Tensor | None) -> Tensor:
        """Return what the decoder paints, settled: the clip without its fine deviations, (B, T, C)."""
        return self.prior.settled(self.decoder(z, c, frames))

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
        c, draws = self.conditions(request), streams(request)
        shape = (self.config.network.n_frames, self.config.network.n_features)
        z = self._latent(c, torch.stack([torch.randn(self.d_latent, generator=g) for g in draws]))
        fine = self.prior.unrest(torch.stack([torch.randn(shape, generator=g) for g in draws]))
        return self._finished(self.matched(self._painted(z, c, self._frame_mask(request))) + fine, c)
