"""What every family of generators is: conditions in, normalised motion out, behind `loss(batch)` and `sample(request)`.

What surrounds it (run folders, captions, decoding to metres) is the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from torch import Tensor

from rehabmotion.geometry.humanml3d import FPS as HUMANML3D_FPS
from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Observed
from rehabmotion.models.prior import Calm, SpectralPrior
from rehabmotion.models.text import SIDES, TextConfig, TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.models.trainable import Draws, Trainable
from rehabmotion.motion import CANONICAL


@dataclass
class Batch:
    """Training clips: x (B, T, C) normalised; valid (B, T, J); conditions; frame_mask (B, T) or None = all real.

    observed: the same clips as a poor sensor may have seen them, for those that are to be mended; None = none are.
    """

    x: Tensor
    valid: Tensor
    conditions: Conditions
    frame_mask: Tensor | None = None
    observed: Observed | None = None


@dataclass
class Request:
    """What is asked for, per motion: text and side, score scale and value on 0..1, seconds; one seed for all."""

    texts: Sequence[str]
    sides: Sequence[str]
    scales: Sequence[str | None]
    scores: Sequence[float]
    seconds: Sequence[float]
    seed: int = 0
    first: int = 0  # number of the first of these motions: a batch of many is cut without changing anything
    people: Sequence[int] = field(default_factory=tuple)  # whose manner, by index; -1 = nobody in particular


class Generator(Trainable):
    """Text, score, duration in; normalised motion out. A family adds its networks, `loss` and `sample`."""

    kind: ClassVar[str]
    described: ClassVar[str]  # the family in a few words, for cards
    config: GeneratorConfig
    mean: Tensor  # (C,) and std (C,) of the training clips
    std: Tensor

    def __init__(self, config: GeneratorConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__()
        self.config = config
        self.text = (text or new_text_encoder(config.text)).eval().requires_grad_(False)
        n = config.network
        self.prior = SpectralPrior(n.n_frames, n.n_features)
        self.calm = Calm(n.n_exercises, len(n.scales), n.n_frames, len(CANONICAL)) if self._in_joints else None
        self.register_buffer("mean", torch.tensor(config.mean), persistent=False)
        self.register_buffer("std", torch.tensor(config.std), persistent=False)

    def train(self, mode: bool = True) -> Self:
        """Set training mode; the text encoder stays as it was trained."""
        super().train(mode)
        self.text.eval()
        return self

    def loss(self, batch: Batch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch, each a scalar, `total` among them; invalid joints are never read."""
        raise NotImplementedError

    def finish(self, batch: Batch) -> None:
        """Learn what is known only when training has ended, from clips as they are; most families need nothing."""

    def sample(
        self,
        request: Request,
        steps: int | None = None,
        guidance_text: float | None = None,
        guidance_score: float | None = None,
    ) -> Tensor:
        """Return features (B, T, C) in units of the height proxy. The same request gives the same numbers.

        steps and guidance mean nothing to families of a single pass.
        """
        raise NotImplementedError

    # --- for the families: conditions -----------------------------------------------------------------------------

    @torch.no_grad()
    def conditions(self, request: Request) -> Conditions:
        """Return the network's conditions for a request; the exercise as the text is read, sharpened; quality 1."""
        out = {name: value.cpu() for name, value in self.text.encode(list(request.texts)).items()}
        exercise = out["exercise"].softmax(dim=-1).square()
        exercise = exercise / exercise.sum(dim=-1, keepdim=True)
        n = len(request.texts)
        scales = self.config.network.scales
        side = torch.zeros(n, len(SIDES))
        side[torch.arange(n), torch.tensor([SIDES.index(s) for s in request.sides])] = 1.0
        return Conditions(
            words=out["tokens"],
            word_mask=out["mask"],
            pooled=out["pooled"],
            exercise=exercise,
            side=side,
            scale=torch.tensor([-1 if s is None else scales.index(s) for s in request.scales]),
            score=torch.tensor([float(v) for v in request.scores]),
            person=torch.tensor(list(request.people) or [-1] * n),
            seconds=torch.tensor([float(s) for s in request.seconds]),
            quality=torch.ones(n),
            has_text=torch.ones(n, dtype=torch.bool),
            has_words=torch.ones(n, dtype=torch.bool),
        )

    def _dropped(self, c: Conditions, draws: Draws) -> Conditions:
        def left_out(p: float) -> Tensor:
            return (draws.uniform(len(c.scale)) < p).to(c.scale.device)

        return c.but(
            has_text=c.has_text & ~left_out(self.config.drop_text),
            has_words=c.has_words & ~left_out(self.config.drop_words),
            scale=torch.where(left_out(self.config.drop_score), torch.full_like(c.scale, -1), c.scale),
            person=torch.where(left_out(self.config.drop_person), torch.full_like(c.person, -1), c.person),
        )

    # --- for the families: losses ---------------------------------------------------------------------------------

    def _seen(self, batch: Batch) -> Tensor:
        """Return what is measured and within the clip, (B, T, J)."""
        return batch.valid if batch.frame_mask is None else batch.valid & batch.frame_mask[..., None]

    def _per_feature(self, valid: Tensor) -> Tensor:
        joints, features = valid.shape[-1], self.config.network.n_features
        if features == 3 * joints:
            return valid.float().repeat_interleave(3, dim=-1)
        return valid.all(dim=-1, keepdim=True).float().expand(*valid.shape[:2], features)

    def _likeness(self, made: Tensor, x: Tensor, seen: Tensor, share: Tensor | None = None) -> dict[str, Tensor]:
        """Return how far made clips are from x (B, T, C) in position, velocity and bones, and `total`, their sum.

        share (B,): weight of each clip in the first two.
        """
        weight = self._per_feature(seen)
        share = torch.ones_like(x[:, :1, :1]) if share is None else share[:, None, None]
        parts = {"x0": masked_mean(share * (made - x) ** 2, weight)}
        pair = weight[:, 1:] * weight[:, :-1]
        parts["velocity"] = masked_mean(share * (made.diff(dim=1) - x.diff(dim=1)) ** 2, pair)
        parts["bone"] = self._bone_loss(made, x, seen)
        c = self.config
        parts["total"] = parts["x0"] + c.velocity_weight * 10.0 * parts["velocity"] + c.bone_weight * parts["bone"]
        return parts

    def _bone_loss(self, made: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        """Mean squared error of bone lengths in units of 1 % of the height proxy."""
        if not self._in_joints:
            return made.new_zeros(())
        parents, joints = (torch.tensor(side, device=x.device) for side in zip(*CANONICAL.bones, strict=True))

        def lengths(v: Tensor) -> Tensor:
            p = (v * self.std + self.mean).unflatten(-1, (-1, 3))
            return (p[:, :, joints] - p[:, :, parents]).square().sum(dim=-1).add(1e-10).sqrt()

        both = (seen[:, :, joints] & seen[:, :, parents]).float()
        return masked_mean((100.0 * (lengths(made) - lengths(x))) ** 2, both) * 0.05

    # --- for the families: use ------------------------------------------------------------------------------------

    @property
    def _in_joints(self) -> bool:
        """Whether features are joint coordinates at equal steps of a clip's own time."""
        return self.config.features == "canonical"

    def _frame_mask(self, request: Request) -> Tensor | None:
        """Return which frames are real (B, T); None where the representation fills all of them by itself."""
        if self._in_joints:
            return None
        frames = torch.tensor([round(seconds * HUMANML3D_FPS) - 1 for seconds in request.seconds])
        return torch.arange(self.config.network.n_frames) < frames.clamp(min=2)[:, None]

    def _finished(self, x: Tensor, c: Conditions) -> Tensor:
        """Return normalised clips (B, T, C) in units of the height proxy, as calm as simulated ones where asked."""
        if self.calm is not None:
            x = self.calm(x, c.exercise.argmax(dim=-1), c.scale, c.score, c.person >= 0)
        return x * self.std + self.mean


def streams(request: Request) -> list[torch.Generator]:
    """Return a stream of random numbers for each motion: the first of many equals the only one of one."""
    seeds = [_mix(request.seed, request.first + i) for i in range(len(request.texts))]
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _mix(seed: int, index: int) -> int:
    return (seed * 1_000_003 + index * 7919 + 12345) % (2**63 - 1)


def new_text_encoder(config: TextConfig) -> TextEncoder | HubTextEncoder:
    """Return an untrained text encoder of the kind the configuration names."""
    return TextEncoder(config) if config.encoder == "ngram" else HubTextEncoder(config)


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Return the mean of values where weight is 1; 0 where it is nowhere."""
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
