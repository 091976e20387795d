"""What corpora are present, whether they are whole, and their prepared copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rehabmotion.data.corpora import CORPORA, corpus, data_folder, load_raw, missing_parts
from rehabmotion.data.prepare import cache_folder, prepared
from rehabmotion.errors import UserError


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
    c = corpus(name)
    if c.folder is None:
        return CorpusState(name, c.title, c.terms, "present", "needs no data")
    if base is None or not (base / c.folder).is_dir():
        return CorpusState(name, c.title, c.terms, "absent", "no data folder" if base is None else f"no {c.folder}/")
    missing = missing_parts(name, base)
    detail = f"missing {', '.join(missing)}" if missing else str(base / c.folder)
    return CorpusState(name, c.title, c.terms, "incomplete" if missing else "present", detail)


def check_corpora(data_dir: Path | None = None, names: tuple[str, ...] = ()) -> list[CorpusState]:
    """Return every corpus after reading all of it: how many clips, people and seconds, or what is wrong."""
    base = data_folder(data_dir)
    return [_read_all(_state(name, base), data_dir) for name in (names or CORPORA) if corpus(name)]


def _read_all(state: CorpusState, data_dir: Path | None) -> CorpusState:
    if state.state != "present":
        return state
    try:
        motions = list(load_raw(state.name, data_dir))
    except UserError as error:
        return CorpusState(state.name, state.title, state.terms, "damaged", str(error))
    people = {m.meta["subject"] for m in motions if m.meta["subject"] is not None}
    minutes = sum(motion.seconds for motion in motions) / 60
    who = f"{len(people)} people" if people else "people not stated"
    detail = f"{len(motions)} clips, {who}, {minutes:.1f} min"
    return CorpusState(state.name, state.title, state.terms, "present", detail)


def prepare_corpora(
    names: tuple[str, ...] = (), data_dir: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> list[CorpusState]:
    """Prepare corpora (all present ones by default) into the cache folder and return their states."""
    base = data_folder(data_dir)
    chosen = names or tuple(name for name in CORPORA if _state(name, base).state == "present")
    states = []
    for name in chosen:
        motions = prepared(name, data_dir, say)
        c = corpus(name)
        states.append(CorpusState(name, c.title, c.terms, "present", f"{len(motions)} clips in {cache_folder()}"))
    return states
