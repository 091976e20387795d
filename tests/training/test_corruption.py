"""Damage in training: how large, how much, and what it leaves alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rehabmotion.data.samples import Samples
from rehabmotion.models.diffusion import DiffusionGenerator
from rehabmotion.motion import CANONICAL
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.corruption import CorruptionConfig, cropped, jitter, occlusion, swap_sides

T, J = 64, len(CANONICAL)


def clip(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((T, 3 * J)).astype(np.float32)


def test_jitter_has_its_size_and_half_of_it_is_slow() -> None:
    noise = jitter(np.zeros((4000, 30), np.float32), 0.03, np.random.default_rng(0))
    assert noise.std() == pytest.approx(0.03, rel=0.02)
    white = np.random.default_rng(1).normal(0, 0.03, noise.shape)
    assert np.diff(noise, axis=0).std() < 0.9 * np.diff(white, axis=0).std()
    assert np.array_equal(jitter(clip(), 0.0, np.random.default_rng(0)), clip())


def test_limbs_are_lost_for_spans_and_single_joints_as_often_as_told() -> None:
    whole = CorruptionConfig(missing=0.0, spans=0)
    assert occlusion((T, J), whole, np.random.default_rng(0)).all()
    single = CorruptionConfig(missing=0.4, spans=0)
    lost = [1 - occlusion((T, J), single, np.random.default_rng(i)).mean() for i in range(300)]
    assert np.mean(lost) == pytest.approx(0.1, abs=0.015)  # half of the clips, 0.2 on average
    spans = CorruptionConfig(missing=0.0, spans=3)
    seen = np.stack([occlusion((T, J), spans, np.random.default_rng(i)) for i in range(200)])
    pelvis_and_spine = CANONICAL.indices("pelvis", "left_hip", "right_hip", "spine1", "spine3")
    assert seen[:, :, list(pelvis_and_spine)].all()
    assert 0.05 < 1 - seen.mean() < 0.4
    assert max(np.abs(np.diff(one.astype(int), axis=0)).sum(axis=0).max() for one in seen) <= 6  # spans, no flicker


def test_sides_change_places_for_a_while_and_the_middle_stays() -> None:
    x = clip()
    out = swap_sides(x, 1.0, np.random.default_rng(3))
    moved = (out != x).any(axis=1)
    assert 1 <= moved.sum() < T // 4
    points, swapped = (y.reshape(T, J, 3)[moved] for y in (x, out))
    assert np.array_equal(swapped, points[:, CANONICAL.mirror_order])
    assert np.array_equal(swap_sides(x, 0.0, np.random.default_rng(3)), x)


def test_a_part_of_a_clip_takes_its_part_of_the_time() -> None:
    ramp = np.repeat(np.linspace(0, 1, T, dtype=np.float32)[:, None], 3 * J, axis=1)
    mask = np.ones((T, J), bool)
    mask[: T // 2] = False
    parts = [cropped(ramp, mask, 4.0, np.random.default_rng(i)) for i in range(60)]
    shorter = [p for p in parts if p[2] < 4.0]
    assert 15 < len(shorter) < 45
    for x, seen, seconds in shorter:
        assert x[-1, 0] - x[0, 0] == pytest.approx(seconds / 4.0, abs=1e-4)
        assert np.array_equal(seen[:, 0], x[:, 0] >= ramp[T // 2, 0] - 1e-6)


def test_a_batch_tells_its_noise_and_hides_what_is_to_be_mended(
    make_model: Callable[[], DiffusionGenerator], samples: Samples
) -> None:
    model = make_model()
    config = replace(model.config, network=replace(model.config.network, observes=True))
    maker = BatchMaker(samples, config, corruption=CorruptionConfig(noisy=0.5, shown=0.5))
    batch = maker.draw(model, 0, 40)
    assert batch.observed is not None
    shown = batch.observed.seen.any(dim=(1, 2))
    noisy = batch.conditions.quality < 1
    assert (shown ^ noisy).all()  # every clip is one or the other here
    assert (batch.observed.x[~batch.observed.seen.repeat_interleave(3, dim=-1)] == 0).all()
    assert not (batch.observed.seen & ~batch.valid).any()
    assert (batch.conditions.person[shown] == -1).all()
