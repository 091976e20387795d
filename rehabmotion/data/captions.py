"""Captions: hand-written phrasings of every exercise, rendered with side and quality.

The phrasings live in `phrasings/<exercise>.toml`, one list per family (name, instruction, typing errors ...).
They were written by the authors of this project, one by one; no recording came with them.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

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
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "then",
        "than",
        "so",
        "as",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "without",
        "into",
        "onto",
        "over",
        "under",
        "off",
        "out",
        "up",
        "down",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "here",
        "is",
        "are",
        "was",
        "be",
        "been",
        "being",
        "am",
        "do",
        "does",
        "did",
        "done",
        "doing",
        "have",
        "has",
        "had",
        "having",
        "i",
        "me",
        "my",
        "mine",
        "we",
        "us",
        "our",
        "you",
        "your",
        "yours",
        "he",
        "him",
        "his",
        "she",
        "her",
        "hers",
        "they",
        "them",
        "their",
        "one",
        "ones",
        "someone",
        "somebody",
        "person",
        "people",
        "man",
        "woman",
        "patient",
        "subject",
        "please",
        "can",
        "could",
        "should",
        "would",
        "will",
        "may",
        "might",
        "must",
        "let",
        "lets",
        "just",
        "very",
        "really",
        "now",
        "while",
        "until",
        "till",
        "when",
        "where",
        "which",
        "who",
        "what",
        "how",
        "if",
        "not",
        "no",
        "also",
        "again",
        "back",
        "each",
        "both",
        "all",
        "some",
        "any",
        "more",
        "most",
        "once",
        "other",
        "exercise",
        "exercises",
        "movement",
        "movements",
        "move",
        "moves",
        "motion",
        "perform",
        "performs",
        "performing",
        "make",
        "makes",
        "get",
        "gets",
        "go",
        "goes",
        "left",
        "right",
        "side",
        "{side}",
        "{other}",
    ]
)


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
    """Return the phrasings of one exercise by family. Unknown exercises raise FileNotFoundError."""
    table = tomllib.loads((PHRASINGS_DIR / f"{exercise}.toml").read_text(encoding="utf-8"))
    return {family: tuple(table[family]) for family in FAMILIES}
