"""Precision, recall, density, coverage and nearest distances: four points on a line, then sklearn."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.metrics import neighbours
from rehabmotion.metrics.intervals import mean_draws, resampled
from rehabmotion.metrics.neighbours import coverage_null, feature_sets, mms, mms_real, nearest, nearest_with_index, prdc

REAL = np.array([0.0, 1.0, 2.0, 10.0])[:, None]
GENERATED = np.array([0.5, 0.6, 9.0, 20.0])[:, None]
NAMES = ("precision", "recall", "density", "coverage")


@pytest.mark.parametrize(("k", "expected"), [(1, (0.75, 0.75, 1.25, 0.75)), (2, (0.75, 1.0, 0.875, 1.0))])
def test_four_points_on_a_line(k: int, expected: tuple[float, ...]) -> None:
    assert prdc(REAL, GENERATED, k).means() == pytest.approx(dict(zip(NAMES, expected, strict=True)), abs=1e-9)


def test_each_clip_says_what_it_contributes() -> None:
    found = prdc(REAL, GENERATED, 1)
    assert found.precision.tolist() == [1, 1, 1, 0]
    assert found.density.tolist() == [2, 2, 1, 0]
    assert found.coverage.tolist() == [1, 1, 0, 1]


def test_the_edge_belongs_to_precision_and_recall_alone() -> None:
    # the ball of 0 reaches to 1, that of 5 to 4
    found = prdc(np.array([[0.0], [1.0]]), np.array([[-1.0], [2.0]]), 1)
    assert found.precision.tolist() == [1, 1]
    assert found.density.tolist() == [0, 0]
    assert found.recall.tolist() == [1, 1]
    assert found.coverage.tolist() == [0, 0]


def test_the_distance_to_the_nearest_real_clip_and_its_baseline() -> None:
    assert mms(GENERATED, REAL).mean() == pytest.approx(2.975, abs=1e-9)
    assert mms_real(REAL).mean() == pytest.approx(2.75, abs=1e-9)
    assert mms(REAL[[2, 0]], REAL).tolist() == [0.0, 0.0]
    assert nearest_with_index(GENERATED, REAL)[1].tolist() == [0, 1, 3, 3]


def test_the_null_of_coverage_is_a_product() -> None:
    assert coverage_null(71, 71) == pytest.approx(0.9720028915522653, abs=1e-12)
    for n, expected in ((35, 0.975), (355, 0.969), (1000, 0.969)):
        assert coverage_null(n, n) == pytest.approx(expected, abs=5e-4)


def test_equal_distributions_give_the_nulls() -> None:
    rng = np.random.default_rng(0)
    found = [prdc(rng.normal(size=(71, 4)), rng.normal(size=(50, 4))).means() for _ in range(100)]
    assert np.mean([f["density"] for f in found]) == pytest.approx(1.0, abs=0.02)
    assert np.mean([f["coverage"] for f in found]) == pytest.approx(coverage_null(71, 50), abs=0.01)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(60, 45, 4, 5), (30, 80, 16, 3)])
def test_the_same_numbers_as_the_neighbours_of_sklearn(n: int, m: int, d: int, k: int) -> None:
    sklearn = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is in the extra judges")
    rng = np.random.default_rng(n)
    real, generated = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 0.8
    radius = [sklearn.NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1] for x in (real, generated)]
    apart = np.linalg.norm(real[:, None] - generated, axis=-1)
    expected = {
        "precision": (apart <= radius[0][:, None]).any(axis=0).mean(),
        "recall": (apart <= radius[1]).any(axis=1).mean(),
        "density": (apart < radius[0][:, None]).sum() / (k * m),
        "coverage": (apart.min(axis=1) < radius[0]).mean(),
    }
    assert prdc(real, generated, k).means() == pytest.approx(expected, abs=1e-6)
    found, _ = sklearn.NearestNeighbors(n_neighbors=1).fit(real).kneighbors(generated)
    assert mms(generated, real) == pytest.approx(found[:, 0], abs=1e-6)


def test_the_same_numbers_as_the_authors_package() -> None:
    package = pytest.importorskip("prdc", reason="prdc is in the extra dev")
    real, generated = np.random.default_rng(0).normal(size=(2, 80, 8))
    expected = package.compute_prdc(real, generated * 0.9, nearest_k=5)
    assert prdc(real, generated * 0.9).means() == pytest.approx({n: expected[n] for n in NAMES}, abs=1e-6)


def test_turning_scaling_and_another_order_change_nothing() -> None:
    rng = np.random.default_rng(1)
    real, generated = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    turn = Rotation.random(rng=1)
    moved = [7.0 * turn.apply(x)[::-1] + 3.0 for x in (real, generated)]
    assert prdc(*moved).means() == pytest.approx(prdc(real, generated).means())


def test_blocks_of_rows_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = np.random.default_rng(2).normal(size=(2, 33, 3))
    whole = prdc(real, generated).means(), mms_real(real).tolist(), mms(generated, real).tolist()
    monkeypatch.setattr(neighbours, "BLOCK", 33 * 4)  # four rows at a time
    assert (prdc(real, generated).means(), mms_real(real).tolist(), mms(generated, real).tolist()) == whole


def test_collapsed_clips_keep_precision_and_lose_coverage() -> None:
    real = np.random.default_rng(3).normal(size=(60, 4))
    found = prdc(real, np.repeat(real[:1], 60, axis=0) + 1e-6 * real).means()
    assert found["precision"] == 1.0
    assert found["coverage"] < 0.3


def test_draws_of_the_contributions_lie_around_the_numbers() -> None:
    found = prdc(*np.random.default_rng(4).normal(size=(2, 100, 4)))
    draws = mean_draws(found.density, resampled(range(100), 500))
    assert draws.mean() == pytest.approx(found.means()["density"], abs=0.02)
    assert draws.std() > 0


def test_small_sets_and_odd_ones_are_refused() -> None:
    with pytest.raises(UserError, match="at least 6 clips, got \\[5, 9\\]"):
        prdc(np.zeros((5, 2)), np.zeros((9, 2)))
    with pytest.raises(UserError, match="k of 1 or more"):
        prdc(REAL, GENERATED, 0)
    with pytest.raises(UserError, match="at least 2 clips"):
        mms_real(REAL[:1])
    with pytest.raises(UserError, match="at least 1 clips"):
        nearest(REAL, REAL[:0])
    with pytest.raises(UserError, match="one dimension"):
        mms(REAL, np.zeros((3, 2)))
    with pytest.raises(UserError, match="finite"):
        mms(REAL, np.array([[np.inf]]))


def test_sets_of_clips_become_rows() -> None:
    clips = np.zeros((4, 5, 2, 3), np.float32)
    (rows,) = feature_sets(clips)
    assert rows.shape == (4, 30)
    assert rows.dtype == np.float64
