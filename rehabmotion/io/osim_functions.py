"""Functions in OpenSim models: XML elements in, functions of one coordinate out."""

from __future__ import annotations

from collections.abc import Callable

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
from rehabmotion.io.xml import Element, child, numbers, where


def read_function(element: Element) -> Function:
    """Return the function an element describes; unknown ones raise UserError."""
    tag = str(element.tag)
    if tag not in READERS:
        raise UserError(f"{where(element)}: Expected a function out of {', '.join(READERS)}, got {tag}.")
    try:
        return READERS[tag](element)
    except UserError as error:
        if "line " in str(error):
            raise
        raise UserError(f"{where(element)}: {error}") from None


def function_in(holder: Element) -> Element | None:
    """Return the function an element holds, None if it holds none: the child itself, or what <function> wraps."""
    for part in holder:
        if not isinstance(part.tag, str):
            continue  # a comment
        if part.tag in READERS or part.tag.endswith(("Function", "Spline")):
            return part
        if part.tag == "function":
            return next((inner for inner in part if isinstance(inner.tag, str)), None)
    return None


def _multiplier(element: Element) -> Function:
    inner = function_in(child(element, "function"))
    if inner is None:
        raise UserError(f"{where(element)}: Expected a function to multiply, found none.")
    return times(read_function(inner), numbers(element, "scale", 1, "1")[0])


def _points(make: Callable[[tuple[float, ...], tuple[float, ...]], Function]) -> Callable[[Element], Function]:
    return lambda element: make(numbers(element, "x"), numbers(element, "y"))


def _linear(element: Element) -> Function:
    return Linear(*numbers(element, "coefficients", 2))


def _polynomial(element: Element) -> Function:
    coefficients = numbers(element, "coefficients")
    if not coefficients:
        raise UserError(f"{where(element)}: Expected coefficients, found none.")
    return Polynomial(coefficients)


READERS: dict[str, Callable[[Element], Function]] = {
    "Constant": lambda element: Constant(*numbers(element, "value", 1, "0")),
    "LinearFunction": _linear,
    "PolynomialFunction": _polynomial,
    "SimmSpline": _points(SimmSpline),
    "PiecewiseLinearFunction": _points(PiecewiseLinear),
    "MultiplierFunction": _multiplier,
}
