"""Score agreement: closed forms, then scipy and scikit-learn."""

import numpy as np
import pytest
from scipy import stats

from rehabmotion.errors import UserError
from rehabmotion.metrics.score_agreement import constant_baselines, mae, r2, rmse, slope, spearman

TRUTH = np.array([0.0, 50.0, 100.0])


def test_a_constant_is_as_good_as_its_spread() -> None:
    flat = np.full(3, 50.0)
    assert rmse(flat, TRUTH) == pytest.approx(40.8248290464)
    assert mae(flat, TRUTH) == pytest.approx(33.3333333333)
    assert (r2(flat, TRUTH), spearman(flat, TRUTH), slope(flat, TRUTH)) == (0.0, 0.0, 0.0)
    assert constant_baselines(TRUTH) == {"rmse": pytest.approx(40.8248290464), "mae": pytest.approx(33.3333333333)}


def test_the_truth_itself_is_best() -> None:
    assert (mae(TRUTH, TRUTH), rmse(TRUTH, TRUTH), r2(TRUTH, TRUTH)) == (0, 0, 1)
    assert spearman(TRUTH, TRUTH) == pytest.approx(1)
    assert slope(0.5 * TRUTH + 3, TRUTH) == pytest.approx(0.5)
    assert spearman(-TRUTH, TRUTH) == pytest.approx(-1)


def test_as_the_libraries_say() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn, part of the extra: judges")
    rng = np.random.default_rng(0)
    y = rng.integers(0, 20, 200).astype(float)  # with ties
    p = y + rng.normal(0, 5, 200).round()
    assert spearman(p, y) == pytest.approx(stats.spearmanr(p, y).statistic, abs=1e-12)
    assert slope(p, y) == pytest.approx(stats.linregress(y, p).slope, abs=1e-12)
    assert mae(p, y) == pytest.approx(metrics.mean_absolute_error(y, p), abs=1e-12)
    assert rmse(p, y) == pytest.approx(metrics.root_mean_squared_error(y, p), abs=1e-12)
    assert r2(p, y) == pytest.approx(metrics.r2_score(y, p), abs=1e-12)


def test_one_truth_alone_has_no_slope_and_no_share() -> None:
    assert np.isnan(r2(TRUTH, np.ones(3)))
    assert np.isnan(slope(TRUTH, np.ones(3)))
    assert spearman(TRUTH, np.ones(3)) == 0


@pytest.mark.parametrize("wrong", [np.array([]), np.array([1.0, np.nan, 2.0]), np.ones(2), np.ones((3, 1))])
def test_what_is_no_score_is_refused(wrong: np.ndarray) -> None:
    for metric in (mae, rmse, r2, spearman, slope):
        with pytest.raises(UserError):
            metric(wrong, TRUTH if len(wrong) else wrong)
