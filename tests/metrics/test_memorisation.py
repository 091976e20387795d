"""How near a motion comes to a training clip."""

import math

import numpy as np
import pytest

from rehabmotion.metrics.memorisation import (
    COPY_DISTANCE,
    aligned_clip,
    authenticity,
    copy_rate,
    median_ratio,
    membership_auc,
    nearest_distance,
    nn_ratio,
)
from rehabmotion.metrics.neighbours import mms

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


def test_distances_are_those_of_the_formula_written_out() -> None:
    clips, references = RNG.normal(size=(5, 7, 3, 3)).astype(np.float32), RNG.normal(size=(40, 7, 3, 3))
    apart = np.linalg.norm(clips[:, None] - references, axis=-1).mean(axis=(2, 3))
    assert nearest_distance(clips, references) == pytest.approx(apart.min(axis=1), abs=1e-9)
    long = RNG.normal(size=(3, 3000, 22, 3))  # a clip longer than a block
    assert nearest_distance(long[:1] + np.array([0.3, 0.0, 0.0]), long) == pytest.approx([0.3])


POINTS = np.array([0.0, 1.0, 4.0])[:, None]


def test_copies_of_training_clips_have_ratio_0_and_are_not_authentic() -> None:
    assert nn_ratio(POINTS[[2, 0]], POINTS + 0.5, POINTS) == 0.0
    assert authenticity(POINTS[[2, 0]], POINTS).tolist() == [0.0, 0.0]
    assert mms(POINTS[[2, 0]], POINTS).tolist() == [0.0, 0.0]


def test_the_ratio_is_that_of_medians() -> None:
    generated, held_out = POINTS + np.array([[0.1], [0.2], [5.0]]), POINTS - np.array([[0.4], [0.4], [0.3]])
    assert nn_ratio(generated, held_out, POINTS) == pytest.approx(0.2 / 0.4)
    assert median_ratio(np.array([1.0, 2.0]), np.array([3.0])) == 0.5
    assert math.isnan(nn_ratio(generated, POINTS, POINTS))


def test_held_out_clips_in_place_of_generated_ones_have_ratio_1() -> None:
    held_out = RNG.normal(size=(9, 4, 2, 3))
    assert nn_ratio(held_out, held_out, RNG.normal(size=(20, 4, 2, 3))) == 1.0


def test_authentic_is_what_lies_farther_out_than_the_neighbour_of_its_neighbour() -> None:
    # nearest distances of the training clips themselves: 1, 1, 3
    generated = np.array([-0.9, -1.0, -1.1, 6.9, 7.1])[:, None]
    assert authenticity(generated, POINTS).tolist() == [0.0, 0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(("d", "share"), [(2, 0.41), (16, 0.66), (64, 0.73)])
def test_authenticity_of_new_draws_is_no_half(d: int, share: float) -> None:
    rng = np.random.default_rng(d)
    found = [authenticity(rng.normal(size=(14, d)), rng.normal(size=(57, d))).mean() for _ in range(300)]
    assert np.mean(found) == pytest.approx(share, abs=0.03)


def test_membership_is_plain_where_training_clips_were_copied_and_chance_else() -> None:
    rng = np.random.default_rng(1)
    training, held_out = rng.normal(size=(60, 8)), rng.normal(size=(40, 8))
    assert membership_auc(training, held_out, training + 1e-3) == 1.0
    assert membership_auc(training, held_out, held_out) == 0.0
    blind = [membership_auc(*(rng.normal(size=(n, 8)) for n in (60, 40, 50))) for _ in range(100)]
    assert np.mean(blind) == pytest.approx(0.5, abs=0.03)
