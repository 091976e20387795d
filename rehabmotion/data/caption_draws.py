"""Draws training captions: a phrasing, its side, how well it was done, and the slips of hasty typing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rehabmotion.data.captions import (
    TRAINING_FAMILIES,
    numerical_grade,
    other_sentences,
    phrasings,
    quality_wording,
    render,
    textual_grade,
)
from rehabmotion.motion import EXERCISES

ARMS = ("shoulder", "arm", "upper_limb")


@dataclass(frozen=True)
class Caption:
    """A drawn caption and what it says: side none | left | right | both, quality none | good | bad."""

    text: str
    side: str = "none"
    quality: str = "none"


def draw_caption(
    exercise: str,
    side: str | None,
    rng: np.random.Generator,
    families: Sequence[str] = TRAINING_FAMILIES,
    quality: bool | None = None,
    grade: int | None = None,
) -> Caption:
    """Return a caption of an exercise done with a side; `quality` True | False and `grade` 1-3 are put into words."""
    both = side == "both" and EXERCISES[exercise].sided
    name = f"{exercise}_both" if both else exercise
    texts = [text for family in families for text in phrasings(name)[family]]
    phrase = texts[rng.integers(len(texts))]
    says = "both" if both else "none"
    if "{" in phrase:
        says = str(side)
        text = render(phrase, side)
    else:
        text = phrase
        if side in ("left", "right") and rng.random() < 0.35:
            says, text = side, _add_side(text, exercise, side, rng)
    text = _shorten(text, rng)
    said = "none"
    if grade is not None:
        text = (numerical_grade if rng.random() < 0.5 else textual_grade)(text, grade)
        said = "good" if grade == 3 else "bad" if grade == 1 else "none"
    elif quality is not None:
        said, text = ("good" if quality else "bad"), _add_quality(text, quality, rng)
    return Caption(_slips(text, rng), says, said)


def draw_other(rng: np.random.Generator) -> Caption:
    """Return a sentence that describes no known exercise."""
    sentences = other_sentences()
    return Caption(_slips(sentences[rng.integers(len(sentences))], rng))


def _add_side(text: str, exercise: str, side: str, rng: np.random.Generator) -> str:
    limb = "arm" if any(part in exercise for part in ARMS) else "leg"
    trunk = exercise in ("lateral_trunk_tilt", "trunk_rotation", "side_lunge")
    ways = [f"{text}, {side} side", f"{text} ({side})", f"{side}: {text}", f"{side} {text}"]
    ways += [f"{text} to the {side}"] if trunk else [f"{text} with the {side} {limb}", f"{side} {limb}, {text}"]
    return ways[rng.integers(len(ways))]


def _add_quality(text: str, good: bool, rng: np.random.Generator) -> str:
    before, after = quality_wording(good)
    if rng.random() < 0.4:
        return f"{before[rng.integers(len(before))]} {text}"
    ending = after[rng.integers(len(after))]
    return text + (ending if ending[:1] == "," else f" {ending.strip()}")


def _shorten(text: str, rng: np.random.Generator) -> str:
    """Sometimes keep the first or last part only, or lose a few words: people leave things out."""
    words = text.split()
    draw = rng.random()
    if draw < 0.1 and len(words) > 8:
        cut = int(rng.integers(6, len(words)))
        return " ".join(words[:cut] if rng.random() < 0.5 else words[-cut:])
    if draw < 0.3 and len(words) > 4:
        kept = [word for word in words if rng.random() > 0.12]
        return " ".join(kept or words)
    return text


def _slips(text: str, rng: np.random.Generator) -> str:
    """Sometimes mistype: two letters exchanged, one lost, one doubled; sometimes capitals."""
    if rng.random() < 0.3:
        words = text.split(" ")
        for i, word in enumerate(words):
            if len(word) > 3 and rng.random() < 0.15:
                words[i] = _mistype(word, rng)
        text = " ".join(words)
    return text.capitalize() if rng.random() < 0.3 else text


def _mistype(word: str, rng: np.random.Generator) -> str:
    k = int(rng.integers(1, len(word) - 1))
    kind = rng.integers(3)
    if kind == 0:
        return word[:k] + word[k + 1] + word[k] + word[k + 2 :]
    return word[:k] + word[k + 1 :] if kind == 1 else word[:k] + word[k] + word[k:]
