"""Words and a score in, motions out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rehabmotion import __version__
from rehabmotion.errors import UserError
from rehabmotion.features import FEATURES
from rehabmotion.models.generator import Generator, Request
from rehabmotion.models.store import Provenance
from rehabmotion.motion import EXERCISES, SCALES, Motion, Score
from rehabmotion.motion.cleanup import clean_up
from rehabmotion.motion.transforms import canonicalise

MAX_TEXT = 2000
MAX_SAMPLES = 1000
SHORTEST, LONGEST = 1.0, 10.0  # seconds
FPS = 30.0
BATCH = 32
UNSURE = 0.4  # below this confidence, or with half as much of it in `other`, the nearest is named in a warning


@dataclass(frozen=True)
class Generated:
    """Motions and what was understood of the words."""

    motions: list[Motion]
    exercise: str
    confidence: float
    warnings: list[str] = field(default_factory=list)


def check_request(
    text: str, score: Score | None, seconds: float | None, samples: int, seed: int, model: Generator
) -> None:
    """Raise UserError for anything that cannot be generated."""
    if not text.strip():
        raise UserError("Expected a sentence, got an empty text. For example: 'a person performs a deep squat'.")
    if len(text) > MAX_TEXT:
        raise UserError(f"Expected at most {MAX_TEXT} characters of text, got {len(text)}. One sentence is enough.")
    if seconds is not None and not (math.isfinite(seconds) and SHORTEST <= seconds <= LONGEST):
        raise UserError(f"Expected {SHORTEST:g} to {LONGEST:g} seconds, got {seconds:g}.")
    if not 1 <= samples <= MAX_SAMPLES:
        raise UserError(f"Expected 1 to {MAX_SAMPLES} samples, got {samples}.")
    if not 0 <= seed < 2**63:
        raise UserError(f"Expected a seed of 0 or more, got {seed}.")
    if score is not None and score.scale not in model.config.scales:
        learnt = ", ".join(f"{name}:{SCALES[name].spelled_range}" for name in model.config.scales) or "none"
        raise UserError(f"This model has not learnt the scale {score.scale}. It has: {learnt}.")


@dataclass(frozen=True)
class Ask:
    """One motion that is asked for. `like`: side, body and manner are drawn as for that number, not for its own."""

    text: str
    score: Score | None = None
    seconds: float | None = None
    like: int | None = None


def generate(
    model: Generator,
    provenance: Provenance,
    text: str,
    score: Score | None = None,
    seconds: float | None = None,
    samples: int = 1,
    seed: int = 0,
    guidance: float | None = None,
    steps: int | None = None,
    raw: bool = False,
) -> Generated:
    """Return `samples` motions of one repetition each, 30 fps, canonical frame, constant bones.

    Side and duration are taken from the words and `seconds`; what they leave open is drawn from the seed: a side for
    one-sided exercises, a duration and a body size like those of the training people. The same seed gives the same
    motions; the first of many is the only one of one. raw: as the model painted them, without `clean_up`.
    """
    check_request(text, score, seconds, samples, seed, model)
    understood = model.text.understand([text])[0]
    asks = [Ask(text, score, seconds)] * samples
    motions = list(generate_each(model, provenance, asks, seed, guidance, steps, [understood] * samples, raw=raw))
    return Generated(motions, understood["exercise"], understood["confidence"], doubts(understood))


def generate_each(
    model: Generator,
    provenance: Provenance,
    asks: Sequence[Ask],
    seed: int = 0,
    guidance: float | None = None,
    steps: int | None = None,
    understood: Sequence[dict[str, Any]] | None = None,
    first: int = 0,
    raw: bool = False,
) -> Iterator[Motion]:
    """Yield a motion for each of `asks`, batch by batch; number i depends on asks[i], the seed and first + i alone."""
    if guidance is not None and not (math.isfinite(guidance) and 0 <= guidance <= 20):
        raise UserError(f"Expected guidance from 0 to 20, got {guidance:g}.")
    if steps is not None and not 1 <= steps <= 1000:
        raise UserError(f"Expected 1 to 1000 steps, got {steps}.")
    for ask in asks:
        check_request(ask.text, ask.score, ask.seconds, 1, seed, model)
    read = understood or [one for texts in _chunks([a.text for a in asks]) for one in model.text.understand(texts)]
    numbers = range(first, first + len(asks))
    draws = [
        _draw(one, ask.score, ask.seconds, provenance, _drawer(ask, seed, number))
        for one, ask, number in zip(read, asks, numbers, strict=True)
    ]
    for start in range(0, len(asks), BATCH):
        rows = range(start, min(start + BATCH, len(asks)))
        request = _request([asks[i] for i in rows], [draws[i] for i in rows], seed, numbers[start])
        x = model.sample(request, steps=steps, guidance_text=guidance).numpy()
        for i, features in zip(rows, x, strict=True):
            one = _motion(features, model.config.features, draws[i], asks[i], read[i], provenance, seed, numbers[i])
            yield one if raw else canonicalise(clean_up(one)[0])


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(texts), BATCH):
        yield list(texts[first : first + BATCH])


def _drawer(ask: Ask, seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, number if ask.like is None else ask.like])


@dataclass(frozen=True)
class _Draw:
    side: str
    seconds: float
    height: float
    person: int


def _draw(
    understood: dict[str, Any], score: Score | None, seconds: float | None, p: Provenance, rng: np.random.Generator
) -> _Draw:
    """Return what the words leave open, drawn in a fixed order so that giving one of them does not move the others."""
    left = rng.random() < 0.5
    log_deviation = float(np.clip(rng.standard_normal(), -1.5, 1.5))
    height = p.heights[0] + p.heights[1] * float(np.clip(rng.standard_normal(), -1.5, 1.5))
    whom = rng.random()
    exercise = EXERCISES[understood["exercise"]]
    side = understood["side"]
    if side not in exercise.sides:
        side = ("left" if left else "right") if exercise.sided else "both"
    if seconds is None:
        mean, deviation = _duration(exercise.id, score, p)
        seconds = float(np.clip(math.exp(mean + deviation * log_deviation), SHORTEST, LONGEST))
    return _Draw(side, seconds, height, _person(exercise.id, side, score, p, whom))


def _person(exercise: str, side: str, score: Score | None, p: Provenance, whom: float) -> int:
    """Return whose manner is taken: one of those recorded doing this, as `whom` in 0..1 picks; -1 = nobody's.

    Simulated scores are nobody's: no person of the recordings was ever given them.
    """
    people = p.people.get(exercise, {}).get(side, [])
    if not people or (score is not None and score.scale in ("sim", "fms")):
        return -1
    return people[int(whom * len(people))]


def usual_seconds(exercise: str, score: Score | None, p: Provenance) -> float:
    """Return how long a repetition of an exercise usually takes: the geometric mean over the training people's."""
    return math.exp(_duration(exercise, score, p)[0])


