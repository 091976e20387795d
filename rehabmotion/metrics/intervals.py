"""Intervals: how far a number would move with other clips or other people, by drawing the same ones again.

A draw is a row of counts (N,): how often clip i is in it. Metrics come as draws (D,) from `mean_draws` and its kin.
The bootstrap of Efron 1979; whole people are drawn where there are enough, since clips of one person resemble one
another.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
Draws = NDArray[np.float64]
Counts = NDArray[np.int16]
MIN_SUBJECTS = 5  # fewer people drawn again say nothing about people
BLOCK = 2**22  # numbers held at a time


def label_codes(labels: Iterable[Hashable]) -> NDArray[np.int64]:
    """Return the number (N,) of each label, counted as they first appear. None is a label like any other."""
    seen: dict[Hashable, int] = {}
    codes = [seen.setdefault(label, len(seen)) for label in labels]
    if not codes:
        raise UserError("Expected at least one clip to draw from, got none. Pass a label for every clip.")
    return np.array(codes, dtype=np.int64)


def resampled(groups: Iterable[Hashable], n_draws: int = 2000, seed: int = 0) -> Counts:
    """Return counts (D, N) when whole groups are drawn with replacement, as many as there are; labels (N,).

    Labels that all differ give the bootstrap over clips.
    """
    codes = label_codes(groups)
    drawn = _drawn(codes.max() + 1, n_draws, np.random.default_rng(seed))
    return drawn[:, codes]


def resampled_within(groups: Iterable[Hashable], n_draws: int = 2000, seed: int = 0) -> Counts:
    """Return counts (D, N) when clips are drawn again inside each group, whose sizes stay; labels (N,)."""
    codes = label_codes(groups)
    rng = np.random.default_rng(seed)
    counts = np.empty((n_draws, len(codes)), np.int16)
    for members in _members(codes):
        counts[:, members] = _drawn(len(members), n_draws, rng)
    return counts


def bootstrap_counts(subjects: Sequence[str | None], n_draws: int = 2000, seed: int = 0) -> tuple[Counts, str]:
    """Return counts (D, N) and what they stand for: whole people, or clips where fewer than five are known.

    subjects (N,). Clips of unknown subject move together, as one further person: the wider interval of the two.
    """
    known = {s for s in subjects if s is not None}
    unknown = sum(s is None for s in subjects)
    beside = f", the {unknown} clips of unknown subject as one more" if unknown and known else ""
    if covers_people(subjects):
        return resampled(subjects, n_draws, seed), f"drawn again: {len(known)} people with all their clips{beside}"
    alone = sum(len(m) == 1 for m in _members(label_codes(subjects)))
    within = f"within {len(known)} people{beside}" if known else "of unknown people"
    fixed = f"; {alone} clips are the only ones of a person and cannot vary" if alone else ""
    note = f"drawn again: clips {within}; the interval does not cover new people{fixed}"
    return resampled_within(subjects, n_draws, seed), note


def covers_people(subjects: Iterable[str | None]) -> bool:
    """Return whether at least five subjects are known, so that `bootstrap_counts` draws whole people."""
    return len({s for s in subjects if s is not None}) >= MIN_SUBJECTS


def interval(draws: Array) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of draws (D,), NaN left out; (NaN, NaN) where nothing else is there."""
    known = np.asarray(draws)[~np.isnan(draws)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def recentred(draws: Array, value: float) -> Draws:
    """Return draws (D,) shifted to the mean `value`, what the sample itself gave.

    For metrics with a bias of small samples (FID, coverage, precision, recall): drawing again adds that bias a second
    time, and the plain percentiles can miss the value they belong to.
    """
    known = np.asarray(draws)[~np.isnan(draws)]
    return np.asarray(draws - (known.mean() if known.size else 0.0) + value, np.float64)


def t_interval(repeats: Array) -> tuple[float, float, float]:
    """Return mean, lower and upper end of the 95 % t-interval of repeats (n,): ± 2.093 sd / √20 for 20 of them.

    It covers the randomness of sampling alone. One repeat has no interval: NaN.
    """
    n, mean = len(repeats), float(np.mean(repeats))
    if n < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, n - 1) * np.std(repeats, ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def mean_draws(values: Array, counts: Counts) -> Draws:
    """Return the mean of values (N,) in each draw (D,). NaN values were not measured and are left out."""
    values, known = np.nan_to_num(np.asarray(values, np.float64)), ~np.isnan(values)
    both = np.stack([np.where(known, values, 0.0), known.astype(np.float64)], axis=1)
    sums = np.concatenate([block @ both for block in blocks(counts)])
    return _ratio(sums[:, 0], sums[:, 1])


def median_draws(values: Array, counts: Counts) -> Draws:
    """Return the median of values (N,) in each draw (D,), as numpy's of the drawn list. NaN values are left out."""
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    if not len(order):
        return np.full(len(counts), np.nan)
    return np.concatenate([_medians(np.asarray(values, np.float64)[order], b[:, order]) for b in blocks(counts)])


def pair_mean(distances: Array) -> float:
    """Return the mean over all pairs of two different clips of distances (N, N); NaN for a single clip."""
    n = len(distances)
    return float((distances.sum() - np.trace(distances)) / (n * (n - 1))) if n > 1 else float("nan")


def pair_mean_draws(distances: Array, counts: Counts, groups: Iterable[Hashable] | None = None) -> Draws:
    """Return the mean over pairs in each draw (D,) of distances (N, N), symmetric; `groups` (N,) if whole groups drawn.

    Copies of one group are never paired with one another, nor copies of one clip: such near pairs come from drawing
    again and not from the data, and would pull every draw below the value of the sample. Inside one copy, pairs of
    different clips count. A draw without any pair gives NaN.
    """
    codes = np.arange(len(distances)) if groups is None else label_codes(groups)
    inside, size = np.empty(len(codes)), np.empty(len(codes))  # sums over, and number of, clips of the same group
    for members in _members(codes):
        inside[members], size[members] = distances[np.ix_(members, members)].sum(axis=1), len(members)
        if (counts[:, members] != counts[:, members[:1]]).any():
            raise UserError("Expected counts that draw whole groups, got groups drawn in parts. Leave `groups` out.")
    itself = np.diagonal(distances)
    sums = []
    for w in blocks(counts):
        across = ((w @ distances) * w).sum(axis=1) - w**2 @ inside
        pairs = w.sum(axis=1) ** 2 - w**2 @ size
        sums.append((across + w @ (inside - itself), pairs + w @ (size - 1.0)))
    return _ratio(*(np.concatenate(part) for part in zip(*sums, strict=True)))


def mean_known(rows: Draws) -> Draws:
    """Return the mean (D,) over rows (K, D), NaN left out; NaN where nothing else is there."""
    known = ~np.isnan(rows)
    return _ratio(np.where(known, rows, 0.0).sum(axis=0), known.sum(axis=0))


def blocks(counts: Counts, per_clip: int = 1) -> Iterator[Draws]:
    """Yield counts (D, N) as floats, some draws at a time, so that `per_clip` numbers a count fit in memory."""
    step = max(1, BLOCK // max(1, counts.shape[1] * per_clip))
    for start in range(0, len(counts), step):
        yield counts[start : start + step].astype(np.float64)


def _drawn(n: int, n_draws: int, rng: np.random.Generator) -> Counts:
    """Return how often each of n is drawn (D, n), n times with replacement."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=n_draws).astype(np.int16)


def _members(codes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return where each code stands, one array a code."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _medians(ordered: Draws, weights: Draws) -> Draws:
    """Return the weighted median (D,) of values (N,) in ascending order: the middle one, or the mean of the two."""
    reached = np.cumsum(weights, axis=1)
    n = reached[:, -1:]
    low, high = ((reached <= at).sum(axis=1) for at in ((n - 1) // 2, n // 2))
    low, high = np.minimum(low, len(ordered) - 1), np.minimum(high, len(ordered) - 1)
    return np.where(n[:, 0] > 0, (ordered[low] + ordered[high]) / 2.0, np.nan)


def _ratio(above: Draws, below: Draws) -> Draws:
    """Return above / below, NaN where there is nothing below."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
