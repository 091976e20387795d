"""Rates from rounded times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.rates import rate_of_step, regular_rate


@pytest.mark.parametrize(
    ("step", "fps"),
    [
        ("0.0333333", 30),
        ("0.03333", 30),
        ("0.0333", 30),
        ("0.033367", 1 / 0.033367),  # 29.97, not 30
        ("0.008333", 120),
        ("0.00833333", 120),
        ("0.01", 100),
        ("0.05", 20),
        ("1", 1),
        ("2", 0.5),
    ],
)
def test_whole_rates_are_seen_through_the_rounding(step: str, fps: float) -> None:
    assert rate_of_step(step) == pytest.approx(fps, rel=1e-8)


@pytest.mark.parametrize("step", ["0", "-0.03", "nan", "inf", "", "fast", "1e-300", "1e300"])
def test_a_step_that_is_no_time_is_refused(step: str) -> None:
    with pytest.raises(UserError, match="frame time"):
        rate_of_step(step)


@given(st.sampled_from([10.0, 20.0, 25.0, 29.97, 30.0, 59.94, 60.0, 100.0, 120.0, 240.0, 1000.0]), st.integers(2, 300))
def test_the_rate_that_made_the_times_comes_back(fps: float, n: int) -> None:
    assert regular_rate((np.arange(n) / fps).tolist()) == fps
    assert rate_of_step(repr(1 / fps)) == fps


def test_milliseconds_are_even_enough() -> None:
    times = [round(i / 30, 3) for i in range(91)]
    assert regular_rate(times) == pytest.approx(30, rel=1e-6)


@pytest.mark.parametrize("lost", [1, 5, 8])
def test_a_lost_frame_is_refused(lost: int) -> None:
    times = [i / 30 for i in range(10) if i != lost]
    with pytest.raises(UserError, match="even time steps"):
        regular_rate(times)


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.0], [1.0, 0.0], [0.0, float("nan")], [0.0, 1e300]])
def test_times_without_a_rate_are_refused(times: list[float]) -> None:
    with pytest.raises(UserError):
        regular_rate(times)
