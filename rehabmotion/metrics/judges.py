"""Judges: classifiers trained on real clips alone, asked what a motion is. Needs the extra `judges`: aeon, sklearn.

Input are bone directions over normalised time, so neither body size nor duration can give the answer away. The
judges differ in kind, so that fooling one does not fool the next: random convolutions with a linear head ("minirocket",
"multirocket_hydra"), quantiles with trees ("quant"), a recurrent network ("lstm", which needs no extra).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics.lstm import LstmJudge
from rehabmotion.metrics.series_features import (
    Features,
    MiniRocketFeatures,
    MultiRocketHydraFeatures,
    QuantFeatures,
    library,
)

Array = NDArray[np.floating]


class Classifier(Protocol):
    """What every judge offers; clips are (N, T, B, 3)."""

    def fit(self, clips: Array, labels: Sequence[Any]) -> Any:
        """Learn labels (N,) of two classes or more; returns itself."""

    @property
    def classes(self) -> list[Any]:
        """The labels, sorted: the order of the margins."""

    def predict(self, clips: Array) -> NDArray[Any]:
        """Return the label of each clip (N,)."""

    def margin(self, clips: Array) -> NDArray[np.float64]:
        """Return how clearly: (N,) for two classes, higher = the second; else (N, classes)."""


class _FeatureJudge:
    """Abstract: features of clips, and a head of sklearn over them."""

    _features: Features
    _head: Any

    def _new(self) -> tuple[Features, Any]:
        raise NotImplementedError

    def fit(self, clips: Array, labels: Sequence[Any]) -> Any:
        """Learn labels (N,) from clips (N, T, B, 3); returns itself. Fewer than two classes raise UserError."""
        if len(set(np.asarray(labels).tolist())) < 2:
            raise UserError("Expected labels of two classes or more to learn from, got one. Add clips of another.")
        self._features, self._head = self._new()
        self._head.fit(self._features.learn(clips), np.asarray(labels))
        return self

    @property
    def classes(self) -> list[Any]:
        """The labels, in the order of the margins."""
        return list(self._head.classes_)

    def predict(self, clips: Array) -> NDArray[Any]:
        """Return the label of each clip (N,)."""
        return np.asarray(self._head.predict(self._features.of(clips)))

    def margin(self, clips: Array) -> NDArray[np.float64]:
        """Return the decision values, or the shares of the trees: (N,) for two classes, higher = the second; else
        (N, classes)."""
        x = self._features.of(clips)
        if hasattr(self._head, "decision_function"):
            return np.asarray(self._head.decision_function(x), np.float64)
        shares = np.asarray(self._head.predict_proba(x), np.float64)
        return shares[:, 1] if shares.shape[1] == 2 else shares


class Judge(_FeatureJudge):
    """MiniRocket (Dempster et al. 2021) and a ridge classifier."""

    def __init__(self, seed: int = 0, n_kernels: int = 5000) -> None:
        self.seed, self.n_kernels = seed, n_kernels

    def _new(self) -> tuple[Features, Any]:
        head = library().RidgeClassifierCV(alphas=np.logspace(0, 5, 8))
        return MiniRocketFeatures(self.seed, self.n_kernels), head


class MultiRocketHydraJudge(_FeatureJudge):
    """MultiRocket (Tan et al. 2022) and Hydra (Dempster et al. 2023) side by side under one ridge classifier.

    Eight features a kernel: 1,250 of MultiRocket's kernels are a fifth of the published 6,250, and as much of memory.
    """

    def __init__(self, seed: int = 0, n_kernels: int = 1250) -> None:
        self.seed, self.n_kernels = seed, n_kernels

    def _new(self) -> tuple[Features, Any]:
        head = library().RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        return MultiRocketHydraFeatures(self.seed, self.n_kernels), head


class QuantJudge(_FeatureJudge):
    """QUANT (Dempster et al. 2024) and extremely randomised trees.

    Published: intervals down to 1/32 of the clip, every 4th value, a tenth of the features a split. With 63 channels
    and clips of 100 frames an eighth of the clip, every 8th value and the root of the features are enough.
    """

    def __init__(self, seed: int = 0, n_trees: int = 200) -> None:
        self.seed, self.n_trees = seed, n_trees

    def _new(self) -> tuple[Features, Any]:
        head = library().ExtraTreesClassifier(self.n_trees, criterion="entropy", random_state=self.seed, n_jobs=1)
        return QuantFeatures(), head


JUDGES: dict[str, Callable[..., Classifier]] = {
    "minirocket": Judge,
    "multirocket_hydra": MultiRocketHydraJudge,
    "quant": QuantJudge,
    "lstm": LstmJudge,
}


def auc(scores: Array, labels: Array) -> float:
    """Return the area under the ROC curve of scores (N,) for labels (N,) 0 | 1: Mann-Whitney, ties count half.

    One class alone has no curve: NaN. Perfect order gives 1.
    """
    from scipy.stats import rankdata

    is_positive = np.asarray(labels).astype(bool)
    positive, negative = int(is_positive.sum()), int((~is_positive).sum())
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[is_positive].sum() - positive * (positive + 1) / 2) / (positive * negative))


def class_figures(predicted: Sequence[Any] | NDArray[Any], truth: Sequence[Any] | NDArray[Any]) -> dict[str, float]:
    """Return accuracy, balanced accuracy and macro-F1 of predicted labels (N,) for true ones (N,), 0 to 1.

    Balanced accuracy is the mean recall over the classes that occur in `truth`. Macro-F1 is the mean of
    2 TP / (2 TP + FP + FN) over the classes that occur in either, as in sklearn. [1, 1, 1] for [1, 1, 2]: accuracy
    2/3, balanced 1/2, macro-F1 0.4.
    """
    return {name: float(value) for name, value in table_figures(confusion(predicted, truth)[1]).items()}


def table_figures(table: NDArray[np.number]) -> dict[str, NDArray[np.float64]]:
    """Return `class_figures` (...) of confusion tables (..., K, K), true classes in rows; counts may be weights."""
    hits = np.diagonal(table, axis1=-2, axis2=-1).astype(np.float64)
    true, said = table.sum(axis=-1), table.sum(axis=-2)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=true > 0)
    f1 = np.divide(2 * hits, true + said, out=np.zeros_like(hits), where=true + said > 0)
    return {
        "accuracy": hits.sum(axis=-1) / true.sum(axis=-1),
        "balanced_accuracy": recall.sum(axis=-1) / (true > 0).sum(axis=-1),
        "macro_f1": f1.sum(axis=-1) / (true + said > 0).sum(axis=-1),
    }


def confusion(
    predicted: Sequence[Any] | NDArray[Any], truth: Sequence[Any] | NDArray[Any]
) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the classes that occur (K,), sorted, and how often each true one (row) was taken for each (column)."""
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if len(predicted) != len(truth) or len(truth) == 0:
        raise UserError(f"Expected a prediction for each of one or more clips, got {len(predicted)} for {len(truth)}.")
    classes, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    k, n = len(classes), len(truth)
    return classes.tolist(), np.bincount(codes[:n] * k + codes[n:], minlength=k * k).reshape(k, k)


def majority(labels: Sequence[Any] | NDArray[Any]) -> Any:
    """Return the most frequent label, of equally frequent ones the first in order: what to answer without looking."""
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    return values[np.argmax(counts)].item()
