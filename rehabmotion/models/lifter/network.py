"""The lifter: windows of points in, a moving skeleton with its uncertainty out. A transformer over frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.models.blocks import EncoderBlock, sinusoids
from rehabmotion.models.lifter.body import BALLS, HINGES, N_SCALES, Body, from_six
from rehabmotion.models.lifter.encode import encode, n_features
from rehabmotion.models.lifter.losses import Lifted, LifterBatch, lifter_losses
from rehabmotion.models.trainable import Draws, Trainable

N_ROTATIONS = 1 + len(BALLS)  # root first
N_TURNED = 3 * N_ROTATIONS + len(HINGES)  # coordinates that have a variance


@dataclass(frozen=True)
class LifterConfig:
    """Sizes of the network. window: frames seen at once, at fps frames a second."""

    points: tuple[str, ...]
    n_dense: int
    window: int = 64
    fps: float = 30.0
    d: int = 192
    layers: int = 4
    heads: int = 6
    dropout: float = 0.05

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LifterConfig:
        """Return what `as_json` gave; unknown keys raise UserError."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise UserError(f'Unknown key "{unknown[0]}" of a lifter. Known: {", ".join(sorted(known))}.')
        return cls(**{**data, "points": tuple(data["points"])})


class Lifter(Trainable):
    """Encoded windows (B, T, F), real frames (B, T) -> Lifted."""

    kind = "lifter"

    def __init__(self, config: LifterConfig, model: Model) -> None:
        super().__init__()
        self.config = config
        self.body = Body(model, config.points)  # has no weights
        d = config.d
        self.inside = nn.Linear(n_features(len(config.points)), d)
        self.blocks = nn.ModuleList(EncoderBlock(d, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.pose = nn.Linear(d, 6 * N_ROTATIONS + len(HINGES))
        self.dense = nn.Linear(d, 3 * config.n_dense)
        self.width = nn.Sequential(nn.Linear(d, d // 2), nn.GELU(), nn.Linear(d // 2, N_TURNED))
        last = nn.Linear(d, N_SCALES + 3)
        self.still = nn.Sequential(nn.Linear(d, d), nn.GELU(), last)
        with torch.no_grad():  # begin upright: camera's y is down, the model's up
            self.pose.weight.mul_(0.1)
            upright = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(N_ROTATIONS)
            self.pose.bias.copy_(torch.cat([upright, torch.zeros(len(HINGES))]))
            self.pose.bias[:6] = torch.tensor([0.0, 0, -1, 0, -1, 0])  # facing the camera
            last.weight.mul_(0.1)
            last.bias.copy_(torch.cat([torch.ones(N_SCALES), torch.tensor([0.0, -1, 0])]))

    def forward(self, features: Tensor, real: Tensor) -> Lifted:
        """Return what is lifted from features (B, T, F)."""
        t = torch.arange(features.shape[1], device=features.device)
        x = self.inside(features) + sinusoids(t, self.config.d, fastest=8.0)
        for block in self.blocks:
            x = block(x, real)
        x = self.norm(x)
        pose = self.pose(x)
        share = real.to(x) / real.sum(dim=1, keepdim=True).clamp(min=1)
        still = self.still(torch.einsum("bt,btd->bd", share, x))
        return Lifted(
            rotations=from_six(pose[..., : 6 * N_ROTATIONS].unflatten(-1, (N_ROTATIONS, 6))),
            hinges=pose[..., 6 * N_ROTATIONS :],
            tied=still[:, :N_SCALES].clamp(0.5, 1.8),
            dense=self.dense(x).unflatten(-1, (-1, 3)),
            log_width=self.width(x.detach()).clamp(-6, 1.5),
            up=torch.nn.functional.normalize(still[:, N_SCALES:], dim=-1),
        )

    def loss(self, batch: LifterBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch, scalars."""
        encoded = encode(batch.seen)
        lifted = self(encoded.features, batch.seen.real)
        return lifter_losses(lifted, batch.truth, encoded.turn, batch.seen.real, self.body)
