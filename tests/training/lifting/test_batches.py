"""Batches of the lifter: seed, step and shard decide alone; what is seen is what was so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rehabmotion.models.lifter.body import N_SCALES, Body
from rehabmotion.training.lifting import batches as module
from rehabmotion.training.lifting.batches import LifterBatches
from rehabmotion.training.lifting.library import Library
from rehabmotion.training.lifting.pairs import Pair, Pairs
from rehabmotion.training.lifting.sensor import Sensed
from rehabmotion.vision.points import POINTS

LIFTER: Any = None  # a draw does not look at the model


def tensors(batch: Any) -> list[torch.Tensor]:
    return [*vars(batch.seen).values(), *vars(batch.truth).values()]


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


@pytest.fixture(scope="module")
def pairs(body: Body) -> Pairs:
    points = np.random.default_rng(0).normal(0, 0.4, (30, len(POINTS), 3)).astype(np.float32)
    q = np.zeros((30, len(body.names)), np.float32)
    return Pairs([Pair(points, np.ones(len(POINTS), bool), q, np.ones(N_SCALES, np.float32))], 24)


def test_a_draw_repeats_by_seed_step_and_shard_in_any_order(library: Library, body: Body, pairs: Pairs) -> None:
    one, again = (LifterBatches(library, body, pairs, seed=1) for _ in range(2))
    first = one.draw(LIFTER, 5, 6, shard=1, shards=2)
    one.draw(LIFTER, 6, 6)
    assert same(first, one.draw(LIFTER, 5, 6, shard=1, shards=2))
    assert same(first, again.draw(LIFTER, 5, 6, shard=1, shards=2))
    assert not same(first, one.draw(LIFTER, 5, 6, shard=0, shards=2))
    assert not same(first, one.draw(LIFTER, 4, 6, shard=1, shards=2))
    assert not same(first, LifterBatches(library, body, pairs, seed=2).draw(LIFTER, 5, 6, shard=1, shards=2))


def test_fixed_repeats_by_its_seed(library: Library, body: Body) -> None:
    batches = LifterBatches(library, body)
    rows = np.array([0, 1, 4])
    assert same(batches.fixed(LIFTER, rows, 3), batches.fixed(LIFTER, rows, 3))
    assert not same(batches.fixed(LIFTER, rows, 3), batches.fixed(LIFTER, rows, 4))


def test_shapes_and_finite_values(library: Library, body: Body, pairs: Pairs) -> None:
    batch = LifterBatches(library, body, pairs).draw(LIFTER, 0, 20)
    assert batch.seen.rays.shape == (20, 24, len(POINTS), 2)
    assert batch.truth.rotations.shape == (20, 24, 6, 3, 3)
    assert batch.truth.hinges.shape == (20, 24, 8)
    assert all(torch.isfinite(x.float()).all() for x in tensors(batch))
    assert len(LifterBatches(library, body).samples) == len(library.clips)


def test_padding_is_at_the_end_and_leaves_eight_frames_or_more(library: Library, body: Body) -> None:
    real = LifterBatches(library, body).draw(LIFTER, 0, 100).seen.real
    assert real.dtype == torch.bool
    assert (real[:, :-1] >= real[:, 1:]).all()
    assert int(real.sum(dim=1).min()) >= 8
    assert 0.03 < float((~real[:, -1]).float().mean()) < 0.3


def test_without_noise_what_is_seen_is_the_true_skeleton(
    library: Library, body: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The places of the truth's rotations and hinges, about the hips, are those that the camera saw."""

    def exact(_: object, places: np.ndarray, *__: object) -> Sensed:
        hips = places[:, :, body.hips].mean(axis=2, keepdims=True)
        rays = places[..., :2] / places[..., 2:]
        return Sensed(rays, np.ones(places.shape[:3]), places - hips, np.ones(len(places), bool))

    monkeypatch.setattr(module, "sensed", exact)
    monkeypatch.setattr(module, "biases", lambda rng, size, points: np.zeros((size, len(points), 3)))
    batch = LifterBatches(library, body).draw(LIFTER, 0, 8)
    truth = batch.truth
    places = body.places(truth.rotations, truth.hinges, truth.tied)[:, :, : len(POINTS)]
    places = places - places[:, :, body.hips].mean(dim=2, keepdim=True)
    assert float((places - batch.seen.world).abs().max()) < 2e-3
