"""The examples run and print what their docstrings say."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehabmotion.workflows.models import DEFAULT, SHIPPED

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEEDS_MODEL = {"generate_and_export", "words_and_exercises"}
NEEDS_DATA = {"correct_and_incorrect"}


def promised(path: Path) -> str:
    """Return what an example says it prints."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring is not None
    return docstring.partition("Prints:\n")[2] + "\n"


def printed(path: Path, tmp_path: Path) -> str:
    """Return what an example prints, run from an empty folder."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    return done.stdout


def test_there_are_five_short_ones() -> None:
    assert len(EXAMPLES) == 5
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < 40 for path in EXAMPLES)
    assert {path.stem for path in EXAMPLES} >= NEEDS_MODEL | NEEDS_DATA


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if path.stem in NEEDS_MODEL and not (SHIPPED / DEFAULT / "config.json").is_file():
        pytest.skip(f"needs the shipped model {DEFAULT}, which this copy does not have")
    if path.stem in NEEDS_DATA:
        request.getfixturevalue("data_dir")
    assert printed(path, tmp_path) == promised(path)
