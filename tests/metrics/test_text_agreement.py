"""R-Precision and matching distance: orthonormal embeddings, then chance."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from rehabmotion.errors import UserError
from rehabmotion.metrics.text_agreement import chance, distances, mm_dist, r_precision, ranks

FOUR = np.eye(4)
OWN = np.arange(4)


def test_texts_equal_to_their_motions_are_first_and_at_0() -> None:
    found = r_precision(FOUR, FOUR, OWN)
    assert found.values == {1: 1.0, 2: 1.0, 3: 1.0}
    assert mm_dist(FOUR, FOUR).tolist() == [0.0] * 4


def test_motions_shifted_by_one_place_share_the_ranks_2_to_4() -> None:
    shifted = np.roll(FOUR, 1, axis=0)
    assert ranks(distances(FOUR, shifted), np.eye(4, dtype=bool)).tolist() == [3.0] * 4
    found = r_precision(FOUR, shifted, OWN)
    assert found.values == {1: 0.0, 2: 0.0, 3: 1.0}
    assert mm_dist(FOUR, shifted) == pytest.approx([math.sqrt(2)] * 4, abs=1e-9)


def test_motions_swapped_inside_an_id_are_right_only_where_several_answers_are() -> None:
    swapped, ids = FOUR[[1, 0, 3, 2]], [("squat", "left"), ("squat", "left"), ("squat", "right"), ("squat", "right")]
    assert r_precision(FOUR, swapped, ids).values[1] == 1.0
    assert r_precision(FOUR, swapped, ids, multi_positive=False).values[1] == 0.0


def test_chance_of_hypergeometric_draws() -> None:
    assert chance(4, 2, 1) == pytest.approx(1 / 2, abs=1e-9)
    assert chance(4, 2, 2) == pytest.approx(5 / 6, abs=1e-9)
    assert chance(32, 1, 3) == pytest.approx(3 / 32, abs=1e-9)
    assert chance(7, 3, 2) == pytest.approx(np.mean([min(c) < 3 for c in combinations(range(7), 2)]))
    assert chance(4, 1, 9) == 1.0
    assert chance(4, np.array([1, 4]), 1).tolist() == pytest.approx([0.25, 1.0])


@pytest.mark.parametrize(("captions", "expected"), [(5, (0.225, 0.400, 0.536)), (15, (0.096, 0.183, 0.263))])
def test_chance_follows_the_captions_in_the_pools_that_were_drawn(
    captions: int, expected: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3200, 2))
    found = r_precision(x[0], x[1], rng.integers(captions, size=3200), repeats=2)
    assert [found.chance[k] for k in (1, 2, 3)] == pytest.approx(expected, abs=0.01)
    assert r_precision(x[0], x[1], np.arange(3200), repeats=1).chance == pytest.approx(
        {1: 1 / 32, 2: 2 / 32, 3: 3 / 32}
    )


@pytest.mark.parametrize("multi_positive", [True, False])
@pytest.mark.parametrize("direction", ["text_to_motion", "motion_to_text"])
def test_blind_embeddings_give_chance(multi_positive: bool, direction: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 960, 6))
    found = r_precision(x[0], x[1], np.arange(960) % 10, direction=direction, multi_positive=multi_positive, repeats=5)
    for k in (1, 2, 3):
        assert found.values[k] == pytest.approx(found.chance[k], abs=0.05)


def test_a_model_that_knows_the_caption_alone_is_held_below_1_by_single_answers() -> None:
    """Fifteen captions, the motion of any clip right up to its caption: .417 at most, whatever the model."""
    rng = np.random.default_rng(2)
    ids = rng.integers(15, size=3200)
    texts, motions = np.eye(15)[ids], np.eye(15)[ids] + rng.normal(0, 1e-3, (3200, 15))
    single = r_precision(texts, motions, ids, multi_positive=False, repeats=3)
    assert [single.values[k] for k in (1, 2, 3)] == pytest.approx([0.417, 0.717, 0.886], abs=0.02)
    assert r_precision(texts, motions, ids, repeats=1).values == {1: 1.0, 2: 1.0, 3: 1.0}


def test_ranks_with_half_ties_are_the_average_ranks_of_scipy() -> None:
    distance = np.random.default_rng(0).integers(0, 4, size=(12, 12)).astype(float)
    expected = [rankdata(row)[i] for i, row in enumerate(distance)]
    assert ranks(distance, np.eye(12, dtype=bool)).tolist() == expected


def test_right_answers_do_not_tie_with_one_another() -> None:
    right = np.array([[True, True, False, False]])
    assert ranks(np.array([[1.0, 1.0, 2.0, 3.0]]), right).tolist() == [1.0]
    assert ranks(np.array([[1.0, 1.0, 1.0, 3.0]]), right).tolist() == [1.5]
    assert ranks(np.array([[3.0, 2.0, 1.0, 0.0]]), right).tolist() == [3.0]


def test_a_collapsed_model_wins_nothing() -> None:
    """Thirty-two motions at one place: their order decided once who was first, and rounding decided the order."""
    texts = np.random.default_rng(3).normal(size=(32, 64)) * 1e3
    found = r_precision(texts, np.repeat(texts[:1] / 3, 32, axis=0), np.arange(32))
    assert found.values == {1: 0.0, 2: 0.0, 3: 0.0}


def test_directions_ask_for_motions_or_for_texts() -> None:
    # 1-d: text 0 lies nearest its own motion, but motion 0 nearest the text at 1
    texts, motions = np.array([[0.0], [1.0], [50.0], [90.0]]), np.array([[0.9], [5.0], [50.0], [90.0]])
    one = r_precision(texts, motions, OWN, direction="text_to_motion").hits[1]
    other = r_precision(texts, motions, OWN, direction="motion_to_text").hits[1]
    assert one.tolist() == [1, 0, 1, 1]
    assert other.tolist() == [0, 1, 1, 1]
    assert (r_precision(motions, texts, OWN).hits[1] == other).all()


def test_distances_are_those_of_the_expanded_form_clipped_at_0() -> None:
    texts, motions = np.random.default_rng(4).normal(size=(2, 20, 8))
    motions[3] = texts[5]
    squares = (texts**2).sum(axis=1)[:, None] + (motions**2).sum(axis=1) - 2 * texts @ motions.T
    assert np.allclose(distances(texts, motions), np.sqrt(np.maximum(squares, 0)), atol=1e-6)
    assert distances(texts, motions)[5, 3] == 0.0
    assert mm_dist(texts, motions) == pytest.approx(np.diagonal(distances(texts, motions)))


def test_a_clips_hits_are_its_share_over_all_its_pools() -> None:
    rng = np.random.default_rng(5)
    texts = rng.normal(size=(70, 4))
    found = r_precision(texts, texts + rng.normal(0, 0.5, texts.shape), np.arange(70), repeats=400, seed=1)
    assert found.pool == 32
    assert found.repeats[1].shape == (400,)
    assert found.repeats[1].mean() == pytest.approx(found.values[1])
    assert found.hits[1].shape == (70,)
    assert found.hits[1].mean() == pytest.approx(found.values[1], abs=0.01)  # 64 of 70 clips a repeat
    assert len(np.unique(found.hits[1])) > 10
    assert (found.hits[1] <= found.hits[2]).all()


def test_a_clip_that_was_in_no_pool_is_nan() -> None:
    x = np.random.default_rng(6).normal(size=(40, 3))
    found = r_precision(x, x, np.arange(40), repeats=1)
    assert np.isnan(found.hits[1]).sum() == 8
    assert found.values[1] == 1.0


def test_fewer_clips_than_the_pool_are_one_pool() -> None:
    assert r_precision(FOUR, FOUR, OWN).pool == 4
    assert r_precision(FOUR, FOUR, OWN).chance[1] == pytest.approx(0.25)


def test_the_seed_repeats_and_another_differs() -> None:
    x = np.random.default_rng(7).normal(size=(2, 100, 3))
    same = [r_precision(x[0], x[0] + x[1], np.arange(100), seed=s).repeats[1].tolist() for s in (1, 1, 2)]
    assert same[0] == same[1] != same[2]


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="at least 4 clips"):
        r_precision(FOUR[:3], FOUR[:3], OWN[:3])
    with pytest.raises(UserError, match="4, 4 and 3"):
        r_precision(FOUR, FOUR, OWN[:3])
    with pytest.raises(UserError, match="direction"):
        r_precision(FOUR, FOUR, OWN, direction="both")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="pool"):
        r_precision(FOUR, FOUR, OWN, pool=1)
    with pytest.raises(UserError, match="in pairs"):
        mm_dist(FOUR, FOUR[:3])
