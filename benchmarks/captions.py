"""Counts the phrasings: python benchmarks/captions.py [--write], which puts the table into docs/captions.md."""

from __future__ import annotations

import sys
import textwrap
from itertools import combinations
from pathlib import Path

from rehabmotion.data.captions import (
    FAMILIES,
    HELD_OUT_FAMILIES,
    PHRASINGS_DIR,
    content_difference,
    other_sentences,
    phrasings,
    quality_wording,
)

PAGE = Path(__file__).parent.parent / "docs" / "captions.md"
START, END = "<!-- table: python benchmarks/captions.py --write -->\n", "<!-- end of table -->\n"


def table() -> str:
    """Return the table of docs/captions.md as Markdown."""
    lines = [
        "| exercise | phrasings | held out | that name a side | longest, words | nearest two differ by |",
        "|---|---|---|---|---|---|",
    ]
    names = sorted(path.stem for path in PHRASINGS_DIR.glob("*.toml") if not path.stem.startswith("_"))
    counts = []
    for name in names:
        by_family = phrasings(name)
        texts = [text for family in FAMILIES for text in by_family[family]]
        held_out = sum(len(by_family[family]) for family in HELD_OUT_FAMILIES)
        sided = sum("{" in text for text in texts)
        nearest = min(content_difference(a, b) for a, b in combinations(texts, 2))
        longest = max(len(text.split()) for text in texts)
        counts.append((len(texts), held_out, sided))
        lines.append(f"| `{name}` | {len(texts)} | {held_out} | {sided} | {longest} | {nearest} content words |")
    total, held_out, sided = (sum(column) for column in zip(*counts, strict=True))
    lines.append(f"| all {len(names)} | {total} | {held_out} | {sided} | | |")
    before, after = (sum(len(quality_wording(good)[i]) for good in (True, False)) for i in (0, 1))
    besides = (
        f"Besides: {len(other_sentences())} sentences that describe none of the exercises, {before} wordings of how "
        f"well it is done that go before a description, and {after} that go after it."
    )
    lines += ["", *textwrap.wrap(besides, 118)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, or put it into the page."""
    if "--write" not in sys.argv[1:]:
        print(table(), end="")
        return
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(f"{head}{START}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
