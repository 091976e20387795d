"""Figures of classes by hand and against a trusted library, and the judges on clips any judge must tell apart."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.metrics.judges import (
    JUDGES,
    Judge,
    MultiRocketHydraJudge,
    auc,
    class_figures,
    confusion,
    majority,
    table_figures,
)


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


# --- classes --------------------------------------------------------------------------------------------------------


def test_answering_the_commonest_class_is_right_two_times_in_three_and_balanced_one_in_two() -> None:
    figures = class_figures([1, 1, 1], [1, 1, 2])
    assert figures == {
        "accuracy": pytest.approx(2 / 3),
        "balanced_accuracy": 0.5,
        "macro_f1": pytest.approx(0.4),  # 2 x 2 / (2 + 3) and 0
    }


def test_the_rows_of_a_confusion_table_are_the_true_classes() -> None:
    classes, table = confusion(["b", "c", "a"], ["a", "b", "a"])
    assert classes == ["a", "b", "c"]
    assert table.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_the_majority_is_the_commonest_label_and_the_first_of_equals() -> None:
    assert majority(["b", "a", "b"]) == "b"
    assert majority([2.0, 1.0]) == 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
@settings(max_examples=60)
def test_the_figures_of_classes_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    predicted, truth = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    figures = class_figures(predicted, truth)
    recall = metrics.recall_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert figures["balanced_accuracy"] == pytest.approx(recall)
    assert figures["macro_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    classes, table = confusion(predicted, truth)
    assert table.tolist() == metrics.confusion_matrix(truth, predicted, labels=classes).tolist()


def test_the_figures_of_weighted_tables_are_those_of_clips_drawn_that_often() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, (2, 30))
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=5)
    counts[0, truth == 2] = 0  # a class may be missing from a draw
    cells = np.zeros((30, 9))
    cells[np.arange(30), truth * 3 + predicted] = 1
    drawn = table_figures((counts @ cells).reshape(-1, 3, 3))
    for i, times in enumerate(counts):
        again = class_figures(np.repeat(predicted, times), np.repeat(truth, times))
        assert again == {name: pytest.approx(values[i]) for name, values in drawn.items()}


def test_predictions_of_other_clips_are_refused() -> None:
    with pytest.raises(UserError, match="got 2 for 3"):
        class_figures([0, 1], [0, 1, 1])
    with pytest.raises(UserError, match="got 0 for 0"):
        class_figures([], [])


# --- judges ---------------------------------------------------------------------------------------------------------


def waves(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Clips (n, 60, 2, 3) of slow and fast waves in noise, and which is which."""
    rng = np.random.default_rng(0)
    labels = np.array(["slow", "fast"] * (n // 2))
    t = np.linspace(0, 1, 60)
    phase = rng.uniform(0, 6, (n, 1))
    wave = np.sin(2 * np.pi * np.where(labels == "fast", 4, 1)[:, None] * t + phase)
    return wave[:, :, None, None] + rng.normal(0, 0.1, (n, 60, 2, 3)), labels


SMALL = {
    "minirocket": {"n_kernels": 500},
    "multirocket_hydra": {"n_kernels": 84},
    "quant": {"n_trees": 50},
    "lstm": {"epochs": 30, "batch_size": 8},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_tells_waves_of_two_speeds_apart_and_repeats_itself(name: str) -> None:
    pytest.importorskip("aeon")
    clips, labels = waves()
    judge = JUDGES[name](seed=1, **SMALL[name]).fit(clips[:30], labels[:30])
    assert judge.classes == ["fast", "slow"]
    assert (judge.predict(clips[30:]) == labels[30:]).all()
    assert judge.margin(clips[30:]).shape == (10,)
    assert auc(judge.margin(clips[30:]), labels[30:] == "slow") == 1.0
    again = JUDGES[name](seed=1, **SMALL[name]).fit(clips[:30], labels[:30])
    assert np.array_equal(again.margin(clips[30:]), judge.margin(clips[30:]))


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGES)
def test_three_classes_have_a_margin_each_and_the_largest_is_the_answer(name: str) -> None:
    pytest.importorskip("aeon")
    clips, labels = waves(30)
    labels[:10] = "noisy"
    clips[:10] += np.random.default_rng(1).normal(0, 2, clips[:10].shape)
    judge = JUDGES[name](**SMALL[name]).fit(clips, labels)
    margins = judge.margin(clips)
    assert margins.shape == (30, 3)
    assert (np.array(judge.classes)[margins.argmax(axis=1)] == judge.predict(clips)).all()


@pytest.mark.slow
def test_multirocket_and_hydra_answer_as_those_of_aeon() -> None:
    aeon = pytest.importorskip("aeon.classification.convolution_based")
    clips, labels = waves()
    labels = np.array(["a", "b", "c", "d"] * 10)  # not to be learnt: only equal features give equal answers
    channels = clips.reshape(40, 60, 6).transpose(0, 2, 1).astype(np.float32)
    theirs = aeon.MultiRocketHydraClassifier(random_state=3).fit(channels[:30], labels[:30])
    ours = MultiRocketHydraJudge(seed=3, n_kernels=6250).fit(clips[:30], labels[:30])
    assert ours.predict(clips).tolist() == theirs.predict(channels).tolist()


@pytest.mark.slow
def test_aeon_leaves_the_seed_and_the_threads_of_torch_alone() -> None:
    """Its Hydra sets both for the whole program; a training run beside it lost its threads."""
    pytest.importorskip("aeon")
    clips, labels = waves(10)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        JUDGES["multirocket_hydra"](**SMALL["multirocket_hydra"]).fit(clips, labels).predict(clips)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", JUDGES)
def test_one_class_alone_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="two classes"):
        JUDGES[name]().fit(np.zeros((3, 10, 2, 3)), ["squat"] * 3)


def test_the_judge_of_the_benchmarks_is_minirocket() -> None:
    assert JUDGES["minirocket"] is Judge
