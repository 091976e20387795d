"""Labelled frames of many clips, and the batches that are drawn from them: single frames, rows of a network, windows.

A draw depends on (seed, step, shard) alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.direct.augment import jitter_colours, occlude
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.sequence_parts import target_of
from rehabmotion.models.direct.view import inside, some_view


@dataclass(frozen=True)
class Frames:
    """images (N, 3, S, S) bytes, red, green, blue; labels (N, ...); joint_pixels (N, J, 2), marker_pixels (N, M, 2).

    focal (N,) pixels; clip (N,): number of the clip, frames of one clip one after another.
    """

    images: Tensor
    labels: Labels
    joint_pixels: Tensor
    marker_pixels: Tensor
    focal: Tensor
    clip: Tensor

    def __post_init__(self) -> None:
        if not len(self.images):
            raise UserError("Expected at least one labelled frame, got none.")
        if (self.clip.diff() < 0).any():
            raise UserError("Expected frames of a clip one after another, got clips mixed.")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the pictures, pixels."""
        return self.images.shape[-1]


@dataclass(frozen=True)
class Augment:
    """What training does to pictures: another view, other colours, things in the way with a chance."""

    view: bool = True
    colours: bool = True
    occlusion: float = 0.7


@dataclass(frozen=True)
class FrameBatch:
    """images (B, 3, S, S) from 0 to 1, or windows of them (B, T, 3, S, S); labels of each."""

    images: Tensor
    labels: Labels


@dataclass(frozen=True)
class RowBatch:
    """rows (B, T, F) of a frame network over windows; labels (B, T, ...) of every frame in them."""

    rows: Tensor
    labels: Labels


def labels_at(labels: Labels, rows: Tensor) -> Labels:
    """Return the labels of frames by number, rows of any shape (...)."""
    return Labels(**{f.name: getattr(labels, f.name)[rows] for f in fields(Labels)})


def windows_of(clip: Tensor, frames: int, causal: bool = False) -> Tensor:
    """Return the numbers of the frames in each frame's window, (N, frames), for clips (N,); edges are repeated."""
    _, counts = torch.unique_consecutive(clip, return_counts=True)
    first = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    last = torch.repeat_interleave(counts.cumsum(0) - 1, counts)
    offsets = torch.arange(frames) - target_of(frames, causal)
    near = torch.arange(len(clip))[:, None] + offsets
    return torch.minimum(torch.maximum(near, first[:, None]), last[:, None])


def as_floats(images: Tensor) -> Tensor:
    """Return bytes as numbers from 0 to 1."""
    return images.float() / 255


class FrameBatches:
    """Frames -> batches of single ones."""

    def __init__(self, frames: Frames, augment: Augment = Augment(), seed: int = 0) -> None:
        self.frames, self.augment, self.seed = frames, augment, seed

    @property
    def samples(self) -> Tensor:
        """The frames."""
        return self.frames.clip

    def draw(self, model: Any, step: int, size: int, shard: int = 0, shards: int = 1) -> FrameBatch:
        """Return the batch of a training step, its pictures altered."""
        generator = seeded(self.seed, step, shard)
        rows = torch.randint(len(self.frames), (size,), generator=generator)
        images, labels = as_floats(self.frames.images[rows]), labels_at(self.frames.labels, rows)
        if self.augment.view:
            images, labels = self._seen_anew(rows, images, labels, generator)
        return FrameBatch(altered(images, self.augment, generator), labels)

    def fixed(self, model: Any, rows: NDArray[np.int64], seed: int) -> FrameBatch:
        """Return given frames as they are."""
        chosen = torch.from_numpy(rows)
        return FrameBatch(as_floats(self.frames.images[chosen]), labels_at(self.frames.labels, chosen))

    def _seen_anew(self, rows: Tensor, images: Tensor, labels: Labels, generator: Generator) -> tuple[Tensor, Labels]:
        f, size = self.frames, (self.frames.size, self.frames.size)
        view = some_view(len(rows), f.focal[rows], size, generator)
        joints, markers = (inside(view.pixels(p[rows]), size) for p in (f.joint_pixels, f.marker_pixels))
        turned = replace(view.labels(labels), joint_mask=joints, marker_mask=markers)
        return view.images(images), turned


def altered(images: Tensor, augment: Augment, generator: Generator) -> Tensor:
    """Return pictures (B, 3, S, S) of other colours and with things in the way; labels stay."""
    if augment.colours:
        images = jitter_colours(images, generator)
    return occlude(images, generator, augment.occlusion) if augment.occlusion else images


class RowBatches:
    """Rows (K, N, F) that a frame network gives for frames, seen in K ways, -> batches of windows."""

    def __init__(self, rows: Tensor, frames: Frames, window: int, causal: bool = False, seed: int = 0) -> None:
        if rows.shape[1] != len(frames):
            raise UserError(f"Expected rows of {len(frames)} frames, got {rows.shape[1]}.")
        self.rows, self.frames, self.seed = rows, frames, seed
        self.windows = windows_of(frames.clip, window, causal)

    @property
    def samples(self) -> Tensor:
        """The frames, each the target of a window."""
        return self.frames.clip

    def draw(self, model: Any, step: int, size: int, shard: int = 0, shards: int = 1) -> RowBatch:
        """Return the batch of a training step."""
        generator = seeded(self.seed, step, shard)
        way = torch.randint(len(self.rows), (size, 1), generator=generator)
        return self._of(way, torch.randint(len(self.frames), (size,), generator=generator))

    def fixed(self, model: Any, rows: NDArray[np.int64], seed: int) -> RowBatch:
        """Return the windows of given frames, seen in the first way."""
        return self._of(torch.zeros(len(rows), 1, dtype=torch.long), torch.from_numpy(rows))

    def _of(self, way: Tensor, targets: Tensor) -> RowBatch:
        window = self.windows[targets]
        return RowBatch(self.rows[way, window], labels_at(self.frames.labels, window))


class ClipBatches:
    """Frames -> batches of windows of pictures, for both networks together. Views stay: a camera does not jump."""

    def __init__(
        self, frames: Frames, window: int, causal: bool = False, augment: Augment = Augment(), seed: int = 0
    ) -> None:
        self.frames, self.augment, self.seed = frames, augment, seed
        self.windows = windows_of(frames.clip, window, causal)

    @property
    def samples(self) -> Tensor:
        """The frames, each the target of a window."""
        return self.frames.clip

    def draw(self, model: Any, step: int, size: int, shard: int = 0, shards: int = 1) -> FrameBatch:
        """Return the batch of a training step, pictures altered one by one."""
        generator = seeded(self.seed, step, shard)
        batch = self._of(torch.randint(len(self.frames), (size,), generator=generator))
        images = altered(batch.images.flatten(0, 1), self.augment, generator)
        return FrameBatch(images.view_as(batch.images), batch.labels)

    def fixed(self, model: Any, rows: NDArray[np.int64], seed: int) -> FrameBatch:
        """Return the windows of given frames as they are."""
        return self._of(torch.from_numpy(rows))

    def _of(self, targets: Tensor) -> FrameBatch:
        window = self.windows[targets]
        return FrameBatch(as_floats(self.frames.images[window]), labels_at(self.frames.labels, window))


def seeded(*numbers: int) -> Generator:
    """Return a generator whose numbers follow from some integers of 0 or more alone."""
    return Generator().manual_seed(int(np.random.default_rng(numbers).integers(2**62)))
