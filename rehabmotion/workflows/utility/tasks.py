"""What downstream models are asked in the utility protocol: the exercise, its quality, its score; and what they see.

A clip is bone directions over normalised time. Bones that the real training clips show less than half of the time are
zero for real and generated clips alike, so that nobody can tell the two by a missing head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.samples import time_warp
from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import normalise
from rehabmotion.metrics.judges import JUDGES, majority
from rehabmotion.metrics.regressors import REGRESSORS, ScoreRegressors
from rehabmotion.metrics.shape import direction_clip
from rehabmotion.motion import CANONICAL, Motion, Score

NOISE = 0.05  # of a bone's length, on every coordinate of its direction: about 3 degrees
SEEN = 0.5


@dataclass(frozen=True)
class Wanted:
    """One motion that a generator is asked for; whatever comes back counts as this."""

    exercise: str
    side: str | None
    score: Score | None
    seconds: float


@dataclass(frozen=True)
class Clips:
    """Labelled clips: x (N, 100, 21, 3); exercise (N,); value (N,) on the scale, NaN without; subject (N,) or None."""

    x: NDArray[np.float32]
    exercise: NDArray[np.str_]
    value: NDArray[np.float64]
    subject: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: NDArray[np.intp] | slice) -> Clips:
        """Return some of the clips."""
        return Clips(self.x[rows], self.exercise[rows], self.value[rows], self.subject[rows])

    def and_also(self, other: Clips) -> Clips:
        """Return these clips and others behind them."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Clips(*(np.concatenate(pair) for pair in pairs))


def bones_seen(motions: Sequence[Motion]) -> NDArray[np.bool_]:
    """Return which bones (21,) both ends of which, on both sides of the body, are valid in half of all frames."""
    joints = np.mean([motion.valid.mean(axis=0) for motion in motions], axis=0) >= SEEN
    both = joints & joints[list(CANONICAL.mirror_order)]
    return np.array([both[parent] and both[joint] for parent, joint in CANONICAL.bones])


def real_clips(motions: Sequence[Motion], scale: str | None, bones: NDArray[np.bool_]) -> Clips:
    """Return recorded motions as labelled clips."""
    values = [value_of(motion, scale) for motion in motions]
    subjects = np.array([str(motion.meta["subject"]) for motion in motions], dtype=object)
    exercises = np.array([str(motion.meta["exercise"]) for motion in motions])
    return Clips(_directions(motions, bones), exercises, np.array(values), subjects)


def asked_clips(motions: Sequence[Motion], wanted: Sequence[Wanted], bones: NDArray[np.bool_]) -> Clips:
    """Return generated motions as clips labelled with what was asked for; nobody's. Another number is refused."""
    if len(motions) != len(wanted):
        raise UserError(f"Expected a motion for each of {len(wanted)} requests, the generator gave {len(motions)}.")
    values = np.array([one.score.value if one.score else np.nan for one in wanted])
    exercises = np.array([one.exercise for one in wanted])
    return Clips(_directions(motions, bones), exercises, values, np.full(len(wanted), None, dtype=object))


