"""`generate --timeline`: what it writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehabmotion.io.npz import read_npz
from rehabmotion.metrics.physical import bone_length_error

Call = Callable[..., Any]
PLAN = """
seconds: 6
score: uiprmd:1
tracks:
  - {text: "a deep squat", start: 0, end: 4, repeat: 2}
  - {text: "raise both arms to the side", start: 1, end: 3, body: arms}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "given.yaml"
    path.write_text(PLAN)
    return path


def test_a_plan_becomes_one_motion_that_records_its_tracks(call: Call, tiny: Path, plan: Path, tmp_path: Path) -> None:
    result = call("generate", "--timeline", plan, "--model", tiny, "--out", tmp_path / "out", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert set(told) == {"files", "timeline", "seconds", "tracks", "model", "seed", "warnings"}
    assert told["files"] == [str(tmp_path / "out" / name) for name in ("0000.npz", "player.html")]
    assert [(t["body"], t["repeat"], t["score"]) for t in told["tracks"]] == [
        ("all", 2, "uiprmd:1"),
        ("arms", 1, "uiprmd:1"),
    ]
    assert set(told["tracks"][0]["understood_as"]) == {"exercise", "confidence"}
    motion = read_npz(tmp_path / "out" / "0000.npz")
    assert (motion.n_frames, motion.fps) == (180, 30.0)
    assert motion.valid.all()
    assert motion.text == "a deep squat; raise both arms to the side"
    assert str(motion.scores[0]) == "uiprmd:1"
    assert bone_length_error(motion.positions) < 1e-5
    first, second = motion.meta["tracks"]
    assert (first["start"], first["end"], first["repetitions"]) == (0.0, 4.0, [[0.0, 2.0], [2.0, 4.0]])
    assert (second["text"], second["body"]) == ("raise both arms to the side", "arms")
    assert motion.meta["source"] == "generated"


def test_the_same_seed_gives_the_same_bytes(call: Call, tiny: Path, plan: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        call("generate", "--timeline", plan, "--model", tiny, "--seed", seed, "--out", tmp_path / name)
    for file in ("0000.npz", "player.html"):
        same = (tmp_path / "a" / file).read_bytes()
        assert same == (tmp_path / "b" / file).read_bytes()
        assert same != (tmp_path / "c" / file).read_bytes()


def test_samples_and_formats(call: Call, tiny: Path, plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call("generate", "--timeline", plan, "--model", tiny, "--samples", 2, "--format", "npz,csv", "--out", out)
    assert result.code == 0
    assert sorted(p.name for p in out.iterdir()) == ["0000.csv", "0000.npz", "0001.csv", "0001.npz"]
    one = tmp_path / "one"
    call("generate", "--timeline", plan, "--model", tiny, "--format", "npz", "--out", one)
    assert abs(read_npz(one / "0000.npz").positions - read_npz(out / "0000.npz").positions).max() < 1e-4


def test_what_lasts_longer_than_ten_seconds_is_repeated_and_said(
    call: Call, tiny: Path, plan: Path, tmp_path: Path
) -> None:
    plan.write_text("seconds: 12\ntracks: [{text: a squat, start: 0, end: 12}]\n")
    result = call("generate", "--timeline", plan, "--model", tiny, "--format", "npz", "--out", tmp_path / "out")
    assert "track 1: 12 s are filled with 4 repetitions" in result.err
    assert read_npz(tmp_path / "out" / "0000.npz").meta["tracks"][0]["repeat"] == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a squat", "--timeline", "PLAN"], ["TEXT or --timeline", "both"]),
        ([], ["TEXT or --timeline", "neither"]),
        (["--timeline", "PLAN", "--seconds", "5"], ["--seconds", "plan"]),
        (["--timeline", "PLAN", "--score", "fms:2"], ["--score", "plan"]),
        (["--timeline", "PLAN", "--samples", "0"], ["samples", "0"]),
        (["--timeline", "PLAN", "--seed", "-1"], ["seed"]),
        (["--timeline", "PLAN", "--guidance", "nan"], ["guidance"]),
        (["--timeline", "PLAN", "--format", "gif"], ["gif"]),
        (["--timeline", "missing.yaml"], ["missing.yaml"]),
    ],
)
def test_bad_use_is_one_line_and_nothing_is_written(
    call: Call, tiny: Path, plan: Path, tmp_path: Path, arguments: list[str], says: list[str]
) -> None:
    given = [str(plan) if a == "PLAN" else a for a in arguments]
    assert call("generate", *given, "--model", tiny, "--out", tmp_path / "new").is_mistake(*says)
    assert [p.name for p in tmp_path.iterdir()] == ["given.yaml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLAN.replace("end: 4", "end: 40"), ["given.yaml", "track 1", "end", "40"]),
        (PLAN.replace("uiprmd:1", "kimore:5"), ["track 1", "not learnt", "kimore"]),
        (PLAN.replace("body: arms", "body: tail"), ["track 2", "body", "tail"]),
        (PLAN.replace("a deep squat", "a squat \\udcff"), []),
    ],
)
def test_a_bad_plan_is_one_line_and_nothing_is_written(
    call: Call, tiny: Path, plan: Path, tmp_path: Path, text: str, says: list[str]
) -> None:
    plan.write_text(text)
    assert call("generate", "--timeline", plan, "--model", tiny, "--out", tmp_path / "new").is_mistake(*says)
    assert [p.name for p in tmp_path.iterdir()] == ["given.yaml"]
