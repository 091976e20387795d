"""Charts and the report page: what is drawn, what is escaped, what the page may load."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rehabmotion.motion import Motion
from rehabmotion.viz.charts import histogram, matrix, points, span
from rehabmotion.viz.player import hash_of, template
from rehabmotion.viz.report import report_html

Maker = Callable[..., Motion]


def test_a_histogram_has_an_area_for_each_set_and_its_ends() -> None:
    chart = histogram({"a<b": np.arange(101.0), "real": np.array([50.0, np.nan])}, "Speed & <b>", "m/s")
    assert chart.count("<polygon") == 2
    assert "a&lt;b" in chart
    assert "Speed &amp; &lt;b&gt;" in chart
    assert "<b>" not in chart
    assert "nan" not in chart


def test_the_tallest_bin_reaches_the_top() -> None:
    chart = histogram({"one": np.array([1.0, 1.0, 1.0, 2.0])}, "t")
    heights = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", chart)]
    assert min(heights) == 30
    assert max(heights) == 140


def test_nothing_to_draw_is_no_chart() -> None:
    assert histogram({"a": np.array([np.nan])}, "t") == ""
    assert points(np.array([np.nan]), np.array([1.0]), "t") == ""
    assert "<polygon" in histogram({"a": np.ones(3)}, "all alike")


def test_points_lie_where_their_numbers_say() -> None:
    chart = points(np.array([0.0, 100.0]), np.array([100.0, 0.0]), "t")
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', chart)]
    assert heights == [30, 140]


def test_a_matrix_shades_by_the_share_of_its_row() -> None:
    table = matrix(np.array([[3, 1], [0, 2]]), ["<a>", "b"], ["a", "b"], "asked")
    assert '<td class="s8">3</td>' in table  # .75
    assert '<td class="s10">2</td>' in table
    assert '<td class="s0"></td>' in table
    assert "&lt;a&gt;" in table


def test_an_interval_shows_its_value_and_the_real_one_in_order() -> None:
    at = {name: float(x) for name, x in re.findall(r'(cx|class="real" x1)="([\d.]+)"', span(2.0, 1.0, 3.0, 5.0))}
    assert at["cx"] == 4 + 112 * 0.25
    assert at['class="real" x1'] == 116


def test_the_page_allows_its_own_style_and_the_players_script_alone(squat: Maker) -> None:
    page = report_html("a < b", [("One & two", "<p>text</p>")], [("x", squat())])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy.group(1)
    assert hash_of(template("report.css")) in policy.group(1)
    assert "a &lt; b" in page
    assert "One &amp; two" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "<iframe" not in report_html("t", [("h", "b")])


@pytest.mark.slow
def test_it_plays_in_a_browser_without_a_word_of_complaint(squat: Maker, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright, part of the extra: dev")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("needs a browser: install chromium")
    path = tmp_path / "report.html"
    path.write_text(
        report_html("t", [("h", histogram({"a": np.arange(9.0)}, "c"))], [("x", squat())]), encoding="utf-8"
    )
    said: list[str] = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        page.evaluate("document.querySelector('iframe').scrollIntoView()")
        page.wait_for_timeout(1500)
        assert page.frames[1].evaluate("rehabmotion.drawnFrames") > 0
        browser.close()
    assert said == []
