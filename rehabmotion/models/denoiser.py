"""The denoising network: a transformer over time, told text, score, duration and which joints are real.

In the manner of MDM (Tevet et al. 2023): it predicts the clean motion x0. Text enters as tokens by cross-attention;
diffusion step, score and duration as one vector that modulates every layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import ConditionedBlock, sinusoids
from rehabmotion.motion import SCALES


@dataclass(frozen=True)
class DenoiserConfig:
    """Size of the network. `n_features` is 66 for the canonical coordinates, 263 for HumanML3D's."""

    n_frames: int = 64
    n_features: int = 66
    n_masked: int = 22
    d: int = 160
    layers: int = 5
    heads: int = 4
    patch: int = 2
    dropout: float = 0.1
    n_exercises: int = 25
    d_text: int = 128
    n_people: int = 0
    scales: tuple[str, ...] = tuple(SCALES)


@dataclass
class Conditions:
    """What a motion is asked for, batched.

    words (B, W, d_text) with word_mask (B, W); pooled (B, 2 d_text); exercise (B, E) and side (B, 4) probabilities;
    scale (B,) index into config.scales or -1; score (B,) on 0..1; person (B,) index of a training person whose
    manner is taken, or -1; seconds (B,); has_text, has_words (B,) bool.
    """

    words: Tensor
    word_mask: Tensor
    pooled: Tensor
    exercise: Tensor
    side: Tensor
    scale: Tensor
    score: Tensor
    person: Tensor
    seconds: Tensor
    has_text: Tensor
    has_words: Tensor

    def but(self, **changes: Tensor) -> Conditions:
        """Return a copy with some fields changed."""
        return Conditions(**{**self.__dict__, **changes})

    def without_text(self) -> Conditions:
        """Return these conditions with the text dropped."""
        return self.but(has_text=torch.zeros_like(self.has_text))

    def without_score(self) -> Conditions:
        """Return these conditions with the score dropped."""
        return self.but(scale=torch.full_like(self.scale, -1))

    @staticmethod
    def cat(parts: list[Conditions]) -> Conditions:
        """Return several batches as one."""
        return Conditions(**{name: torch.cat([getattr(p, name) for p in parts]) for name in parts[0].__dict__})


class Denoiser(nn.Module):
    """x_t (B, T, C), step (B,), conditions -> predicted x0 (B, T, C)."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        d, p = config.d, config.patch
        self.patch_in = nn.Linear(p * (config.n_features + config.n_masked), d)
        self.position = nn.Parameter(0.02 * torch.randn(config.n_frames // p, d))
        self.time = nn.Sequential(nn.Linear(d, d), nn.SiLU(), nn.Linear(d, d))
        self.duration = nn.Sequential(nn.Linear(64, d), nn.SiLU(), nn.Linear(d, d))
        self.score = nn.Sequential(nn.Linear(65, d), nn.SiLU(), nn.Linear(d, d))
        self.scale = nn.Embedding(len(config.scales) + 1, d)  # 0 = no score
        self.person = nn.Embedding(config.n_people + 1, d)  # 0 = nobody in particular
        self.exercise = nn.Linear(config.n_exercises, d, bias=False)
        self.side = nn.Linear(4, d, bias=False)
        self.words = nn.Linear(config.d_text, d)
        self.pooled = nn.Linear(2 * config.d_text, d)
        self.no_text = nn.Parameter(0.02 * torch.randn(d))
        self.blocks = nn.ModuleList(ConditionedBlock(d, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.patch_out = nn.Linear(d, p * config.n_features)

    def forward(
        self, x: Tensor, step: Tensor, valid: Tensor, c: Conditions, frame_mask: Tensor | None = None
    ) -> Tensor:
        """Return x0 (B, T, C). valid (B, T, J) True = measured; frame_mask (B, T) True = a real frame, None = all.

        step (B,) in 0..1 is the share of the diffusion that is done.
        """
        p = self.config.patch
        b, t, _ = x.shape
        tokens = torch.cat([x, valid.to(x.dtype)], dim=-1).reshape(b, t // p, -1)
        h = self.patch_in(tokens) + self.position[: t // p]
        context, context_mask = self._context(c)
        vector = self._vector(step, c) + context[:, 0] + context[:, 1]
        mask = None if frame_mask is None else frame_mask.reshape(b, t // p, p).any(dim=-1)
        for block in self.blocks:
            h = block(h, vector, context, context_mask, mask)
        return self.patch_out(self.norm(h)).reshape(b, t, -1)

    def _vector(self, step: Tensor, c: Conditions) -> Tensor:
        d = self.config.d
        scored = (c.scale >= 0)[:, None]
        angle = torch.cat([sinusoids(c.score, 64, fastest=1.0), c.score[:, None]], dim=-1)
        score = self.scale(c.scale + 1) + torch.where(scored, self.score(angle), torch.zeros((), device=step.device))
        return (
            self.time(sinusoids(step * 100.0, d, fastest=20.0))
            + score
            + self.duration(sinusoids(torch.log(c.seconds), 64, fastest=2.0))
        )

    def _context(self, c: Conditions) -> tuple[Tensor, Tensor]:
        """Return tokens (B, 4 + W, d), first of them the exercise, then the person, and their mask."""
        exercise, side = self.exercise(c.exercise), self.side(c.side)
        text = c.has_text[:, None]
        first = torch.where(text, exercise + side, self.no_text)
        pooled = self.pooled(c.pooled)
        person = self.person(c.person + 1)
        heads = torch.stack([first, person, side, pooled], dim=1)
        context = torch.cat([heads, self.words(c.words)], dim=1)
        words_seen = (c.has_text & c.has_words)[:, None]
        always = torch.ones_like(text)
        mask = torch.cat([always, always, text, words_seen, c.word_mask & words_seen], dim=1)
        return context, mask
