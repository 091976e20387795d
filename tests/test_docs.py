"""What docs/ states as a table is what the code holds; no page names a folder of somebody's machine."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from rehabmotion.data.corpora import CORPORA
from rehabmotion.io.formats import FORMATS
from rehabmotion.io.npz import FIELDS
from rehabmotion.motion import CANONICAL, EXERCISES, SCALES
from rehabmotion.motion.motion import META_KEYS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def page(name: str) -> str:
    """Return the text of a page in docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, its header left out."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert lines, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(cells: list[str]) -> list[str]:
    """Return the words in backticks of some cells."""
    return re.findall(r"`([^`]+)`", " ".join(cells))


def test_the_joints_are_those_of_the_skeleton() -> None:
    text = page("conventions.md").partition("## The canonical skeleton")[2].partition("## Masks")[0]
    stated = re.findall(r"(\d+) `(\w+)` \((\w+)\)", text)
    joints = sorted((int(index), name, parent) for index, name, parent in stated)
    parents = ["root" if parent < 0 else str(parent) for parent in CANONICAL.parents]
    assert joints == [(i, name, parents[i]) for i, name in enumerate(CANONICAL.joint_names)]


def test_the_motion_file_has_these_fields() -> None:
    found = rows(page("conventions.md"), "The motion file, `.npz`")
    assert [named(row[:1])[0] for row in found] == list(FIELDS)
    prose = page("conventions.md").partition("`meta` always has")[2].partition(";")[0]
    assert re.findall(r"`(\w+)`", prose) == list(META_KEYS)


def test_the_scales_have_these_ranges() -> None:
    for name, values, _ in rows(page("conventions.md"), "Scores"):
        scale = SCALES[name.strip("`")]
        numbers = [float(number) for number in re.findall(r"\d+", values)]
        assert (numbers[0], numbers[-1]) == (scale.low, scale.high)
        assert tuple(numbers) == (scale.levels or (scale.low, scale.high))
    assert {row[0].strip("`") for row in rows(page("conventions.md"), "Scores")} == set(SCALES)


def test_the_exercises_are_all_there_with_their_sides() -> None:
    found: dict[str, str] = {}
    for ids, _, side in rows(page("conventions.md"), "Exercises and sides"):
        for name in named([ids]):
            found[name] = side
            assert (side == "both") == (not EXERCISES[name].sided), name
            assert ("(lying)" in ids, "(floor)" in ids) == tuple(
                EXERCISES[name].posture == p for p in ("lying", "floor")
            )
    assert set(found) == set(EXERCISES)


def test_every_corpus_has_its_split_and_its_terms() -> None:
    assert set(named([row[0] for row in rows(page("conventions.md"), "Splits")])) == set(CORPORA)
    shared: dict[str, bool] = {}
    for corpora, _, share in rows(page("formats.md"), "The data folder"):
        shared |= dict.fromkeys(named([corpora]), share == "yes")
    assert shared == {name: corpus.may_ship for name, corpus in CORPORA.items()}


def test_every_format_is_listed_with_what_it_reads_and_writes() -> None:
    text = page("formats.md")
    table = text.partition("| name | read from")[2].partition("\n\n")[0].splitlines()[2:]
    listed = {}
    for line in table:
        name, read_from, written, _ = (cell.strip() for cell in line.strip("|").split("|"))
        if name:
            listed[name.strip("`")] = (tuple(re.findall(r"\.\w+", read_from))[:1], bool(written != "-"))
    assert listed == {f.name: (f.extensions[:1], f.write is not None) for f in FORMATS.values()}


def test_the_numbers_of_the_captions_are_counted() -> None:
    """Remake them with: python benchmarks/captions.py --write"""
    counted = runpy.run_path(str(ROOT / "benchmarks" / "captions.py"))
    assert f"{counted['START']}\n{counted['table']()}\n{counted['END']}" in page("captions.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        if "shipped/" not in target and "results/" not in target:  # made by training, not kept in a fresh tree
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_names_a_folder_of_a_machine(path: Path) -> None:
    assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp|Users)/|shared/(?:data|reference)", path.read_text("utf-8"))
