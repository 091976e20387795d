"""Draws training batches by (seed, step, number in the batch) alone: a resumed run sees the same ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from rehabmotion.data.caption_draws import Caption, draw_caption, draw_other
from rehabmotion.data.captions import TRAINING_FAMILIES
from rehabmotion.data.samples import Samples, bent
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.denoiser import Observed
from rehabmotion.models.generator import Batch, Generator, Request
from rehabmotion.models.text import OTHER
from rehabmotion.motion import Score
from rehabmotion.training.corruption import NOISE, CorruptionConfig, cropped, jitter, occlusion, swap_sides

T = TypeVar("T")
BLIND = 0.7  # share of clips to be mended that are shown without words and score
UNSCORED = 0.12  # share of scored clips shown without their score, so that the score can be left out


@dataclass(frozen=True)
class _Drawn:
    """Rows of the samples, as they are or changed, and the random numbers that belong to each."""

    rows: np.ndarray
    x: np.ndarray
    mask: np.ndarray
    seconds: np.ndarray
    rngs: list[np.random.Generator]


class BatchMaker:
    """Samples and their captions -> batches in the model's units. Held-out people count as nobody in particular."""

    def __init__(
        self,
        samples: Samples,
        config: GeneratorConfig,
        seed: int = 0,
        warp: bool = True,
        own_people: bool = True,
        corruption: CorruptionConfig | None = None,
    ) -> None:
        self.samples, self.config, self.seed, self.warp, self.own_people = samples, config, seed, warp, own_people
        self.mean, self.std = np.array(config.mean, np.float32), np.array(config.std, np.float32)
        self.corruption = corruption or CorruptionConfig()

    def draw(self, model: Generator, step: int, size: int, shard: int = 0, shards: int = 1) -> Batch:
        """Return one of the `shards` batches of a training step, (size, T, C), on the CPU: its part of a larger one."""
        whole = np.random.default_rng([self.seed, step]).choice(len(self.samples), size * shards, p=self.samples.weight)
        own = slice(shard * size, (shard + 1) * size)
        numbers = range(own.start, own.stop)
        rngs = [np.random.default_rng([self.seed, step, number]) for number in numbers]
        drawn = self._rows(whole[own], rngs)
        if self.config.features != "canonical":  # others hold velocities, which a warp would belie
            return self._batch(model, drawn)
        if self.warp:
            drawn = replace(drawn, x=bent(drawn.x, np.concatenate([rng.uniform(-1, 1, (1, 3)) for rng in rngs])))
        return self._spoilt(model, drawn) if self.config.network.observes else self._batch(model, drawn)

    def fixed(self, model: Generator, rows: np.ndarray, seed: int) -> Batch:
        """Return given rows as a batch, without augmentation: for validation."""
        return self._batch(model, self._rows(rows, [np.random.default_rng([seed, i]) for i in range(len(rows))]))

    def _rows(self, rows: np.ndarray, rngs: list[np.random.Generator]) -> _Drawn:
        s = self.samples
        return _Drawn(rows, s.x[rows], s.mask[rows], s.seconds[rows], rngs)

    def _spoilt(self, model: Generator, drawn: _Drawn) -> Batch:
        """Return a batch some clips of which are noisy, and told so, and some are to be mended from what is shown.

        The arrays of `drawn` are changed in place: they are copies of the samples' rows.
        """
        c, rngs, x, mask = self.corruption, drawn.rngs, drawn.x, drawn.mask
        fate = np.array([rng.random() for rng in rngs])
        noisy, shown = fate < c.noisy, fate >= 1 - c.shown
        sigma = np.array([rng.uniform(0, NOISE) for rng in rngs])
        height = self.samples.height[drawn.rows]
        given, seen = np.zeros_like(x), np.zeros_like(mask)
        for i, rng in enumerate(rngs):
            if shown[i]:
                x[i], mask[i], drawn.seconds[i] = cropped(x[i], mask[i], drawn.seconds[i], rng)
                given[i] = jitter(swap_sides(x[i], c.swapped, rng), sigma[i] / height[i], rng)
                seen[i] = occlusion(mask[i].shape, c, rng) & mask[i]
            elif noisy[i]:
                x[i] = jitter(x[i], sigma[i] / height[i], rng)
        batch = self._batch(model, drawn)
        per_feature = np.repeat(seen, 3, axis=-1)
        batch.observed = Observed(
            torch.from_numpy((given - self.mean) / self.std * per_feature), torch.from_numpy(seen)
        )
        quality = np.where(noisy, 1 - sigma / NOISE, 1.0).astype(np.float32)
        blind = torch.from_numpy(shown & (np.array([rng.random() for rng in rngs]) < BLIND))
        told = batch.conditions
        batch.conditions = told.but(
            quality=torch.from_numpy(quality),
            has_text=told.has_text & ~blind,
            scale=torch.where(blind, torch.full_like(told.scale, -1), told.scale),
            person=torch.where(torch.from_numpy(shown), torch.full_like(told.person, -1), told.person),
        )
        return batch

    def _batch(self, model: Generator, drawn: _Drawn) -> Batch:
        rows, rngs = drawn.rows, drawn.rngs
        asked = [self._ask(int(row), rng) for row, rng in zip(rows, rngs, strict=True)]
        request = Request(
            texts=[caption.text for caption, _, _ in asked],
            sides=[side for _, _, side in asked],
            scales=[score.scale if score else None for _, score, _ in asked],
            scores=[score.unit if score else 0.0 for _, score, _ in asked],
            seconds=drawn.seconds.tolist(),
            people=self._people(rows),
        )
        conditions = model.conditions(request)
        classes = self.config.text.classes
        named = torch.eye(len(classes))[[classes.index(self._class(int(row))) for row in rows]]
        trust = torch.tensor([[rng.uniform(0, 0.5)] for rng in rngs], dtype=torch.float32)
        conditions = conditions.but(exercise=(1 - trust) * named + trust * conditions.exercise)
        return Batch(
            x=torch.from_numpy((drawn.x - self.mean) / self.std),
            valid=torch.from_numpy(drawn.mask),
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
        scores = [score for score in s.scores[row] if score.scale in self.config.network.scales]
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
