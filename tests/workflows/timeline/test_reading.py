"""Reading a plan: what is in it, and one clear line for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehabmotion.errors import UserError
from rehabmotion.motion import Score
from rehabmotion.workflows.timeline.plan import Plan, Track, plan_from
from rehabmotion.workflows.timeline.reading import read_plan

PLAN = """
seconds: 9
score: uiprmd:1
tracks:
  - {text: "a deep squat", start: 0, end: 5}
  - {text: "raise both arms to the side", start: 1, end: 4.5, body: arms, score: fms:2}
  - text: side lunge to the left
    start: 5
    end: 9
    repeat: 2
"""


def read(tmp_path: Path, text: str | bytes) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_plan(path)


def track(**keys: object) -> str:
    """Return a plan of 9 s whose second track has these keys too (None: left out)."""
    whole = {"text": "'b'", "start": 5, "end": 9, **keys}
    fields = ", ".join(f"{key}: {value}" for key, value in whole.items() if value is not None)
    return f"seconds: 9\ntracks:\n  - {{text: a, start: 0, end: 5}}\n  - {{{fields}}}\n"


def test_a_plan_is_read(tmp_path: Path) -> None:
    one = Score("uiprmd", 1)
    assert read(tmp_path, PLAN) == Plan(
        9.0,
        (
            Track("a deep squat", 0.0, 5.0, score=one),
            Track("raise both arms to the side", 1.0, 4.5, "arms", score=Score("fms", 2)),
            Track("side lunge to the left", 5.0, 9.0, repeat=2, score=one),
        ),
    )


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"start": -1}, "track 2, start: Expected 0 or more, got -1"),
        ({"start": 9}, "track 2, end: Expected more than its start 9, got 9"),
        ({"start": 8, "end": 6}, "track 2, end: Expected more than its start 8, got 6"),
        ({"end": 9.01}, "track 2, end: Expected at most the plan's 9 seconds, got 9.01"),
        ({"start": 8.5}, "track 2, end: Expected at least 1 s after its start 8.5, got 9"),
        ({"start": 4}, "track 2, start: Expected 4 to 9 s free for all, got track 1"),
        ({"start": ".nan"}, "track 2, start: Expected a finite number of seconds, got nan"),
        ({"end": ".inf"}, "track 2, end: Expected a finite number of seconds, got inf"),
        ({"end": "1e999"}, "track 2, end: Expected a finite number"),
        ({"end": "9" * 400}, "track 2, end: Expected a finite number"),
        ({"end": "9" * 5000}, "Expected YAML"),
        ({"start": "'5'"}, 'track 2, start: Expected a number of seconds, got "5"'),
        ({"start": "0:05"}, 'track 2, start: Expected a number of seconds, got "0:05"'),
        ({"start": "05"}, 'track 2, start: Expected a number of seconds, got "05"'),
        ({"start": "true"}, "track 2, start: Expected a number of seconds, got True"),
        ({"start": ""}, "track 2, start: Expected a number of seconds, got nothing"),
        ({"start": "[5]"}, "track 2, start: Expected a number of seconds, got a list of 1"),
        ({"start": None}, 'track 2: Expected the key "start", it is missing'),
        ({"text": "''"}, "track 2, text: Expected a sentence"),
        ({"text": 7}, "track 2, text: Expected words, got 7"),
        ({"text": "x" * 2001}, "track 2, text: Expected at most 2000 characters, got 2001"),
        (
            {"body": "tail"},
            'track 2, body: Expected one of all, legs, spine, arms, left_arm, right_arm, head, got "tail"',
        ),
        ({"body": 3}, "track 2, body: Expected one of"),
        ({"repeat": 0}, "track 2, repeat: Expected 1 or more, got 0"),
        ({"repeat": 5}, "track 2, repeat: Expected repetitions of 1 to 10 s, got 5 in 4 s"),
        ({"repeat": 2.0}, "track 2, repeat: Expected a whole number, got 2.0"),
        ({"repeat": "true"}, "track 2, repeat: Expected a whole number, got True"),
        ({"repeat": ""}, "track 2, repeat: Expected a whole number, got nothing"),
        ({"score": "fms"}, "track 2, score: Expected"),
        ({"score": "borg:3"}, "track 2, score:"),
        ({"score": 2}, "track 2, score: Expected SCALE:VALUE"),
        ({"speed": 2}, 'track 2: Expected the keys text, start, end, body, repeat, score, got "speed"'),
        ({"7": 2}, "track 2: Expected the keys text, start, end, body, repeat, score, got 7"),
    ],
)
def test_a_mistake_in_a_track_names_the_track_and_the_key(tmp_path: Path, keys: dict[str, object], says: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, track(**keys))
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(tmp_path / "plan.yaml"))
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("# nothing\n", "Expected a mapping with the keys seconds, score, tracks, got nothing"),
        ("- 1\n", "got a list of 1"),
        ("squat", 'got "squat"'),
        ("seconds: 9\n", 'Expected the key "tracks"'),
        ("seconds: 9\ntracks: []\n", "tracks: Expected 1 to 100 tracks, got 0"),
        ("seconds: 9\ntracks: squat\n", "tracks: Expected a list"),
        ("seconds: 9\ntracks: [squat]\n", "track 1: Expected a mapping with the keys text, start, end"),
        ("seconds: 0.5\ntracks: [{text: a, start: 0, end: 0.5}]\n", "seconds: Expected 1 to 60, got 0.5"),
        ("seconds: 61\ntracks: [{text: a, start: 0, end: 5}]\n", "seconds: Expected 1 to 60, got 61"),
        ("seconds: 9\nsecond: 9\ntracks: []\n", 'got "second"'),
        ("seconds: 9\nseconds: 8\ntracks: []\n", 'line 2: Expected each key once, got "seconds" again'),
        ("seconds: 9\ntracks: [{text: a, text: b, start: 0, end: 5}]\n", 'Expected each key once, got "text" again'),
        ("seconds: 9\n? [a]\n: 1\n", "Expected YAML"),
        ("seconds: 9\ntracks: [\n", "line"),
        ("a: 1\n---\nb: 2\n", "Expected YAML"),
        ("seconds: &s 9\ntracks: [*s]\n", "line 1: Expected a plan without anchors"),
        ("seconds: !!python/object/apply:os.system ['true']\n", "Expected YAML"),
        ("[" * 100_000, "brackets"),
        ("- " * 5000 + "a", "lists inside lists"),
        ("seconds: 9 # " + "x" * 200_000, "Expected at most 200000 characters"),
        (b"\x00\x01\x02", "Expected YAML"),
    ],
)
def test_what_is_no_plan_is_one_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_bomb_of_anchors_is_refused_at_the_first(tmp_path: Path) -> None:
    """Nine lists of nine references to the one before are a billion items once written out."""
    lines = ["a: &a [x, x, x]"] + [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(UserError, match="without anchors"):
        read(tmp_path, "\n".join(lines))


def test_a_thousand_tracks_are_one_line() -> None:
    tracks = [{"text": "a", "start": i, "end": i + 1} for i in range(1000)]
    with pytest.raises(UserError, match="tracks: Expected 1 to 100 tracks, got 1000"):
        plan_from({"seconds": 60, "tracks": tracks})


def test_a_missing_file_and_a_folder_are_mistakes(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UserError, match=str(path)):
            read_plan(path)


@pytest.mark.parametrize(
    ("bodies", "free"),
    [
        (("all", "arms"), True),
        (("arms", "all"), True),
        (("all", "all"), False),
        (("arms", "left_arm"), False),
        (("left_arm", "right_arm"), True),
        (("legs", "spine"), True),
        (("head", "head"), False),
    ],
)
def test_named_parts_go_over_all_and_nothing_else_shares_joints(bodies: tuple[str, str], free: bool) -> None:
    tracks = tuple(Track("a", 1.0 + i, 4.0 + i, body) for i, body in enumerate(bodies))
    if free:
        assert len(Plan(9.0, tracks).tracks) == 2
    else:
        with pytest.raises(UserError, match=r"track 2, start: .* track 1"):
            Plan(9.0, tracks)


def test_tracks_may_meet() -> None:
    assert Plan(4.0, (Track("a", 0.0, 2.0), Track("b", 2.0, 4.0))).seconds == 4.0
