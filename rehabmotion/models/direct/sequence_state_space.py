"""Selective state spaces in both directions (Mamba: Gu & Dao 2023; Mamba-2: Dao & Gu 2024).

Each layer carries a state along the frames, h_t = a_t h_{t-1} + dt_t B_t x_t, y_t = C_t h_t, where a_t, B_t, C_t and
the step dt_t follow from the frame itself: the network chooses what to remember. Mamba-2 lets a_t be one number a
head; the layer is then a masked product like attention's, y = (L * C B') x, quicker than a loop for 243 frames.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.models.direct.backbone_parts import deepened, rounded
from rehabmotion.models.direct.sequence_parts import Raw, SequenceModule

PER_HEAD, STATE, KERNEL = 32, 16, 4


class StateSpace(nn.Module):
    """One direction: (B, T, d) -> (B, T, d); a frame sees itself and those before."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.inner = 2 * d
        self.heads = self.inner // PER_HEAD
        self.widths = [self.inner, self.inner + 2 * STATE, self.heads]
        self.project = nn.Linear(d, sum(self.widths))
        mixed = self.widths[1]
        self.mix = nn.Conv1d(mixed, mixed, KERNEL, groups=mixed)
        self.log_rate = nn.Parameter(torch.linspace(1.0, 16.0, self.heads).log())  # heads forget at different rates
        self.step = nn.Parameter(torch.logspace(-3, -1, self.heads).expm1().log())  # softplus of it: 0.001 to 0.1
        self.past = nn.Parameter(torch.ones(self.heads))
        self.norm = nn.LayerNorm(self.inner)
        self.out = nn.Linear(self.inner, d)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, d)."""
        gate, mixed, step = self.project(x).split(self.widths, dim=-1)
        mixed = F.silu(self.mix(F.pad(mixed.transpose(1, 2), (KERNEL - 1, 0))).transpose(1, 2))
        value, write, read = mixed.split([self.inner, STATE, STATE], dim=-1)
        value = value.unflatten(-1, (self.heads, PER_HEAD))
        step = F.softplus(step + self.step)
        carried = scan(value * step[..., None], -self.log_rate.exp() * step, write, read)
        y = (carried + self.past[:, None] * value).flatten(2)
        return self.out(self.norm(y) * F.silu(gate))


class StateSpaces(SequenceModule):
    """Four layers of width 256, each forward and backward in time; every frame has an output."""

    def __init__(
        self, n_in: int, n_out: int, frames: int, causal: bool = False, width: float = 1.0, depth: float = 1.0
    ) -> None:
        super().__init__(n_in, n_out, frames, causal)
        d, layers = rounded(256 * width, PER_HEAD // 2), deepened(4, depth)
        self.first = nn.Linear(n_in, d)
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(layers))
        self.ahead = nn.ModuleList(StateSpace(d) for _ in range(layers))
        self.back = nn.ModuleList(StateSpace(d) for _ in range(layers))
        self.out = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, n_out))

    def raw(self, x: Tensor) -> Raw:
        """Return the raw numbers of the target and of every frame."""
        y = self.first(x)
        for norm, ahead, back in zip(self.norms, self.ahead, self.back, strict=True):
            z = norm(y)
            y = y + ahead(z) + back(z.flip(1)).flip(1)
        every = self.out(y)
        return Raw(every[:, self.target], every)


def scan(value: Tensor, log_decay: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """Return y_t = C_t h_t with h_t = exp(log_decay_t) h_{t-1} + B_t x_t, (B, T, heads, P), as one masked product.

    value x (B, T, heads, P); log_decay (B, T, heads), 0 or less; write B and read C (B, T, N), shared by the heads.
    """
    frames = value.shape[1]
    total = log_decay.cumsum(dim=1)
    kept = (total[:, :, None] - total[:, None]).movedim(-1, 1)  # (B, heads, t, s): the decay from s to t, in logs
    before = torch.ones(frames, frames, dtype=torch.bool, device=value.device).tril()
    weight = kept.masked_fill(~before, -torch.inf).exp() * (read @ write.transpose(1, 2))[:, None]
    return torch.einsum("bhts,bshp->bthp", weight, value)
