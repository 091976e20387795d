"""Curves: what of a line is drawn, where it breaks, how few points it keeps, its band and its ticks."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.charts import curves
from rehabmotion.viz.curve_paths import STEPS, band_path, line_path, ticks
from rehabmotion.viz.curves import panel

X = np.arange(5.0)


def points_of(path: str) -> np.ndarray:
    return np.array([[float(a), float(b)] for a, b in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", path)])


def test_a_short_line_keeps_every_point() -> None:
    assert line_path(X, X**2) == "M0.0,0.0L1.0,1.0L2.0,4.0L3.0,9.0L4.0,16.0"


def test_gaps_break_a_line_and_a_lone_value_is_a_dot() -> None:
    y = np.array([1.0, np.nan, 3.0, 4.0, np.nan])
    assert line_path(X, y) == "M0.0,1.0h0M2.0,3.0L3.0,4.0"
    assert line_path(X, np.full(5, np.nan)) == ""


def test_a_long_line_keeps_its_extremes_and_its_gaps() -> None:
    """18,000 points: a spike of one frame stays, a gap of a hundredth of the width stays, 4 points a step at most."""
    x = np.linspace(0, 280, 18_000)
    y = np.random.default_rng(0).normal(0, 1, 18_000)
    y[7000], y[9000] = 50.0, -60.0
    y[12_000:12_180] = np.nan
    path = line_path(x, y)
    drawn = points_of(path)
    assert len(drawn) <= 4 * STEPS
    assert drawn[:, 1].max() == 50
    assert drawn[:, 1].min() == -60
    assert path.count("M") == 2
    assert not ((drawn[:, 0] > x[12_000] + 0.05) & (drawn[:, 0] < x[12_179] - 0.05)).any()
    assert (np.diff(drawn[:, 0]) >= 0).all()
    assert drawn[[0, -1], 0].tolist() == [0, 280]


def test_a_band_lies_between_its_curves_and_breaks_with_them() -> None:
    low, high = X - 1, X + 2
    high[2] = np.nan
    assert band_path(X, low, high) == "M0.0,2.0L1.0,3.0L1.0,0.0L0.0,-1.0ZM3.0,5.0L4.0,6.0L4.0,3.0L3.0,2.0Z"
    long = np.linspace(0, 280, 18_000)
    noise = np.random.default_rng(0).normal(0, 1, 18_000)
    drawn = points_of(band_path(long, noise - 3, noise + 3))
    assert len(drawn) <= 2 * STEPS
    assert drawn[:, 1].max() == pytest.approx((noise + 3).max(), abs=0.05)


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ((-1.05, 1.05), [-1, 0, 1]),
        ((0, 100), [0, 50, 100]),
        ((3, 47), [20, 40]),
        ((0, 0.9), [0, 0.5]),
        ((95, 96.1), [95, 95.5, 96]),
    ],
)
def test_ticks_are_round(ends: tuple[float, float], wanted: list[float]) -> None:
    assert ticks(*ends, most=3) == pytest.approx(wanted)


def test_ticks_are_few_at_any_scale() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = rng.normal() * 10 ** rng.uniform(-3, 6)
        found = ticks(low, low + 10 ** rng.uniform(-2, 6))
        assert 1 <= len(found) <= 5


def test_sides_have_their_colours_in_any_order() -> None:
    """Left is blue, right is orange, as in all pictures; a line of no side is neither."""
    for names in (("left", "right"), ("right", "left")):
        drawn = panel(X, {name: X for name in names}, "knee", "s")
        assert re.findall(r'key (\w)">(\w+)', drawn) == [({"left": "a", "right": "b"}[n], n) for n in names]
    assert 'class="line c"' in panel(X, {"pelvis_tilt": X}, "pelvis tilt", "s")
    assert 'class="line b"' in panel(X, {"right": X}, "only right", "s")


def test_the_scale_fits_the_curve_and_most_of_the_band() -> None:
    """One frame that says nothing, half width 900, does not flatten the curve: it is cut at the panel's edge."""
    x = np.arange(1000.0)
    y, half = 10 * np.sin(x / 50), np.full(1000, 2.0)
    half[500] = 900.0
    drawn = panel(x, {"left": y}, "t", "s", {"left": half})
    line = points_of(re.search(r'line a" d="([^"]*)"', drawn)[1])
    band = points_of(re.search(r'band a" d="([^"]*)"', drawn)[1])
    assert np.ptp(line[:, 1]) > 80  # of 110
    assert band[:, 1].min() >= 30
    assert band[:, 1].max() <= 140


def test_nothing_to_show_is_said() -> None:
    for x, y in ((X, np.full(5, np.nan)), (np.zeros(0), np.zeros(0)), (X, np.full(5, np.inf))):
        drawn = panel(x, {"left": y}, "<knee>", "s")
        assert "not seen" in drawn
        assert "&lt;knee&gt;" in drawn
        assert "nan" not in drawn


def test_one_frame_or_one_moment_is_drawn() -> None:
    assert 'h0"' in panel(np.zeros(1), {"left": np.ones(1)}, "t", "s")
    ET.fromstring(panel(np.zeros(3000), {"left": np.arange(3000.0)}, "t", "s"))


def test_a_file_with_bands_is_whole_xml_and_escaped() -> None:
    drawn = curves(X, {"<a>": {"left": X, "right": -X}, "b": {"x": X}}, "T&t", "deg", "s", {"<a>": {"left": X}})
    ET.fromstring(drawn)
    assert drawn.count('class="band') == 1
    assert drawn.count('class="line') == 3


@pytest.mark.parametrize(
    ("lines", "bands", "why"),
    [
        ({"left": np.ones(4)}, {}, r"left of shape \(5,\)"),
        ({"left": X}, {"left": np.ones(4)}, r"left of shape \(5,\)"),
        ({"left": X}, {"right": X}, "bands around left, got one of right"),
        ({"left": X}, {"left": -X}, "half widths >= 0"),
    ],
)
def test_what_does_not_fit_is_refused(lines: dict, bands: dict, why: str) -> None:
    with pytest.raises(UserError, match=why):
        panel(X, lines, "t", "s", bands)
