"""The page in a real browser, from a file: it draws, plays, scrubs, turns, and complains of nothing."""

import base64
import shutil
import time

import numpy as np
import pytest

from rehabmotion.viz.player import player_html

pytestmark = pytest.mark.slow

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# a copy 240 pixels wide: reading the page's own canvas would change how the browser draws it
PIXELS = """(i) => {
  const from = document.querySelectorAll("canvas")[i];
  const [width, height] = [240, Math.round((240 * from.height) / from.width)];
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(from, 0, 0, width, height);
  const bytes = context.getImageData(0, 0, width, height).data;
  return btoa(Array.from(bytes, (v) => String.fromCharCode(v)).join(""));
}"""


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright, part of the extra: dev")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("needs a browser: install chromium")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open panels as a page of their own; whatever the console or the network says fails the test."""
    said: list[str] = []
    contexts = []

    def open_(panels, width=1000, height=700, **options):
        path = tmp_path / "player.html"
        path.write_text(player_html(panels, "Two <b>motions</b> </script>"), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith("file://") else said.append(request.url))
        page.goto(path.as_uri())
        wait_for(page, "window.rehabmotion && rehabmotion.drawnFrames > 0")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []


def wait_for(page, condition: str, seconds: float = 20) -> None:
    """Poll from outside: the page's own policy forbids the eval that wait_for_function needs."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"waited in vain for {condition}"
        time.sleep(0.02)


def pixels(page, panel: int = 0) -> np.ndarray:
    drawn = page.evaluate("rehabmotion.drawnFrames")
    page.evaluate("rehabmotion.seek(rehabmotion.time)")
    wait_for(page, f"rehabmotion.drawnFrames > {drawn}")
    data = base64.b64decode(page.evaluate(PIXELS, panel))
    return np.frombuffer(data, np.uint8).reshape(-1, 4)[:, :3].astype(int)


def count(image: np.ndarray, colour: str) -> int:
    red, _, blue = image.T
    return int(((blue - red > 60) if colour == "blue" else (red - blue > 60)).sum())


def test_draws_a_person_in_both_panels(open_page, squat):
    page = open_page([("a", squat(30)), ("b", squat(60))])
    page.evaluate("rehabmotion.pause()")
    for panel in (0, 1):
        image = pixels(page, panel)
        assert count(image, "blue") > 100
        assert count(image, "orange") > 100
    assert page.evaluate("rehabmotion.nFrames") == 60
    assert page.title() == "Two <b>motions</b> </script>"


def test_plays_pauses_and_loops(open_page, squat):
    page = open_page([("a", squat(12))])
    assert page.evaluate("rehabmotion.playing")
    drawn = page.evaluate("rehabmotion.drawnFrames")
    wait_for(page, f"rehabmotion.drawnFrames > {drawn} + 3")
    page.evaluate("rehabmotion.seek(0.39)")
    wait_for(page, "rehabmotion.time < 0.3")  # it went round
    page.keyboard.press("Space")
    assert not page.evaluate("rehabmotion.playing")
    held = page.evaluate("rehabmotion.time")
    page.wait_for_timeout(200)
    assert page.evaluate("rehabmotion.time") == held
    page.uncheck("#loop")
    page.evaluate("rehabmotion.seek(0.35); rehabmotion.play()")
    wait_for(page, "!rehabmotion.playing")
    assert page.evaluate("rehabmotion.time") == pytest.approx(0.4)


def test_scrubbing_changes_the_picture(open_page, squat):
    page = open_page([("a", squat(60))])
    page.evaluate("rehabmotion.pause(); rehabmotion.seek(0)")
    before = pixels(page)
    page.evaluate("rehabmotion.seek(1)")
    after = pixels(page)
    assert (np.abs(before - after).max(axis=1) > 30).sum() > 200
    page.evaluate("rehabmotion.seek(0)")
    np.testing.assert_array_equal(pixels(page), before)
    slider = page.locator("#time")
    slider.fill("0.5")
    assert page.evaluate("rehabmotion.time") == pytest.approx(0.5, abs=0.01)
    page.locator("body").press("ArrowRight")
    assert page.evaluate("rehabmotion.time") == pytest.approx(16 / 30, abs=1e-6)


def test_shorter_motion_holds_its_last_frame(open_page, squat):
    page = open_page([("short", squat(15, depth=0.2)), ("long", squat(60))])
    page.evaluate("rehabmotion.pause(); rehabmotion.seek(0.7)")
    first = [pixels(page, panel) for panel in (0, 1)]
    page.evaluate("rehabmotion.seek(1.2)")
    second = [pixels(page, panel) for panel in (0, 1)]
    np.testing.assert_array_equal(first[0], second[0])
    assert (first[1] != second[1]).any()


def test_speed_is_kept(open_page, squat):
    page = open_page([("a", squat(900))])
    page.select_option("#speed", "2")
    clock = "[performance.now() / 1000, rehabmotion.time]"
    page.evaluate("rehabmotion.seek(0)")
    start = page.evaluate(clock)
    page.wait_for_timeout(1000)
    end = page.evaluate(clock)
    assert (end[1] - start[1]) / (end[0] - start[0]) == pytest.approx(2, rel=0.25)


def test_drag_turns_and_wheel_zooms_all_or_one(open_page, squat):
    page = open_page([("a", squat(30)), ("b", squat(30))])
    page.evaluate("rehabmotion.pause(); rehabmotion.seek(0)")
    box = page.locator("canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 80, y + 10, steps=4)
        page.mouse.up()

    def changed(act) -> list[bool]:
        before = [pixels(page, panel) for panel in (0, 1)]
        act()
        return [bool((pixels(page, panel) != before[panel]).any()) for panel in (0, 1)]

    assert changed(drag) == [True, True]
    page.uncheck("#link")
    assert changed(drag) == [True, False]
    assert changed(lambda: page.mouse.wheel(0, -300)) == [True, False]
    assert changed(lambda: page.click("#reset")) == [True, True]


def test_masked_limbs_are_not_drawn_and_are_named(open_page, squat):
    motion = squat(30)
    valid = motion.valid.copy()
    valid[:, [j for j, n in enumerate(motion.skeleton.joint_names) if n.startswith("left_")]] = False
    page = open_page([("a", motion.but(valid=valid))])
    page.evaluate("rehabmotion.pause()")
    image = pixels(page)
    assert count(image, "blue") == 0
    assert count(image, "orange") > 100
    assert "8 of 22 joints" in page.inner_text(".missing")


def test_a_motion_in_millimetres_is_drawn_and_not_waited_for(open_page, squat):
    """A floor grid of half metres over kilometres once kept the page busy for good."""
    motion = squat(10)
    page = open_page([("a", motion.but(positions=1000 * motion.positions))])
    page.evaluate("rehabmotion.pause()")
    assert count(pixels(page), "blue") > 100


def test_hostile_caption_is_shown_as_written(open_page, squat):
    caption = "<!--<script </script><script>window.bad = 1</script><img src=x onerror='window.bad = 2'>"
    page = open_page([(caption, squat(10).but(text=caption))])
    assert page.inner_text(".label") == caption
    assert page.evaluate("window.bad === undefined")


@pytest.mark.parametrize("panels", [1, 2, 4])
def test_fits_a_phone_without_sideways_scrolling(open_page, squat, panels):
    page = open_page([("a", squat(10))] * panels, width=360, height=740, device_scale_factor=3, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("rehabmotion.pause()")
    assert count(pixels(page), "blue") > 100


def test_stands_still_at_first_where_motion_is_unwelcome(open_page, squat):
    page = open_page([("a", squat(10))], reduced_motion="reduce")
    assert not page.evaluate("rehabmotion.playing")


def test_dark_where_dark_is_preferred(open_page, squat):
    page = open_page([("a", squat(10))], color_scheme="dark")
    page.evaluate("rehabmotion.pause()")
    assert np.median(pixels(page)) < 60
    page.emulate_media(color_scheme="light")
    end = time.monotonic() + 10  # the browser tells the page of the change when it pleases
    while np.median(pixels(page)) < 200:
        assert time.monotonic() < end
