"""Resampling, cutting, smoothing and mirroring: closed forms, then properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, Motion, Score, Skeleton
from rehabmotion.motion.transforms import mirror, resample, smooth, trim

ONE = Skeleton(("marker",), (-1,))


def marker(x: NDArray[np.float64], fps: float, valid: NDArray[np.bool_] | None = None) -> Motion:
    """One marker that moves along x, metres."""
    positions = np.zeros((len(x), 1, 3))
    positions[:, 0, 0] = x
    return Motion(positions, fps, ONE, valid)


def sine(hz: float, fps: float, seconds: float = 4.0) -> Motion:
    return marker(np.sin(2 * np.pi * hz * np.arange(round(seconds * fps) + 1) / fps), fps)


def amplitude(motion: Motion) -> float:
    """Of the middle half: the ends of a filter are no closed form."""
    n = motion.n_frames
    return float(np.abs(motion.positions[n // 4 : 3 * n // 4, 0, 0]).max())


# --- resample -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [10, 20, 30, 50, 240])
def test_a_slow_sine_passes_unchanged(fps: float) -> None:
    motion = resample(sine(0.5, 100.0), fps)
    t = np.arange(motion.n_frames) / fps
    middle = slice(motion.n_frames // 4, 3 * motion.n_frames // 4)
    assert motion.fps == fps
    assert np.allclose(motion.positions[middle, 0, 0], np.sin(np.pi * t)[middle], atol=4e-3)


def test_what_the_new_rate_cannot_carry_is_stopped_instead_of_folded_back() -> None:
    # 18 Hz seen 20 times a second would look like 2 Hz
    assert amplitude(resample(sine(18.0, 100.0), 20.0)) < 0.03
    assert np.abs(sine(18.0, 100.0).positions[::5]).max() > 0.9


@pytest.mark.parametrize("fps", [7.0, 30.0, 59.94, 144.0])
def test_constants_stay_constant(fps: float) -> None:
    motion = resample(marker(np.full(90, 1.25), 60.0), fps)
    assert np.allclose(motion.positions[:, 0, 0], 1.25, atol=1e-6)


def test_a_straight_line_stays_straight_when_the_rate_rises() -> None:
    motion = resample(marker(np.arange(31) / 30, 30.0), 90.0)
    assert np.allclose(motion.positions[:, 0, 0], np.arange(91) / 90, atol=1e-6)


def test_the_same_rate_changes_nothing() -> None:
    motion = sine(3.0, 50.0)
    assert np.array_equal(resample(motion, 50.0).positions, motion.positions)


def test_a_single_frame_stays_one() -> None:
    assert resample(marker(np.ones(1), 30.0), 60.0).n_frames == 1


@given(n=st.integers(2, 400), old=st.floats(5, 200), new=st.floats(5, 200))
@settings(max_examples=60, deadline=None)
def test_the_time_from_first_to_last_frame_is_kept_to_half_a_frame(n: int, old: float, new: float) -> None:
    motion = resample(marker(np.linspace(0, 1, n), old), new)
    span, kept = (n - 1) / old, (motion.n_frames - 1) / new
    assert abs(kept - span) <= 0.5 / new + 1e-9
    assert np.isfinite(motion.positions).all()


def test_a_frame_is_valid_where_the_frames_on_both_sides_are() -> None:
    valid = np.ones((11, 1), bool)
    valid[4] = False
    motion = resample(marker(np.arange(11.0), 10.0, valid), 20.0)
    assert np.flatnonzero(~motion.valid[:, 0]).tolist() == [7, 8, 9]


@pytest.mark.parametrize("fps", [10.0, 45.0])
def test_garbage_under_the_mask_changes_nothing_that_is_seen(fps: float) -> None:
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(0, 0.01, 120))
    valid = np.ones((120, 1), bool)
    valid[[0, 1, 40, 41, 42, 119]] = False
    clean, spoilt = x.copy(), x.copy()
    spoilt[~valid[:, 0]] = 1e6
    a, b = (resample(marker(v, 30.0, valid), fps) for v in (clean, spoilt))
    assert np.array_equal(a.valid, b.valid)
    assert np.array_equal(a.positions, b.positions)


@pytest.mark.parametrize("fps", [0.0, -1.0, math.nan, math.inf, 1e12])
def test_a_rate_that_is_none_is_refused(fps: float) -> None:
    """A rate of 1e12 once asked for all memory before it was refused."""
    with pytest.raises(UserError, match="fps"):
        resample(sine(1.0, 30.0), fps)


# --- trim ---------------------------------------------------------------------------------------------------------


def test_a_cut_takes_the_frames_from_start_up_to_end() -> None:
    motion = trim(marker(np.arange(50.0), 10.0), 1.0, 2.5)
    assert motion.positions[:, 0, 0].tolist() == list(range(10, 25))
    assert motion.valid.shape == (15, 1)


def test_without_times_nothing_is_cut_and_beyond_the_end_is_the_end() -> None:
    motion = marker(np.arange(50.0), 10.0)
    assert trim(motion).n_frames == 50
    assert trim(motion, 4.0, 100.0).n_frames == 10
    assert trim(motion, -3.0, 1.0).n_frames == 10


@given(st.integers(1, 300), st.floats(1, 240), st.data())
@settings(deadline=None)
def test_two_cuts_that_meet_are_the_whole(n: int, fps: float, data: st.DataObject) -> None:
    motion = marker(np.arange(float(n)), fps)
    k = data.draw(st.integers(1, n))
    parts = [trim(motion, 0.0, k / fps)] + ([trim(motion, k / fps)] if k < n else [])
    assert np.array_equal(np.concatenate([p.positions for p in parts]), motion.positions)


@pytest.mark.parametrize(
    ("start", "end"), [(2.0, 1.0), (1.0, 1.0), (9.0, None), (math.nan, 1.0), (0.0, math.nan), (-math.inf, math.inf)]
)
def test_an_empty_cut_is_refused(start: float, end: float | None) -> None:
    """NaN and infinity once came out as ValueError and OverflowError."""
    with pytest.raises(UserError, match="cut"):
        trim(marker(np.arange(50.0), 10.0), start, end)


# --- smooth -------------------------------------------------------------------------------------------------------


def test_movement_passes_the_filter_and_tremor_does_not() -> None:
    assert amplitude(smooth(sine(1.0, 60.0))) == pytest.approx(1.0, abs=0.01)
    assert amplitude(smooth(sine(6.0, 60.0))) == pytest.approx(0.5, abs=0.06)  # the cut-off, passed twice
    assert amplitude(smooth(sine(25.0, 60.0))) < 0.01


def test_smoothing_keeps_constants_and_lines_and_does_not_delay() -> None:
    line = marker(np.arange(90) / 60, 60.0)
    assert np.allclose(smooth(line).positions, line.positions, atol=1e-6)
    slow = sine(0.5, 60.0)
    correlation = np.correlate(smooth(slow).positions[:, 0, 0], slow.positions[:, 0, 0], "full")
    assert int(correlation.argmax()) == slow.n_frames - 1


def test_smoothing_does_not_let_garbage_out_of_the_mask() -> None:
    valid = np.ones((90, 1), bool)
    valid[30:33] = False
    spoilt = np.where(valid[:, 0], 1.0, 1e5)
    out = smooth(marker(spoilt, 60.0, valid))
    assert np.allclose(out.positions[:, 0, 0], 1.0, atol=1e-6)
    assert np.array_equal(out.valid, valid)


# --- mirror -------------------------------------------------------------------------------------------------------


@pytest.fixture
def stepping(standing: NDArray[np.float64]) -> Motion:
    rng = np.random.default_rng(1)
    valid = rng.random((20, 22)) < 0.8
    return Motion(
        standing + rng.normal(0, 0.05, (20, 22, 3)),
        30.0,
        valid=valid,
        text="left foot steps over the hurdle",
        scores=(Score("fms", 2), Score("sim", 40)),
        meta={"side": "left", "subject": "s07", "exercise": "hurdle_step"},
    )


def test_mirrored_twice_is_the_motion_itself(stepping: Motion) -> None:
    twice = mirror(mirror(stepping))
    assert np.array_equal(twice.positions, stepping.positions)
    assert np.array_equal(twice.valid, stepping.valid)
    assert (twice.text, twice.scores, twice.meta) == (stepping.text, stepping.scores, stepping.meta)


def test_mirroring_exchanges_what_is_sided_and_nothing_else(stepping: Motion) -> None:
    image = mirror(stepping)
    left, right = CANONICAL.index("left_wrist"), CANONICAL.index("right_wrist")
    assert np.array_equal(image.positions[:, left], stepping.positions[:, right] * [-1, 1, 1])
    assert np.array_equal(image.valid[:, left], stepping.valid[:, right])
    assert image.text == "right foot steps over the hurdle"
    assert image.meta["side"] == "right"
    # scores stay, and a mirrored clip is of the same person in every split
    assert image.scores == stepping.scores
    assert (image.meta["subject"], image.meta["exercise"]) == ("s07", "hurdle_step")


@pytest.mark.parametrize("side", [None, "both", "none", ["left"]])
def test_what_has_no_side_keeps_it(stepping: Motion, side: object) -> None:
    assert mirror(stepping.but(meta={"side": side})).meta["side"] == side
