"""Judges: classifiers trained on real clips alone, asked what a motion is. Needs the extra `judges`: aeon, sklearn.

Input are bone directions over normalised time, so neither body size nor duration can give the answer away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

Array = NDArray[np.floating]


class Judge:
    """MiniRocket (Dempster et al. 2021) and a ridge classifier over clips (N, T, B, 3) of bone directions."""

    def __init__(self, seed: int = 0, n_kernels: int = 5000) -> None:
        self.seed, self.n_kernels = seed, n_kernels
        self._pipeline: Any = None

    def fit(self, clips: Array, labels: Sequence[Any]) -> Judge:
        """Learn labels (N,) from clips (N, T, B, 3); returns itself."""
        try:
            from aeon.transformations.collection.convolution_based import MiniRocket
            from sklearn.linear_model import RidgeClassifierCV
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler
        except ImportError:
            raise UserError('Judges need aeon. Install it with: pip install "rehabmotion[judges]"') from None
        self._pipeline = make_pipeline(
            MiniRocket(n_kernels=self.n_kernels, random_state=self.seed, n_jobs=1),
            StandardScaler(),
            RidgeClassifierCV(alphas=np.logspace(0, 5, 8)),
        )
        self._pipeline.fit(_channels_first(clips), np.asarray(labels))
        return self

    @property
    def classes(self) -> list[Any]:
        """The labels, in the order of the margins."""
        return list(self._pipeline[-1].classes_)

    def predict(self, clips: Array) -> NDArray[Any]:
        """Return the label of each clip (N,)."""
        return self._pipeline.predict(_channels_first(clips))

    def margin(self, clips: Array) -> NDArray[np.float64]:
        """Return the decision values: (N,) for two classes, higher = the second; else (N, classes)."""
        return self._pipeline.decision_function(_channels_first(clips))


def _channels_first(clips: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(clips.reshape(*clips.shape[:2], -1).transpose(0, 2, 1), dtype=np.float32)


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
