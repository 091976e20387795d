"""Filters and resampling along time, against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.geometry.signal import calmed, envelope, fill_gaps, follow, low_pass, sample_at

FPS = 100.0
T = np.arange(400) / FPS
MIDDLE = slice(100, 300)


def gain(hz: float, cutoff_hz: float) -> float:
    """The share of a sine that low_pass() lets through, by its root mean square in the middle."""
    x = np.sin(2 * np.pi * hz * T)
    return float(np.sqrt((low_pass(x, FPS, cutoff_hz)[MIDDLE] ** 2).mean() / (x[MIDDLE] ** 2).mean()))


def butterworth(hz: float, cutoff_hz: float) -> float:
    """Gain of a second-order digital Butterworth run both ways: 1 / (1 + (tan w / tan w_c)^4)."""
    ratio = np.tan(np.pi * hz / FPS) / np.tan(np.pi * cutoff_hz / FPS)
    return float(1 / (1 + ratio**4))


@pytest.mark.parametrize("hz", [1, 2, 4, 6, 8, 12, 20])
def test_the_gain_is_that_of_a_butterworth_filter_run_both_ways(hz: float) -> None:
    assert gain(hz, 6.0) == pytest.approx(butterworth(hz, 6.0), abs=2e-3)


def test_half_of_the_cut_off_passes_as_its_filter_says() -> None:
    assert butterworth(6.0, 6.0) == 0.5


@pytest.mark.parametrize("x", [np.full(50, -2.5), np.linspace(-1, 3, 50), np.full((50, 4, 3), 7.0)])
def test_constants_and_lines_pass_to_the_very_ends(x: np.ndarray) -> None:
    assert np.allclose(low_pass(x, FPS), x, atol=1e-9)


def test_time_is_the_first_axis_and_channels_do_not_mix() -> None:
    x = np.zeros((60, 2, 3))
    x[:, 1, 2] = np.random.default_rng(0).normal(size=60)
    out = low_pass(x, 60.0)
    assert np.array_equal(np.argwhere(np.abs(out).max(axis=0) > 0), [[1, 2]])
    assert np.allclose(out[:, 1, 2], low_pass(x[:, 1, 2], 60.0))


def test_run_backwards_it_gives_the_same_backwards() -> None:
    # a filter that delayed would not; the padding makes the ends differ a little
    x = np.cumsum(np.random.default_rng(1).normal(size=400))
    assert np.allclose(low_pass(x[::-1], FPS)[MIDDLE], low_pass(x, FPS)[::-1][MIDDLE], atol=1e-3)


@pytest.mark.parametrize(("n", "fps", "cutoff"), [(3, 30.0, 6.0), (50, 12.0, 6.0), (50, 5.0, 6.0)])
def test_where_there_is_nothing_to_remove_the_input_comes_back(n: int, fps: float, cutoff: float) -> None:
    x = np.random.default_rng(2).normal(size=n)
    assert low_pass(x, fps, cutoff) is x


@given(st.integers(4, 60), st.floats(5, 240), st.floats(0.02, 5))
@settings(max_examples=60, deadline=None)
def test_every_clip_long_or_short_stays_finite_and_near(n: int, fps: float, cutoff: float) -> None:
    x = np.random.default_rng(n).uniform(-1, 1, n)
    out = low_pass(x, fps, cutoff)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 10  # odd padding may overshoot at the ends of a clip shorter than the filter


def test_gaps_are_bridged_by_lines_and_ends_are_held() -> None:
    x = np.zeros((7, 1, 1))
    x[:, 0, 0] = [9, 1, 2, 99, 99, 5, 99]
    valid = np.array([[False, True, True, False, False, True, False]]).T
    assert fill_gaps(x, valid)[:, 0, 0].tolist() == [1, 1, 2, 3, 4, 5, 5]
    assert x[0, 0, 0] == 9  # the input is not touched


def test_a_channel_never_seen_stays_and_one_always_seen_too() -> None:
    x = np.random.default_rng(3).normal(size=(5, 2, 3))
    valid = np.array([[True, False]] * 5)
    assert np.array_equal(fill_gaps(x, valid), x)


def test_sampling_meets_the_points_and_never_overshoots_between_them() -> None:
    x = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    t = np.arange(6.0)
    assert np.allclose(sample_at(x, t, t), x)
    fine = sample_at(x, np.linspace(0, 5, 500), t)
    assert fine.min() >= 0
    assert fine.max() <= 1


def test_lines_are_sampled_exactly_and_times_outside_are_held() -> None:
    t = np.array([0.0, 0.5, 2.0, 3.0])
    x = np.stack([2 * t, -t], axis=1)
    assert np.allclose(sample_at(x, np.array([0.25, 1.7]), t), [[0.5, -0.25], [3.4, -1.7]])
    assert np.allclose(sample_at(x, np.array([-9.0, 9.0]), t), [[0, 0], [6, -3]])


def test_a_single_frame_is_repeated() -> None:
    assert sample_at(np.ones((1, 2)), np.arange(4.0), np.zeros(1)).shape == (4, 2)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 60])
def test_following_solves_the_penalised_least_squares_problem(n: int) -> None:
    """The banded solution is that of the full normal equations, written out with numpy."""
    rng = np.random.default_rng(n)
    x, weight = rng.normal(size=(n, 2)), rng.uniform(0.1, 1, n)
    third = np.diff(np.eye(n), 3, axis=0) if n > 3 else np.zeros((1, n))
    full = np.diag(weight + (1.0 / 4.0) ** 6 + 1e-12) + (2 * np.pi * 4 / 30) ** -6 * third.T @ third
    np.testing.assert_allclose(follow(x, weight, 30.0, 4.0, 1.0), np.linalg.solve(full, weight[:, None] * x), atol=1e-9)


def test_following_lets_half_of_its_cutoff_through_and_keeps_parabolas() -> None:
    wave = np.sin(2 * np.pi * 3.0 * T)[:, None]
    ratio = np.sqrt((calmed(wave, FPS, 3.0)[MIDDLE] ** 2).mean() / (wave[MIDDLE] ** 2).mean())
    assert ratio == pytest.approx(0.5, abs=0.01)
    parabola = (2 + 3 * T - T**2)[:, None]
    np.testing.assert_allclose(calmed(parabola, FPS, 2.0), parabola, atol=1e-6)


def test_following_lets_go_without_weight() -> None:
    weight = (np.arange(400) < 200).astype(float)
    y = follow(np.ones((400, 1)), weight, FPS, 8.0, release_hz=2.5)
    assert abs(y[:190] - 1).max() < 0.02
    assert abs(y[260:]).max() < 0.02


def test_an_envelope_is_never_below_and_touches_nothing_far_away() -> None:
    x = np.zeros(300)
    x[150] = 1.0
    y = envelope(x, FPS, 0.1)
    assert (y >= x - 1e-12).all()
    assert y.max() == pytest.approx(1.0)
    assert (y[:120] == 0).all()
    assert (y[181:] == 0).all()
    assert abs(np.diff(y)).max() < 0.1
