"""Fréchet distance: closed forms, scipy's matrix root, and the bias of small samples."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.metrics.frechet import fid, fid_draws, fid_infinity, fid_null
from rehabmotion.metrics.intervals import interval, recentred, resampled

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])


def with_covariance(covariance: np.ndarray) -> np.ndarray:
    """Four points of mean 0 and exactly that covariance, ddof 1."""
    return SQUARE * math.sqrt(3 / 4) @ np.linalg.cholesky(covariance).T


def test_sets_that_differ_by_a_shift_are_its_square_apart() -> None:
    assert fid(SQUARE, SQUARE + np.array([3.0, -4.0])) == pytest.approx(25.0, abs=1e-9)


@pytest.mark.parametrize("d", [2, 5])
def test_two_round_clouds_differ_by_their_radii(d: int) -> None:
    corners = np.vstack([np.eye(d), -np.eye(d)]) * math.sqrt((2 * d - 1) / 2)  # covariance I
    assert np.allclose(np.cov(corners, rowvar=False), np.eye(d))
    assert fid(1.5 * corners, 4.0 * corners) == pytest.approx(d * 2.5**2, abs=1e-9)


def test_covariances_that_do_not_commute() -> None:
    real, generated = (with_covariance(np.array(c)) for c in ([[2.0, 1.0], [1.0, 2.0]], [[3.0, 0.0], [0.0, 1.0]]))
    assert fid(real, generated) == pytest.approx(8 - 2 * math.sqrt(14), abs=1e-9)
    assert fid(generated, real) == pytest.approx(0.5166852264521173, abs=1e-9)


def test_four_points_against_the_same_twice_as_far_and_moved() -> None:
    assert fid(SQUARE, 2 * SQUARE + np.array([3.0, 0.0])) == pytest.approx(35 / 3, abs=1e-9)


def test_a_set_is_at_0_of_itself_and_of_itself_in_another_order() -> None:
    x = np.random.default_rng(0).normal(size=(60, 8))
    assert fid(x, x) == pytest.approx(0.0, abs=1e-8)
    assert fid(x, x[::-1]) == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize(("n", "m", "d"), [(80, 50, 6), (40, 90, 32), (20, 25, 3)])
def test_the_same_number_as_the_matrix_root_of_scipy(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(d)
    real, generated = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)), rng.normal(size=(m, d)) + 0.3
    cov_r, cov_g = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    root = np.trace(np.real(sqrtm(cov_r @ cov_g)))
    mean = ((real.mean(axis=0) - generated.mean(axis=0)) ** 2).sum()
    assert fid(real, generated) == pytest.approx(mean + np.trace(cov_r) + np.trace(cov_g) - 2 * root, rel=1e-6)


def test_fewer_clips_than_dimensions_give_a_finite_number() -> None:
    rng = np.random.default_rng(0)
    value = fid(rng.normal(size=(10, 64)), rng.normal(size=(12, 64)))
    assert 0 < value < 500


def test_turning_and_shifting_both_sets_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    real, generated = rng.normal(size=(30, 3)), rng.normal(size=(20, 3)) * 2
    turn = Rotation.random(rng=3)
    assert fid(turn.apply(real) + 1e3, turn.apply(generated) + 1e3) == pytest.approx(fid(real, generated), rel=1e-9)


def test_the_null_of_round_clouds_has_a_short_form() -> None:
    n, d = 71, 16
    corners = np.vstack([np.eye(d), -np.eye(d)]) * math.sqrt((2 * d - 1) / 2)
    assert fid_null(corners, n, n) == pytest.approx(2 * d / n + d * (d + 1) / (2 * (n - 1)), abs=1e-9)
    assert fid_null(corners, n, n) == pytest.approx(2.394, abs=1e-3)


def test_two_samples_of_one_distribution_are_as_far_apart_as_the_null_says() -> None:
    rng = np.random.default_rng(0)
    scale = np.linspace(0.5, 2.0, 16)
    found = [fid(rng.normal(size=(71, 16)) * scale, rng.normal(size=(142, 16)) * scale) for _ in range(60)]
    population = rng.normal(size=(20000, 16)) * scale
    assert np.mean(found) == pytest.approx(fid_null(population, 71, 142), rel=0.05)


def test_a_direction_without_spread_adds_nothing_to_the_null() -> None:
    flat = np.hstack([SQUARE, np.zeros((4, 3))])
    assert fid_null(flat, 20, 30) == pytest.approx(fid_null(SQUARE, 20, 30))


def test_each_draw_is_the_distance_of_the_drawn_lists() -> None:
    rng = np.random.default_rng(1)
    real, generated = rng.normal(size=(25, 4)) + 5, rng.normal(size=(30, 4)) * 1.5 + 5
    rc, gc = resampled(range(25), 12, seed=1), resampled(range(30), 12, seed=2)
    expected = [fid(np.repeat(real, r, axis=0), np.repeat(generated, g, axis=0)) for r, g in zip(rc, gc, strict=True)]
    assert fid_draws(real, generated, rc, gc) == pytest.approx(expected, abs=1e-9)


def test_draws_of_one_distribution_need_recentring() -> None:
    """Drawing again adds the bias of small samples once more: the plain percentiles missed the value itself."""
    rng = np.random.default_rng(2)
    real, generated = rng.normal(size=(2, 100, 8))
    draws = fid_draws(real, generated, resampled(range(100), 400, seed=1), resampled(range(100), 400, seed=2))
    value = fid(real, generated)
    assert interval(draws)[0] > value
    low, high = interval(recentred(draws, value))
    assert low < fid_null(real, 100, 100) < high


def test_a_draw_of_a_single_clip_has_no_covariance() -> None:
    counts = np.array([[1, 0, 0, 0], [1, 1, 1, 1]], np.int16)
    draws = fid_draws(SQUARE, SQUARE, counts, np.ones((2, 4), np.int16))
    assert math.isnan(draws[0])
    assert draws[1] == pytest.approx(0.0, abs=1e-8)


def test_endless_samples_take_the_bias_away() -> None:
    rng = np.random.default_rng(5)
    real, generated = rng.normal(size=(2, 800, 8))
    plain, endless = fid(real, generated * 1.3), fid_infinity(real, generated * 1.3, seed=1)
    true = 8 * 0.3**2
    assert plain - true > 0.03
    assert abs(endless - true) < plain - true
    assert fid_infinity(real, generated * 1.3, seed=1) == endless


def test_too_few_clips_and_other_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match="at least 500 clips"):
        fid_infinity(np.zeros((499, 2)), np.zeros((600, 2)))
    with pytest.raises(UserError, match="8 sizes"):
        fid_infinity(np.zeros((500, 2)), np.zeros((600, 2)), n_sizes=7)
    with pytest.raises(UserError, match="at least 2 clips"):
        fid(np.zeros((1, 2)), np.zeros((5, 2)))
    with pytest.raises(UserError, match="one dimension"):
        fid(np.zeros((5, 2)), np.zeros((5, 3)))
    with pytest.raises(UserError, match="finite"):
        fid(np.full((5, 2), np.nan), np.zeros((5, 2)))
    with pytest.raises(UserError, match="equally often"):
        fid_draws(SQUARE, SQUARE, np.ones((2, 4), np.int16), np.ones((3, 4), np.int16))
