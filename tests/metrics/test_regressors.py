"""Score regressors: figures by hand and against a trusted library, means where nothing can be learnt, scales kept."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.metrics import regressors as module
from rehabmotion.metrics.regressors import MiniRocketRidge, ScoreRegressors, clip_weights, score_figures


def test_a_constant_answer_by_hand() -> None:
    figures = score_figures(np.full(3, 50.0), np.array([0.0, 50.0, 100.0]))
    assert figures["rmse"] == pytest.approx(40.8248290464)
    assert figures["mae"] == pytest.approx(33.3333333333)
    assert figures["r2"] == 0
    assert figures["spearman"] == 0


def test_perfect_answers_and_turned_around_ones() -> None:
    truth = np.array([10.0, 20.0, 60.0])
    assert score_figures(truth, truth) == {"rmse": 0, "mae": 0, "r2": 1, "spearman": pytest.approx(1)}
    assert score_figures(truth[::-1], truth)["spearman"] == pytest.approx(-1)


def test_scores_all_alike_have_no_r2() -> None:
    assert math.isnan(score_figures(np.array([1.0, 2.0]), np.array([3.0, 3.0]))["r2"])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30))
@settings(max_examples=60)
def test_the_figures_are_those_of_scipy_and_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    from scipy.stats import spearmanr

    p, y = np.array(pairs, float).T
    figures = score_figures(p, y)
    assert figures["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, p))
    assert figures["mae"] == pytest.approx(metrics.mean_absolute_error(y, p))
    if np.ptp(y) > 0:
        assert figures["r2"] == pytest.approx(metrics.r2_score(y, p))
    if np.ptp(y) > 0 and np.ptp(p) > 0:
        assert figures["spearman"] == pytest.approx(spearmanr(p, y).statistic)


def test_people_count_alike_however_often_they_repeat() -> None:
    assert clip_weights(["a", "a", "b"]).tolist() == [0.75, 0.75, 1.5]
    assert clip_weights(["a", None, "a", "b", None]).tolist() == [0.75, 1, 0.75, 1.5, 1]
    assert clip_weights([None, None]).tolist() == [1, 1]


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=40))
def test_clips_count_one_on_average(subjects: list[str | None]) -> None:
    weights = clip_weights(subjects)
    assert weights.mean() == pytest.approx(1)
    shares = {who: sum(w for w, s in zip(weights, subjects, strict=True) if s == who) for who in subjects}
    shares.pop(None, None)
    assert list(shares.values()) == [pytest.approx(max(shares.values(), default=0))] * len(shares)


class Rise:
    """A regressor for tests: reads the first number of a clip."""

    def __init__(self, seed: int = 0, factor: float = 1.0) -> None:
        self.factor = factor

    def fit(self, clips: np.ndarray, y: np.ndarray, weights: np.ndarray) -> "Rise":
        self.seen = y
        return self

    def predict(self, clips: np.ndarray) -> np.ndarray:
        return self.factor * clips[:, 0, 0, 0]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> ScoreRegressors:
    """Two regressors, one of which doubles what it sees, learnt from squats of mean 50 and arm lifts of mean 20."""
    monkeypatch.setattr(module, "REGRESSORS", {"once": Rise, "twice": Rise})
    regressors = ScoreRegressors("kimore", names=("once", "twice"), twice={"factor": 2.0})
    exercises = ["squat"] * 4 + ["arm_lift"] * 4
    return regressors.fit(np.zeros((8, 5, 1, 3)), exercises, np.array([40.0, 40, 60, 60, 10, 10, 30, 30]))


def clip_of(number: float) -> np.ndarray:
    clips = np.zeros((1, 5, 1, 3))
    clips[0, 0, 0, 0] = number
    return clips


def test_what_is_learnt_is_the_difference_to_the_mean_of_the_exercise(made: ScoreRegressors) -> None:
    assert made._fitted["once"]["squat"].seen.tolist() == [-10, -10, 10, 10]  # type: ignore[attr-defined]
    assert made.predict_singly(clip_of(3), ["squat"]) == {"once": [53], "twice": [56]}
    assert made.predict(clip_of(3), ["arm_lift"]) == [24.5]


def test_the_mean_of_an_exercise_is_that_of_its_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REGRESSORS", {"once": Rise})
    fitted = ScoreRegressors("kimore", names=("once",)).fit(
        np.zeros((4, 5, 1, 3)), ["squat"] * 4, np.array([10.0, 10, 10, 50]), ["a", "a", "a", "b"]
    )
    assert fitted.predict(clip_of(0), ["squat"]) == pytest.approx([30])


def test_answers_stay_inside_the_scale(made: ScoreRegressors) -> None:
    assert made.predict_singly(clip_of(30), ["squat"]) == {"once": [80], "twice": [100]}
    assert made.predict(clip_of(-500), ["squat"]) == [0]


def test_an_exercise_never_seen_gets_the_mean_of_all(made: ScoreRegressors) -> None:
    assert made.predict(clip_of(3), ["trunk_rotation"]) == [35]


def test_an_exercise_of_few_clips_or_of_one_score_gets_its_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REGRESSORS", {"once": Rise})
    few = ScoreRegressors("sim", names=("once",)).fit(
        np.zeros((8, 5, 1, 3)), ["squat"] * 3 + ["arm_lift"] * 5, np.array([10.0, 20, 60, 7, 7, 7, 7, 7])
    )
    both = np.concatenate([clip_of(9), clip_of(9)])
    assert few.predict(both, ["squat", "arm_lift"]).tolist() == [30, 7]


def test_unknown_names_and_missing_scores_are_refused() -> None:
    with pytest.raises(UserError, match="got kimore and tarot"):
        ScoreRegressors("kimore", names=("tarot",))
    with pytest.raises(UserError, match="got stars"):
        ScoreRegressors("stars")
    with pytest.raises(UserError, match="none or NaN"):
        ScoreRegressors("kimore").fit(np.zeros((1, 5, 1, 3)), ["squat"], np.array([np.nan]))


class Flat:
    """Features for tests: the numbers of a clip as they are."""

    def __init__(self, seed: int, n_kernels: int) -> None:
        pass

    def learn(self, clips: np.ndarray) -> np.ndarray:
        return clips.reshape(len(clips), -1)

    of = learn


def test_the_same_clips_twice_teach_the_ridge_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its penalty was once chosen from the clips: copies made it smaller, and a generator of copies seemed to help."""
    pytest.importorskip("sklearn")
    monkeypatch.setattr(module, "MiniRocketFeatures", Flat)
    rng = np.random.default_rng(0)
    clips, y = rng.normal(size=(24, 40, 1, 3)), rng.normal(size=24)
    once = MiniRocketRidge().fit(clips, y, np.ones(24))
    twice = MiniRocketRidge().fit(np.tile(clips, (2, 1, 1, 1)), np.tile(y, 2), np.ones(48))
    assert np.allclose(twice.predict(clips), once.predict(clips))
    assert np.std(once.predict(clips)) > 0.1


