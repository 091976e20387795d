"""The area under the ROC curve against a trusted library, and the judge on clips any judge must tell apart."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.metrics.judges import Judge, auc


@pytest.mark.parametrize(
    ("scores", "labels", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),  # ties count half
        ([1, 2, 3, 4], [0, 1, 0, 1], 0.75),
        ([1, 2, 2], [0, 0, 1], 0.75),
    ],
)
def test_small_curves_by_hand(scores: list[float], labels: list[int], area: float) -> None:
    assert auc(np.array(scores), np.array(labels)) == area


def test_one_class_alone_has_no_curve() -> None:
    assert math.isnan(auc(np.arange(3), np.ones(3)))
    assert math.isnan(auc(np.arange(3), np.zeros(3)))


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_it_is_the_area_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if labels.any() and not labels.all():
        assert auc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores))
    else:
        assert math.isnan(auc(scores, labels))


@pytest.mark.slow
def test_a_judge_tells_waves_of_two_speeds_apart_and_repeats_itself() -> None:
    pytest.importorskip("aeon")
    rng = np.random.default_rng(0)
    labels = np.array(["slow", "fast"] * 20)
    t = np.linspace(0, 1, 60)
    phase = rng.uniform(0, 6, (40, 1))
    wave = np.sin(2 * np.pi * np.where(labels == "fast", 4, 1)[:, None] * t + phase)
    clips = wave[:, :, None, None] + rng.normal(0, 0.1, (40, 60, 2, 3))
    judge = Judge(seed=1, n_kernels=500).fit(clips[:30], labels[:30])
    assert judge.classes == ["fast", "slow"]
    assert (judge.predict(clips[30:]) == labels[30:]).all()
    assert auc(judge.margin(clips[30:]), labels[30:] == "slow") == 1.0
    again = Judge(seed=1, n_kernels=500).fit(clips[:30], labels[:30])
    assert np.array_equal(again.margin(clips[30:]), judge.margin(clips[30:]))
