"""The page is whole, closed and safe, whatever the captions say."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion, Skeleton
from rehabmotion.viz import player
from rehabmotion.viz.player import player_html

HOSTILE = (
    "<!--<script </script><script>alert(1)</script><img src=x onerror=alert(2)> {{DATA}} {{SCRIPT}} & \" ' \u2028 é"
)


class _Page(HTMLParser):
    """Elements with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags:
            self.texts.setdefault(self.tags[-1][0], []).append(data)


def page_data(text: str) -> list[dict]:
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))


def test_page_loads_nothing(squat):
    page = _Page(player_html([("a", squat())], "t"))
    for _tag, attributes in page.tags:
        assert not {"src", "href", "action", "onclick", "onload"} & set(attributes)
    text = player_html([("a", squat())], "t")
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_policy_names_exactly_the_script_and_the_style(squat):
    """The hashes in the policy are those of the text a browser reads, else it would refuse to run the page."""
    text = player_html([("a", squat())], "t")
    policy = re.search(r'Security-Policy" content="([^"]*)"', text).group(1)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    for kind, body in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_hostile_captions_stay_text(squat):
    text = player_html([(HOSTILE, squat().but(text=HOSTILE))], HOSTILE)
    page = _Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in page.tags]
    data = page_data(text)
    # an opened comment before a script tag would hide the end of the data from a browser, so no < at all
    assert not set("<>&") & set(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert data[0]["label"] == HOSTILE
    assert data[0]["text"] == HOSTILE
    assert text.count("{{DATA}}") == 4  # title twice, label and text once each: none was filled in


def test_positions_come_back_to_a_tenth_of_a_millimetre(squat):
    motion = squat(20)
    panel = page_data(player_html([("a", motion)], "t"))[0]
    counts = np.frombuffer(base64.b64decode(panel["positions"]), "<i2").reshape(20, 22, 3)
    moved = motion.positions - counts * panel["unit"]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0, 0], moved.shape), atol=1.1e-4)
    assert panel["mask"] is None


def test_far_motions_get_a_coarser_unit_and_no_overflow(squat):
    motion = squat(20)
    far = motion.positions.copy()
    far[:, :, 0] += np.linspace(0, 100, 20)[:, None]
    panel = page_data(player_html([("a", motion.but(positions=far))], "t"))[0]
    counts = np.frombuffer(base64.b64decode(panel["positions"]), "<i2").reshape(20, 22, 3).astype(float)
    np.testing.assert_allclose(np.ptp(counts[:, 0, 0]) * panel["unit"], 100, atol=0.01)


def test_mask_is_kept_bit_for_bit_and_its_placeholders_are_not(squat):
    motion = squat(7)
    valid = np.random.default_rng(0).random((7, 22)) > 0.3
    x = motion.positions.copy()
    x[~valid] = 777.0
    panel = page_data(player_html([("a", motion.but(positions=x, valid=valid))], "t"))[0]
    bits = np.unpackbits(np.frombuffer(base64.b64decode(panel["mask"]), np.uint8))[: 7 * 22]
    np.testing.assert_array_equal(bits.astype(bool).reshape(7, 22), valid)
    assert panel["unit"] == 1e-4
    assert panel["height"] < 3


def test_page_stays_small(squat):
    """A second of 30 frames costs 5 kB of text: 30 x 22 x 3 x 2 bytes, times 4/3."""
    base = len(player_html([("a", squat(30))], "t"))
    more = len(player_html([("a", squat(330))], "t"))
    assert base < 60_000
    assert (more - base) / 10 < 5500


def test_scores_are_shown_with_scale_and_direction(squat):
    panel = page_data(player_html([("a", squat())], "t"))[0]
    assert panel["scores"][0][:4] == ["fms", "2", "of 1 to 3", "higher is better"]


def test_other_skeletons_are_drawn_too():
    skeleton = Skeleton(("Root", "LeftArm", "Head"), (-1, 0, 0))
    x = np.zeros((4, 3, 3))
    x[:, 1, 0], x[:, 2, 1] = 0.5, 0.5
    panel = page_data(player_html([("a", Motion(x, 100, skeleton))], "t"))[0]
    assert [part[0] for part in panel["parts"]] == [1, 0, 0]  # the arm is left; the neck and the skull have no side


def test_page_says_it_is_not_a_medical_device(squat):
    assert "not a medical device" in " ".join(player_html([("a", squat())], "t").split())


def test_nothing_to_play_is_the_users_error(squat):
    with pytest.raises(UserError, match="at least one motion"):
        player_html([], "t")
    blind = squat(3)
    with pytest.raises(UserError, match="valid joints"):
        player_html([("a", blind.but(valid=np.zeros((3, 22), bool)))], "t")


def test_too_much_to_play_is_the_users_error(squat, monkeypatch):
    monkeypatch.setattr(player, "MAX_NUMBERS", 100)
    with pytest.raises(UserError, match="Trim"):
        player_html([("a", squat())], "t")
