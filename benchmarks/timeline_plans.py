"""The plans of timeline.py: exercises one after the other, some repeated, some with another laid over arms or legs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from common import unseen_descriptions

from rehabmotion.motion import Score
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.workflows.timeline.plan import MAX_SECONDS, Plan, Track

SEED = 20_262  # the arms' frame was chosen on plans of 20_261; nothing was chosen on these
ARM_EXERCISES = tuple(name for name in UIPRMD if "shoulder" in name)
LEG_EXERCISES = tuple(name for name in UIPRMD if "shoulder" not in name)
OVERLAID = 0.6  # of the tracks of the whole body
GAPS = (0.0, 0.0, 0.5, 2.0)  # seconds between tracks, drawn alike


def drawn_plans(n: int, seed: int = SEED) -> Iterator[tuple[Plan, list[str]]]:
    """Yield n plans, each with the exercise meant by each of its tracks."""
    descriptions = {name: unseen_descriptions(name) for name in UIPRMD}
    for number in range(n):
        yield _plan(np.random.default_rng([seed, number]), descriptions)


def _plan(rng: np.random.Generator, descriptions: dict[str, list[str]]) -> tuple[Plan, list[str]]:
    """Return one plan: two to four exercises of the whole body, arms laid over those of legs and the reverse."""
    score = Score("uiprmd", int(rng.integers(2)))
    tracks: list[tuple[str, Track]] = []
    now = float(rng.choice(GAPS))
    for _ in range(int(rng.integers(2, 5))):
        repeat = int(rng.integers(1, 4))
        end = now + repeat * float(rng.uniform(2.5, 4.5))
        if end > MAX_SECONDS - 2.0:
            break
        name = str(rng.choice(UIPRMD))
        tracks.append((name, _track(rng, descriptions, name, now, end, "all", repeat, score)))
        if rng.random() < OVERLAID:
            tracks.append(_overlay(rng, descriptions, name, now, end, score))
        now = end + float(rng.choice(GAPS))
    seconds = round(max(track.end for _, track in tracks) + float(rng.choice(GAPS)), 2)
    return Plan(seconds, tuple(track for _, track in tracks)), [name for name, _ in tracks]


def _overlay(
    rng: np.random.Generator, descriptions: dict[str, list[str]], below: str, start: float, end: float, score: Score
) -> tuple[str, Track]:
    """Return an exercise over part of another's interval: of the arms over one of the legs, and the reverse."""
    arms = below in LEG_EXERCISES
    length = float(rng.uniform(2.5, min(4.5, end - start)))
    first = float(rng.uniform(start, end - length))
    name = str(rng.choice(ARM_EXERCISES if arms else LEG_EXERCISES))
    body = str(rng.choice(["arms", "arms", "one"])) if arms else "legs"
    return name, _track(rng, descriptions, name, first, first + length, body, 1, score)


def _track(
    rng: np.random.Generator,
    descriptions: dict[str, list[str]],
    name: str,
    start: float,
    end: float,
    body: str,
    repeat: int,
    score: Score,
) -> Track:
    """Return a track; "one" stands for the arm that its words name."""
    text = str(rng.choice(descriptions[name]))
    if body == "one":
        body = "left_arm" if "left" in text else "right_arm" if "right" in text else "arms"
    return Track(text, round(start, 2), round(end, 2), body, repeat, score)
