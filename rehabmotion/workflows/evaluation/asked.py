"""What a model is asked for: a motion for each real clip, with its words, score and length. Kept batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rehabmotion.data.prepare import cache_folder
from rehabmotion.errors import UserError
from rehabmotion.io.npz import read_npz, write_npz
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import WEIGHTS, Provenance
from rehabmotion.motion import Motion, Score
from rehabmotion.workflows.evaluation.sides import Side, caption_of
from rehabmotion.workflows.generate import BATCH, LONGEST, SHORTEST, Ask, generate_each
from rehabmotion.workflows.models import model_folder, open_model

MOST = 1000  # motions asked for by default
Progress = Callable[[int, int, str], None]


def generated_side(
    spec: str, real: Side, n: int | None, seed: int, progress: Progress = lambda *_: None
) -> tuple[Side, Provenance]:
    """Return motions made by the model `spec` for the clips of `real`, and the model's provenance.

    Without `n` one for each clip, at most 1,000, spread evenly over them; with more than there are clips, they are
    gone through again. What was made before with the same weights, clips and seed is taken from the cache folder.
    """
    if n is not None and n < 2:
        raise UserError(f"Expected at least 2 motions to judge, got {n}.")
    model, provenance = open_model(spec)
    rows = asked_rows(len(real), n)
    asks = [ask_like(real.motions[row], turn, model) for turn, row in enumerate(rows)]
    folder = cache_folder() / "generated" / _key(model_folder(spec), asks, seed)
    return Side(provenance.name, tuple(_made(model, provenance, asks, seed, folder, progress))), provenance


def asked_rows(n_real: int, n: int | None) -> list[int]:
    """Return which real clips are asked for."""
    wanted = min(n_real, MOST) if n is None else n
    if wanted <= n_real:
        return [int(row) for row in np.linspace(0, n_real - 1, wanted).round()]
    return [i % n_real for i in range(wanted)]


def ask_like(motion: Motion, number: int, model: Generator) -> Ask:
    """Return what is asked for in place of a real clip: its words, its first score that the model knows, its length."""
    scores = [score for score in motion.scores if score.scale in model.config.scales]
    seconds = float(np.clip(motion.seconds, SHORTEST, LONGEST))
    return Ask(caption_of(motion, number) or "a person moves", scores[0] if scores else None, seconds)


def _key(folder: Path, asks: Sequence[Ask], seed: int) -> str:
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes())
    digest.update((folder / "config.json").read_bytes())
    digest.update(repr(([(a.text, _spelled(a.score), a.seconds) for a in asks], seed)).encode())
    return digest.hexdigest()[:24]


def _spelled(score: Score | None) -> str:
    return str(score) if score else ""


def _made(
    model: Generator,
    provenance: Provenance,
    asks: Sequence[Ask],
    seed: int,
    folder: Path,
    progress: Progress,
) -> list[Motion]:
    """Return the motions, those of whole batches that lie in `folder` read from there, the others made and kept."""
    motions: list[Motion] = []
    batches = range(0, len(asks), BATCH)
    for first in batches:
        paths = [folder / f"{i:04d}.npz" for i in range(first, min(first + BATCH, len(asks)))]
        if all(path.is_file() for path in paths):
            motions += [read_npz(path) for path in paths]
        else:
            made = list(generate_each(model, provenance, asks[first : first + BATCH], seed, first=first))
            for motion, path in zip(made, paths, strict=True):
                write_npz(motion, path)
            motions += made
        progress(len(motions), len(asks), "generating")
    return motions