@pytest.mark.slow
def test_both_regressors_read_the_height_of_a_wave_and_repeat_themselves() -> None:
    pytest.importorskip("aeon")
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 100, 90)
    wave = np.sin(np.linspace(0, 2 * np.pi, 50) + rng.uniform(0, 1, (90, 1))) * (0.2 + scores[:, None] / 100)
    clips = np.stack([wave, np.cos(wave), rng.normal(0, 0.05, wave.shape)], axis=-1)[:, :, None]
    exercises, subjects = ["squat"] * 90, [f"s{i % 9}" for i in range(90)]
    options = {"minirocket": {"n_kernels": 500}, "quant": {"n_trees": 50}}
    fitted = ScoreRegressors("sim", 1, **options).fit(clips[:60], exercises[:60], scores[:60], subjects[:60])
    answers = fitted.predict_singly(clips[60:], exercises[60:])
    for answer in answers.values():
        assert score_figures(answer, scores[60:])["r2"] > 0.8
    assert np.array_equal(fitted.predict(clips[60:], exercises[60:]), np.mean(list(answers.values()), axis=0))
    again = ScoreRegressors("sim", 1, **options).fit(clips[:60], exercises[:60], scores[:60], subjects[:60])
    assert np.array_equal(again.predict(clips, exercises), fitted.predict(clips, exercises))
