"""Inverse kinematics of a whole trajectory: frames fit their markers and together move without jerks.

Adds weight x |second difference in time|^2 of the coordinates to the sum of squares; the normal equations of all frames
are then a band, solved as one by Cholesky (Gauss-Newton with damping).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from torch import Tensor

from rehabmotion.biomech.fitting import Problem
from rehabmotion.biomech.inverse import Solution, solution_of

Array = NDArray[np.float64]
DIFFERENCE = np.array([1.0, -2.0, 1.0])


class Squares(Protocol):
    """A sum of squares over frames: free (F,) coordinates between low and high, costs, normal matrices, right sides."""

    free: Tensor
    low: Tensor
    high: Tensor

    def cost(self, q: Tensor, rows: Tensor) -> Tensor:
        """Return sums of squares (N,)."""
        ...

    def system(self, q: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return costs (N,), normal matrices (N, F, F), right sides (N, F)."""
        ...


def smooth(
    problem: Problem, start: Tensor, fps: float, seconds: float = 0.05, iterations: int = 20, tolerance: float = 1e-8
) -> Solution:
    """Return the trajectory near `start` (T, C) that fits markers and is smooth; limits and locks are kept.

    fps: frames a second; seconds: about how long a movement must last to be kept: shorter ones are taken for noise.
    The weight is (seconds fps)^4 times the mean curvature of a coordinate: by itself, a harmonic
    movement of period 2 pi seconds would be halved.
    """
    with torch.no_grad():
        return solution_of(problem, smoothed(problem, start, fps, seconds, iterations, tolerance))


def smoothed(
    problem: Squares, start: Tensor, fps: float, seconds: float = 0.05, iterations: int = 20, tolerance: float = 1e-8
) -> Tensor:
    """Return coordinates (T, C) of `smooth` for any sum of squares."""
    rows, free = torch.arange(len(start)), problem.free
    q = start.clone()
    q[:, free] = q[:, free].clamp(problem.low, problem.high)
    _, normal, right = problem.system(q, rows)
    weight = (seconds * fps) ** 4 * torch.diagonal(normal, dim1=1, dim2=2).mean(dim=0).numpy()
    damping, cost = 1e-4, _cost(problem, q, rows, weight)
    for _ in range(iterations):
        pull = right.numpy() - _roughness(q[:, free].numpy(), weight)
        step = solveh_banded(banded(normal.numpy(), weight, damping), pull.ravel(), lower=True).reshape(pull.shape)
        tried = q.clone()
        tried[:, free] = (q[:, free] + torch.from_numpy(step)).clamp(problem.low, problem.high)
        new = _cost(problem, tried, rows, weight)
        if new >= cost:
            damping *= 10
            if damping > 1e6:
                break
            continue
        gain, q, cost, damping = (cost - new) / cost, tried, new, max(damping / 5, 1e-9)
        if gain < tolerance:
            break
        _, normal, right = problem.system(q, rows)
    return q


def _cost(problem: Squares, q: Tensor, rows: Tensor, weight: Array) -> float:
    bends = np.diff(q[:, problem.free].numpy(), 2, axis=0)
    return float(problem.cost(q, rows).sum()) + float((bends**2 * weight).sum())


def _roughness(q: Array, weight: Array) -> Array:
    """Return half the gradient (T, F) of the weighted squared second differences."""
    out = np.zeros_like(q)
    bends = np.diff(q, 2, axis=0) * weight
    for i, share in enumerate(DIFFERENCE):
        out[i : i + len(bends)] += share * bends
    return out


def banded(normal: Array, weight: Array, damping: float) -> Array:
    """Return normal matrices (T, F, F) and weighted second differences between frames as one band, in lower form.

    band[k, j] is the element (j + k, j) of the whole matrix, frames one after another.
    """
    t, f = normal.shape[:2]
    band = np.zeros((2 * f + 1, t * f))
    for k in range(f):
        block = np.zeros((t, f))
        block[:, : f - k] = normal[:, np.arange(k, f), np.arange(f - k)]
        band[k] = block.ravel()
    curvature = np.diagonal(normal, axis1=1, axis2=2)
    band[0] += (damping * curvature + 1e-9 * curvature.max()).ravel()
    for first in range(3):
        for second in range(first + 1):
            lag = first - second
            share = DIFFERENCE[first] * DIFFERENCE[second]
            rows = slice(second * f, (second + max(t - 2, 0)) * f)
            band[lag * f, rows] += share * np.tile(weight, max(t - 2, 0))
    return band
