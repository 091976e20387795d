"""From the tracks of a plan to single repetitions: what is asked for, how often, and when each begins and ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.models.store import Provenance
from rehabmotion.motion import EXERCISES
from rehabmotion.workflows.generate import LONGEST, SHORTEST, Ask, usual_seconds
from rehabmotion.workflows.timeline.plan import Plan, Track

SPENT = 0.4  # seconds of a repetition's time that usually go into leading in and out


@dataclass(frozen=True)
class Repetition:
    """One repetition of track number `track` (from 0), from `start` to `end` seconds of the plan."""

    track: int
    start: float
    end: float

    @property
    def asked_seconds(self) -> float:
        """How long a motion to ask for, within what models make."""
        return min(max(self.end - self.start - SPENT, SHORTEST), LONGEST)


def repetitions(plan: Plan, counts: Sequence[int]) -> list[Repetition]:
    """Return the repetitions of all tracks, `counts` of each, of equal length and one after the other."""
    found = []
    for number, (track, count) in enumerate(zip(plan.tracks, counts, strict=True)):
        edges = [track.start + track.seconds * i / count for i in range(count)] + [track.end]
        found += [Repetition(number, a, b) for a, b in pairwise(edges)]
    return found


def count_of(track: Track, exercise: str, provenance: Provenance) -> int:
    """Return how often a track is done: as it says; else once, or as often as is usual in more than 10 s."""
    if track.repeat is not None:
        return track.repeat
    if track.seconds <= LONGEST:
        return 1
    usual = usual_seconds(exercise, track.score, provenance)
    most, least = math.floor(track.seconds / SHORTEST), math.ceil(track.seconds / LONGEST)
    return min(max(round(track.seconds / usual), least), most)


def asks(plan: Plan, reps: Sequence[Repetition], sample: int) -> list[Ask]:
    """Return what is asked for one sample: the same body, manner and side in all of it."""
    like = sample * len(reps)
    return [
        Ask(plan.tracks[rep.track].text, plan.tracks[rep.track].score, rep.asked_seconds, like=like) for rep in reps
    ]


def posture_of(understood: Sequence[dict[str, Any]]) -> str:
    """Return the posture all tracks share; standing and lying in one plan raise UserError."""
    exercises = [EXERCISES[one["exercise"]] for one in understood]
    for number, exercise in enumerate(exercises, start=1):
        if exercise.posture != exercises[0].posture:
            raise UserError(
                f"track {number}, text: Expected an exercise done {_where(exercises[0].posture)} like track 1 "
                f'("{exercises[0].title}"), got "{exercise.title}", done {_where(exercise.posture)}. '
                "Make a plan for each: getting down and up is not known."
            )
    return exercises[0].posture


def _where(posture: str) -> str:
    return {"floor": "on hands and feet"}.get(posture, posture)
