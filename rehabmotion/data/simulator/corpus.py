"""The simulator as a corpus: always the same motions, training and validation from seeds of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rehabmotion.data.simulator.simulate import load
from rehabmotion.motion import Motion

VERSION = 6  # raise when simulated motions change: prepared copies are then made anew
SEEDS = {"train": (1001, 1002), "val": (2001, 2002)}
PER_EXERCISE = {"train": 72, "val": 18}  # of each kind: balanced over grades, and over scores


def corpus_motions() -> Iterator[Motion]:
    """Yield the motions of both splits, meta["split"] saying which; half balanced over grades, half over scores.

    People are never shared between the splits: a subject's name carries the seed.
    """
    for split, (graded, scored) in SEEDS.items():
        n = PER_EXERCISE[split]
        parts = chain(load(graded, n, n_bodies=60), load(scored, n, n_bodies=60, by="score"))
        for motion in parts:
            subject = f"{motion.meta['seed']}-{motion.meta['subject']}"
            yield motion.but(meta={"split": split, "subject": subject})
