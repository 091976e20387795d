"""Score regressors: how a clip of a known exercise would be scored, learnt from real clips. Needs the extra `judges`.

Two of different kind, so that one can be kept away from guidance and selection. Both start from the mean score of the
exercise and learn the difference to it, each exercise by itself: what bends well in a squat says nothing of an arm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics.score_agreement import mae, r2, rmse, spearman
from rehabmotion.metrics.series_features import Features, MiniRocketFeatures, QuantFeatures, library
from rehabmotion.motion.score import SCALES

Array = NDArray[np.floating]
# Of the ridge, for each clip, so that the same clips twice give the same answer and copies cannot seem to help. On
# KIMORE the error of new people is the same from 1 to 30, on the simulator from 0.03 to 3. Choosing it by leaving out
# clips sees repetitions as new people; choosing it on inner folds of people gave 5 % more error on KIMORE.
PENALTY = 1.0
FEWEST = 4  # clips of an exercise to learn more from than their mean


class Regressor(Protocol):
    """What learns numbers y (N,) from clips (N, T, B, 3)."""

    def fit(self, clips: Array, y: Array, weights: Array) -> Any:
        """Learn; weights (N,), 1 on average: how much each clip counts. Returns itself."""

    def predict(self, clips: Array) -> Array:
        """Return the numbers of other clips."""


class MiniRocketRidge:
    """MiniRocket and a ridge of a fixed penalty for each clip."""

    def __init__(self, seed: int = 0, n_kernels: int = 5000) -> None:
        self.seed, self.n_kernels = seed, n_kernels

    def fit(self, clips: Array, y: Array, weights: Array) -> MiniRocketRidge:
        """Learn y (N,) from clips (N, T, B, 3); returns itself."""
        self._features: Features = MiniRocketFeatures(self.seed, self.n_kernels)
        self._ridge = library().Ridge(PENALTY * len(y))
        self._ridge.fit(self._features.learn(clips), y, sample_weight=weights)
        return self

    def predict(self, clips: Array) -> Array:
        """Return the numbers (N,) of clips (N, T, B, 3)."""
        return np.asarray(self._ridge.predict(self._features.of(clips)))


class QuantTrees:
    """QUANT's quantiles and extremely randomised trees, each split choosing among the root of the features."""

    def __init__(self, seed: int = 0, n_trees: int = 200) -> None:
        self.seed, self.n_trees = seed, n_trees

    def fit(self, clips: Array, y: Array, weights: Array) -> QuantTrees:
        """Learn y (N,) from clips (N, T, B, 3); returns itself."""
        self._features: Features = QuantFeatures()
        of = library()
        self._trees = of.ExtraTreesRegressor(self.n_trees, max_features="sqrt", random_state=self.seed, n_jobs=1)
        self._trees.fit(self._features.learn(clips), y, sample_weight=weights)
        return self

    def predict(self, clips: Array) -> Array:
        """Return the numbers (N,) of clips (N, T, B, 3)."""
        return np.asarray(self._trees.predict(self._features.of(clips)))


REGRESSORS: dict[str, Callable[..., Regressor]] = {"minirocket": MiniRocketRidge, "quant": QuantTrees}


class ScoreRegressors:
    """Regressors of a scale for every exercise, asked together or singly; answers stay inside the scale."""

    def __init__(self, scale: str, seed: int = 0, names: Sequence[str] = tuple(REGRESSORS), **options: Any) -> None:
        unknown = [name for name in names if name not in REGRESSORS]
        if scale not in SCALES or unknown or not names:
            raise UserError(
                f"Expected a scale of {', '.join(SCALES)} and regressors of {', '.join(REGRESSORS)}, "
                f"got {scale} and {', '.join(unknown or names) or 'none'}."
            )
        self.scale, self.seed, self.names, self.options = SCALES[scale], seed, tuple(names), options

    def fit(
        self,
        clips: Array,
        exercises: Sequence[str],
        scores: Array,
        subjects: Sequence[Hashable | None] | None = None,
    ) -> ScoreRegressors:
        """Learn the scores (N,) of clips (N, T, B, 3) of exercises (N,); returns itself.

        subjects (N,): people count alike in an exercise, however often each repeated it; None, nobody's clip, counts
        as one clip does on average. An exercise of fewer than 4 clips, or of one score, is given its mean.
        """
        exercise, y = np.asarray(exercises), np.asarray(scores, np.float64)
        whose = np.array([None] * len(y) if subjects is None else list(subjects), dtype=object)
        if not np.isfinite(y).all() or len(y) == 0:
            raise UserError(
                "Expected a score for each of one or more clips, got none or NaN. Leave unscored clips out."
            )
        self._overall, self._means = float(y.mean()), {}
        self._fitted: dict[str, dict[str, Regressor]] = {name: {} for name in self.names}
        for asked in sorted(set(exercise.tolist())):
            rows = exercise == asked
            weights = clip_weights(whose[rows].tolist())
            self._means[asked] = mean = float(np.average(y[rows], weights=weights))
            if rows.sum() >= FEWEST and np.ptp(y[rows]) > 0:
                for name in self.names:
                    regressor = REGRESSORS[name](seed=self.seed, **self.options.get(name, {}))
                    self._fitted[name][asked] = regressor.fit(clips[rows], y[rows] - mean, weights)
        return self

    def predict_singly(self, clips: Array, exercises: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return the scores (N,) each regressor gives, by name; an exercise never learnt gets the overall mean."""
        exercise = np.asarray(exercises)
        base = np.array([self._means.get(name, self._overall) for name in exercise.tolist()])
        answers = {}
        for name in self.names:
            out = base.copy()
            for asked, regressor in self._fitted[name].items():
                rows = exercise == asked
                if rows.any():
                    out[rows] += regressor.predict(clips[rows])
            answers[name] = np.clip(out, self.scale.low, self.scale.high)
        return answers

    def predict(self, clips: Array, exercises: Sequence[str]) -> NDArray[np.float64]:
        """Return the mean (N,) of what the regressors give."""
        return np.mean(list(self.predict_singly(clips, exercises).values()), axis=0)


def clip_weights(subjects: Sequence[Hashable | None]) -> NDArray[np.float64]:
    """Return how much each clip counts (N,), 1 on average: people alike, nobody's clips (None) 1 each.

    a, a, b: 0.75, 0.75, 1.5.
    """
    times = Counter(s for s in subjects if s is not None)
    share = times.total() / max(1, len(times))
    return np.array([1.0 if s is None else share / times[s] for s in subjects])


def score_figures(predicted: Array, truth: Array) -> dict[str, float]:
    """Return rmse and mae (points of the scale), r2 and spearman of predicted scores (N,) for true ones (N,).

    r2 is 1 - sum (p - y)^2 / sum (y - mean y)^2, NaN where all true scores are alike; spearman of a constant is 0.
    50, 50, 50 for 0, 50, 100: rmse 40.8, mae 33.3, r2 0, spearman 0.
    """
    measures = {"rmse": rmse, "mae": mae, "r2": r2, "spearman": spearman}
    return {name: measure(predicted, truth) for name, measure in measures.items()}
