"""The corpora by name, and that nobody is in two splits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import rehabmotion.data.corpora as corpora
from rehabmotion.data.caption_draws import draw_caption
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
from rehabmotion.data.prepare import prepared
from rehabmotion.errors import UserError
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.motion.transforms import mirror

BY_PERSON = ("uiprmd", "uiprmd-vicon", "kimore", "mars", "cmu", "hdm05", "fms")
TERMS = {"open", "share-alike", "non-commercial", "research only", "user's own"}


def clips(subjects: list[str | None], **meta: object) -> list[Motion]:
    return [Motion(np.zeros((1, 22, 3)), 30.0, meta={"subject": s, **meta}) for s in subjects]


# --- splits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_PERSON)
def test_a_persons_clips_are_on_one_side_of_the_split(name: str) -> None:
    people = [f"s{i:02d}" for i in range(1, 11)] + ["1", "2", "3", "03", "tr", "bd"]
    motions = clips(people * 4)
    out = corpus(name).held_out(motions)
    assert len(out) == len(motions)
    assert any(out)
    assert not all(out)
    for person in people:
        assert len({o for o, m in zip(out, motions, strict=True) if m.meta["subject"] == person}) == 1


@pytest.mark.parametrize("name", [n for n in CORPORA if n != "simulator"])
def test_a_mirrored_clip_stays_with_its_person(name: str) -> None:
    motions = [m.but(meta={"index": i, "split": "val"}) for i, m in enumerate(clips(["s05", "s06", "3", "03", "tr"]))]
    assert corpus(name).held_out([mirror(m) for m in motions]) == corpus(name).held_out(motions)


def test_both_sensors_hold_the_same_people_out() -> None:
    # the markers and the Kinect saw the same repetitions
    motions = clips([f"s{i:02d}" for i in range(1, 11)])
    assert corpus("uiprmd").held_out(motions) == corpus("uiprmd-vicon").held_out(motions)


def test_every_fifth_subject_by_number_whatever_the_order() -> None:
    motions = clips([str(i) for i in (10, 2, 1, 7, 3, 12, 5, 4, 9, 6)])
    out = {m.meta["subject"] for m, o in zip(motions, corpus("kimore").held_out(motions), strict=True) if o}
    assert out == {"5", "12"}  # the 5th and the 10th: 1 2 3 4 5 6 7 9 10 12


def test_windows_of_one_clip_stay_together() -> None:
    motions = [m.but(meta={"index": i}) for i in range(20) for m in clips([None, None])]
    out = corpus("bandai").held_out(motions)
    assert out[::2] == out[1::2]
    assert sum(out[::2]) == 4


@pytest.mark.parametrize("name", ["humanml3d", "simulator"])
def test_a_set_with_its_own_lists_keeps_them(name: str) -> None:
    motions = [clips(["s"], split=s)[0] for s in ("train", "val", "test", None)]
    assert corpus(name).held_out(motions) == [False, True, False, False]


def test_simulated_people_are_in_one_split_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import rehabmotion.data.simulator.corpus as simulator

    monkeypatch.setattr(simulator, "PER_EXERCISE", {"train": 2, "val": 1})
    motions = list(load_raw("simulator"))
    out = corpus("simulator").held_out(motions)
    people = [{m.meta["subject"] for m, o in zip(motions, out, strict=True) if o is side} for side in (True, False)]
    assert min(map(len, people)) > 10
    assert people[0].isdisjoint(people[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in CORPORA if n != "simulator"])
def test_nobody_of_the_real_sets_is_in_two_splits(
    name: str, data_dir: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing_parts(name, data_dir):
        pytest.skip(f"the data folder has no whole {name}")
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    train, val = (prepared(f"{name}:{split}", data_dir) for split in ("train", "val"))
    everything = prepared(name, data_dir)
    assert len(train) + len(val) == len(everything)
    key = "clip" if name == "bandai" else "subject"
    people = [{m.meta[key] for m in part} for part in (train, val)]
    if name != "humanml3d":  # the golden pair alone has no list
        assert len(val) > 0.05 * len(everything)
    assert people[0].isdisjoint(people[1]) or people[0] == {None}
    assert {m.meta["source"] for m in everything} == {everything[0].meta["source"]}
    for motion in everything:
        exercise, side = motion.meta["exercise"], motion.meta["side"]
        assert exercise is None or side in EXERCISES[exercise].sides
    asked = {(m.meta["exercise"], m.meta["side"]) for m in everything if m.meta["exercise"]}
    for exercise, side in asked:
        for seed in range(20):
            assert draw_caption(exercise, side, np.random.default_rng(seed)).text


# --- names and folders --------------------------------------------------------------------------------------------


def test_names_terms_and_what_may_ship() -> None:
    assert {c.terms for c in CORPORA.values()} <= TERMS
    assert all(key == c.name for key, c in CORPORA.items())
    assert {c.name for c in CORPORA.values() if c.may_ship} == {"uiprmd", "uiprmd-vicon", "mars", "cmu", "simulator"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("uiprmd", ("uiprmd", "all")),
        ("uiprmd:all", ("uiprmd", "all")),
        ("cmu:train", ("cmu", "train")),
        ("cmu:val", ("cmu", "val")),
        ("cmu:", ("cmu", "all")),
    ],
)
def test_a_name_and_its_split(text: str, parts: tuple[str, str]) -> None:
    assert split_name(text) == parts


@pytest.mark.parametrize("text", ["amass", "", "uiprmd:test", "uiprmd:train:val", ":train"])
def test_unknown_names_and_splits_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        split_name(text)


def test_where_the_data_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(corpora.DATA_VARIABLE, raising=False)
    assert data_folder() is None
    monkeypatch.setenv(corpora.DATA_VARIABLE, str(tmp_path))
    assert data_folder() == tmp_path
    (tmp_path / "other").mkdir()
    assert data_folder(tmp_path / "other") == tmp_path / "other"
    with pytest.raises(UserError, match="does not exist"):
        data_folder(tmp_path / "nowhere")


def fails(action: Callable[[], object], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        action()
    assert "\n" not in str(caught.value)


def test_an_absent_corpus_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(corpora.DATA_VARIABLE, raising=False)
    fails(lambda: corpus_root("cmu"), "needs data: set REHABMOTION_DATA")
    fails(lambda: corpus_root("cmu", tmp_path), "missing cmu")
    (tmp_path / "cmu" / "subjects").mkdir(parents=True)
    fails(lambda: corpus_root("cmu", tmp_path), "missing cmu/cmu-mocap-index.csv")
    (tmp_path / "cmu" / "cmu-mocap-index.csv").touch()
    assert corpus_root("cmu", tmp_path) == tmp_path / "cmu"
    assert missing_parts("cmu", tmp_path) == []
    assert corpus_root("simulator") is None
    assert missing_parts("simulator", tmp_path) == []


@pytest.mark.parametrize("name", [n for n in CORPORA if CORPORA[n].folder])
def test_every_corpus_can_be_imported_and_refuses_an_empty_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / str(CORPORA[name].folder)).mkdir()
    for part in CORPORA[name].needs:
        (tmp_path / str(CORPORA[name].folder) / part).mkdir(parents=True)
    fails(lambda: list(load_raw(name, tmp_path)), "Expected")


def test_a_sets_own_test_list_neither_trains_nor_validates() -> None:
    motions = [Motion(np.zeros((5, 22, 3)), 20.0, meta={"split": split}) for split in ("train", "val", "test")]
    parts = {
        split: [m.meta["split"] for m in of_split("humanml3d", motions, split)] for split in ("train", "val", "all")
    }
    assert parts == {"train": ["train"], "val": ["val"], "all": ["train", "val", "test"]}
