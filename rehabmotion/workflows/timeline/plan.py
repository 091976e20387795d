"""A plan: which exercise when, and with which part of the body."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.motion import Score
from rehabmotion.motion.blending.parts import BODIES, share_joints
from rehabmotion.workflows.generate import LONGEST, MAX_TEXT, SHORTEST

MOST_TRACKS = 100
MAX_SECONDS = 60.0


@dataclass(frozen=True)
class Track:
    """One exercise in a plan: from `start` to `end` seconds, `repeat` times (None: as often as is usual)."""

    text: str
    start: float
    end: float
    body: str = "all"
    repeat: int | None = None
    score: Score | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True)
class Plan:
    """A timeline of `seconds` with its tracks. What cannot be done raises UserError naming track and key."""

    seconds: float
    tracks: tuple[Track, ...]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and SHORTEST <= self.seconds <= MAX_SECONDS):
            raise UserError(f"seconds: Expected {SHORTEST:g} to {MAX_SECONDS:g}, got {self.seconds:g}.")
        if not 1 <= len(self.tracks) <= MOST_TRACKS:
            raise UserError(f"tracks: Expected 1 to {MOST_TRACKS} tracks, got {len(self.tracks)}.")
        for number, track in enumerate(self.tracks, start=1):
            _check(track, f"track {number}", self.seconds)
        for (i, one), (j, other) in combinations(enumerate(self.tracks, start=1), 2):
            _check_pair(one, other, i, j)


def _check(track: Track, name: str, seconds: float) -> None:
    if not track.text.strip():
        raise UserError(f"{name}, text: Expected a sentence, got an empty text.")
    if len(track.text) > MAX_TEXT:
        raise UserError(f"{name}, text: Expected at most {MAX_TEXT} characters, got {len(track.text)}.")
    if track.body not in BODIES:
        raise UserError(f'{name}, body: Expected one of {", ".join(BODIES)}, got "{track.body}".')
    for key in ("start", "end"):
        if not math.isfinite(getattr(track, key)):
            raise UserError(f"{name}, {key}: Expected seconds, got {getattr(track, key)}.")
    if track.start < 0:
        raise UserError(f"{name}, start: Expected 0 or more, got {track.start:g}.")
    if track.end > seconds:
        raise UserError(f"{name}, end: Expected at most the plan's {seconds:g} seconds, got {track.end:g}.")
    if track.end <= track.start:
        raise UserError(f"{name}, end: Expected more than its start {track.start:g}, got {track.end:g}.")
    _check_lengths(track, name)


def _check_lengths(track: Track, name: str) -> None:
    if track.seconds < SHORTEST - 1e-9:
        raise UserError(
            f"{name}, end: Expected at least {SHORTEST:g} s after its start {track.start:g}, got {track.end:g}."
        )
    if track.repeat is None:
        return
    if track.repeat < 1:
        raise UserError(f"{name}, repeat: Expected 1 or more, got {track.repeat}.")
    each = track.seconds / track.repeat
    if not SHORTEST - 1e-9 <= each <= LONGEST + 1e-9:
        raise UserError(
            f"{name}, repeat: Expected repetitions of {SHORTEST:g} to {LONGEST:g} s, got {track.repeat} in "
            f"{track.seconds:g} s. Change it, or leave it out."
        )


def _check_pair(one: Track, other: Track, i: int, j: int) -> None:
    """Two tracks may meet and a named part may go over `all`; else what moves a joint moves it alone."""
    if one.start >= other.end or other.start >= one.end or not share_joints(one.body, other.body):
        return
    if (one.body == "all") != (other.body == "all"):
        return
    raise UserError(
        f"track {j}, start: Expected {other.start:g} to {other.end:g} s free for {other.body}, got track {i} "
        f"({one.body}, {one.start:g} to {one.end:g} s) moving the same joints. Shift one, or name parts that differ."
    )


KEYS: dict[str, tuple[str, ...]] = {
    "plan": ("seconds", "score", "tracks"),
    "track": ("text", "start", "end", "body", "repeat", "score"),
}
REQUIRED = {"plan": ("seconds", "tracks"), "track": ("text", "start", "end")}


def plan_from(data: Any) -> Plan:
    """Return the plan of what a YAML or JSON file holds, strictly: a key it does not know raises UserError."""
    _check_keys(data, "plan", "the plan")
    if not isinstance(data["tracks"], list):
        raise UserError(f"tracks: Expected a list of tracks, got {spelled(data['tracks'])}.")
    if len(data["tracks"]) > MOST_TRACKS:  # before looking at a million of them
        raise UserError(f"tracks: Expected 1 to {MOST_TRACKS} tracks, got {len(data['tracks'])}.")
    score = _score(data.get("score"), "score")
    tracks = [_track(item, f"track {i}", score) for i, item in enumerate(data["tracks"], start=1)]
    return Plan(_number(data["seconds"], "seconds"), tuple(tracks))


def _track(data: Any, name: str, score: Score | None) -> Track:
    _check_keys(data, "track", name)
    text, body, repeat = data["text"], data.get("body", "all"), data.get("repeat")
    if not isinstance(text, str):
        raise UserError(f"{name}, text: Expected words, got {spelled(text)}. Put them in quotes.")
    if not isinstance(body, str):
        raise UserError(f"{name}, body: Expected one of {', '.join(BODIES)}, got {spelled(body)}.")
    if "repeat" in data and (not isinstance(repeat, int) or isinstance(repeat, bool)):
        raise UserError(f"{name}, repeat: Expected a whole number, got {spelled(repeat)}.")
    start, end = (_number(data[key], f"{name}, {key}") for key in ("start", "end"))
    own = _score(data["score"], f"{name}, score") if "score" in data else score
    return Track(text, start, end, body, repeat, own)


def _check_keys(data: Any, kind: str, name: str) -> None:
    if not isinstance(data, dict):
        raise UserError(f"{name}: Expected a mapping with the keys {', '.join(KEYS[kind])}, got {spelled(data)}.")
    for key in data:
        if key not in KEYS[kind]:
            raise UserError(f"{name}: Expected the keys {', '.join(KEYS[kind])}, got {spelled(key)}. Remove it.")
    for key in REQUIRED[kind]:
        if key not in data:
            raise UserError(f'{name}: Expected the key "{key}", it is missing. Add it.')


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{name}: Expected a number of seconds, got {spelled(value)}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UserError(f"{name}: Expected a finite number of seconds, got {spelled(value)}.")
    return number


def _score(value: Any, name: str) -> Score | None:
    if value is None and name == "score":
        return None
    if not isinstance(value, str):
        raise UserError(f"{name}: Expected SCALE:VALUE such as fms:2, got {spelled(value)}.")
    try:
        return Score.parse(value)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def spelled(value: Any) -> str:
    """Return a value for a message: short, and one that tells text from numbers."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number too large"
    return text if len(text) <= 40 else f"{text[:40]}..."
