"""How much clips differ from one another. No number here has a better direction: nearer to real clips' is better."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import Counts, Draws, label_codes, mean_known, pair_mean_draws
from rehabmotion.metrics.neighbours import feature_sets

Array = NDArray[np.floating]


def apd(features: NDArray[np.floating]) -> float:
    """Return the average pairwise distance over features (N, ...): the mean Euclidean distance of all pairs.

    Yuan & Kitani 2020 (DLow). Fewer than two clips have no distance: NaN. Two clips at distance d give d.
    """
    if len(features) < 2:
        return float("nan")
    return float(pdist(features.reshape(len(features), -1)).mean())


def pairwise(features: Array) -> NDArray[np.float64]:
    """Return the Euclidean distances (N, N) over features (N, ...): what `pair_mean_draws` takes for draws of APD."""
    return squareform(pdist(np.asarray(features).reshape(len(features), -1)))


def acpd(features: Array, labels: Iterable[Hashable]) -> float:
    """Return the mean over classes of the APD inside each; features (N, ...), labels (N,).

    A class of one clip has no pair and is left out; NaN where no class has two.
    """
    codes = _codes(labels, len(features))
    inside = np.array([apd(features[codes == code]) for code in np.unique(codes)])
    return float(np.nanmean(inside)) if not np.isnan(inside).all() else float("nan")


def acpd_draws(
    distances: Array, labels: Iterable[Hashable], counts: Counts, groups: Iterable[Hashable] | None = None
) -> Draws:
    """Return ACPD (D,) for each draw, from distances (N, N) and counts (D, N); `groups` as in `pair_mean_draws`.

    A class that a draw leaves without a pair does not count in it.
    """
    codes = _codes(labels, len(distances))
    drawn = np.arange(len(codes)) if groups is None else _codes(groups, len(codes))
    inside = []
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        inside.append(pair_mean_draws(distances[np.ix_(members, members)], counts[:, members], drawn[members]))
    return mean_known(np.stack(inside))


def diversity(features: Array, n_pairs: int = 300, seed: int = 0) -> float:
    """Return the mean distance of `n_pairs` sampled pairs over features (N, ...), for parity; `apd` needs no sample.

    Guo et al. 2020: both sides are drawn without replacement, one independent of the other, so a clip may meet
    itself. UserError unless there are more clips than pairs, as in the reference.
    """
    (features,) = feature_sets(features)
    if len(features) <= n_pairs:
        raise UserError(f"Expected more clips than the {n_pairs} pairs, got {len(features)} clips. Use apd instead.")
    return _pair_distance(features, _pairs(len(features), n_pairs, np.random.default_rng(seed)))


def multimodality(features: Array, captions: Iterable[Hashable], n_pairs: int = 10, seed: int = 0) -> float:
    """Return the mean over captions of the distance of sampled pairs of one caption; features (N, ...), captions (N,).

    Guo et al. 2020, who draw one set of `n_pairs` index pairs, a clip may meet itself, for all captions of 30 motions
    each. Here captions with equally many motions share a set, those with fewer than `n_pairs` give as many pairs as
    motions, and those with a single one are left out; NaN where none is left. `acpd` is the form without a sample.
    """
    (features,) = feature_sets(features)
    codes = _codes(captions, len(features))
    inside = []
    for code in np.unique(codes):
        of_caption = features[codes == code]
        n = len(of_caption)
        if n > 1:  # the seed and n alone decide the pairs
            inside.append(_pair_distance(of_caption, _pairs(n, min(n_pairs, n), np.random.default_rng([seed, n]))))
    return float(np.mean(inside)) if inside else float("nan")


def apd_sampled(features: Array, n_pairs: int = 200, n_runs: int = 5, seed: int = 0) -> float:
    """Return APD from min(n_pairs, N) pairs drawn with replacement, mean of `n_runs`; features (N, ...), for parity.

    Ismail-Fawaz et al. 2025. A clip may meet itself: the expectation is (1 - 1/N) times `apd`.
    """
    (features,) = feature_sets(features)
    rng = np.random.default_rng(seed)
    n = len(features)
    return float(np.mean([_pair_distance(features, rng.integers(n, size=(2, min(n_pairs, n)))) for _ in range(n_runs)]))


def _pairs(n: int, n_pairs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return (2, n_pairs) indices below n, each row without replacement."""
    return np.stack([rng.choice(n, n_pairs, replace=False) for _ in range(2)])


def _pair_distance(features: Array, pairs: NDArray[np.int64]) -> float:
    return float(np.linalg.norm(features[pairs[0]] - features[pairs[1]], axis=1).mean())


def _codes(labels: Iterable[Hashable], n: int) -> NDArray[np.int64]:
    codes = label_codes(labels)
    if len(codes) != n:
        raise UserError(f"Expected a label for each of {n} clips, got {len(codes)}. Pass one a clip, in their order.")
    return codes
