"""Neighbours: whether generated clips lie where real ones do, and real ones where generated ones do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
BLOCK = 2**22  # distances held at a time


@dataclass(frozen=True)
class Prdc:
    """What each clip contributes to the four numbers; each number is the mean of its array.

    Bootstrap draws are `mean_draws` of these arrays: the clips averaged over vary, the balls they are held against
    stay. (Drawn again, a clip's copies would be its nearest neighbours, and every ball shrink.)
    """

    precision: NDArray[np.float64]  # (M,) 1 where a generated clip lies in the ball of some real one
    recall: NDArray[np.float64]  # (N,) 1 where a real clip lies in the ball of some generated one
    density: NDArray[np.float64]  # (M,) in how many balls of real clips a generated one lies, over k
    coverage: NDArray[np.float64]  # (N,) 1 where a generated clip lies in the ball of the real one

    def means(self) -> dict[str, float]:
        """Return the four numbers by name."""
        return {name: float(each.mean()) for name, each in vars(self).items()}


def prdc(real: Array, generated: Array, k: int = 5) -> Prdc:
    """Return precision, recall, density and coverage, clip by clip, of real (N, d) and generated (M, d) features.

    A clip's ball reaches to its k-th nearest other clip of its own set. Precision and recall: Kynkäänniemi et al.
    2019, balls with their edge; density and coverage: Naeem et al. 2020, without. Equal distributions give density 1
    and coverage `coverage_null`; precision and recall have no such value. UserError for sets of k clips or fewer.
    """
    if k < 1:
        raise UserError(f"Expected k of 1 or more neighbours, got {k}. The usual number is 5.")
    real, generated = feature_sets(real, generated, at_least=k + 1)
    real_radius, generated_radius = _radius(real, k), _radius(generated, k)
    recall, coverage = np.empty(len(real)), np.empty(len(real))
    near, inside = np.zeros(len(generated), bool), np.zeros(len(generated), np.int64)
    for rows, distance in _blocks(real, generated):
        radius = real_radius[rows, None]
        recall[rows] = (distance <= generated_radius).any(axis=1)
        coverage[rows] = distance.min(axis=1) < radius[:, 0]
        near |= (distance <= radius).any(axis=0)
        inside += (distance < radius).sum(axis=0)
    return Prdc(near.astype(np.float64), recall, inside / k, coverage)


def coverage_null(n: int, m: int, k: int = 5) -> float:
    """Return the expected coverage of n real by m generated clips of the same distribution, whatever that is.

    1 - Π_{i=1..k} (n - i) / (n + m - i): 0.9720 for 71 and 71.
    """
    i = np.arange(1, k + 1)
    return float(1.0 - np.prod((n - i) / (n + m - i)))


def nearest(features: Array, references: Array, skip_self: bool = False) -> NDArray[np.float64]:
    """Return the distance (N,) of each of features (N, d) to the nearest of references (M, d).

    With `skip_self` both are the same set and a clip is not compared with itself.
    """
    return nearest_with_index(features, references, skip_self)[0]


def nearest_with_index(
    features: Array, references: Array, skip_self: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return `nearest` (N,) and which reference that is (N,); of equally near ones, the first."""
    features, references = feature_sets(features, references, at_least=2 if skip_self else 1)
    found, at = np.empty(len(features)), np.empty(len(features), np.int64)
    for rows, distance in _blocks(features, references):
        if skip_self:
            distance[np.arange(len(distance)), np.arange(rows.start, rows.start + len(distance))] = np.inf
        found[rows], at[rows] = distance.min(axis=1), distance.argmin(axis=1)
    return found, at


def mms(generated: Array, real: Array) -> NDArray[np.float64]:
    """Return the distance (M,) of each generated clip (M, d) to the nearest real one (N, d); its mean is MMS.

    It has no better direction: low is faithful or memorised. Read it beside `mms_real`.
    """
    return nearest(generated, real)


def mms_real(real: Array) -> NDArray[np.float64]:
    """Return the distance (N,) of each real clip (N, d) to the nearest other one: the baseline of `mms`."""
    return nearest(real, real, skip_self=True)


def feature_sets(*sets: Array, at_least: int = 1) -> list[NDArray[np.float64]]:
    """Return sets (N, ...) as float64 (N, d), checked.

    UserError where they differ in d, hold NaN or infinity, or fewer than `at_least` clips.
    """
    flat = [np.asarray(x, np.float64).reshape(len(x), -1) if len(x) else np.empty((0, 0)) for x in sets]
    if min(sizes := [len(x) for x in flat]) < at_least:
        raise UserError(f"Expected sets of at least {at_least} clips, got {sizes}. Generate or record more.")
    if len(widths := {x.shape[1] for x in flat}) > 1:
        raise UserError(f"Expected features of one dimension, got {sorted(widths)}. Use one evaluator for all sets.")
    if not all(np.isfinite(x).all() for x in flat):
        raise UserError("Expected finite features, got NaN or infinity. Leave out clips whose features are unknown.")
    return flat


def _radius(features: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the distance (N,) to the k-th nearest other clip. The clip itself, at 0, is the one before the first."""
    return np.concatenate([np.partition(distance, k, axis=1)[:, k] for _, distance in _blocks(features, features)])


def _blocks(a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield some rows of a (N, d) at a time and their distances to all of b (M, d)."""
    step = max(1, BLOCK // len(b))
    for start in range(0, len(a), step):
        yield slice(start, start + step), cdist(a[start : start + step], b)
