"""Captions: hand-written phrasings of every exercise, rendered with side and quality.

The phrasings live in `phrasings/<exercise>.toml`, one list per family (name, instruction, typing errors ...).
They were written for this project one by one, by a language model at the desk of its authors and not by swapping words
in a template; no recording came with them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.motion import EXERCISES

PHRASINGS_DIR = Path(__file__).with_name("phrasings")

FAMILIES = (
    "name",
    "body_parts",
    "instruction",
    "third_person",
    "first_person",
    "goal",
    "comparison",
    "keywords",
    "jargon",
    "lay",
    "sequence",
    "typos",
)
HELD_OUT_FAMILIES = ("third_person", "first_person")  # never trained on: they measure unseen wording

# Function words and fillers that do not make two phrasings different.
_FILLERS = frozenset(
    """
    a an the and or but then than so as of to in on at by for from with without into onto over under off out up down
    it its this that these those there here is are was be been being am do does did done doing have has had having i me
    my mine we us our you your yours he him his she her hers they them their one ones someone somebody person people
    man woman patient subject please can could should would will may might must let lets just very really now while
    until till when where which who what how if not no also again back each both all some any more most once other
    exercise exercises movement movements move moves motion perform performs performing make makes get gets go goes
    left right side
    """.split()  # noqa: SIM905
)


@cache
def content_words(text: str) -> frozenset[str]:
    """Return the lower-case content words of a phrasing, fillers dropped and common endings cut."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"\{\w+\}", " ", text.lower()).replace("'", ""))
    return frozenset(_stem(word) for word in words if word not in _FILLERS)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "ly", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def content_difference(a: str, b: str) -> int:
    """Return by how many content words two phrasings differ: a swapped word counts once."""
    words_a, words_b = content_words(a), content_words(b)
    return max(len(words_a - words_b), len(words_b - words_a))


def too_close(phrasings: list[str], least: int = 3) -> list[tuple[str, str, int]]:
    """Return the pairs of phrasings that differ by fewer than `least` content words."""
    close = []
    for i, a in enumerate(phrasings):
        for b in phrasings[i + 1 :]:
            difference = content_difference(a, b)
            if difference < least:
                close.append((a, b, difference))
    return close


@cache
def phrasings(exercise: str) -> dict[str, tuple[str, ...]]:
    """Return the phrasings of one exercise by family. Unknown exercises raise UserError."""
    table = _table(exercise)
    return {family: tuple(table[family]) for family in FAMILIES}


def _table(name: str) -> dict[str, Any]:
    path = PHRASINGS_DIR / f"{name}.toml"
    if not path.is_file():
        raise UserError(f'Expected an exercise with phrasings, got "{name}". Known: {", ".join(EXERCISES)}.')
    return tomllib.loads(path.read_text(encoding="utf-8"))


def captions(exercise: str, side: str | None, families: Sequence[str] = FAMILIES) -> list[str]:
    """Return all phrasings of an exercise, rendered for a side: "left", "right" or "both".

    Sided phrasings name the side; the others fit either. One exercise is also done with both arms and has phrasings
    of its own for that.
    """
    name = f"{exercise}_both" if side == "both" and EXERCISES[exercise].sided else exercise
    return [render(text, side) for family in families for text in phrasings(name)[family]]


def render(phrasing: str, side: str | None) -> str:
    """Return a phrasing with {side} and {other} filled in."""
    other = {"left": "right", "right": "left"}
    if side not in other and "{" in phrasing:
        raise UserError(f'Expected the side left or right for "{phrasing}", got {side}.')
    return phrasing.replace("{side}", str(side)).replace("{other}", other.get(str(side), ""))


def with_side(text: str, exercise: str, side: str | None) -> str:
    """Return a caption that says the side of a one-sided exercise: as it is where it does, else with the side added."""
    unsaid = EXERCISES[exercise].sided and side in ("left", "right") and side not in text
    return f"{text}, {side} side" if unsaid else text


TRAINING_FAMILIES = tuple(family for family in FAMILIES if family not in HELD_OUT_FAMILIES)


@cache
def other_sentences() -> tuple[str, ...]:
    """Return sentences that describe none of the exercises: other motions, and no motion at all."""
    table = _table("_other")
    return (*table["unrelated"], *table["other_motion"])


@cache
def quality_wording(good: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return wordings of how well it is done: those put before a description, and those put after it."""
    table = _table("_quality")["good" if good else "bad"]
    return tuple(table["before"]), tuple(table["after"])


GRADE_ADJECTIVES = {1: "an injured", 2: "a moderately fit", 3: "a very athletic"}


def numerical_grade(caption: str, grade: int) -> str:
    """Return the caption with its FMS grade as a number (Bikov et al. 2024): "..., FMS score 1"."""
    return f"{caption}, FMS score {grade}"


def textual_grade(caption: str, grade: int) -> str:
    """Return the caption with its FMS grade as words (Bikov et al. 2024): "an injured person ...".

    A caption that does not begin with "a person" gets the words in front: "an injured person: ...". (The paper prints
    "moderately fit" without its article.)
    """
    start = GRADE_ADJECTIVES[grade]
    if caption.lower().startswith("a person"):
        return f"{start}{caption[1:]}"
    return f"{start} person: {caption}"
