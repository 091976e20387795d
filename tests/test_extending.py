"""docs/extending.md, applied to a copy of the package and run: the page cannot drift from the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "extending.md"
SEAMS = ("file format", "corpus", "exercise", "metric", "model family", "score scale")


class Block(NamedTuple):
    """One fenced block: the section it stands in, its language, the file it names or None, its text."""

    section: str
    language: str
    path: str | None
    text: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            named = re.match(r"# ((?:rehabmotion|tests)/\S+)\n", text)
            yield Block(title, language, named[1] if named else None, text[named.end() :] if named else text)


def insert(source: str, diff: str) -> str:
    """Return a file with the lines marked + put after the line above them, which must stand there exactly once."""
    lines = source.splitlines()
    at = -1
    for line in diff.splitlines():
        if line.startswith("+"):
            at += 1
            lines.insert(at, line[1:])
        else:
            assert lines.count(line[1:]) == 1, f"expected once: {line[1:]}"
            at = lines.index(line[1:])
    return "\n".join(lines) + "\n"


def run(folder: Path, *command: str) -> str:
    """Return what a command prints when it runs on the copy."""
    settings = {**os.environ, "PYTHONPATH": str(folder), "REHABMOTION_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=settings, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_seam_has_a_section_with_code_that_is_run() -> None:
    found = list(blocks(PAGE.read_text(encoding="utf-8")))
    for seam in SEAMS:
        own = [block for block in found if block.section.endswith(seam)]
        assert [block.language for block in own[-2:]] == ["python", "text"], seam
        assert any(block.path for block in own), seam


def test_lines_go_after_the_line_above_them() -> None:
    assert insert("a\nb\nc\n", " b\n+x\n+y\n c\n+z\n") == "a\nb\nx\ny\nc\nz\n"
    with pytest.raises(AssertionError, match="once"):
        insert("a\na\n", " a\n+x\n")


@pytest.mark.slow
def test_everything_on_the_page_works(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rehabmotion", tmp_path / "rehabmotion", ignore=shutil.ignore_patterns("__pycache__"))
    found = list(blocks(PAGE.read_text(encoding="utf-8")))
    for block in found:
        if block.path is None:
            continue
        file = tmp_path / block.path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = insert(file.read_text(encoding="utf-8"), block.text) if block.language == "diff" else block.text
        file.write_text(text, encoding="utf-8")
    for block, expected in pairwise(found):
        if block.language == "python" and block.path is None:
            assert run(tmp_path, "-c", block.text) == expected.text, block.section
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
