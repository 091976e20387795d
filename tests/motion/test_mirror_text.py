"""The caption of a mirrored motion."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.motion.transforms import mirror_text


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("raise the left arm", "raise the right arm"),
        ("step left, then right", "step right, then left"),  # in one pass
        ("from left-to-right", "from right-to-left"),
        ("Left leg, RIGHT arm", "Right leg, LEFT arm"),
        ("leftward and rightwards", "rightward and leftwards"),
        ("a left-handed, right-footed player", "a right-handed, left-footed player"),
        ("lefthanded", "righthanded"),
        ("the left-side plank, right-hand side", "the right-side plank, left-hand side"),
        ("he is left-handed", "he is right-handed"),
        ("turn clockwise", "turn counterclockwise"),
        ("turn counter-clockwise", "turn clockwise"),
        ("Anti clockwise, anticlockwise", "Clockwise, clockwise"),
        ("a person steps left then steps right", "a person steps right then steps left"),
        ("takes two steps left", "takes two steps right"),
        ("the foot is right of the box", "the foot is left of the box"),
        ("bend to the right over still hips", "bend to the left over still hips"),
        ("left up, right down, step right behind left", "right up, left down, step left behind right"),
        ("the left at the top, the right at the bottom", "the right at the top, the left at the bottom"),
        ("kicks with the right back leg", "kicks with the left back leg"),
        ("his weight is right and left in turn", "his weight is left and right in turn"),
    ],
)
def test_sides_are_exchanged(text: str, mirrored: str) -> None:
    assert mirror_text(text) == mirrored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stand upright in bright light with straight legs",
        "a cleft block, copyright, lefty loosey",
        "right away",
        "Right now",
        "all right",
        "bend the knees at right angles",
        "pause right at the bottom",
        "walk right past the chair",
        "everybody has left",
        "two steps left",
        "10 seconds left",
        "no time left",
    ],
)
def test_what_means_no_side_is_left_alone(text: str) -> None:
    assert mirror_text(text) == text


def test_one_sentence_may_hold_both() -> None:
    text = "right away lift the right knee, two seconds left, and step left"
    assert mirror_text(text) == "right away lift the left knee, two seconds left, and step right"


WORDS = """left right Left RIGHT leftward rightwards left-handed right-foot clockwise counterclockwise anti-clockwise
upright is was has all two steps seconds takes away now at the top angle back down arm leg and of a person, then
""".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_twice_gives_the_text_back(text: str) -> None:
    """Once "two steps right" became "two steps left", which was then left alone; so did "is right-handed"."""
    spelled = re.sub(r"\b(counter|anti)[- ]?clockwise\b", "counterclockwise", text)
    assert mirror_text(mirror_text(text)) == spelled


@given(st.text(max_size=60))
def test_any_text_can_be_mirrored(text: str) -> None:
    once = mirror_text(text)
    assert mirror_text(mirror_text(once)) == once
