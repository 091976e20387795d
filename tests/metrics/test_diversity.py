"""How much clips differ: closed forms and invariances."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.metrics.diversity import acpd, acpd_draws, apd, apd_sampled, diversity, multimodality, pairwise
from rehabmotion.metrics.intervals import pair_mean, resampled


def test_two_clips_at_distance_d_give_d() -> None:
    clips = np.zeros((2, 10, 22, 3))
    clips[1, 4, 7] = [3.0, 0.0, 4.0]
    assert apd(clips) == pytest.approx(5.0)


@pytest.mark.parametrize("n", [2, 4, 10])
def test_half_of_the_points_here_and_half_there(n: int) -> None:
    points = np.zeros((n, 3))
    points[n // 2 :, 0] = 2.0
    assert apd(points) == pytest.approx(2.0 * n / (2 * (n - 1)))


def test_the_distance_of_two_normal_points_in_16_dimensions() -> None:
    assert apd(np.random.default_rng(0).normal(size=(1500, 16))) == pytest.approx(5.5692092434, rel=0.01)


def test_copies_have_none_and_a_single_clip_has_no_distance() -> None:
    assert apd(np.ones((5, 7))) == 0.0
    assert math.isnan(apd(np.ones((1, 7))))


def test_order_turning_and_shifting_change_nothing() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 3))
    moved = Rotation.random(rng=1).apply(x[rng.permutation(12)]) + 9.0
    assert apd(moved) == pytest.approx(apd(x))


LINE = np.array([0.0, 2.0, 0.0, 6.0, 100.0])[:, None]
CLASSES = ["a", "a", "b", "b", "c"]


def test_the_distances_of_all_pairs_have_apd_as_their_mean() -> None:
    x = np.random.default_rng(2).normal(size=(9, 4, 3))
    distances = pairwise(x)
    assert distances.shape == (9, 9)
    assert np.allclose(distances, distances.T)
    assert pair_mean(distances) == pytest.approx(apd(x))


def test_classes_count_alike_and_one_of_a_single_clip_not_at_all() -> None:
    assert acpd(LINE, CLASSES) == pytest.approx((2.0 + 6.0) / 2)
    assert math.isnan(acpd(LINE, range(5)))
    with pytest.raises(UserError, match="label for each of 5"):
        acpd(LINE, CLASSES[:4])


def test_draws_within_classes_are_those_of_the_drawn_lists() -> None:
    x = np.random.default_rng(3).normal(size=(12, 2))
    labels = np.arange(12) % 3
    counts = resampled(range(12), 30, seed=1)
    for found, c in zip(acpd_draws(pairwise(x), labels, counts), counts, strict=True):
        inside = []
        for label in range(3):
            at = np.repeat(np.arange(12), np.where(labels == label, c, 0))
            apart = at[:, None] != at
            if apart.any():
                inside.append(pairwise(x)[np.ix_(at, at)][apart].mean())
        assert found == pytest.approx(np.mean(inside))
    once = np.ones((1, 12), np.int16)
    assert acpd_draws(pairwise(x), labels, once) == pytest.approx([acpd(x, labels)])
    assert acpd_draws(pairwise(x), labels, once, groups=np.arange(12) // 4) == pytest.approx([acpd(x, labels)])


def test_a_class_without_a_pair_in_a_draw_is_left_out_of_it() -> None:
    counts = np.array([[2, 0, 1, 1, 1], [2, 0, 2, 0, 1]], np.int16)
    assert acpd_draws(pairwise(LINE), CLASSES, counts) == pytest.approx([6.0, math.nan], nan_ok=True)


def test_sampled_pairs_may_meet_themselves_so_their_mean_is_a_little_less() -> None:
    """Half of n points here and half at D: D/2 in the mean for any drawing that lets a clip meet itself."""
    points = np.zeros((20, 1))
    points[10:] = 2.0
    assert apd_sampled(points, n_runs=2000) == pytest.approx(1.0, rel=0.02)
    assert np.mean([diversity(points, 10, seed=s) for s in range(2000)]) == pytest.approx(1.0, rel=0.02)
    assert apd(points) == pytest.approx(20 / 19)


def test_diversity_draws_each_side_without_replacement() -> None:
    # one point far out: each side holds it once at most, so no more than two pairs reach there
    far = np.zeros((6, 1))
    far[0] = 1.0
    assert {round(5 * diversity(far, 5, seed=s)) for s in range(200)} == {0, 1, 2}
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 16))
    assert diversity(x) == pytest.approx(5.5692092434, rel=0.03)
    assert diversity(x, seed=1) == diversity(x, seed=1) != diversity(x, seed=2)
    with pytest.raises(UserError, match="more clips than the 300 pairs"):
        diversity(x[:300])


def test_captions_of_equally_many_motions_share_the_pairs() -> None:
    one = np.random.default_rng(1).normal(size=(30, 3))
    of_one = multimodality(one, ["a"] * 30)
    both = multimodality(np.concatenate([one, 3.0 * one]), ["a"] * 30 + ["b"] * 30)
    assert both == pytest.approx(2.0 * of_one)


def test_captions_of_few_motions_give_as_many_pairs_and_of_one_none() -> None:
    few = np.array([[0.0], [4.0], [7.0]])
    found = [multimodality(few, ["a", "a", "b"], seed=s) for s in range(200)]
    assert set(found) == {0.0, 4.0}  # two pairs of two: both with themselves, or both across
    assert np.mean(found) == pytest.approx(2.0, abs=0.5)
    assert math.isnan(multimodality(few, ["a", "b", "c"]))


def test_multimodality_of_normal_points_is_near_their_distance() -> None:
    x = np.random.default_rng(4).normal(size=(3000, 16))
    assert multimodality(x, np.arange(3000) // 30) == pytest.approx(5.5692092434 * 29 / 30, rel=0.1)
