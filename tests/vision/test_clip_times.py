"""Times rise from 0, whatever the clock says."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.vision.clip_times import RisingTimes


def placed(clocks, interval=0.1):
    times = RisingTimes(interval)
    return [times.place(c) for c in clocks], times


@pytest.mark.parametrize(
    ("clocks", "expected", "words"),
    [
        ([5.0, 5.1, 5.4], [0, 0.1, 0.4], ""),
        ([-2.0, -1.0], [0, 1.0], ""),
        ([None, None, None], [0, 0.1, 0.2], "without a time: 3"),
        ([0.0, None, 0.3], [0, 0.1, 0.3], "without a time: 1"),
        ([None, 7.0, 7.2], [0, 0.1, 0.3], "without a time: 1"),
        ([0.0, 0.1, 0.1, 0.2], [0, 0.1, None, 0.2], "left out, being no later than the one before: 1"),
        ([0.0, 0.5, 0.4, 0.6], [0, 0.5, None, 0.6], "left out"),
        ([0.0, 3.0, 0.0, 0.2], [0, 3.0, 3.1, 3.3], "begins anew: 1"),
        ([0.0, 60.0], [0, 60.0], ""),  # a gap stays
    ],
)
def test_by_hand(clocks, expected, words):
    found, times = placed(clocks)
    assert found == pytest.approx(expected, abs=1e-12) if None not in expected else found == expected
    assert words in " ".join(times.warnings())
    assert bool(words) == bool(times.warnings())


@given(st.lists(st.one_of(st.none(), st.floats(-1e5, 1e5)), max_size=50), st.floats(1e-4, 1))
def test_they_rise_from_0(clocks, interval):
    found = [t for t in placed(clocks, interval)[0] if t is not None]
    assert found[:1] in ([], [0.0])
    assert all(a < b for a, b in itertools.pairwise(found))
