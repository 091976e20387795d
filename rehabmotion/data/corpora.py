"""The corpora by name: where each lies, how it is read, and which of its people are held out for validation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion

DATA_VARIABLE = "REHABMOTION_DATA"


@dataclass(frozen=True)
class Corpus:
    """A named set of motions. `held_out` picks the validation clips out of all of them, always the same ones."""

    name: str
    module: str  # in rehabmotion.data, with load(root)
    folder: str | None  # inside the data folder; None: needs none
    title: str
    terms: str  # open | share-alike | non-commercial | research only | user's own
    held_out: Callable[[Sequence[Motion]], list[bool]]
    needs: tuple[str, ...] = ()  # what must lie in the folder

    @property
    def may_ship(self) -> bool:
        """Whether weights trained on it may be shipped."""
        return self.terms == "open"


def _subjects(*names: str) -> Callable[[Sequence[Motion]], list[bool]]:
    return lambda motions: [motion.meta["subject"] in names for motion in motions]


def _every_fifth_subject(motions: Sequence[Motion]) -> list[bool]:
    """Every fifth subject by number: the 5th, 10th ... of those present."""
    numbers = sorted({str(m.meta["subject"]) for m in motions}, key=lambda s: (len(s), s))
    chosen = set(numbers[4::5])
    return [str(motion.meta["subject"]) in chosen for motion in motions]


def _every_fifth_clip(motions: Sequence[Motion]) -> list[bool]:
    """Every fifth clip of the list; windows of one clip stay together."""
    return [int(motion.meta["index"]) % 5 == 4 for motion in motions]


def _own_list(motions: Sequence[Motion]) -> list[bool]:
    return [motion.meta.get("split") == "val" for motion in motions]


CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "uiprmd",
            "uiprmd",
            "uiprmd",
            "UI-PRMD, Kinect: ten exercises, correct and deliberately incorrect",
            "open",
            _subjects("s06", "s08"),
            ("Segmented Movements/Kinect", "Incorrect Segmented Movements/Kinect"),
        ),
        Corpus(
            "uiprmd-vicon",
            "uiprmd_vicon",
            "uiprmd",
            "UI-PRMD, optical markers: the same repetitions",
            "open",
            _subjects("s06", "s08"),
            ("vicon_markers_100hz.npz",),
        ),
        Corpus(
            "kimore",
            "kimore",
            "kimore",
            "KIMORE: patients, five exercises, clinical scores",
            "research only",
            _every_fifth_subject,
            tuple(f"kimore_patients_ex{i}.npz" for i in range(1, 6)),
        ),
        Corpus(
            "mars",
            "mars",
            "mars",
            "MARS: ten rehabilitation movements, Kinect",
            "open",
            _subjects("3"),
            ("synced_data/wooutlier",),
        ),
        Corpus("cmu", "cmu", "cmu", "CMU motion capture", "open", _subjects("03"), ("subjects", "cmu-mocap-index.csv")),
        Corpus(
            "hdm05",
            "hdm05",
            "hdm05",
            "HDM05: eleven actions",
            "share-alike",
            _subjects("tr"),
            ("hdm05_motion_120hz.npz",),
        ),
        Corpus(
            "bandai",
            "bandai",
            "bandai",
            "Bandai-Namco: actions in styles (split by clip: its actors are not stated, so it is weaker)",
            "non-commercial",
            _every_fifth_clip,
            ("bandai_motion_30hz.npz",),
        ),
        Corpus(
            "humanml3d",
            "humanml3d",
            "humanml3d",
            "HumanML3D: text and motion",
            "user's own",
            _own_list,
            ("new_joints",),
        ),
        Corpus(
            "fms",
            "fms",
            "fms",
            "FMS, Azure Kinect (Xing et al. 2022)",
            "user's own",
            _every_fifth_subject,
        ),
        Corpus("simulator", "simulator.corpus", None, "Exercise simulator, made on the fly", "open", _own_list),
    )
}


def corpus(name: str) -> Corpus:
    """Return a corpus by name; unknown names raise UserError."""
    if name not in CORPORA:
        raise UserError(f'Expected a corpus, got "{name}". Known: {", ".join(CORPORA)}.')
    return CORPORA[name]


def of_split(name: str, motions: Sequence[Motion], split: str) -> list[Motion]:
    """Return the motions of a corpus that belong to "train", "val" or "all".

    What a set's own lists call its test part is in neither train nor val.
    """
    if split == "all":
        return list(motions)
    held_out = corpus(name).held_out(motions)
    pairs = zip(motions, held_out, strict=True)
    if split == "val":
        return [motion for motion, out in pairs if out]
    return [motion for motion, out in pairs if not out and motion.meta.get("split") != "test"]


def split_name(text: str) -> tuple[str, str]:
    """Return (corpus, split) of NAME, NAME:train or NAME:val; split is "all" for a plain name."""
    name, _, split = text.partition(":")
    corpus(name)
    if split not in ("", "train", "val", "all"):
        raise UserError(f'Expected {name}:train or {name}:val, got "{text}".')
    return name, split or "all"


def data_folder(given: Path | None = None) -> Path | None:
    """Return the data folder: the one given, else that of REHABMOTION_DATA, else None. A missing one is refused."""
    named = given or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
    if named is None:
        return None
    if not named.is_dir():
        raise UserError(f"Expected a data folder, {named} does not exist. Set {DATA_VARIABLE} or --data-dir.")
    return named


def corpus_root(name: str, data_dir: Path | None = None) -> Path | None:
    """Return the folder of a corpus, None for one that needs none. An absent corpus raises UserError."""
    c = corpus(name)
    if c.folder is None:
        return None
    base = data_folder(data_dir)
    if base is None:
        raise UserError(f'The corpus "{name}" needs data: set {DATA_VARIABLE} or pass --data-dir DIR.')
    missing = missing_parts(name, base)
    if missing:
        raise UserError(f'The corpus "{name}" is not whole in {base}: missing {", ".join(missing)}.')
    return base / c.folder


def missing_parts(name: str, base: Path) -> list[str]:
    """Return what is missing of a corpus in the data folder `base`, as paths inside it."""
    c = corpus(name)
    if c.folder is None:
        return []
    if not (base / c.folder).is_dir():
        return [c.folder]
    return [f"{c.folder}/{part}" for part in c.needs if not (base / c.folder / part).exists()]


def load_raw(name: str, data_dir: Path | None = None) -> Iterator[Motion]:
    """Yield the motions of a corpus as its reader gives them: canonical joints, native rate, bones as measured."""
    root = corpus_root(name, data_dir)
    module = import_module(f"rehabmotion.data.{corpus(name).module}")
    if root is None:
        yield from module.corpus_motions()
    else:
        yield from module.load(root)
