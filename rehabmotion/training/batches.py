"""Draws training batches. The draw of a step depends on (seed, step, rank) alone: a resumed run sees the same ones."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from rehabmotion.data.caption_draws import Caption, draw_caption, draw_other
from rehabmotion.data.captions import TRAINING_FAMILIES
from rehabmotion.data.samples import Samples, time_warp
from rehabmotion.models.generator import Batch, DiffusionConfig, DiffusionGenerator, Request
from rehabmotion.models.text import OTHER
from rehabmotion.motion import Score

T = TypeVar("T")
UNSCORED = 0.12  # share of scored clips shown without their score, so that the score can be left out


class BatchMaker:
    """Samples and their captions -> batches in the model's units. Held-out people count as nobody in particular."""

    def __init__(
        self, samples: Samples, config: DiffusionConfig, seed: int = 0, warp: bool = True, own_people: bool = True
    ) -> None:
        self.samples, self.config, self.seed, self.warp, self.own_people = samples, config, seed, warp, own_people
        self.mean, self.std = np.array(config.mean, np.float32), np.array(config.std, np.float32)

    def draw(self, model: DiffusionGenerator, step: int, size: int, rank: int = 0) -> Batch:
        """Return the batch of a training step, (size, T, C), on the CPU."""
        rng = np.random.default_rng([self.seed, step, rank])
        rows = rng.choice(len(self.samples), size, p=self.samples.weight)
        x = self.samples.x[rows]
        if self.warp and self.config.features == "canonical":  # others hold velocities, which a warp would belie
            x = time_warp(x, rng)
        return self._batch(model, rows, x, rng)

    def fixed(self, model: DiffusionGenerator, rows: np.ndarray, seed: int) -> Batch:
        """Return given rows as a batch, without augmentation: for validation."""
        return self._batch(model, rows, self.samples.x[rows], np.random.default_rng(seed))

    def _batch(self, model: DiffusionGenerator, rows: np.ndarray, x: np.ndarray, rng: np.random.Generator) -> Batch:
        asked = [self._ask(int(row), rng) for row in rows]
        request = Request(
            texts=[caption.text for caption, _, _ in asked],
            sides=[side for _, _, side in asked],
            scales=[score.scale if score else None for _, score, _ in asked],
            scores=[score.unit if score else 0.0 for _, score, _ in asked],
            seconds=self.samples.seconds[rows].tolist(),
            people=self._people(rows),
        )
        conditions = model.conditions(request)
        classes = self.config.text.classes
        named = torch.eye(len(classes))[[classes.index(self._class(int(row))) for row in rows]]
        trust = torch.from_numpy(rng.uniform(0, 0.5, (len(rows), 1)).astype(np.float32))
        conditions = conditions.but(exercise=(1 - trust) * named + trust * conditions.exercise)
        return Batch(
            x=torch.from_numpy((x - self.mean) / self.std),
            valid=torch.from_numpy(self.samples.mask[rows]),
            conditions=conditions,
            frame_mask=self._frame_mask(rows),
        )

    def _frame_mask(self, rows: np.ndarray) -> Tensor | None:
        frames, t = self.samples.frames[rows], self.samples.x.shape[1]
        return None if (frames == t).all() else torch.from_numpy(np.arange(t) < frames[:, None])

    def _people(self, rows: np.ndarray) -> list[int]:
        """Return whose manner each clip has, where these are the people the model is made for."""
        if not self.own_people:
            return [-1] * len(rows)
        return self.samples.person[rows].tolist()

    def _class(self, row: int) -> str:
        exercise = self.samples.exercise[row]
        return exercise if exercise in self.config.text.exercises else OTHER

    def _ask(self, row: int, rng: np.random.Generator) -> tuple[Caption, Score | None, str]:
        """Return the caption, the score or None, and the side a clip is asked for with."""
        s = self.samples
        scores = [score for score in s.scores[row] if score.scale in self.config.denoiser.scales]
        score = scores[rng.integers(len(scores))] if scores and rng.random() > UNSCORED else None
        side = s.side[row] or "none"
        exercise = s.exercise[row]
        if self._class(row) == OTHER:
            caption = Caption(s.text[row]) if s.text[row] else draw_other(rng)
            return caption, score, side
        quality, grade = self._in_words(scores, score, rng)
        caption = draw_caption(exercise, s.side[row], rng, TRAINING_FAMILIES, quality, grade)
        return caption, score, "none" if rng.random() < 0.1 else side

    def _in_words(
        self, scores: list[Score], given: Score | None, rng: np.random.Generator
    ) -> tuple[bool | None, int | None]:
        """Decide whether the caption says how well it was done, and how: always in accord with the recording."""
        if not scores or rng.random() > (0.1 if given else 0.5):
            return None, None
        by_scale = {score.scale: score.value for score in scores}
        if "uiprmd" in by_scale:
            return by_scale["uiprmd"] == 1, None
        if "fms" in by_scale:
            return None, int(by_scale["fms"])
        return None, None


def to_device(batch: T, device: torch.device) -> T:
    """Return a batch on a device: every tensor in it, also those of a dataclass inside."""

    def move(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(device)
        return to_device(value, device) if is_dataclass(value) else value

    whole: Any = batch  # some dataclass: which of them, its caller knows
    return replace(whole, **{f.name: move(getattr(batch, f.name)) for f in fields(whole)})
