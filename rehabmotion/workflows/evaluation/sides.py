"""The sides of a comparison: motions of a folder, a corpus, or a model that is asked for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehabmotion.data.captions import captions, with_side
from rehabmotion.data.corpora import CORPORA, split_name
from rehabmotion.data.prepare import prepared
from rehabmotion.errors import UserError
from rehabmotion.io.npz import read_npz
from rehabmotion.models.store import WEIGHTS
from rehabmotion.motion import CANONICAL, EXERCISES, Motion
from rehabmotion.workflows.models import SHIPPED

Say = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """The motions of one side and the name it has in reports: a folder's, a corpus', a model's; never a whole path."""

    name: str
    motions: tuple[Motion, ...]

    def __len__(self) -> int:
        return len(self.motions)

    @property
    def subjects(self) -> list[str | None]:
        """Who moves in each clip; corpora number their people independently."""
        return [_subject(motion) for motion in self.motions]

    def take(self, rows: Sequence[int] | np.ndarray) -> Side:
        """Return the side with some of its motions."""
        return Side(self.name, tuple(self.motions[int(i)] for i in rows))

    def summary(self) -> dict[str, object]:
        """Return what reports say of it."""
        people = {subject for subject in self.subjects if subject is not None}
        return {"name": self.name, "n": len(self), "subjects": len(people)}


def _subject(motion: Motion) -> str | None:
    subject = motion.meta.get("subject")
    return None if subject is None else f"{motion.meta.get('source')} {subject}"


def is_model(spec: str) -> bool:
    """Return whether a name or folder is a model: a shipped one, or a run folder with weights."""
    return ("/" not in spec and (SHIPPED / spec / WEIGHTS).is_file()) or (Path(spec) / WEIGHTS).is_file()


def is_corpus(spec: str) -> bool:
    """Return whether a text names a corpus or a part of one."""
    return spec.partition(":")[0] in CORPORA


def load_side(spec: str, data_dir: Path | None = None, say: Say = lambda _: None) -> Side:
    """Return the motions of a folder of `.npz` files, read recursively in the order of their names, or of a corpus."""
    if is_corpus(spec):
        split_name(spec)
        side = Side(spec, tuple(prepared(spec, data_dir, say)))
    else:
        side = Side(Path(spec).resolve().name, tuple(_read_folder(Path(spec))))
    if len(side) < 2:
        raise UserError(f"Expected at least 2 motions in {spec}, got {len(side)}.")
    return side


def _read_folder(folder: Path) -> list[Motion]:
    if not folder.is_dir():
        raise UserError(f"Expected a folder of .npz motions or a corpus ({', '.join(CORPORA)}), got {folder}.")
    files = sorted(folder.rglob("*.npz"))
    if not files:
        raise UserError(f"Expected .npz motions in {folder}, found none. Convert them first: rehabmotion convert.")
    return [read_npz(path) for path in files]


def check_comparable(sides: Sequence[Side]) -> None:
    """Raise UserError unless all motions have the canonical skeleton and one frame rate."""
    for side in sides:
        for motion in side.motions:
            if motion.skeleton != CANONICAL:
                raise UserError(
                    f"Expected the canonical 22 joints on every side, {side.name} has a motion of "
                    f"{len(motion.skeleton)} other joints. Bring it there with: rehabmotion convert."
                )
    rates = {round(motion.fps, 6): side.name for side in sides for motion in side.motions}
    if len(rates) > 1:
        spelled = ", ".join(f"{rate:g} in {name}" for rate, name in sorted(rates.items()))
        raise UserError(f"Expected one frame rate on all sides, got {spelled}. Resample one of them.")


def caption_of(motion: Motion, number: int) -> str:
    """Return the words of a clip: its own text, else a plain name of its exercise with the side, else nothing.

    `number` picks among the names, so that clips of one exercise do not all share one wording.
    """
    exercise, side = motion.meta.get("exercise"), motion.meta.get("side")
    if motion.text or exercise not in EXERCISES:
        return motion.text
    texts = captions(exercise, side if side in EXERCISES[exercise].sides else "right", ("name",))
    return with_side(texts[number % len(texts)], exercise, side)


def fingerprint(motions: Sequence[Motion], *more: str) -> str:
    """Return a short hash of positions, masks, rates, words and labels: what cached work is kept under."""
    digest = hashlib.sha256("|".join(more).encode())
    for m in motions:
        digest.update(m.positions.tobytes())
        digest.update(np.packbits(m.valid).tobytes())
        labels = (m.fps, m.text, *map(str, m.scores), m.meta.get("exercise"), m.meta.get("side"))
        digest.update(repr(labels).encode())
    return digest.hexdigest()[:24]
