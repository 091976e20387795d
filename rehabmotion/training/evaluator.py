"""Training of the evaluator: its clips with their labels, batches drawn from them, and what is learnt once at the end.

The loop is that of every model (loop.py). Some clips of a batch are spoilt on purpose, by noise or by freezing them:
these are no answers to any caption, and the features must tell what happened to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.data.caption_draws import Caption, draw_caption
from rehabmotion.data.captions import TRAINING_FAMILIES
from rehabmotion.data.samples import time_warp
from rehabmotion.errors import UserError
from rehabmotion.features.canonical import Statistics, fit_statistics
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.models.evaluator import Evaluator, EvaluatorBatch
from rehabmotion.models.evaluator_input import Clips, hashed_words, parts_of, read_clips
from rehabmotion.motion import EXERCISES, Motion, Score
from rehabmotion.motion.transforms import mirror

SIDES = ("none", "left", "right")
SHARES = {"cmu": 0.2}  # how often a corpus is drawn beside others, which count 1: CMU has few clips, each with its text
IN_WORDS = 0.2  # share of judged clips whose caption says how well it was done
NOISY, FROZEN = 0.2, 0.05  # shares of a batch that are spoilt
NOISE = (0.002, 0.05)  # of the body's size (ankle to neck); drawn evenly in the logarithm
HIDDEN = 0.15  # share of clips that lose joints
TURN = 0.15  # radians: most a clip is turned about the vertical


@dataclass(frozen=True)
class EvaluatorSamples:
    """Clips with what their captions can say; weight (N,): how often each is drawn, which sums to 1.

    The group is the exercise; doing a one-sided exercise with both sides at once, and any clip that has a text and no
    exercise, is a group of its own.
    """

    clips: Clips
    exercise: tuple[str, ...]
    side: tuple[str, ...]
    text: tuple[str, ...]
    scores: tuple[tuple[Score, ...], ...]
    corpus: tuple[str, ...]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def ids(self) -> tuple[str, ...]:
        """What each clip shows, "exercise side"; its text where it shows no known exercise."""
        named = zip(self.exercise, self.side, self.text, strict=True)
        return tuple(f"{exercise} {side}" if exercise else text for exercise, side, text in named)

    @property
    def groups(self) -> NDArray[np.int64]:
        """A number for each clip; clips of one group are one exercise, whatever the side."""
        names = [
            i if not e or (s == "both" and EXERCISES[e].sided) else e
            for i, e, s in zip(self.ids, self.exercise, self.side, strict=True)
        ]
        return np.unique(names, return_inverse=True)[1]

    @property
    def scales(self) -> tuple[str, ...]:
        """The score scales that occur, sorted."""
        return tuple(sorted({score.scale for scores in self.scores for score in scores}))


def evaluator_samples(
    corpora: Mapping[str, Sequence[Motion]], n_frames: int = 64, mirrored: bool = True
) -> EvaluatorSamples:
    """Return the clips of several corpora, with `mirrored` each one's mirror image beside it.

    Inside a corpus every exercise and side is drawn equally often. Clips without words of any kind are left out.
    """
    pairs = [(name, m) for name, motions in corpora.items() for m in motions if m.meta.get("exercise") or m.text]
    if not pairs:
        raise UserError("Expected clips with an exercise or a text, got none.")
    if mirrored:
        pairs += [(name, mirror(motion)) for name, motion in pairs]
    corpus, motions = zip(*pairs, strict=True)
    samples = EvaluatorSamples(
        clips=read_clips(motions, n_frames),
        exercise=tuple(str(m.meta.get("exercise") or "") for m in motions),
        side=tuple(str(m.meta.get("side") or "none") for m in motions),
        text=tuple(m.text for m in motions),
        scores=tuple(m.scores for m in motions),
        corpus=corpus,
        weight=np.ones(len(motions)),
    )
    cells = list(zip(corpus, samples.ids, strict=True))
    of_cell = Counter(cells)
    of_corpus = Counter(name for name, _ in of_cell)
    weight = np.array([SHARES.get(c, 1.0) / of_corpus[c] / of_cell[c, i] for c, i in cells])
    return EvaluatorSamples(**{**samples.__dict__, "weight": weight / weight.sum()})


def channel_statistics(clips: Clips) -> Statistics:
    """Return mean and deviation of the evaluator's channels over training clips."""
    parts, seen = parts_of(torch.from_numpy(clips.positions), torch.from_numpy(clips.valid))
    return fit_statistics(parts.flatten(2).numpy(), seen.numpy())


