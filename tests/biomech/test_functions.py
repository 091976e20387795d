"""Functions of coordinates: by hand, against scipy, and their slopes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

from rehabmotion.biomech.functions import (
    Constant,
    Function,
    Linear,
    PiecewiseLinear,
    Polynomial,
    SimmSpline,
    times,
)
from rehabmotion.errors import UserError

X = torch.linspace(-2, 3, 41, dtype=torch.float64)
SPLINE = SimmSpline((-1.0, -0.4, 0.1, 0.8, 1.5), (0.2, -0.1, 0.3, 0.25, -0.2))
ALL: list[Function] = [
    Constant(0.4), Linear(-2.0, 0.5), Polynomial((0.3, -0.2, 0.5, 0.1)), Polynomial((7.0,)), SPLINE,
    SimmSpline((0.0, 1.0), (1.0, 3.0)), SimmSpline((0.0, 1.0, 1.5), (1.0, 3.0, 2.0)),
    PiecewiseLinear((-1.0, 0.0, 0.5), (0.1, 0.3, -0.2)),
]  # fmt: skip


def test_values_by_hand() -> None:
    at = torch.tensor([2.0], dtype=torch.float64)
    assert Polynomial((1.0, -3.0, 0.5)).value(at).item() == pytest.approx(4 - 6 + 0.5)
    assert PiecewiseLinear((0.0, 1.0), (0.0, 3.0)).value(at).item() == pytest.approx(6.0)  # goes on as it went
    assert SimmSpline((0.0, 1.0), (1.0, 3.0)).value(at).item() == pytest.approx(5.0)


@pytest.mark.parametrize("function", ALL, ids=lambda f: type(f).__name__)
def test_the_slope_is_that_of_autograd(function: Function) -> None:
    x = (X + 0.013).requires_grad_()
    value = function.value(x)
    if value.requires_grad:
        value.sum().backward()
    expected = torch.zeros_like(x) if x.grad is None else x.grad
    np.testing.assert_allclose(function.slope(X + 0.013), expected, atol=1e-14)


def test_a_spline_passes_through_its_points_smoothly_and_is_straight_outside() -> None:
    points = torch.tensor(SPLINE.x, dtype=torch.float64)
    np.testing.assert_allclose(SPLINE.value(points), SPLINE.y, atol=1e-15)
    for side in (-1e-9, 1e-9):  # the slope is continuous
        np.testing.assert_allclose(SPLINE.slope(points + side), SPLINE.slope(points), atol=1e-7)
    beyond = torch.tensor([2.0, 3.0, 4.0], dtype=torch.float64)
    np.testing.assert_allclose(np.diff(SPLINE.value(beyond), 2), 0, atol=1e-14)


def test_a_spline_of_a_cubic_is_the_cubic() -> None:
    """Third derivatives at the ends are taken from four points: exact for a polynomial of third degree."""
    x = np.array([-1.0, -0.3, 0.2, 0.9, 1.4, 2.0])
    y = 0.3 * x**3 - x**2 + 0.5 * x + 1
    inside = torch.linspace(-1, 2, 31, dtype=torch.float64)
    found = SimmSpline(tuple(x), tuple(y)).value(inside)
    np.testing.assert_allclose(found, 0.3 * inside**3 - inside**2 + 0.5 * inside + 1, atol=1e-12)
    assert abs(PchipInterpolator(x, y)(inside) - found.numpy()).max() > 1e-3  # another cubic would not do


@pytest.mark.parametrize("function", ALL, ids=lambda f: type(f).__name__)
def test_times_a_number(function: Function) -> None:
    np.testing.assert_allclose(times(function, -1.7).value(X), -1.7 * function.value(X), atol=1e-13)


def test_a_multiplied_line_is_no_line_to_opensim() -> None:
    assert isinstance(times(Linear(1.0, 0.0), 1.0), Polynomial)


@pytest.mark.parametrize(("x", "y"), [((0.0,), (1.0,)), ((0.0, 1.0), (1.0,)), ((0.0, 0.0), (1.0, 2.0))])
def test_points_that_make_no_function_are_refused(x: tuple[float, ...], y: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="Expected"):
        SimmSpline(x, y)
