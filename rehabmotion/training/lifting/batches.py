"""Batches of the lifter: windows of movement, seen by cameras and a detector that are drawn, beside what was so."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.models.lifter.body import Body
from rehabmotion.models.lifter.encode import Seen
from rehabmotion.models.lifter.losses import LifterBatch, Truth
from rehabmotion.models.lifter.network import Lifter
from rehabmotion.training.lifting.library import Library, Windows
from rehabmotion.training.lifting.pairs import Pairs
from rehabmotion.training.lifting.scene import drawn_cameras
from rehabmotion.training.lifting.sensor import biases, sensed
from rehabmotion.training.lifting.truth import as_seen, moved_points, truth_of

PAIRED = 0.15  # share of a batch that a real sensor saw
PADDED = 0.15  # share of windows that end early


class LifterBatches:
    """Clips -> batches. A draw depends on (seed, step, shard) alone."""

    def __init__(self, library: Library, body: Body, pairs: Pairs | None = None, seed: int = 0) -> None:
        self.library, self.body, self.pairs, self.seed = library, body, pairs, seed

    @property
    def samples(self) -> list[object]:
        """The clips."""
        return list(self.library.clips)

    def draw(self, model: Lifter, step: int, size: int, shard: int = 0, shards: int = 1) -> LifterBatch:
        """Return the batch of a training step."""
        rng = np.random.default_rng([self.seed, step, shard])
        measured = round(PAIRED * size) if self.pairs is not None else 0
        batch = self._seen(rng, self.library.draw(rng, size - measured))
        if self.pairs is not None and measured:
            batch = _joined(batch, self.pairs.draw(rng, measured, self.body))
        length = self.library.window
        ends = np.where(rng.random(size) < PADDED, rng.integers(8, length + 1, size), length)
        real = torch.from_numpy(np.arange(length) < ends[:, None])
        s = batch.seen
        return LifterBatch(Seen(s.rays, s.confidence, s.world, s.has_world, real), batch.truth)

    def fixed(self, model: Lifter, rows: NDArray[np.int64], seed: int) -> LifterBatch:
        """Return given clips, seen by cameras and a detector drawn from `seed`."""
        return self._seen(np.random.default_rng([7, seed]), self.library.fixed(rows))

    def _seen(self, rng: np.random.Generator, windows: Windows) -> LifterBatch:
        q, tied = torch.from_numpy(windows.q), torch.from_numpy(windows.tied)
        places, turned = moved_points(self.body, q, tied)
        offset = biases(rng, len(q), self.body.points)
        ground = places + np.einsum("btpij,bpj->btpi", turned, offset)
        middle = ground[:, :, self.body.hips].mean(axis=(1, 2))
        view = drawn_cameras(rng, middle + rng.normal(0, 0.15, middle.shape))
        fps = 30.0
        return LifterBatch(
            as_seen(sensed(rng, view.seen(ground), self.body.points, fps)),
            truth_of(self.body, q, tied, windows.sure, view),
        )


def _joined(a: LifterBatch, b: LifterBatch) -> LifterBatch:
    def both(x: object, y: object) -> list[Tensor]:
        return [torch.cat([getattr(x, name), getattr(y, name)]) for name in vars(x)]

    return LifterBatch(Seen(*both(a.seen, b.seen)), Truth(*both(a.truth, b.truth)))
