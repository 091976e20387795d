"""Fits what a model believes of frequencies: how far people's repetitions depart from their mean, and how calm
motions of nobody in particular are."""

from __future__ import annotations

import torch

from rehabmotion.data.samples import Samples
from rehabmotion.models.generator import Generator
from rehabmotion.models.prior import level_of


def fit_prior(model: Generator, samples: Samples) -> None:
    """Learn the prior from the clips of real people, and calm from those of nobody (the simulator's).

    Without repetitions by anybody the prior stays unfitted, and believes nothing.

    Clips of other lengths than the model's frames have no common spectrum: only time-normalised features are used.
    """
    if model.calm is None:
        return
    x = (torch.from_numpy(samples.x) - model.mean) / model.std
    seen = torch.from_numpy(samples.mask.all(axis=1)).repeat_interleave(3, dim=-1)
    numbers: dict[tuple[object, ...], int] = {}
    group = torch.full((len(samples),), -1)
    labels = zip(samples.corpus, samples.exercise, samples.side, samples.person, samples.scores, strict=True)
    for i, (corpus, exercise, side, person, scores) in enumerate(labels):
        if person >= 0 and exercise:
            group[i] = numbers.setdefault((corpus, exercise, side, person, *map(str, scores)), len(numbers))
    model.prior.fit(x, group, seen)
    rows, cells = _levels(model, samples)
    if rows:
        model.calm.fit(x[rows], torch.tensor(cells))


def _levels(model: Generator, samples: Samples) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return rows of clips of nobody in particular, wholly seen, and their (exercise, scale, level); one a score."""
    classes, scales = model.config.text.classes, model.config.network.scales
    rows, cells = [], []
    for i, (exercise, scores) in enumerate(zip(samples.exercise, samples.scores, strict=True)):
        if samples.person[i] >= 0 or exercise not in classes or not samples.mask[i].all():
            continue
        for score in scores:
            if score.scale in scales:
                rows.append(i)
                level = int(level_of(torch.tensor(score.unit)))
                cells.append((classes.index(exercise), scales.index(score.scale), level))
    return rows, cells
