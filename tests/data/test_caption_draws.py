"""Drawn captions: what they say is what the label says."""

import re

import numpy as np
import pytest

from rehabmotion.data.caption_draws import Caption, draw_caption, draw_other
from rehabmotion.data.captions import HELD_OUT_FAMILIES, TRAINING_FAMILIES, phrasings, quality_wording
from rehabmotion.motion import EXERCISES

N = 300


def drawn(exercise: str, side: str | None, **more: object) -> list[Caption]:
    rng = np.random.default_rng(0)
    return [draw_caption(exercise, side, rng, **more) for _ in range(N)]  # type: ignore[arg-type]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_exercise_and_side_can_be_drawn(exercise: str) -> None:
    for side in EXERCISES[exercise].sides:
        found = drawn(exercise, side)
        assert all(caption.text.strip() for caption in found)
        assert not any("{" in caption.text for caption in found)
        assert len({caption.text for caption in found}) > 30


def test_the_same_generator_state_draws_the_same() -> None:
    assert drawn("side_lunge", "left") == drawn("side_lunge", "left")


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_a_caption_never_says_the_wrong_side(side: str, other: str) -> None:
    # {other} names the other side on purpose, always together with the side itself
    for caption in drawn("standing_shoulder_abduction", side):
        assert caption.side in ("none", side)
        if caption.side == "none":
            assert not re.search(rf"\b({side}|{other})\b", caption.text, re.IGNORECASE)


def test_both_arms_at_once_say_so() -> None:
    assert {caption.side for caption in drawn("upper_limb_extension", "both")} == {"both"}
    assert {caption.side for caption in drawn("deep_squat", "both")} == {"none"}


@pytest.mark.parametrize("families", [HELD_OUT_FAMILIES, TRAINING_FAMILIES])
def test_only_the_families_asked_for_are_drawn(families: tuple[str, ...]) -> None:
    words = {w for family in families for text in phrasings("squat")[family] for w in re.findall(r"\w+", text.lower())}
    rng = np.random.default_rng(1)
    texts = [draw_caption("squat", "both", rng, families).text for _ in range(N)]
    foreign = [[w for w in re.findall(r"\w+", t.lower()) if w not in words] for t in texts]
    assert sum(not f for f in foreign) > 0.6 * N  # the rest are slips of typing
    assert max(len(f) for f in foreign) < 8


def test_quality_and_grade_are_put_into_words_and_told() -> None:
    assert {c.quality for c in drawn("squat", "both")} == {"none"}
    assert {c.quality for c in drawn("squat", "both", quality=True)} == {"good"}
    assert {c.quality for c in drawn("squat", "both", quality=False)} == {"bad"}
    assert [{c.quality for c in drawn("squat", "both", grade=g)} for g in (1, 2, 3)] == [{"bad"}, {"none"}, {"good"}]
    plain = [c.text for c in drawn("squat", "both", grade=1) if re.search("FMS score 1|an injured person", c.text)]
    assert len(plain) > N / 3


def test_good_wordings_never_come_with_bad_ones() -> None:
    endings = {q: [e.strip(" ,").lower() for part in quality_wording(q) for e in part] for q in (True, False)}
    for caption in drawn("squat", "both", quality=True):
        said = caption.text.lower()
        assert not any(said.endswith(f" {e}") for e in endings[False] if not any(g.endswith(e) for g in endings[True]))


def test_other_sentences_have_neither_side_nor_quality() -> None:
    rng = np.random.default_rng(2)
    found = [draw_other(rng) for _ in range(N)]
    assert {(c.side, c.quality) for c in found} == {("none", "none")}
    assert len({c.text for c in found}) > 50


def test_slips_are_seldom_and_small() -> None:
    known = {text for family in TRAINING_FAMILIES for text in phrasings("deep_squat")[family]}
    found = drawn("deep_squat", "both")
    untouched = sum(c.text in known or c.text.lower() in {k.lower() for k in known} for c in found)
    assert 0.35 < untouched / N < 0.8
