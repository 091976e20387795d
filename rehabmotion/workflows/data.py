"""What corpora are present, whether they are whole, and their prepared copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehabmotion.data.corpora import (
    CORPORA,
    corpus,
    corpus_root,
    data_folder,
    load_raw,
    missing_parts,
    of_split,
    split_name,
)
from rehabmotion.data.prepare import cache_folder, prepared
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion
from rehabmotion.workflows.outputs import staged


@dataclass(frozen=True)
class CorpusState:
    """One line of `data list` or `data check`. state: present | absent | incomplete | damaged; `detail` says more."""

    name: str
    title: str
    terms: str
    state: str
    detail: str


def list_corpora(data_dir: Path | None = None) -> list[CorpusState]:
    """Return every corpus and whether it lies in the data folder."""
    base = data_folder(data_dir)
    return [_state(name, base) for name in CORPORA]


def _state(name: str, base: Path | None) -> CorpusState:
    c = corpus(split_name(name)[0])
    if c.folder is None:
        return CorpusState(name, c.title, c.terms, "present", "needs no data")
    if base is None or not (base / c.folder).is_dir():
        return CorpusState(name, c.title, c.terms, "absent", "no data folder" if base is None else f"no {c.folder}/")
    missing = missing_parts(c.name, base)
    detail = f"missing {', '.join(missing)}" if missing else str(base / c.folder)
    return CorpusState(name, c.title, c.terms, "incomplete" if missing else "present", detail)


def check_corpora(data_dir: Path | None = None, names: Sequence[str] = ()) -> list[CorpusState]:
    """Return corpora after reading all of them: how many clips, people and minutes, or what is wrong.

    Every one by default, absent ones left as they are; one that is named (NAME, NAME:train or NAME:val) must be there.
    """
    base = data_folder(data_dir)
    for name in names:
        corpus_root(split_name(name)[0], data_dir)
    return [_read_all(_state(name, base), data_dir) for name in dict.fromkeys(names or CORPORA)]


def _read_all(state: CorpusState, data_dir: Path | None) -> CorpusState:
    if state.state != "present":
        return state
    name, split = split_name(state.name)
    try:
        motions = list(load_raw(name, data_dir))
    except UserError as error:
        return CorpusState(state.name, state.title, state.terms, "damaged", str(error))
    return CorpusState(state.name, state.title, state.terms, "present", _amount(of_split(name, motions, split)))


def _amount(motions: Sequence[Motion]) -> str:
    people = {motion.meta["subject"] for motion in motions} - {None}
    who = f"{len(people)} people" if people else "people not stated"
    return f"{len(motions)} clips, {who}, {sum(motion.seconds for motion in motions) / 60:.1f} min"


def prepare_corpora(
    names: Sequence[str] = (), data_dir: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> list[CorpusState]:
    """Prepare corpora (all present ones by default) into the cache folder and return their states."""
    base = data_folder(data_dir)
    chosen = names or [name for name in CORPORA if _state(name, base).state == "present"]
    for name in chosen:  # mistakes before the long work, and before any file
        corpus_root(split_name(name)[0], data_dir)
    with staged(cache_folder()):
        pass  # refuses a cache folder that cannot be written
    states = []
    for name in dict.fromkeys(chosen):
        motions = prepared(name, data_dir, say)
        c = corpus(split_name(name)[0])
        states.append(CorpusState(name, c.title, c.terms, "present", f"{_amount(motions)}, in {cache_folder()}"))
    return states
