"""The generator of a fold: a diffusion model trained on the motions of its training people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.captions import captions
from rehabmotion.data.samples import Samples, build_samples
from rehabmotion.errors import UserError
from rehabmotion.features import FEATURES
from rehabmotion.models.generator import Generator, Request
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, checkpoint_path, train
from rehabmotion.workflows.generate import BATCH, FPS, LONGEST, SHORTEST
from rehabmotion.workflows.sizes import size
from rehabmotion.workflows.train import Say, new_model
from rehabmotion.workflows.utility.protocol import Fold, MakeGenerator, Perform, Wanted


def train_in_fold(
    corpus: str,
    out: Path,
    steps: int | None = None,
    size_name: str = "small",
    beside: Mapping[str, Sequence[Motion]] | None = None,
    as_somebody: bool = True,
    say: Say = lambda _: None,
    family: str = "diffusion",
) -> MakeGenerator:
    """Return what trains a model in each fold, for `utility`; the runs lie in `out`/model-00, model-01 ...

    corpus: the name of the motions. steps: as the size says, if not given. beside: motions of other corpora to train
    with, which show nobody of this one. as_somebody: a request takes the manner of a training person who was recorded
    doing just that with just that score; else nobody's in particular. A stopped training goes on where it was.
    """
    chosen = size(size_name)
    if steps is not None and steps < 1:
        raise UserError(f"Expected at least one step, got {steps}.")
    if corpus in (beside or {}):
        raise UserError(f'Expected other corpora beside "{corpus}", got the same: its test people would be trained on.')

    def make(training: list[Motion], fold: Fold) -> Perform:
        corpora = {corpus: training, **(beside or {})}
        samples = build_samples(corpora, n_frames=chosen.n_frames, features=chosen.features)
        run = Path(out) / f"model-{fold.number:02d}"
        stopped = checkpoint_path(run).exists()
        model = new_model(family, samples, chosen, "ngram", fold.seed, stopped, say, text_seed=0)
        config = TrainingConfig(
            steps=steps or chosen.steps,
            batch_size=chosen.batch_size,
            learning_rate=chosen.learning_rate,
            ema=chosen.ema,
            seed=fold.seed,
        )
        model = train(model, BatchMaker(samples, model.config, fold.seed), None, config, run, resume=stopped)
        cast = Cast.of(samples, corpus)
        return lambda wanted: performed(model, cast if as_somebody else cast.anonymous(), wanted, fold.seed)

    return make


@dataclass(frozen=True)
class Cast:
    """Whose bodies and manners are drawn from: heights (N,), m, and the people recorded for (exercise, side, score)."""

    heights: NDArray[np.float32]
    people: Mapping[tuple[str, str | None, str], Sequence[int]]

    @classmethod
    def of(cls, samples: Samples, corpus: str) -> Cast:
        """Return those of one corpus. Under the score "" are all who did the exercise with that side."""
        people: dict[tuple[str, str | None, str], set[int]] = {}
        rows = [i for i, name in enumerate(samples.corpus) if name == corpus]
        for i in rows:
            if samples.person[i] >= 0:
                for score in ("", *map(str, samples.scores[i])):
                    people.setdefault((samples.exercise[i], samples.side[i], score), set()).add(int(samples.person[i]))
        return cls(samples.height[rows], {key: sorted(who) for key, who in people.items()})

    def anonymous(self) -> Cast:
        """Return the same bodies with nobody's manner."""
        return Cast(self.heights, {})


def performed(model: Generator, cast: Cast, wanted: Sequence[Wanted], seed: int) -> list[Motion]:
    """Return a motion (30 fps, canonical) for each request; phrasing, body size and manner are drawn from the seed.

    Durations beyond what `generate` takes, 1 to 10 s, are cut to it.
    """
    rng = np.random.default_rng(seed)
    seconds = [float(np.clip(one.seconds, SHORTEST, LONGEST)) for one in wanted]
    heights = rng.choice(cast.heights, len(wanted))
    texts = [str(rng.choice(_names(one))) for one in wanted]
    whom = [int(rng.choice(cast.people.get(_key(one), [-1]))) for one in wanted]
    motions = []
    for first in range(0, len(wanted), BATCH):
        rows = range(first, min(first + BATCH, len(wanted)))
        scores = [wanted[i].score for i in rows]
        request = Request(
            texts=[texts[i] for i in rows],
            sides=[wanted[i].side or "none" for i in rows],
            scales=[score.scale if score else None for score in scores],
            scores=[score.unit if score else 0.0 for score in scores],
            seconds=[seconds[i] for i in rows],
            people=[whom[i] for i in rows],
            seed=seed,
            first=first,
        )
        for i, x in zip(rows, model.sample(request).numpy(), strict=True):
            motion = FEATURES[model.config.features].decode(x, seconds[i], float(heights[i]), FPS)
            meta = {"source": "generated", "exercise": wanted[i].exercise, "side": wanted[i].side}
            motions.append(canonicalise(motion.but(text=texts[i], meta=meta)))
    return motions


def _names(one: Wanted) -> list[str]:
    """Return the plain names of an exercise with its side; where no side is told, its title."""
    if EXERCISES[one.exercise].sided and one.side is None:
        return [EXERCISES[one.exercise].title]
    return captions(one.exercise, one.side, ("name",))


def _key(one: Wanted) -> tuple[str, str | None, str]:
    return one.exercise, one.side, str(one.score) if one.score else ""
