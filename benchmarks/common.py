"""What the benchmarks share: clips, judges fitted on real training people, the motions that are judged."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehabmotion.data.captions import HELD_OUT_FAMILIES, captions
from rehabmotion.data.prepare import prepared
from rehabmotion.metrics.judges import Judge
from rehabmotion.metrics.shape import direction_clip
from rehabmotion.motion import Motion, Score
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.motion.transforms import mirror
from rehabmotion.workflows.api import Model, generate

DESCRIPTIONS = 20  # per exercise
SAMPLES = 2
SEED = 20_261  # fixed beforehand; nothing is selected


def clips(motions: Sequence[Motion]) -> np.ndarray:
    """Return bone directions (N, 100, 21, 3) over normalised time."""
    return np.stack([direction_clip(motion.positions) for motion in motions])


def to_the_right(motions: Sequence[Motion]) -> list[Motion]:
    """Return the motions with those done to the left mirrored: sides are no diversity."""
    return [mirror(m) if m.meta.get("side") == "left" else m for m in motions]


def exercises_of(motions: Sequence[Motion]) -> np.ndarray:
    """Return the exercise ids (N,)."""
    return np.array([motion.meta["exercise"] for motion in motions])


def values_of(motions: Sequence[Motion], scale: str) -> np.ndarray:
    """Return the values (N,) of a scale; NaN where a motion has none."""
    return np.array([next((s.value for s in m.scores if s.scale == scale), np.nan) for m in motions])


@dataclass(frozen=True)
class RealClips:
    """UI-PRMD's training people and its held-out ones, prepared."""

    training: list[Motion]
    held_out: list[Motion]

    @classmethod
    def load(cls, data_dir: Path | None) -> RealClips:
        return cls(prepared("uiprmd:train", data_dir), prepared("uiprmd:val", data_dir))


@dataclass(frozen=True)
class Judges:
    """One judge of the exercise, and one of the quality for each exercise; trained on real training people only."""

    exercise: Judge
    quality: dict[str, Judge]

    @classmethod
    def fit(cls, real: RealClips, seed: int = 0) -> Judges:
        both = [*real.training, *map(mirror, real.training)]
        x, exercise, quality = clips(both), exercises_of(both), values_of(both, "uiprmd")
        judges = {name: Judge(seed).fit(x[exercise == name], quality[exercise == name]) for name in UIPRMD}
        return cls(Judge(seed).fit(x, exercise), judges)


def unseen_descriptions(exercise: str) -> list[str]:
    """Return the descriptions asked for: drawn once from the families the shipped model never saw."""
    texts = sorted({t for side in ("left", "right") for t in captions(exercise, side, HELD_OUT_FAMILIES)})
    return random.Random(SEED).sample(texts, DESCRIPTIONS)


def asked_motions(model: Model, descriptions: dict[str, list[str]], raw: bool = False) -> list[Motion]:
    """Return SAMPLES motions for each description at uiprmd:0 and 1; meta["asked"] is the exercise meant.

    raw: as the model painted them, without `clean_up`.
    """
    motions = []
    for exercise, texts in descriptions.items():
        for number, text in enumerate(texts):
            for value in (0, 1):
                how = {"samples": SAMPLES, "seed": SEED + 10 * number + value, "raw": raw}
                result = generate(model, text, Score("uiprmd", value), **how)
                motions += [m.but(meta={"asked": exercise, "description": text}) for m in result.motions]
    return motions


def bootstrap(groups: Sequence[Sequence[float]], n: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean over values in groups, whole groups drawn again with replacement."""
    rng = np.random.default_rng(seed)
    sums = np.array([np.sum(g) for g in groups])
    counts = np.array([len(g) for g in groups])
    rows = rng.integers(len(groups), size=(n, len(groups)))
    means = sums[rows].sum(axis=1) / counts[rows].sum(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def commit() -> str:
    """Return the short commit the figures were made at."""
    run = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"
