"""How near a motion comes to a training clip."""

import numpy as np
import pytest

from rehabmotion.metrics.memorisation import COPY_DISTANCE, aligned_clip, copy_rate, nearest_distance

RNG = np.random.default_rng(0)
TRAINING = RNG.normal(0, 0.3, (6, 10, 22, 3))


def test_copies_are_at_0_and_all_of_them_counted() -> None:
    distances = nearest_distance(TRAINING[[2, 0, 5]], TRAINING)
    assert distances.tolist() == [0.0, 0.0, 0.0]
    assert copy_rate(distances) == 1.0


@pytest.mark.parametrize(("metres", "rate"), [(0.015, 1.0), (0.025, 0.0)])
def test_2_cm_is_the_limit(metres: float, rate: float) -> None:
    # every joint beside its place by `metres`: so is their mean
    distances = nearest_distance(TRAINING + np.array([0.0, metres, 0.0]), TRAINING)
    assert distances == pytest.approx([metres] * 6)
    assert copy_rate(distances) == rate
    assert COPY_DISTANCE == 0.02


def test_the_rate_is_a_share() -> None:
    assert copy_rate(np.array([0.0, 0.01, 0.02, 0.5])) == 0.5


def test_a_clip_is_not_its_own_neighbour_when_left_out() -> None:
    clips = np.zeros((3, 5, 2, 3))
    clips[1, ..., 0], clips[2, ..., 0] = 1.0, 3.0
    assert nearest_distance(clips, clips, skip_self=True).tolist() == [1.0, 1.0, 2.0]


def test_the_mean_is_over_joints_and_time() -> None:
    clip, reference = np.zeros((1, 4, 2, 3)), np.zeros((1, 4, 2, 3))
    clip[0, 0, 0] = [0.0, 3.0, 4.0]  # one joint of two, one frame of four
    assert nearest_distance(clip, reference).tolist() == [5.0 / 8]


def test_clips_are_laid_over_one_another_by_the_mean_pelvis_not_by_height() -> None:
    clip = RNG.normal(size=(30, 22, 3))
    moved = aligned_clip(clip + np.array([4.0, 0.0, -2.0]))
    assert np.allclose(moved, aligned_clip(clip))
    assert np.allclose(moved[:, 0, [0, 2]].mean(axis=0), 0)
    assert np.allclose(aligned_clip(clip + np.array([0.0, 0.5, 0.0])) - moved, [0.0, 0.5, 0.0])
    assert moved.shape == (100, 22, 3)
