"""The page about a capture: ranges and symmetry by hand, what is marked, what is escaped, how large it gets."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.capture_report import capture_report
from rehabmotion.viz.report_parts import by_joint

TIMES = np.linspace(0, 10, 1001)
WAVE = np.sin(2 * np.pi * TIMES / 10)


class Text(HTMLParser):
    """The tags of a page, and the cells of its tables row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.in_table = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.in_table |= tag == "table"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_table &= tag != "table"

    def handle_data(self, data: str) -> None:
        if self.in_table and self.rows[-1]:
            self.rows[-1][-1] += data


def row(page: str, name: str) -> list[str]:
    return next(cells for cells in Text(page).rows if cells and cells[0].strip().startswith(name))


def test_ranges_and_symmetry_are_those_by_hand() -> None:
    """Ramps of 100 and 50 degrees: 96 and 48 between the percentiles; (48 - 96) / 72 = -66.7 %."""
    ramp = TIMES / 10
    page = capture_report("t", TIMES, {"knee_angle_l": 100 * ramp, "knee_angle_r": 50 * ramp, "pelvis_tilt": 8 * ramp})
    assert row(page, "knee angle")[1:] == ["96.0 (2.0 to 98.0)", "48.0 (1.0 to 49.0)", "-66.7 %"]
    assert row(page, "pelvis tilt")[1:] == ["7.7 (0.2 to 7.8)", "-", "-"]


def test_hardly_moving_sides_have_no_symmetry_and_unseen_ones_no_range() -> None:
    nan = np.full(1001, np.nan)
    page = capture_report("t", TIMES, {"a_l": WAVE, "a_r": 2 * WAVE, "b_l": 30 * WAVE, "b_r": nan})
    assert row(page, "a")[3] == "-"
    assert row(page, "b")[2:] == ["-", "-"]
    assert "nan" not in page


def test_gaps_do_not_count_and_break_the_curve() -> None:
    angle = 100 * TIMES / 10
    angle[300:700] = np.nan
    page = capture_report("t", TIMES, {"knee_angle_l": angle})
    assert re.search(r'class="line a" d="([^"]*)"', page)[1].count("M") == 2
    assert row(page, "knee angle")[1] == f"{np.ptp(np.nanpercentile(angle, [2, 98])):.1f} (1.2 to 98.8)"


def test_left_and_right_share_a_panel_with_their_bands() -> None:
    angles = {"knee_angle_r": WAVE, "hip_flexion_r": WAVE, "knee_angle_l": WAVE, "lumbar_bending": WAVE}
    page = capture_report("t", TIMES, angles, {name: np.ones(1001) for name in angles})
    assert page.count("<svg") == 3
    assert page.count('class="band') == 4
    assert "nine times in ten" in page
    assert "nine times in ten" not in capture_report("t", TIMES, angles)
    assert list(by_joint(angles)["knee_angle"].items()) == [("left", "knee_angle_l"), ("right", "knee_angle_r")]
    assert by_joint(["_l", "tail"]) == {"_l": {"middle": "_l"}, "tail": {"middle": "tail"}}


def test_what_is_doubtful_is_marked_in_chart_and_table() -> None:
    line = "hip_rotation_r cannot be seen from this view (side-on). Its values are marked low confidence."
    angles = {"hip_rotation_r": WAVE, "hip_rotation_l": WAVE, "knee_angle_r": WAVE}
    page = capture_report("t", TIMES, angles, warnings=[line], doubtful=["hip_rotation_r"])
    assert line in page
    assert page.count(">right: low confidence<") == 2
    assert "low confidence" in row(page, "hip rotation")[0]
    assert "low confidence" not in row(page, "knee angle")[0]


def test_what_was_seen_and_how() -> None:
    seen = {"left_arm": (0.5, 0.75), "head": (0.0, float("nan"))}
    page = capture_report("t", TIMES, {"a": WAVE}, seen=seen, how={"camera": "phone", "height": "1.72 m"})
    assert row(page, "left arm")[1:] == ["50.0 %", "0.75"]
    assert row(page, "head")[1:] == ["0.0 %", "-"]
    assert "1.72 m" in page
    assert "1001 in 10.0 s" in page
    assert "not a medical device" in page


def test_words_of_users_stay_words() -> None:
    bad = "<script>alert(1)</script>"
    page = capture_report(
        bad, TIMES, {bad: WAVE, bad + "_l": WAVE}, seen={bad: (1, 1)}, warnings=[bad], how={bad: bad}, doubtful=[bad]
    )
    assert "<script" not in page
    assert "script" not in Text(page).tags
    assert page.count("&lt;script&gt;") >= 7


@pytest.mark.parametrize("pattern", ["noise", "every other frame missing", "smooth"])
def test_ten_minutes_of_all_coordinates_stay_below_3_mb(pattern: str) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(18_000) / 30
    angles = {
        f"c{i}": (rng.normal(0, 30, 18_000) if pattern != "smooth" else 30 * np.sin(times + i)) for i in range(37)
    }
    bands = {name: rng.uniform(1, 9, 18_000) for name in angles}
    if pattern.startswith("every"):
        for values in angles.values():
            values[::2] = np.nan
    assert len(capture_report("t", times, angles, bands)) < 3e6


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"times": TIMES[::-1]}, "rise from frame to frame, got 10 .. 0 s"),
        ({"times": np.zeros(1001)}, "rise"),
        ({"times": np.append(TIMES[:-1], np.nan)}, "rise"),
        ({"times": np.zeros(0)}, "rise"),
        ({"times": TIMES[:, None]}, "rise"),
        ({"angles": {"a": WAVE[:5]}}, r"a of shape \(1001,\)"),
        ({"bands": {"b": WAVE}}, "bands of the angles given, got b"),
        ({"bands": {"a": WAVE}}, "half widths >= 0"),
        ({"doubtful": ["b"]}, "doubtful angles of the angles given, got b"),
        ({"seen": {"arm": (95.0, 0.9)}}, "from 0 to 1 of arm, got 95 and 0.9"),
        ({"seen": {"arm": (float("nan"), 0.9)}}, "from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict, why: str) -> None:
    with pytest.raises(UserError, match=why):
        capture_report(**{"title": "t", "times": TIMES, "angles": {"a": WAVE}, **changed})