class EvaluatorBatches:
    """Samples -> batches. A draw depends on (seed, step, shard) alone; captions come from TRAINING_FAMILIES."""

    def __init__(self, samples: EvaluatorSamples, scales: Sequence[str], seed: int = 0) -> None:
        self.samples, self.scales, self.seed, self.groups = samples, tuple(scales), seed, samples.groups

    def draw(self, model: Evaluator, step: int, size: int, shard: int = 0, shards: int = 1) -> EvaluatorBatch:
        """Return the batch of a training step, augmented and partly spoilt, on the CPU."""
        rng = np.random.default_rng([self.seed, step, shard])
        rows = rng.choice(len(self.samples), size, p=self.samples.weight)
        clips = self.samples.clips
        x = turned(time_warp(clips.positions[rows].reshape(size, -1, 66), rng).reshape(size, -1, 22, 3), rng)
        x, whole = spoilt(x, rng)
        return self._batch(model, rows, x, hidden(clips.valid[rows], rng), whole, rng)

    def fixed(self, model: Evaluator, rows: NDArray[np.int64], seed: int) -> EvaluatorBatch:
        """Return given rows as a batch, as they are: for validation."""
        clips = self.samples.clips
        whole = np.ones(len(rows), bool)
        return self._batch(model, rows, clips.positions[rows], clips.valid[rows], whole, np.random.default_rng(seed))

    def _batch(
        self,
        model: Evaluator,
        rows: NDArray[np.int64],
        positions: NDArray[np.float32],
        valid: NDArray[np.bool_],
        whole: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> EvaluatorBatch:
        captions = [self._caption(int(row), rng) for row in rows]
        unit, scored = self._scores(rows)
        return EvaluatorBatch(
            positions=torch.from_numpy(np.ascontiguousarray(positions, np.float32)),
            valid=torch.from_numpy(valid),
            seconds=torch.from_numpy(self.samples.clips.seconds[rows]),
            rows=hashed_words([caption.text for caption in captions], model.hashing),
            group=torch.from_numpy(self.groups[rows]),
            side=torch.tensor([_side_number(self.samples.side[row]) for row in rows]),
            said=torch.tensor([_side_number(caption.side) for caption in captions]),
            whole=torch.from_numpy(whole),
            unit=unit,
            scored=scored,
        )

    def _caption(self, row: int, rng: np.random.Generator) -> Caption:
        s = self.samples
        if not s.exercise[row]:
            return Caption(s.text[row])
        judged = [score for score in s.scores[row] if score.scale == "uiprmd"]
        quality = bool(judged[0].value) if judged and rng.random() < IN_WORDS else None
        return draw_caption(s.exercise[row], s.side[row], rng, TRAINING_FAMILIES, quality)

    def _scores(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores on 0..1 and which there are, (B, S) each; at least one column."""
        unit = torch.zeros(len(rows), max(1, len(self.scales)))
        scored = torch.zeros_like(unit, dtype=torch.bool)
        for i, row in enumerate(rows):
            for score in self.samples.scores[row]:
                if score.scale in self.scales:
                    column = self.scales.index(score.scale)
                    unit[i, column], scored[i, column] = score.unit, True
        return unit, scored


def _side_number(side: str) -> int:
    return SIDES.index(side) if side in SIDES else 0  # both: its group says so already


def turned(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return clips (B, T, 22, 3) each turned a little about the vertical: where one faces is known to a few degrees."""
    turns = np.stack([yaw_matrix(angle) for angle in rng.uniform(-TURN, TURN, len(x))]).astype(np.float32)
    return np.einsum("btjc,bdc->btjd", x, turns)


def spoilt(x: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return clips (B, T, 22, 3), some with white noise and some frozen in one pose, and which of them are whole."""
    draw = rng.random(len(x))
    noisy, frozen = draw < NOISY, (draw >= NOISY) & (draw < NOISY + FROZEN)
    size = np.exp(rng.uniform(np.log(NOISE[0]), np.log(NOISE[1]), len(x))) * noisy
    pose = x[np.arange(len(x)), rng.integers(x.shape[1], size=len(x))][:, None]
    x = np.where(frozen[:, None, None, None], pose, x)
    noise = rng.standard_normal(x.shape, dtype=np.float32) * size[:, None, None, None].astype(np.float32)
    return x + noise, ~(noisy | frozen)


def hidden(valid: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return masks (B, T, 22) of which some lose joints for the whole clip, as other sensors lack them."""
    some = rng.random(len(valid)) < HIDDEN
    lost = rng.random((len(valid), valid.shape[2])) < rng.uniform(0, 0.3, len(valid))[:, None]
    lost[:, :3] = False  # pelvis and hips give the frame everything stands in
    return valid & ~(some[:, None] & lost)[:, None]


@torch.no_grad()
def fit_features(model: Evaluator, samples: EvaluatorSamples) -> None:
    """Learn the principal axes of the features from recorded training people; from all where nobody was recorded."""
    recorded = np.array([corpus != "simulator" for corpus in samples.corpus])
    rows = np.flatnonzero(recorded) if recorded.sum() > model.config.n_principal else np.arange(len(samples))
    found = []
    for chunk in np.array_split(rows, max(1, len(rows) // 64)):
        clips = samples.clips
        arrays = (torch.from_numpy(a[chunk]) for a in (clips.positions, clips.valid, clips.seconds))
        found.append(model.eval()(*arrays)[1])
    model.fit_principal(torch.cat(found))
