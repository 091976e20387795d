"""Drawing clips and people again, and what the draws say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import (
    blocks,
    bootstrap_counts,
    covers_people,
    interval,
    label_codes,
    mean_draws,
    median_draws,
    pair_mean,
    pair_mean_draws,
    recentred,
    resampled,
    resampled_within,
    t_interval,
)

VALUES = np.array([3.0, -1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
PEOPLE = ["a", "a", "b", "c", "c", "c", "d"]


def drawn_list(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.repeat(values, counts)


def test_labels_are_counted_as_they_appear_and_none_is_one() -> None:
    assert label_codes(["b", None, "a", "b", None]).tolist() == [0, 1, 2, 0, 1]
    assert label_codes([("squat", "left"), ("squat", "right")]).tolist() == [0, 1]
    with pytest.raises(UserError, match="at least one clip"):
        label_codes([])


def test_whole_groups_are_drawn_as_many_as_there_are() -> None:
    counts = resampled(PEOPLE, 300, seed=1)
    assert counts.dtype == np.int16
    assert counts.shape == (300, 7)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3:6] == counts[:, 3:4]).all()
    assert (counts[:, [0, 2, 3, 6]].sum(axis=1) == 4).all()
    assert counts[:, 0].std() > 0.5


def test_clips_drawn_within_groups_leave_the_groups_sizes() -> None:
    counts = resampled_within(PEOPLE, 300, seed=1)
    assert (counts[:, :2].sum(axis=1) == 2).all()
    assert (counts[:, 3:6].sum(axis=1) == 3).all()
    assert (counts[:, 6] == 1).all()
    assert (counts[:, 3] != counts[:, 4]).any()


@pytest.mark.parametrize("draw", [resampled, resampled_within])
def test_a_seed_repeats_the_draws(draw: object) -> None:
    assert callable(draw)
    assert (draw(PEOPLE, 20, seed=3) == draw(PEOPLE, 20, seed=3)).all()
    assert (draw(PEOPLE, 20, seed=3) != draw(PEOPLE, 20, seed=4)).any()


def test_five_people_are_drawn_whole_and_four_are_not() -> None:
    five = ["a", "a", "b", "c", "d", "e"]
    counts, note = bootstrap_counts(five, 50, seed=2)
    assert (counts == resampled(five, 50, seed=2)).all()
    assert note == "drawn again: 5 people with all their clips"
    four = ["a", "a", "b", "b", "c", "c", "d", "d"]
    counts, note = bootstrap_counts(four, 50, seed=2)
    assert (counts == resampled_within(four, 50, seed=2)).all()
    assert note == "drawn again: clips within 4 people; the interval does not cover new people"
    assert covers_people(five)
    assert not covers_people(four)


def test_clips_of_unknown_people_move_together_and_are_named() -> None:
    counts, note = bootstrap_counts([*"abcde", None, None], 50)
    assert (counts[:, 5] == counts[:, 6]).all()
    assert note.endswith("the 2 clips of unknown subject as one more")
    counts, note = bootstrap_counts([None] * 6, 50)
    assert (counts.sum(axis=1) == 6).all()
    assert (counts != counts[:, :1]).any()
    assert note == "drawn again: clips of unknown people; the interval does not cover new people"


def test_a_persons_only_clip_cannot_vary_and_the_note_says_so() -> None:
    counts, note = bootstrap_counts(["a", "a", "b", "c"], 50)
    assert (counts[:, 2:] == 1).all()
    assert "2 clips are the only ones of a person" in note


def test_the_interval_of_0_to_100_is_2_and_a_half_to_97_and_a_half() -> None:
    draws = np.arange(101.0)
    assert interval(draws) == pytest.approx((2.5, 97.5))
    assert interval(np.append(draws, np.nan)) == pytest.approx((2.5, 97.5))
    assert all(math.isnan(end) for end in interval(np.full(3, np.nan)))


def test_recentred_draws_have_the_mean_asked_for_and_keep_their_spread() -> None:
    draws = np.array([1.0, np.nan, 2.0, 6.0])
    moved = recentred(draws, 10.0)
    assert np.nanmean(moved) == pytest.approx(10.0)
    assert np.allclose(np.diff(moved[[0, 2, 3]]), [1.0, 4.0])
    assert np.isnan(recentred(np.full(2, np.nan), 1.0)).all()


def test_twenty_repeats_give_the_t_interval_of_the_books() -> None:
    repeats = np.random.default_rng(0).normal(size=20)
    mean, low, high = t_interval(repeats)
    half = 2.0930240544 * repeats.std(ddof=1) / math.sqrt(20)
    assert (mean, low, high) == pytest.approx((repeats.mean(), repeats.mean() - half, repeats.mean() + half))
    reference = 1.96 * repeats.std(ddof=0) / math.sqrt(20)
    assert half / reference == pytest.approx(1.0956, abs=1e-4)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 19, repeats.mean(), stats.sem(repeats)))
    assert math.isnan(t_interval(np.ones(1))[1])


def test_means_and_medians_are_those_of_the_drawn_list() -> None:
    counts = resampled(range(7), 200, seed=5)
    lists = [drawn_list(VALUES, c) for c in counts]
    assert mean_draws(VALUES, counts) == pytest.approx([x.mean() for x in lists])
    assert median_draws(VALUES, counts).tolist() == [np.median(x) for x in lists]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 2.0, -3.0]), st.integers(0, 4)), min_size=1, max_size=12))
def test_the_median_of_any_counts_is_numpys(pairs: list[tuple[float, int]]) -> None:
    values, counts = np.array([v for v, _ in pairs]), np.array([[c for _, c in pairs]], np.int16)
    drawn = drawn_list(values, counts[0])
    expected = np.median(drawn) if len(drawn) else math.nan
    assert median_draws(values, counts) == pytest.approx([expected], nan_ok=True)


def test_values_that_were_not_measured_are_left_out() -> None:
    values, counts = np.append(VALUES, np.nan), resampled(range(8), 50, seed=5)
    assert mean_draws(values, counts) == pytest.approx(mean_draws(VALUES, counts[:, :7]))
    assert median_draws(values, counts) == pytest.approx(median_draws(VALUES, counts[:, :7]))
    assert np.isnan(mean_draws(np.full(8, np.nan), counts)).all()
    assert np.isnan(median_draws(np.full(8, np.nan), counts)).all()


def test_the_draws_spread_by_the_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=400)
    draws = mean_draws(values, resampled(range(400), 4000))
    assert draws.mean() == pytest.approx(values.mean(), abs=0.005)
    assert draws.std() == pytest.approx(values.std() / 20, rel=0.05)


def distance_matrix(n: int) -> np.ndarray:
    x = np.random.default_rng(n).normal(size=(n, 2))
    return np.linalg.norm(x[:, None] - x, axis=-1)


def test_the_mean_over_pairs_of_three_clips() -> None:
    distances = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 6.0], [2.0, 6.0, 0.0]])
    assert pair_mean(distances) == 3.0
    assert pair_mean(distances + np.diag([5.0, 5.0, 5.0])) == 3.0
    assert math.isnan(pair_mean(np.zeros((1, 1))))
    # clips 0, 0, 1: two pairs at distance 1; the pair of the two copies is none
    counts = np.array([[1, 1, 1], [2, 1, 0], [3, 0, 0]], np.int16)
    assert pair_mean_draws(distances, counts) == pytest.approx([3.0, 1.0, math.nan], nan_ok=True)


@pytest.mark.parametrize("diagonal", [0.0, 7.0])
def test_pairs_of_drawn_clips_leave_out_copies_of_one_clip(diagonal: float) -> None:
    distances = distance_matrix(7) + diagonal * np.eye(7)
    counts = resampled(range(7), 20, seed=1)
    for found, c in zip(pair_mean_draws(distances, counts), counts, strict=True):
        at = np.repeat(np.arange(7), c)
        apart = at[:, None] != at
        assert found == pytest.approx(distances[np.ix_(at, at)][apart].mean())


def test_pairs_of_drawn_people_leave_out_copies_of_one_person() -> None:
    distances, codes = distance_matrix(7), label_codes(PEOPLE)
    counts = resampled(PEOPLE, 40, seed=1)
    for found, c in zip(pair_mean_draws(distances, counts, PEOPLE), counts, strict=True):
        clip = np.concatenate([np.tile(np.flatnonzero(codes == p), c[codes == p][0]) for p in range(4)])
        copy = np.concatenate([np.repeat(np.arange(c[codes == p][0]), (codes == p).sum()) for p in range(4)])
        kept = (codes[clip][:, None] != codes[clip]) | ((copy[:, None] == copy) & (clip[:, None] != clip))
        expected = distances[np.ix_(clip, clip)][kept].mean() if kept.any() else math.nan
        assert found == pytest.approx(expected, nan_ok=True)


def test_draws_over_pairs_lie_around_the_value_of_the_sample() -> None:
    distances = distance_matrix(60)
    draws = pair_mean_draws(distances, resampled(range(60)))
    assert draws.mean() == pytest.approx(pair_mean(distances), rel=0.01)


def test_groups_that_were_drawn_in_parts_are_refused() -> None:
    with pytest.raises(UserError, match="whole groups"):
        pair_mean_draws(distance_matrix(7), resampled(range(7), 20), PEOPLE)


def test_blocks_give_every_draw_once_whatever_their_size() -> None:
    counts = resampled(range(10), 100)
    pieces = list(blocks(counts, per_clip=2**17))
    assert len(pieces) == 34
    assert (np.concatenate(pieces) == counts).all()
