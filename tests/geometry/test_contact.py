"""Contact over time: switches, stretches, slides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.geometry.contact import bridged, floor_of, horizontal_steps, mean_slide, without_blinks
from rehabmotion.geometry.signal import runs


def switch(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


@pytest.mark.parametrize(
    ("on", "off", "expected"),
    [
        ("1000100", "0000000", "1111111"),  # between two `on` it holds, and to the end of the clip
        ("1000000", "0000010", "1000000"),  # what moves for good stands until it starts
        ("0000001", "0100000", "0000001"),
        ("1000001", "0001000", "1000001"),
        ("0000000", "0000000", "1111111"),
        ("1111111", "0010000", "1101111"),  # off wins
    ],
)
def test_between_the_thresholds_it_stands_from_one_rest_to_the_next(on: str, off: str, expected: str) -> None:
    assert (bridged(switch(on), switch(off)) == switch(expected)).all()


@given(st.lists(st.sampled_from([(True, False), (False, True), (False, False)]), min_size=1, max_size=40))
def test_time_may_run_backwards(events: list[tuple[bool, bool]]) -> None:
    on, off = np.array(events).T
    assert (bridged(on[::-1], off[::-1]) == bridged(on, off)[::-1]).all()


def test_runs_are_the_stretches_of_true() -> None:
    assert runs(switch("0110001")) == [slice(1, 3), slice(6, 7)]
    assert runs(switch("000")) == []


def test_short_gaps_close_first_then_short_stretches_go_but_not_at_the_ends() -> None:
    assert (without_blinks(switch("1110111000010000011"), 3) == switch("1111111000000000011")).all()


def test_the_slide_is_sideways_and_over_contact_only() -> None:
    x = np.zeros((4, 1, 3))
    x[:, 0] = [[0, 0, 0], [0.003, 1, 0.004], [0.003, 2, 0.004], [0.5, 2, 0.004]]
    steps = horizontal_steps(x)
    assert np.allclose(steps[:, 0], [0.005, 0, 0.497])
    assert mean_slide(steps, np.array([[True], [True], [False]])) == pytest.approx(2.5)
    assert mean_slide(steps, np.zeros((3, 1), bool)) == 0.0


def test_the_floor_is_the_fifth_percentile_of_what_was_seen() -> None:
    heights = np.linspace(0, 1, 101)[:, None]
    assert floor_of(heights, np.ones_like(heights, bool)) == pytest.approx(0.05)
    assert floor_of(heights, np.zeros_like(heights, bool)) == 0.0
