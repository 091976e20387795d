"""Prepared clips as arrays that batches are drawn from: features, masks, labels; mirrored copies beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.features import FEATURES
from rehabmotion.motion import Motion, Score
from rehabmotion.motion.transforms import mirror

# How often a corpus is drawn beside the others it is trained with; unnormalised.
SHARES = {"uiprmd": 6.0, "uiprmd-vicon": 3.0, "simulator": 7.0, "mars": 0.8, "cmu": 0.4, "hdm05": 0.8}
DEFAULT_SHARE = 3.0


@dataclass(frozen=True)
class Samples:
    """Clips of one or more corpora.

    x (N, T, C); mask (N, T, 22); seconds, height (m), real frames and weight (N,): how often drawn; exercise ids
    ("" = none), sides, texts, scores and corpus per clip; person (N,): index of who moves, -1 = nobody known. A
    mirrored person is somebody else: a right-hander has become a left-hander.
    """

    x: NDArray[np.float32]
    mask: NDArray[np.bool_]
    seconds: NDArray[np.float32]
    height: NDArray[np.float32]
    frames: NDArray[np.int64]
    weight: NDArray[np.float64]
    exercise: tuple[str, ...]
    side: tuple[str | None, ...]
    text: tuple[str, ...]
    scores: tuple[tuple[Score, ...], ...]
    corpus: tuple[str, ...]
    person: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def scales(self) -> tuple[str, ...]:
        """The score scales that occur, sorted."""
        return tuple(sorted({score.scale for scores in self.scores for score in scores}))

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises that occur, sorted."""
        return tuple(sorted({exercise for exercise in self.exercise if exercise}))


def build_samples(
    corpora: Mapping[str, Sequence[Motion]], n_frames: int = 64, mirrored: bool = True, features: str = "canonical"
) -> Samples:
    """Return the clips of several corpora as samples; with `mirrored`, each clip's mirror image beside it.

    Inside a corpus every exercise is drawn equally often. Clips whose body size cannot be told are refused.
    """
    kept: list[Motion] = []
    names: list[str] = []
    for name, motions in corpora.items():
        if not motions:
            raise UserError(f'Expected clips in the corpus "{name}", got none.')
        for motion in motions:
            kept += [motion, mirror(motion)] if mirrored else [motion]
            names += [name] * (2 if mirrored else 1)
    encoded = [FEATURES[features].encode(motion, n_frames) for motion in kept]
    exercise = tuple(str(motion.meta.get("exercise") or "") for motion in kept)
    return Samples(
        x=np.stack([e.x for e in encoded]),
        mask=np.stack([e.mask for e in encoded]),
        seconds=np.array([e.seconds for e in encoded], np.float32),
        height=np.array([e.height for e in encoded], np.float32),
        frames=np.array([e.frames for e in encoded]),
        weight=_weights(names, exercise),
        exercise=exercise,
        side=tuple(motion.meta.get("side") for motion in kept),
        text=tuple(motion.text for motion in kept),
        scores=tuple(motion.scores for motion in kept),
        corpus=tuple(names),
        person=_people(kept, names, mirrored),
    )


def _people(motions: Sequence[Motion], corpora: Sequence[str], mirrored: bool) -> NDArray[np.int64]:
    """Return who moves, numbered in order of appearance. Simulated bodies have no manner of their own: -1."""
    numbers: dict[tuple[str, str, bool], int] = {}
    person = np.full(len(motions), -1)
    for i, (motion, corpus) in enumerate(zip(motions, corpora, strict=True)):
        subject = motion.meta.get("subject")
        if subject is not None and corpus != "simulator":
            key = (corpus, str(subject), mirrored and i % 2 == 1)
            person[i] = numbers.setdefault(key, len(numbers))
    return person


def _weights(corpora: Sequence[str], exercises: Sequence[str]) -> NDArray[np.float64]:
    cells = list(zip(corpora, exercises, strict=True))
    counts: dict[tuple[str, str], int] = {}
    for cell in cells:
        counts[cell] = counts.get(cell, 0) + 1
    per_corpus: dict[str, int] = {}
    for name, _ in counts:
        per_corpus[name] = per_corpus.get(name, 0) + 1
    weight = np.array([SHARES.get(c, DEFAULT_SHARE) / per_corpus[c] / counts[c, e] for c, e in cells])
    return weight / weight.sum()


WARP = 0.08  # of the duration, at most


def time_warp(x: NDArray[np.float32], rng: np.random.Generator, most: float = WARP) -> NDArray[np.float32]:
    """Return clips (B, T, C) with time bent smoothly, ends fixed, by at most `most` of the duration; order kept."""
    return bent(x, rng.uniform(-1, 1, (len(x), 3)), most)


def bent(x: NDArray[np.float32], bend: NDArray[np.float64], most: float = WARP) -> NDArray[np.float32]:
    """Return clips (B, T, C) with time bent by three half waves of sizes bend (B, 3), -1 to 1."""
    b, t, _ = x.shape
    u = np.linspace(0, 1, t)
    size = bend * most / np.array([1.0, 2.0, 3.0])
    at = u + (size[:, :, None] * np.sin(np.pi * np.arange(1, 4)[None, :, None] * u)).sum(axis=1) / 2
    at = np.clip(np.maximum.accumulate(at, axis=1), 0, 1) * (t - 1)
    low = np.minimum(at.astype(int), t - 2)
    share = (at - low)[..., None].astype(np.float32)
    rows = np.arange(b)[:, None]
    return x[rows, low] * (1 - share) + x[rows, low + 1] * share
