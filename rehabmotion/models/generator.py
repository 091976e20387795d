"""The generator: text encoder and denoiser behind the small interface every family shares.

A family offers `loss(batch)` for training and `sample(request)` for use; both speak in normalised features. What
surrounds it (run folders, captions, decoding to metres) is the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.geometry.humanml3d import FPS as HUMANML3D_FPS
from rehabmotion.geometry.humanml3d import N_FEATURES as HUMANML3D_FEATURES
from rehabmotion.models.denoiser import Conditions, Denoiser, DenoiserConfig
from rehabmotion.models.diffusion import add_noise, ddim
from rehabmotion.models.prior import Calm, SpectralPrior
from rehabmotion.models.text import SIDES, TextConfig, TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.motion import CANONICAL

WIDTHS = {"canonical": 3 * len(CANONICAL), "humanml3d": HUMANML3D_FEATURES}  # numbers a frame, per representation


@dataclass(frozen=True)
class DiffusionConfig:
    """The resolved configuration of a diffusion generator; kept as JSON beside its weights."""

    text: TextConfig
    denoiser: DenoiserConfig
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scales: tuple[str, ...]  # the score scales it has learnt
    features: str = "canonical"
    drop_text: float = 0.1
    drop_score: float = 0.15
    drop_words: float = 0.4
    drop_person: float = 0.1
    velocity_weight: float = 0.1
    bone_weight: float = 1.0
    sampling_steps: int = 10
    guidance_text: float = 1.0
    guidance_score: float = 2.0
    eta: float = 0.0
    step_power: float = 1.5  # of the sampling steps' spacing: above 1 they lie closer where the clip is nearly clean

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DiffusionConfig:
        """Return the configuration kept by as_json(); unknown keys raise UserError."""
        parts = {"text": TextConfig, "denoiser": DenoiserConfig}
        known = set(cls.__dataclass_fields__)
        unknown = set(data) - known
        if unknown:
            raise UserError(
                f"Unknown key {sorted(unknown)[0]!r} in DiffusionConfig. Known keys: {', '.join(sorted(known))}."
            )
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k not in parts}
        try:
            nested: dict[str, Any] = {
                k: kind(**{a: tuple(b) if isinstance(b, list) else b for a, b in data[k].items()})
                for k, kind in parts.items()
            }
            config = cls(**nested, **plain)
            config._check()
        except (TypeError, KeyError, AttributeError) as error:
            raise UserError(f"Expected the configuration of a diffusion model, it does not fit ({error}).") from None
        return config

    def _check(self) -> None:
        """Refuse parts that do not belong together: they would fail only when a motion is asked for."""
        d, t = self.denoiser, self.text
        for part in (d, t):
            for name in (f.name for f in fields(part) if f.type == "int"):
                value = getattr(part, name)
                least = 0 if name == "n_people" else 1  # a model need not know people apart
                if not isinstance(value, int) or value < least:
                    raise UserError(f"Expected {name} of {least} or more, got {value!r}.")
        numbers = [getattr(self, f.name) for f in fields(self) if f.type == "float"]
        if not all(_is_finite(number) for number in (*numbers, *self.mean, *self.std)):
            raise UserError("Expected finite numbers for mean, std, weights and guidance, got others.")
        if not isinstance(self.sampling_steps, int) or self.sampling_steps < 1:
            raise UserError(f"Expected sampling_steps of 1 or more, got {self.sampling_steps!r}.")
        if self.features not in WIDTHS:
            raise UserError(f'Expected features {" or ".join(WIDTHS)}, got "{self.features}".')
        sizes = {
            "n_features": (d.n_features, WIDTHS[self.features]),
            "width left over by the heads": (d.d % d.heads + t.d % t.heads, 0),
            "mean": (len(self.mean), d.n_features),
            "std": (len(self.std), d.n_features),
            "text.d": (t.d, d.d_text),
            "exercises and other": (len(t.classes), d.n_exercises),
            "frames that fill no patch": (d.n_frames % d.patch, 0),
            "scales the denoiser lacks": (len(set(self.scales) - set(d.scales)), 0),
        }
        for name, (got, expected) in sizes.items():
            if got != expected:
                raise UserError(f"Expected parts of one model, {name}: {expected}, got {got}.")


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)


@dataclass
class Batch:
    """Training clips: x (B, T, C) normalised; valid (B, T, J); conditions; frame_mask (B, T) or None = all real."""

    x: Tensor
    valid: Tensor
    conditions: Conditions
    frame_mask: Tensor | None = None


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


class DiffusionGenerator(nn.Module):
    """Text, score, duration in; normalised motion out, by denoising diffusion with x0 prediction."""

    kind = "diffusion"
    mean: Tensor  # (C,) and std (C,) of the training clips
    std: Tensor

    def __init__(self, config: DiffusionConfig, text: TextEncoder | HubTextEncoder | None = None) -> None:
        super().__init__()
        self.config = config
        self.text = (text or new_text_encoder(config.text)).eval().requires_grad_(False)
        self.denoiser = Denoiser(config.denoiser)
        d = config.denoiser
        self.prior = SpectralPrior(d.n_frames, d.n_features)
        self.calm = Calm(d.n_exercises, len(d.scales), d.n_frames, len(CANONICAL)) if self._in_joints else None
        self.register_buffer("mean", torch.tensor(config.mean), persistent=False)
        self.register_buffer("std", torch.tensor(config.std), persistent=False)

    def train(self, mode: bool = True) -> DiffusionGenerator:
        """Set training mode; the text encoder stays as it was trained."""
        super().train(mode)
        self.text.eval()
        return self

    # --- training -----------------------------------------------------------------------------------------------

    def loss(self, batch: Batch, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return the losses of a batch: total, x0, velocity and bone, each a scalar; invalid joints are never read."""
        x, b = batch.x, len(batch.x)
        step = torch.rand(b, generator=generator).to(x)
        noise = torch.randn(x.shape, generator=generator).to(x)
        seen = batch.valid if batch.frame_mask is None else batch.valid & batch.frame_mask[..., None]
        weight = self._per_feature(seen)
        x_t = add_noise(x * weight, noise, step)
        predicted = self._estimate(x_t, step, seen, self._dropped(batch.conditions, generator), batch.frame_mask)
        share = self.prior.loss_weight(step)[:, None, None]
        parts = {"x0": _masked_mean(share * (predicted - x) ** 2, weight)}
        pair = weight[:, 1:] * weight[:, :-1]
        parts["velocity"] = _masked_mean(share * (predicted.diff(dim=1) - x.diff(dim=1)) ** 2, pair)
        parts["bone"] = self._bone_loss(predicted, x, seen)
        c = self.config
        parts["total"] = parts["x0"] + c.velocity_weight * 10.0 * parts["velocity"] + c.bone_weight * parts["bone"]
        return parts

    def _estimate(self, x_t: Tensor, step: Tensor, seen: Tensor, c: Conditions, frames: Tensor | None) -> Tensor:
        return self.prior(self.denoiser(x_t, step, seen, c, frames), x_t, step)

    def _per_feature(self, valid: Tensor) -> Tensor:
        joints, features = valid.shape[-1], self.config.denoiser.n_features
        if features == 3 * joints:
            return valid.float().repeat_interleave(3, dim=-1)
        return valid.all(dim=-1, keepdim=True).float().expand(*valid.shape[:2], features)

    def _bone_loss(self, predicted: Tensor, x: Tensor, valid: Tensor) -> Tensor:
        """Mean squared error of bone lengths in units of 1 % of the height proxy."""
        if self.config.denoiser.n_features != 3 * len(CANONICAL):
            return predicted.new_zeros(())
        parents, joints = (torch.tensor(side, device=x.device) for side in zip(*CANONICAL.bones, strict=True))

        def lengths(v: Tensor) -> Tensor:
            p = (v * self.std + self.mean).unflatten(-1, (-1, 3))
            return (p[:, :, joints] - p[:, :, parents]).square().sum(dim=-1).add(1e-10).sqrt()

        both = (valid[:, :, joints] & valid[:, :, parents]).float()
        return _masked_mean((100.0 * (lengths(predicted) - lengths(x))) ** 2, both) * 0.05

    def _dropped(self, c: Conditions, generator: torch.Generator | None) -> Conditions:
        def draw(p: float) -> Tensor:
            return (torch.rand(len(c.scale), generator=generator) < p).to(c.scale.device)

        return c.but(
            has_text=c.has_text & ~draw(self.config.drop_text),
            has_words=c.has_words & ~draw(self.config.drop_words),
            scale=torch.where(draw(self.config.drop_score), torch.full_like(c.scale, -1), c.scale),
            person=torch.where(draw(self.config.drop_person), torch.full_like(c.person, -1), c.person),
        )

    # --- use ----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def conditions(self, request: Request) -> Conditions:
        """Return the network's conditions for a request; the exercise as the text is read, sharpened."""
        out = {name: value.cpu() for name, value in self.text.encode(list(request.texts)).items()}
        exercise = out["exercise"].softmax(dim=-1).square()
        exercise = exercise / exercise.sum(dim=-1, keepdim=True)
        return self._assemble(out, exercise, request)

    def _assemble(self, out: dict[str, Tensor], exercise: Tensor, request: Request) -> Conditions:
        n = len(request.texts)
        scales = self.config.denoiser.scales
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
            has_text=torch.ones(n, dtype=torch.bool),
            has_words=torch.ones(n, dtype=torch.bool),
        )

    @torch.no_grad()
    def sample(
        self,
        request: Request,
        steps: int | None = None,
        guidance_text: float | None = None,
        guidance_score: float | None = None,
        eta: float | None = None,
    ) -> Tensor:
        """Return features (B, T, C) in units of the height proxy. The same request gives the same numbers.

        Two conditions, two weights (generation of Ho & Salimans 2021, extended): x = x_0 + w_t (x_t - x_0) +
        w_s (x_ts - x_t), with x_0 unconditional, x_t told the text, x_ts told text and score.
        """
        self.eval()
        c = self.config
        w_text = c.guidance_text if guidance_text is None else guidance_text
        w_score = c.guidance_score if guidance_score is None else guidance_score
        conditions = self.conditions(request)
        n, shape = len(request.texts), (c.denoiser.n_frames, c.denoiser.n_features)
        # one stream of noise per motion: the first of many equals the only one of one
        streams = [torch.Generator().manual_seed(_mix(request.seed, request.first + i)) for i in range(n)]
        noise = torch.stack([torch.randn(shape, generator=g) for g in streams])
        valid = torch.ones(n, shape[0], c.denoiser.n_masked, dtype=torch.bool)
        frames = self._frame_mask(request)
        scored = bool((conditions.scale >= 0).any())
        told = conditions.without_score()
        parts, weights = _guided_by(told.without_text(), told, conditions if scored else None, w_text, w_score)
        joined, copies = Conditions.cat(parts), len(parts)

        def predict(x: Tensor, step: Tensor) -> Tensor:
            many = (x.repeat(copies, 1, 1), step.repeat(copies), valid.repeat(copies, 1, 1))
            x0 = self._estimate(*many, joined, None if frames is None else frames.repeat(copies, 1))
            return torch.einsum("k,kbtc->btc", torch.tensor(weights, dtype=x0.dtype), x0.unflatten(0, (copies, n)))

        x = ddim(predict, noise, steps or c.sampling_steps, c.eta if eta is None else eta, streams, power=c.step_power)
        if self.calm is not None:
            x = self.calm(
                x, conditions.exercise.argmax(dim=-1), conditions.scale, conditions.score, conditions.person >= 0
            )
        return x * self.std + self.mean

    @property
    def _in_joints(self) -> bool:
        """Whether features are joint coordinates at equal steps of a clip's own time."""
        return self.config.features == "canonical"

    def _frame_mask(self, request: Request) -> Tensor | None:
        """Return which frames are real (B, T); None where the representation fills all of them by itself."""
        if self._in_joints:
            return None
        frames = torch.tensor([round(seconds * HUMANML3D_FPS) - 1 for seconds in request.seconds])
        return torch.arange(self.config.denoiser.n_frames) < frames.clamp(min=2)[:, None]


def new_text_encoder(config: TextConfig) -> TextEncoder | HubTextEncoder:
    """Return an untrained text encoder of the kind the configuration names."""
    return TextEncoder(config) if config.encoder == "ngram" else HubTextEncoder(config)


def _guided_by(
    nothing: Conditions, told: Conditions, scored: Conditions | None, w_text: float, w_score: float
) -> tuple[list[Conditions], list[float]]:
    """Return the conditions to be asked and the weight of each answer; those of weight 0 are not asked."""
    if scored is None:
        pairs = [(nothing, 1 - w_text), (told, w_text)]
    else:
        pairs = [(nothing, 1 - w_text), (told, w_text - w_score), (scored, w_score)]
    asked = [(conditions, weight) for conditions, weight in pairs if weight != 0.0]
    return [conditions for conditions, _ in asked], [weight for _, weight in asked]


def _mix(seed: int, index: int) -> int:
    return (seed * 1_000_003 + index * 7919 + 12345) % (2**63 - 1)


def _masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
