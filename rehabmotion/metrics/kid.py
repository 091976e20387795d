"""Kernel distance of two sets of features: no normal distribution assumed, and no bias of small samples."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import Counts, Draws, blocks, pair_mean_draws
from rehabmotion.metrics.neighbours import feature_sets

Array = NDArray[np.floating]
ROWS = 1024  # rows of a kernel matrix held at a time


def standardise(reference: Array, *sets: Array) -> list[NDArray[np.float64]]:
    """Return sets (N, d) with the mean and standard deviation (ddof 0) of reference (M, d) taken out.

    The kernel is not free of scale: real training features are the reference. A constant column is centred alone.
    """
    reference, *moved = feature_sets(reference, *sets)
    mean, std = reference.mean(axis=0), reference.std(axis=0)
    moves = std > 1e-12 * np.abs(reference).max(axis=0)  # a sum of equal numbers rounds: std 1e-17, not 0
    return [(x - mean) / np.where(moves, std, 1.0) for x in moved]


def kid(real: Array, generated: Array) -> float:
    """Return the squared kernel distance of real (N, d) and generated (M, d) features, standardised by the caller.

    Unbiased MMD² with k(x, y) = (x·y/d + 1)³ (Bińkowski et al. 2018): pairs of a clip with itself are left out. Equal
    distributions give 0 in the mean, so values below 0 occur and stay.
    """
    real, generated = feature_sets(real, generated, at_least=2)
    n, m = len(real), len(generated)
    own_real = (_kernel_sum(real, real) - _self_kernel(real).sum()) / (n * (n - 1))
    own_generated = (_kernel_sum(generated, generated) - _self_kernel(generated).sum()) / (m * (m - 1))
    return float(own_real + own_generated - 2.0 * _kernel_sum(real, generated) / (n * m))


def kid_biased(real: Array, generated: Array) -> float:
    """Return the same distance with pairs of a clip with itself: never below 0, and 0 for a set and itself."""
    real, generated = feature_sets(real, generated)
    pairs = (real, real, 1.0), (generated, generated, 1.0), (real, generated, -2.0)
    return float(sum(sign * _kernel_sum(x, y) / (len(x) * len(y)) for x, y, sign in pairs))


def kid_draws(
    real: Array,
    generated: Array,
    real_counts: Counts,
    generated_counts: Counts,
    real_groups: Iterable[Hashable] | None = None,
    generated_groups: Iterable[Hashable] | None = None,
) -> Draws:
    """Return `kid` (D,) for each draw: counts (D, N) of real (N, d), (D, M) of generated (M, d).

    Copies of one clip are not paired, nor copies of one group where whole groups were drawn (`pair_mean_draws`), so
    that the draws lie around the value of the sample.
    """
    real, generated = feature_sets(real, generated, at_least=2)
    if len(real_counts) != len(generated_counts):
        raise UserError(
            f"Expected as many draws of both sets, got {len(real_counts)} and {len(generated_counts)}. Draw them "
            "equally often."
        )
    own_real = pair_mean_draws(_kernel(real, real), real_counts, real_groups)
    own_generated = pair_mean_draws(_kernel(generated, generated), generated_counts, generated_groups)
    return own_real + own_generated - 2.0 * _cross_draws(_kernel(real, generated), real_counts, generated_counts)


def _cross_draws(kernel: Array, real_counts: Counts, generated_counts: Counts) -> Draws:
    """Return the mean over pairs of one clip of each set (D,), kernel (N, M)."""
    means, done = [], 0
    for w in blocks(real_counts, per_clip=1 + kernel.shape[1] // kernel.shape[0]):
        other = generated_counts[done : done + len(w)].astype(np.float64)
        means.append(((w @ kernel) * other).sum(axis=1) / (w.sum(axis=1) * other.sum(axis=1)))
        done += len(w)
    return np.concatenate(means)


def _kernel(x: Array, y: Array) -> NDArray[np.float64]:
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3, np.float64)


def _self_kernel(x: Array) -> NDArray[np.float64]:
    return np.asarray(((x**2).sum(axis=1) / x.shape[1] + 1.0) ** 3, np.float64)


def _kernel_sum(x: Array, y: Array) -> float:
    return float(sum(_kernel(x[start : start + ROWS], y).sum() for start in range(0, len(x), ROWS)))