def _directions(motions: Sequence[Motion], bones: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.stack([direction_clip(motion.positions) * bones[:, None] for motion in motions]).astype(np.float32)


def score_of(motion: Motion, scale: str | None) -> Score | None:
    """Return the motion's score on a scale, None where it has none."""
    return next((score for score in motion.scores if score.scale == scale), None)


def value_of(motion: Motion, scale: str | None) -> float:
    """Return the value of the motion's score on a scale, NaN where it has none."""
    score = score_of(motion, scale)
    return score.value if score else float("nan")


def wanted_like(motions: Sequence[Motion], n: int, scale: str | None, rng: np.random.Generator) -> list[Wanted]:
    """Return n requests with the exercises, sides, scores and durations of the motions, each used equally often."""
    rounds = [rng.permutation(len(motions)) for _ in range(-(-n // len(motions)))]
    chosen = [motions[i] for i in np.concatenate(rounds)[:n]]
    return [Wanted(str(m.meta["exercise"]), m.meta.get("side"), score_of(m, scale), m.seconds) for m in chosen]


# --- simple ways to have more clips ---------------------------------------------------------------------------------


def more(kind: str, clips: Clips, n: int, seed: int) -> Clips:
    """Return n copies of clips, each used equally often; kinds: copy as they are, noise, warp (of time), mirror.

    What mere copies change is no information: a learner that moves with them is to be mistrusted by as much.
    """
    if kind not in MORE:
        raise UserError(f'Expected a simple augmentation, got "{kind}". Known: {", ".join(MORE)}.')
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(len(clips)) for _ in range(-(-n // len(clips)))]
    copies = clips.take(np.concatenate([*rounds, np.zeros(0, np.intp)])[:n].astype(np.intp))
    return Clips(MORE[kind](copies.x, rng), copies.exercise, copies.value, copies.subject)


def _noise(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    seen = np.linalg.norm(x, axis=-1, keepdims=True) > 0
    return normalise(x + seen * rng.normal(0, NOISE, x.shape)).astype(np.float32)


def _warp(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return normalise(time_warp(x.reshape(*x.shape[:2], -1), rng).reshape(x.shape)).astype(np.float32)


def _mirror(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    ends = [joint for _, joint in CANONICAL.bones]
    order = [ends.index(CANONICAL.mirror_order[joint]) for joint in ends]
    return x[:, :, order] * np.array([-1, 1, 1], np.float32)


MORE: dict[str, Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]] = {
    "copy": lambda x, rng: x,
    "noise": _noise,
    "warp": _warp,
    "mirror": _mirror,
}


# --- tasks ----------------------------------------------------------------------------------------------------------

Predictor = Callable[[Clips], NDArray[Any]]


@dataclass(frozen=True)
class Downstream:
    """The models of the tasks: a judge for classes, regressors for scores, with their options by name."""

    judge: str = "minirocket"
    regressors: tuple[str, ...] = tuple(REGRESSORS)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def check(self) -> None:
        """Raise UserError for unknown names."""
        if self.judge not in JUDGES:
            raise UserError(f'Expected a judge, got "{self.judge}". Known: {", ".join(JUDGES)}.')
        unknown = [name for name in self.regressors if name not in REGRESSORS]
        if unknown or not self.regressors:
            got = unknown[0] if unknown else "none"
            raise UserError(f'Expected regressors, got "{got}". Known: {", ".join(REGRESSORS)}.')

    def new_judge(self, seed: int) -> Any:
        """Return an untrained judge."""
        return JUDGES[self.judge](seed=seed, **self.options.get(self.judge, {}))


@dataclass(frozen=True)
class Task:
    """A question: its labels, how a model of it is fitted, and what is answered without looking at the motion."""

    kind: str  # classes | score
    labels: Callable[[Clips], NDArray[Any]]
    fit: Callable[[Clips, Downstream, str | None, int], Predictor]
    blind: Mapping[str, Callable[[Clips], Predictor]]


def _fit_exercise(train: Clips, models: Downstream, scale: str | None, seed: int) -> Predictor:
    judge = models.new_judge(seed).fit(train.x, train.exercise)
    return lambda clips: judge.predict(clips.x)


def _fit_quality(train: Clips, models: Downstream, scale: str | None, seed: int) -> Predictor:
    """A judge for each exercise; where its clips have one label only, that is the answer."""
    judges: dict[str, Any] = {}
    for name in np.unique(train.exercise):
        rows = train.exercise == name
        if len(np.unique(train.value[rows])) > 1:
            judges[name] = models.new_judge(seed).fit(train.x[rows], train.value[rows])
    otherwise = _majority_by_exercise(train)

    def predict(clips: Clips) -> NDArray[Any]:
        answer = otherwise(clips)
        for name, judge in judges.items():
            rows = clips.exercise == name
            if rows.any():
                answer[rows] = judge.predict(clips.x[rows])
        return answer

    return predict


def _fit_score(train: Clips, models: Downstream, scale: str | None, seed: int) -> Predictor:
    fitted = ScoreRegressors(str(scale), seed, models.regressors, **models.options)
    fitted.fit(train.x, train.exercise.tolist(), train.value, train.subject.tolist())
    return lambda clips: fitted.predict(clips.x, clips.exercise.tolist())


def _majority(train: Clips) -> Predictor:
    answer = majority(train.exercise)
    return lambda clips: np.full(len(clips), answer)


def _by_exercise(of: Callable[[NDArray[np.float64]], float]) -> Callable[[Clips], Predictor]:
    """Return a maker of predictors that answer one number for each exercise; for one never seen, that of all."""

    def make(train: Clips) -> Predictor:
        table = {name: float(of(train.value[train.exercise == name])) for name in np.unique(train.exercise)}
        return lambda clips: np.array([table.get(name, float(of(train.value))) for name in clips.exercise])

    return make


_majority_by_exercise = _by_exercise(majority)

TASKS = {
    "exercise": Task("classes", lambda clips: clips.exercise, _fit_exercise, {"majority": _majority}),
    "quality": Task("classes", lambda clips: clips.value, _fit_quality, {"majority": _majority_by_exercise}),
    "score": Task(
        "score",
        lambda clips: clips.value,
        _fit_score,
        {
            "constant mean": _by_exercise(lambda y: float(np.mean(y))),
            "constant median": _by_exercise(lambda y: float(np.median(y))),
        },
    ),
}
