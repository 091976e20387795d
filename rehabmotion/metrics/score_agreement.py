"""Score agreement: predicted beside true scores, and what a constant would reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from rehabmotion.errors import UserError

Array = NDArray[np.floating]


def mae(predicted: Array, truth: Array) -> float:
    """Return the mean absolute error of predicted (N,) for truth (N,), points of the scale."""
    p, y = _checked(predicted, truth)
    return float(np.abs(p - y).mean())


def rmse(predicted: Array, truth: Array) -> float:
    """Return the root mean square error of predicted (N,) for truth (N,), points of the scale."""
    p, y = _checked(predicted, truth)
    return float(np.sqrt(((p - y) ** 2).mean()))


def r2(predicted: Array, truth: Array) -> float:
    """Return 1 - Σ(p - y)² / Σ(y - mean y)²: 0 for the mean, NaN where all true scores are alike."""
    p, y = _checked(predicted, truth)
    total = ((y - y.mean()) ** 2).sum()
    return float(1.0 - ((p - y) ** 2).sum() / total) if total > 0 else float("nan")


def spearman(predicted: Array, truth: Array) -> float:
    """Return the rank correlation, ties at their mean rank; 0 where one side is constant: no order is shown."""
    p, y = _checked(predicted, truth)
    a, b = (rankdata(v) - (len(v) + 1) / 2 for v in (p, y))
    spread = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / spread) if spread > 0 else 0.0


def slope(predicted: Array, truth: Array) -> float:
    """Return the slope of the line through predicted over truth: 1 follows it, 0 ignores it; NaN for one truth."""
    p, y = _checked(predicted, truth)
    spread = ((y - y.mean()) ** 2).sum()
    return float(((y - y.mean()) * (p - p.mean())).sum() / spread) if spread > 0 else float("nan")


def constant_baselines(truth: Array) -> dict[str, float]:
    """Return what the best constants reach: rmse of the mean, mae of the median; 40.8 and 33.3 for 0, 50, 100."""
    _, y = _checked(truth, truth)
    return {"rmse": rmse(np.full(len(y), y.mean()), y), "mae": mae(np.full(len(y), np.median(y)), y)}


def _checked(predicted: Array, truth: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p, y = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if p.ndim != 1 or p.shape != y.shape or len(y) == 0:
        raise UserError(f"Expected a prediction for each of one or more clips, got {p.shape} for {y.shape}.")
    if not (np.isfinite(p).all() and np.isfinite(y).all()):
        raise UserError("Expected finite scores, got NaN or infinity. Leave unscored clips out.")
    return p, y
