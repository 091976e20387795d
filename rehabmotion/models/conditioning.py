"""What a motion is asked for, batched, and how networks are told: tokens to look at, and one vector for every layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.models.blocks import sinusoids
from rehabmotion.motion import SCALES


@dataclass(frozen=True)
class NetworkConfig:
    """Size of a network. `n_features` is 66 for the canonical coordinates, 263 for HumanML3D's.

    observes: it can be shown an incomplete, noisy motion to mend, and be told of the sensor's noise.
    """

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
    observes: bool = False


@dataclass
class Conditions:
    """What a motion is asked for, batched.

    words (B, W, d_text) with word_mask (B, W); pooled (B, 2 d_text); exercise (B, E) and side (B, 4) probabilities;
    scale (B,) index into config.scales or -1; score (B,) on 0..1; person (B,) index of a training person whose
    manner is taken, or -1; seconds (B,); quality (B,) of the recording, 1 = a clean one, 0 = noise of 5 cm; has_text,
    has_words (B,) bool.
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
    quality: Tensor
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


class Conditioned(nn.Module):
    """A network that is told conditions; its parts in `_tokens` and `_vector` are common to all families."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        d = config.d
        self.duration = nn.Sequential(nn.Linear(64, d), nn.SiLU(), nn.Linear(d, d))
        self.score = nn.Sequential(nn.Linear(65, d), nn.SiLU(), nn.Linear(d, d))
        self.scale = nn.Embedding(len(config.scales) + 1, d)  # 0 = no score
        self.person = nn.Embedding(config.n_people + 1, d)  # 0 = nobody in particular
        self.exercise = nn.Linear(config.n_exercises, d, bias=False)
        self.side = nn.Linear(4, d, bias=False)
        self.words = nn.Linear(config.d_text, d)
        self.pooled = nn.Linear(2 * config.d_text, d)
        self.no_text = nn.Parameter(0.02 * torch.randn(d))
        self.quality = nn.Linear(1, d, bias=False) if config.observes else None

    def _patches(self, x: Tensor, seen: Tensor) -> Tensor:
        """Return clips (B, T, C) with what is seen of them (B, T, J) as patches (B, T / p, p (C + J))."""
        return torch.cat([x, seen.to(x.dtype)], dim=-1).reshape(len(x), x.shape[1] // self.config.patch, -1)

    def _patch_mask(self, frame_mask: Tensor | None) -> Tensor | None:
        """Return which patches (B, T / p) hold a real frame, of a mask of frames (B, T); None = all."""
        return None if frame_mask is None else frame_mask.unflatten(1, (-1, self.config.patch)).any(dim=-1)

    def _vector(self, c: Conditions) -> Tensor:
        """Return what every layer is told of score, duration and quality, (B, d)."""
        scored = (c.scale >= 0)[:, None]
        angle = torch.cat([sinusoids(c.score, 64, fastest=1.0), c.score[:, None]], dim=-1)
        score = self.scale(c.scale + 1) + torch.where(scored, self.score(angle), torch.zeros((), device=c.score.device))
        vector = score + self.duration(sinusoids(torch.log(c.seconds), 64, fastest=2.0))
        return vector if self.quality is None else vector + self.quality(1.0 - c.quality[:, None])

    def _tokens(self, c: Conditions) -> tuple[Tensor, Tensor]:
        """Return tokens (B, 4 + W, d), first of them the exercise, then the person, and their mask."""
        exercise, side = self.exercise(c.exercise), self.side(c.side)
        text = c.has_text[:, None]
        first = torch.where(text, exercise + side, self.no_text)
        pooled = self.pooled(c.pooled)
        person = self.person(c.person + 1)
        heads = torch.stack([first, person, side, pooled], dim=1)
        tokens = torch.cat([heads, self.words(c.words)], dim=1)
        words_seen = (c.has_text & c.has_words)[:, None]
        always = torch.ones_like(text)
        mask = torch.cat([always, always, text, words_seen, c.word_mask & words_seen], dim=1)
        return tokens, mask
