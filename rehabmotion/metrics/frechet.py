"""Fréchet distance of two sets of features, each taken for a normal distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import Counts, blocks
from rehabmotion.metrics.neighbours import feature_sets

Array = NDArray[np.floating]
Moments = tuple[NDArray[np.float64], NDArray[np.float64]]
MIN_CLIPS_INFINITY = 500  # below, the line through 1/n is noise


def fid(real: Array, generated: Array) -> float:
    """Return the Fréchet distance of real (N, d) and generated (M, d) features; 0 is best, no upper end.

    ‖μ_R - μ_G‖² + tr Σ_R + tr Σ_G - 2 tr (Σ_R^½ Σ_G Σ_R^½)^½ (Heusel et al. 2017), covariances with ddof 1. Print
    `fid_null` beside it: two samples of one distribution are that far apart, and more, the more dimensions they have.
    """
    real, generated = feature_sets(real, generated, at_least=2)
    once = [np.ones((1, len(x)), np.int16) for x in (real, generated)]
    return float(_draws(real, generated, *once)[0])


def fid_draws(real: Array, generated: Array, real_counts: Counts, generated_counts: Counts) -> NDArray[np.float64]:
    """Return the Fréchet distance (D,) for each draw: counts (D, N) of real (N, d), (D, M) of generated (M, d).

    Drawing again adds about `fid_null` once more, so hand the draws to `intervals.recentred` with `fid` first. A set
    that is to stay as it is gets counts of 1. A draw of a single clip gives NaN.
    """
    real, generated = feature_sets(real, generated, at_least=2)
    expected = (len(real_counts), len(real)), (len(real_counts), len(generated))
    if (real_counts.shape, generated_counts.shape) != expected:
        raise UserError(
            f"Expected counts of shapes {expected[0]} and {expected[1]}, got {real_counts.shape} and "
            f"{generated_counts.shape}. Draw both sets equally often."
        )
    return _draws(real, generated, real_counts, generated_counts)


def fid_null(real: Array, n: int, m: int) -> float:
    """Return the distance to expect of n and m clips drawn from one normal distribution, real's (N, d) covariance.

    tr Σ (1/n + 1/m) + ½ (1/(n-1) + 1/(m-1)) (Σ_ij λ_i λ_j / (λ_i + λ_j) + ½ tr Σ): the second-order expansion of the
    Bures distance. For Σ = I and n = m that is 2d/n + d(d+1)/(2(n-1)). Within 7 % for n ≥ d, wrong below.
    """
    (real,) = feature_sets(real, at_least=2)
    if min(n, m) < 2:
        raise UserError(f"Expected sets of at least 2 clips, got {n} and {m}. Pass the sizes of the two samples.")
    values = np.maximum(np.linalg.eigvalsh(np.atleast_2d(np.cov(real, rowvar=False))), 0.0)
    total = values[:, None] + values
    shared = np.divide(np.outer(values, values), total, out=np.zeros_like(total), where=total > 0).sum()
    trace = values.sum()
    return float(trace * (1 / n + 1 / m) + 0.5 * (1 / (n - 1) + 1 / (m - 1)) * (shared + 0.5 * trace))


def fid_infinity(real: Array, generated: Array, seed: int = 0, n_sizes: int = 10, n_orders: int = 5) -> float:
    """Return the Fréchet distance carried on to endless samples; it may come out below 0.

    The intercept of a line through the distance against 1/n, n from a fifth of the smaller set to all of it, subsets
    nested, both sets cut to n (after Chong & Forsyth 2020); mean of several orders, since which clips come first
    matters. UserError for fewer than 500 clips or 8 sizes.
    """
    real, generated = feature_sets(real, generated, at_least=MIN_CLIPS_INFINITY)
    if n_sizes < 8:
        raise UserError(f"Expected 8 sizes or more for the line, got {n_sizes}. Leave n_sizes out.")
    rng = np.random.default_rng(seed)
    full = min(len(real), len(generated))
    sizes = np.linspace(full // 5, full, n_sizes).astype(int)
    found = np.empty((n_orders, n_sizes))
    for order in found:
        r, g = (x[rng.permutation(len(x))] for x in (real, generated))
        order[:] = [fid(r[:n], g[:n]) for n in sizes]
    return float(np.polyfit(1.0 / sizes, found.mean(axis=0), 1)[1])


def _draws(real: Array, generated: Array, real_counts: Counts, generated_counts: Counts) -> NDArray[np.float64]:
    centre = real.mean(axis=0)  # both near 0, so that squares lose no digits
    return _distances(_moments(real - centre, real_counts), _moments(generated - centre, generated_counts))


def _moments(x: Array, counts: Counts) -> Moments:
    """Return means (D, d) and covariances (D, d, d), ddof 1, of features (N, d) in each draw; NaN for a single clip."""
    means, covariances = [], []
    for w in blocks(counts, per_clip=x.shape[1]):
        n = w.sum(axis=1)[:, None]
        mean = w @ x / n
        squares = np.matmul((w[:, :, None] * x).swapaxes(1, 2), x)
        spread = squares - n[..., None] * mean[:, :, None] * mean[:, None, :]
        means.append(mean)
        covariances.append(spread / np.where(n > 1, n - 1, np.nan)[..., None])
    return np.concatenate(means), np.concatenate(covariances)


def _distances(real: Moments, generated: Moments) -> NDArray[np.float64]:
    """Return the Fréchet distance (D,) of two rows of moments. Symmetric form: real roots, and none negative."""
    (mean_r, cov_r), (mean_g, cov_g) = real, generated
    distance = np.full(len(mean_r), np.nan)
    known = np.isfinite(cov_r).all(axis=(1, 2)) & np.isfinite(cov_g).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(cov_r[known])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]) @ vectors.swapaxes(1, 2)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_g[known] @ root), 0.0)).sum(axis=1)
    trace = np.trace(cov_r + cov_g, axis1=1, axis2=2)[known]
    distance[known] = ((mean_r - mean_g)[known] ** 2).sum(axis=1) + trace - 2.0 * shared
    return distance
