"""Kernel distance: closed forms, sklearn's kernel, and no bias."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import interval, resampled
from rehabmotion.metrics.kid import kid, kid_biased, kid_draws, standardise


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_two_points_against_two_points() -> None:
    # k(0, 1) = 1, k(0, 2) = 1, k(1, 2) = 27: 1 + 1 - (1 + 1 + 1 + 27) / 2
    assert kid(column(0, 1), column(0, 2)) == pytest.approx(-13.0, abs=1e-9)
    assert kid_biased(column(0, 1), column(0, 2)) == pytest.approx(19.75, abs=1e-9)


def test_a_set_with_itself_is_below_0_unbiased_and_0_biased() -> None:
    x = column(1, -1)
    assert kid(x, x) == pytest.approx(-8.0, abs=1e-9)
    assert kid_biased(x, x) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(40, 40, 16), (30, 55, 3), (1500, 20, 2)])
def test_the_same_number_as_the_kernel_of_sklearn(n: int, m: int, d: int) -> None:
    pairwise = pytest.importorskip("sklearn.metrics.pairwise", reason="scikit-learn is in the extra judges")
    rng = np.random.default_rng(n)
    real, generated = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    rr, gg, rg = (
        pairwise.polynomial_kernel(a, b, degree=3, coef0=1)
        for a, b in ((real, real), (generated, generated), (real, generated))
    )
    own = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (rr, gg)]
    assert kid(real, generated) == pytest.approx(sum(own) - 2 * rg.mean(), rel=1e-6)
    assert kid_biased(real, generated) == pytest.approx(rr.mean() + gg.mean() - 2 * rg.mean(), rel=1e-6)


def test_the_same_number_as_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    reference = pytest.importorskip("torchmetrics.image.kid", reason="torchmetrics is not installed")
    real, generated = np.random.default_rng(0).normal(size=(2, 50, 8))
    expected = float(reference.poly_mmd(torch.tensor(real), torch.tensor(generated * 1.4)))
    assert kid(real, generated * 1.4) == pytest.approx(expected, rel=1e-6)


def test_equal_distributions_give_0_in_the_mean_at_any_size() -> None:
    rng = np.random.default_rng(0)
    found = np.array([kid(rng.normal(size=(71, 16)), rng.normal(size=(71, 16))) for _ in range(200)])
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(200)
    assert found.std() == pytest.approx(0.033, rel=0.15)
    assert (found < 0).any()


def test_turning_both_sets_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    real, generated = rng.normal(size=(30, 3)), rng.normal(size=(20, 3)) * 2
    turn = Rotation.random(rng=3)
    assert kid(turn.apply(real)[::-1], turn.apply(generated)) == pytest.approx(kid(real, generated), rel=1e-9)


def test_the_reference_sets_the_scale_and_a_constant_column_is_only_centred() -> None:
    rng = np.random.default_rng(0)
    reference = np.hstack([rng.normal(3.0, 5.0, (50, 2)), np.full((50, 1), 0.1)])
    itself, other = standardise(reference, reference, reference + np.array([5.0, 0.0, 2.0]))
    assert np.allclose(itself.mean(axis=0), 0)
    assert np.allclose(itself.std(axis=0), [1.0, 1.0, 0.0])
    assert np.allclose((other - itself)[:, 2], 2.0)
    assert np.allclose((other - itself)[:, 0], 5.0 / reference[:, 0].std())


def test_each_draw_leaves_out_pairs_of_copies() -> None:
    rng = np.random.default_rng(1)
    real, generated = rng.normal(size=(9, 3)), rng.normal(size=(12, 3)) * 1.5
    rc, gc = resampled(range(9), 10, seed=1), resampled(range(12), 10, seed=2)

    def own(x: np.ndarray, c: np.ndarray) -> float:
        at = np.repeat(np.arange(len(x)), c)
        return float(((x[at] @ x[at].T / 3 + 1) ** 3)[at[:, None] != at].mean())

    for found, r, g in zip(kid_draws(real, generated, rc, gc), rc, gc, strict=True):
        cross = ((np.repeat(real, r, axis=0) @ np.repeat(generated, g, axis=0).T / 3 + 1) ** 3).mean()
        assert found == pytest.approx(own(real, r) + own(generated, g) - 2 * cross)


def test_draws_lie_around_the_value_of_the_sample() -> None:
    rng = np.random.default_rng(4)
    real, generated = rng.normal(size=(80, 4)), rng.normal(size=(90, 4)) * 1.3
    rc, gc = resampled(range(80), 1000, seed=1), resampled(range(90), 1000, seed=2)
    draws, value = kid_draws(real, generated, rc, gc), kid(real, generated)
    assert draws.mean() == pytest.approx(value, abs=0.1 * draws.std())
    low, high = interval(draws)
    assert low < value < high


def test_people_drawn_whole_are_not_paired_with_their_own_copies() -> None:
    """Ten people of five all but equal clips: copies paired with one another made real data look narrower."""
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(10), 5)
    real, generated = rng.normal(size=(10, 4))[people] + rng.normal(size=(50, 4)) * 0.01, rng.normal(size=(50, 4))
    rc, gc = resampled(people, 1000, seed=1), np.ones((1000, 50), np.int16)
    value = kid(real, generated)
    grouped, plain = kid_draws(real, generated, rc, gc, people), kid_draws(real, generated, rc, gc)
    assert abs(grouped.mean() - value) < 0.3 * abs(plain.mean() - value)


def test_one_clip_and_unequal_draws_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 clips"):
        kid(column(1), column(1, 2))
    with pytest.raises(UserError, match="as many draws"):
        kid_draws(column(1, 2), column(1, 2), np.ones((3, 2), np.int16), np.ones((2, 2), np.int16))
