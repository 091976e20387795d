"""Noise schedules and samplers, apart from any network: DDIM of the cosine schedule, the ODE of straight paths.

Ho et al. 2020 (DDPM), Nichol & Dhariwal 2021 (cosine schedule), Song et al. 2021 (DDIM), Lipman et al. 2023 (flow
matching), Karras et al. 2022 (Heun steps).
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


def cosine_levels(step: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much signal and noise (B,) there is in a clip at a step (B,): x_t = signal x0 + noise n."""
    a = cosine_alpha_bar(step)
    return a.sqrt(), (1 - a).sqrt()


def straight_levels(step: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same shares (B,) on the straight path: 1 - s and s."""
    return 1 - step, step


def mixed(x0: Tensor, noise: Tensor, levels: tuple[Tensor, Tensor]) -> Tensor:
    """Return x_t = signal x0 + level noise for clips (B, ...) and their shares (B,) of both."""
    signal, level = (share.view(-1, *[1] * (x0.ndim - 1)) for share in levels)
    return signal * x0 + level * noise


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


@torch.no_grad()
def straight_ode(predict: Predict, noise: Tensor, n_steps: int, power: float = 1.0, heun: bool = False) -> Tensor:
    """Return x0 from noise (B, ...) along dx/ds = (x - x0(x, s)) / s, s from 1 to 0 in `n_steps`.

    Euler steps, or Heun's of second order, which ask twice in all but the last.
    """
    steps = torch.linspace(1.0, 0.0, n_steps + 1) ** power
    x = noise
    for now, then in itertools.pairwise(steps):
        slope = (x - predict(x, now.expand(len(x)).to(x.device))) / now
        ahead = x + (then - now) * slope
        if heun and then > 0:
            slope_ahead = (ahead - predict(ahead, then.expand(len(x)).to(x.device))) / then
            ahead = x + (then - now) * (slope + slope_ahead) / 2
        x = ahead
    return x
