"""Functions of one coordinate, as OpenSim models have them: their value and slope, on tensors, differentiable.

Semantics of OpenSim 4.6, against which the tests hold them; the cubic is that of Forsythe, Malcolm & Moler (1977), as
the SIMM and OpenSim splines use it: straight outside its points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Constant:
    """The same number everywhere."""

    number: float = 0.0

    def value(self, x: Tensor) -> Tensor:
        """Return the function at x, any shape."""
        return torch.full_like(x, self.number)

    def slope(self, x: Tensor) -> Tensor:
        """Return the derivative at x, any shape."""
        return torch.zeros_like(x)


@dataclass(frozen=True)
class Linear:
    """a x + b."""

    a: float = 1.0
    b: float = 0.0

    def value(self, x: Tensor) -> Tensor:
        """Return the function at x, any shape."""
        return self.a * x + self.b

    def slope(self, x: Tensor) -> Tensor:
        """Return the derivative at x, any shape."""
        return torch.full_like(x, self.a)


@dataclass(frozen=True)
class Polynomial:
    """Coefficients, the highest power first."""

    coefficients: tuple[float, ...]

    def value(self, x: Tensor) -> Tensor:
        """Return the function at x, any shape."""
        return _horner(self.coefficients, x)

    def slope(self, x: Tensor) -> Tensor:
        """Return the derivative at x, any shape."""
        n = len(self.coefficients) - 1
        return _horner(tuple(c * (n - i) for i, c in enumerate(self.coefficients[:-1])) or (0.0,), x)


def _horner(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    total = torch.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        total = total * x + c
    return total


@dataclass(frozen=True)
class Pieces:
    """Polynomials of third degree at most between points x, straight before the first and after the last."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.x) < 2:
            raise UserError(f"Expected as many y as x, two or more, got {len(self.x)} x and {len(self.y)} y.")
        if not all(b > a for a, b in zip(self.x, self.x[1:], strict=False)):
            raise UserError("Expected x that grow from point to point.")

    def _pieces(self) -> NDArray[np.float64]:
        """Return (n + 1, 5): where a piece is counted from, then its powers 0 to 3; the first and last are straight."""
        raise NotImplementedError

    @cached_property
    def _table(self) -> tuple[Tensor, Tensor]:
        return torch.tensor(self.x, dtype=torch.float64), torch.from_numpy(self._pieces())

    def value(self, x: Tensor) -> Tensor:
        """Return the function at x, any shape."""
        t, (_, a, b, c, d) = self._at(x)
        return a + t * (b + t * (c + t * d))

    def slope(self, x: Tensor) -> Tensor:
        """Return the derivative at x, any shape."""
        t, (_, _, b, c, d) = self._at(x)
        return b + t * (2 * c + 3 * t * d)

    def _at(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the distance into the piece x lies in, and the piece; which one it is has no gradient."""
        points, pieces = (part.to(x) for part in self._table)
        piece = pieces[torch.bucketize(x.detach().contiguous(), points)]
        return x - piece[..., 0], piece.unbind(-1)


@dataclass(frozen=True)
class PiecewiseLinear(Pieces):
    """Straight from point to point; beyond the ends as the last piece goes."""

    def _pieces(self) -> NDArray[np.float64]:
        x, y = np.array(self.x), np.array(self.y)
        slope = np.diff(y) / np.diff(x)
        none = np.zeros(len(x) + 1)
        start, at, slopes = [x[0], *x], [y[0], *y], [slope[0], *slope, slope[-1]]
        return np.stack([start, at, slopes, none, none], axis=1)


@dataclass(frozen=True)
class SimmSpline(Pieces):
    """Cubic pieces with continuous curvature; at the ends the third derivative is that of the four outer points."""

    def _pieces(self) -> NDArray[np.float64]:
        x, y = np.array(self.x), np.array(self.y)
        n, h = len(x), np.diff(x)
        s = np.diff(y) / h
        u = _curvatures(x, h, s) if n > 2 else np.zeros(n)
        b = np.append(s - h * (u[1:] + 2 * u[:-1]), s[-1] + h[-1] * (u[-2] + 2 * u[-1]))
        inner = np.stack([x[:-1], y[:-1], b[:-1], 3 * u[:-1], np.diff(u) / h], axis=1)
        before, after = [x[0], y[0], b[0], 0.0, 0.0], [x[-1], y[-1], b[-1], 0.0, 0.0]
        return np.concatenate([[before], inner, [after]])


def _curvatures(x: NDArray[np.float64], h: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return u (n,) of points x (n,), steps h and slopes s (n - 1,): a sixth of the second derivatives."""
    n = len(x)
    first = last = 0.0
    if n > 3:
        d = np.diff(s) / (x[2:] - x[:-2])
        first, last = (d[1] - d[0]) / (x[3] - x[0]), (d[-1] - d[-2]) / (x[-1] - x[-4])
    a, r = np.zeros((n, n)), np.zeros(n)
    a[0, :2], r[0] = (-h[0], h[0]), h[0] ** 2 * first
    a[-1, -2:], r[-1] = (h[-1], -h[-1]), -(h[-1] ** 2) * last
    for i in range(1, n - 1):
        a[i, i - 1 : i + 2], r[i] = (h[i - 1], 2 * (h[i - 1] + h[i]), h[i]), s[i] - s[i - 1]
    return np.asarray(np.linalg.solve(a, r), np.float64)


Function = Constant | Linear | Polynomial | PiecewiseLinear | SimmSpline


def times(function: Function, scale: float) -> Function:
    """Return scale x function: what OpenSim's MultiplierFunction is, around the translations of a scaled model.

    A straight line becomes a polynomial: to OpenSim only a line of its own tells a coordinate's motion type.
    """
    if isinstance(function, Constant):
        return Constant(scale * function.number)
    if isinstance(function, Linear):
        return Polynomial((scale * function.a, scale * function.b))
    if isinstance(function, Polynomial):
        return Polynomial(tuple(scale * c for c in function.coefficients))
    return replace(function, y=tuple(scale * y for y in function.y))