def _duration(exercise: str, score: Score | None, p: Provenance) -> tuple[float, float]:
    table = p.durations.get(exercise, {})
    keys = [str(score), score.scale] if score is not None else []
    for key in (*keys, "any"):
        if key in table:
            return table[key]
    return math.log(3.0), 0.2


def _request(asks: Sequence[Ask], draws: Sequence[_Draw], seed: int, first: int) -> Request:
    return Request(
        texts=[a.text for a in asks],
        sides=[d.side for d in draws],
        scales=[a.score.scale if a.score else None for a in asks],
        scores=[a.score.unit if a.score else 0.0 for a in asks],
        seconds=[d.seconds for d in draws],
        people=[d.person for d in draws],
        seed=seed,
        first=first,
    )


def _motion(
    x: np.ndarray,
    features: str,
    draw: _Draw,
    ask: Ask,
    understood: dict[str, Any],
    p: Provenance,
    seed: int,
    index: int,
) -> Motion:
    meta = {
        "source": "generated",
        "exercise": understood["exercise"],
        "side": draw.side,
        "model": p.name,
        "seed": seed,
        "sample": index,
        "version": __version__,
    }
    motion = FEATURES[features].decode(x, draw.seconds, draw.height, FPS)
    return canonicalise(motion.but(text=ask.text, scores=(ask.score,) if ask.score else (), meta=meta))


def doubts(understood: dict[str, Any]) -> list[str]:
    """Return a warning where the text is far from every exercise the model knows."""
    nearest = EXERCISES[understood["exercise"]].title
    if understood["confidence"] < UNSURE or understood["other"] > 0.5 * understood["confidence"]:
        return [f'The text is far from the exercises this model knows; the nearest is "{nearest}".']
    return []
