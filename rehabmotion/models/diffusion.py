"""Denoising diffusion with x0 prediction: the schedule, the loss and the DDIM sampler, apart from any network.

Ho et al. 2020 (DDPM), Nichol & Dhariwal 2021 (cosine schedule), Song et al. 2021 (DDIM).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]  # (x_t (B, ...), step (B,) in 0..1) -> x0


def cosine_alpha_bar(step: Tensor) -> Tensor:
    """Return the share of signal variance at `step` in 0..1 (Nichol & Dhariwal 2021, eq. 17, s = 0.008)."""
    s = 0.008
    return (
        (torch.cos((step + s) / (1 + s) * math.pi / 2) / math.cos(s / (1 + s) * math.pi / 2)).square().clamp(1e-6, 1.0)
    )


def add_noise(x0: Tensor, noise: Tensor, step: Tensor) -> Tensor:
    """Return x_t = sqrt(a) x0 + sqrt(1 - a) noise for step (B,) in 0..1."""
    a = cosine_alpha_bar(step).view(-1, *[1] * (x0.ndim - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@torch.no_grad()
def ddim(
    predict: Predict,
    noise: Tensor,
    n_steps: int,
    eta: float = 0.0,
    generator: torch.Generator | Sequence[torch.Generator] | None = None,
    power: float = 1.0,
) -> Tensor:
    """Return x0 from noise (B, ...) in `n_steps` (Song et al. 2021, eq. 12); eta 0 is deterministic, 1 is DDPM.

    Step i stands at (1 - i / n_steps)^power. Fresh noise (eta > 0) comes from one generator for all, or from one for
    each of the B.
    """
    steps = torch.linspace(1.0, 0.0, n_steps + 1) ** power
    x = noise
    for now, then in itertools.pairwise(steps):
        x0 = predict(x, now.expand(len(x)).to(x.device))
        a, b = cosine_alpha_bar(now), cosine_alpha_bar(then) if then > 0 else torch.tensor(1.0)
        e = (x - a.sqrt() * x0) / (1 - a).sqrt()
        sigma = eta * ((1 - b) / (1 - a) * (1 - a / b)).clamp(min=0).sqrt()
        x = b.sqrt() * x0 + (1 - b - sigma**2).clamp(min=0).sqrt() * e
        if eta > 0 and then > 0:
            x = x + sigma * _fresh(x.shape, generator).to(x)
    return x


def _fresh(shape: torch.Size, generator: torch.Generator | Sequence[torch.Generator] | None) -> Tensor:
    if generator is None or isinstance(generator, torch.Generator):
        return torch.randn(shape, generator=generator)
    return torch.stack([torch.randn(shape[1:], generator=g) for g in generator])
