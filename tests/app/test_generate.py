"""`generate`: what it writes, what it refuses, and that a mistake leaves nothing behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io.npz import read_npz
from rehabmotion.motion import CANONICAL, Score
from rehabmotion.motion.cleanup import clean_up
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.workflows import convert, generate_files

Call = Callable[..., Any]
TEXT = "a person performs a deep squat"


def names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_it_writes_a_motion_file_and_a_page(call: Call, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "if" / "missing"
    result = call("generate", TEXT, "--model", tiny, "--score", "fms:2", "--out", out)
    assert result.code == 0
    assert result.out.splitlines() == [str(out / "0000.npz"), str(out / "player.html")]
    assert names(out) == ["0000.npz", "player.html"]
    motion = read_npz(out / "0000.npz")
    assert motion.skeleton == CANONICAL
    assert (motion.fps, motion.text, motion.scores) == (30.0, TEXT, (Score("fms", 2),))
    assert motion.valid.all()
    assert motion.meta["model"] == "tiny"
    assert motion.meta["seed"] == 0
    assert motion.meta["source"] == "generated"


def test_formats_and_samples_have_their_names(call: Call, tiny: Path, tmp_path: Path) -> None:
    call("generate", TEXT, "--model", tiny, "--samples", 2, "--format", "BVH, csv,csv", "--out", tmp_path / "x")
    assert names(tmp_path / "x") == ["0000.bvh", "0000.csv", "0001.bvh", "0001.csv"]


def test_bodies_are_a_file_and_a_folder_of_meshes(call: Call, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "x"
    arguments = ["generate", TEXT, "--model", tiny, "--format", "glb,obj,npz", "--out", out]
    result = call(*arguments, "--seconds", 1)
    assert (result.code, result.out.splitlines()) == (0, [str(out / n) for n in ("0000.glb", "0000", "0000.npz")])
    frames = ["body.mtl", *(f"frame_{t:04d}.obj" for t in range(30))]
    assert names(out / "0000") == frames
    (out / "0000" / "notes.txt").write_text("mine")
    assert call(*arguments, "--seconds", 1).code == 0  # again: replaced, and what is not ours stays
    assert names(out / "0000") == [*frames, "notes.txt"]


def test_frames_of_a_longer_motion_are_not_left_behind_ours(call: Call, tiny: Path, tmp_path: Path) -> None:
    """A player of the folder would go on with them."""
    (tmp_path / "0000").mkdir()
    (tmp_path / "0000" / "frame_0777.obj").write_text("old")
    result = call("generate", TEXT, "--model", tiny, "--format", "npz,obj", "--seconds", 1, "--out", tmp_path)
    assert result.is_mistake("0000", "frame_0777.obj")
    assert names(tmp_path) == ["0000"]
    assert names(tmp_path / "0000") == ["frame_0777.obj"]


def test_json_is_one_object_and_nothing_else(call: Call, tiny: Path, tmp_path: Path) -> None:
    result = call("generate", TEXT, "--model", tiny, "--score", "uiprmd:1", "--seed", 3, "--out", tmp_path, "--json")
    assert result.out.count("\n") == 1
    told = json.loads(result.out)
    assert set(told) == {"files", "text", "score", "model", "seed", "understood_as", "warnings"}
    assert told["files"] == [str(tmp_path / "0000.npz"), str(tmp_path / "player.html")]
    assert (told["text"], told["score"], told["model"], told["seed"]) == (TEXT, "uiprmd:1", "tiny", 3)
    assert set(told["understood_as"]) == {"exercise", "confidence"}
    assert isinstance(told["warnings"], list)


def test_words_far_from_any_exercise_are_a_warning(call: Call, tiny: Path, tmp_path: Path) -> None:
    """The tiny model understands nothing: all words are far for it."""
    result = call("generate", "深蹲 !?", "--model", tiny, "--out", tmp_path, "--json")
    assert result.code == 0
    (warning,) = json.loads(result.out)["warnings"]
    assert "nearest" in warning
    assert result.err == f"warning: {warning}\n"


def test_same_names_are_replaced_and_other_files_stay(call: Call, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "0000.npz").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    assert call("generate", TEXT, "--model", tiny, "--out", tmp_path).code == 0
    assert names(tmp_path) == ["0000.npz", "mine.txt", "player.html"]
    assert (tmp_path / "0000.npz").read_bytes()[:2] == b"PK"


def test_the_same_seed_gives_the_same_bytes(call: Call, tiny: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        call(
            "generate", TEXT, "--model", tiny, "--seed", seed, "--out", tmp_path / name, "--format", "npz,bvh,html,csv"
        )
    for file in names(tmp_path / "a"):
        same = (tmp_path / "a" / file).read_bytes()
        assert same == (tmp_path / "b" / file).read_bytes()
        assert same != (tmp_path / "c" / file).read_bytes()


def test_the_first_of_three_is_the_only_one_of_one(call: Call, tiny: Path, tmp_path: Path) -> None:
    for n in (1, 3):
        call("generate", TEXT, "--model", tiny, "--samples", n, "--out", tmp_path / str(n), "--format", "npz", "--raw")
    one, first = (read_npz(tmp_path / n / "0000.npz") for n in ("1", "3"))
    second = read_npz(tmp_path / "3" / "0001.npz")
    assert one.positions.shape == first.positions.shape
    assert np.abs(one.positions - first.positions).max() < 1e-5  # a batch of three may round otherwise
    assert second.positions.shape != one.positions.shape or np.abs(second.positions - one.positions).max() > 1e-3


@pytest.mark.parametrize(("seconds", "frames"), [(1, 30), (2, 60), (2.5, 75), (10, 300)])
def test_seconds_are_frames_over_30(call: Call, tiny: Path, tmp_path: Path, seconds: float, frames: int) -> None:
    call("generate", TEXT, "--model", tiny, "--seconds", seconds, "--out", tmp_path, "--format", "npz")
    motion = read_npz(tmp_path / "0000.npz")
    assert (motion.n_frames, motion.seconds) == (frames, seconds)


BAD = [
    ([""], ["text"]),
    (["  \n "], ["text"]),
    (["squat " * 2000], ["text", "12000"]),
    ([TEXT, "--score", "borg:3"], ["scale", "borg", "fms:1..3"]),
    ([TEXT, "--score", "fms"], ["SCALE:VALUE"]),
    ([TEXT, "--score", "fms:"], ["SCALE:VALUE"]),
    ([TEXT, "--score", "fms:two"], ["SCALE:VALUE"]),
    ([TEXT, "--score", "fms:nan"], ["SCALE:VALUE"]),
    ([TEXT, "--score", "fms:4"], ["fms:1..3", "fms:4"]),
    ([TEXT, "--score", "fms:2.5"], ["1, 2, 3", "2.5"]),
    ([TEXT, "--score", "fms:inf"], ["fms:1..3"]),
    ([TEXT, "--score", "fms:0"], ["pain", "1 to 3"]),
    ([TEXT, "--score", "uiprmd:0.5"], ["uiprmd", "0.5"]),
    ([TEXT, "--score", "kimore:50"], ["not learnt", "kimore", "fms:1..3", "uiprmd:0|1"]),
    ([TEXT, "--score", "sim:-1"], ["sim:0..100"]),
    ([TEXT, "--seconds", "0"], ["1 to 10 seconds", "0"]),
    ([TEXT, "--seconds", "-3"], ["1 to 10 seconds", "-3"]),
    ([TEXT, "--seconds", "0.99"], ["1 to 10 seconds"]),
    ([TEXT, "--seconds", "10.01"], ["1 to 10 seconds"]),
    ([TEXT, "--seconds", "nan"], ["1 to 10 seconds", "nan"]),
    ([TEXT, "--seconds", "inf"], ["1 to 10 seconds", "inf"]),
    ([TEXT, "--samples", "0"], ["samples", "0"]),
    ([TEXT, "--samples", "-1"], ["samples", "-1"]),
    ([TEXT, "--samples", "1000000000"], ["samples"]),
    ([TEXT, "--seed", "-1"], ["seed", "-1"]),
    ([TEXT, "--seed", str(2**70)], ["seed"]),
    ([TEXT, "--guidance", "nan"], ["guidance"]),
    ([TEXT, "--guidance", "-1"], ["guidance"]),
    ([TEXT, "--steps", "0"], ["steps", "0"]),
    ([TEXT, "--steps", "1001"], ["steps"]),
    ([TEXT, "--format", "gif"], ["npz,html,bvh,mp4,csv,glb,obj", "gif"]),
    ([TEXT, "--format", ""], ["formats", "none"]),
    ([TEXT, "--format", "npz,gif"], ["gif"]),
    (["a squat \udcff"], ["UTF-8", "character 9"]),
]


@pytest.mark.parametrize(("arguments", "says"), BAD)
def test_bad_input_is_one_line_and_nothing_is_written(
    call: Call, tiny: Path, tmp_path: Path, arguments: list[str], says: list[str]
) -> None:
    result = call("generate", *arguments, "--model", tiny, "--out", tmp_path / "new")
    assert result.is_mistake(*says), result
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_under_json_prints_nothing_on_standard_output(call: Call, tiny: Path, tmp_path: Path) -> None:
    assert call("generate", "", "--model", tiny, "--out", tmp_path / "new", "--json").is_mistake("text")


def test_a_folder_below_a_file_cannot_be_written(call: Call, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below" / "it"):
        assert call("generate", TEXT, "--model", tiny, "--out", out).is_mistake("folder", str(out))
    assert names(tmp_path) == ["file"]


def test_a_name_too_long_is_a_mistake(call: Call, tiny: Path, tmp_path: Path) -> None:
    for arguments in (["--out", tmp_path / ("x" * 300)], ["--out", tmp_path, "--model", "x" * 300]):
        assert call("generate", TEXT, "--model", tiny, *arguments).is_mistake()
    assert names(tmp_path) == []


def test_a_folder_in_the_place_of_a_file_is_told(call: Call, tiny: Path, tmp_path: Path) -> None:
    """The first file used to be replaced before the second could not be."""
    (tmp_path / "0001.npz").mkdir()
    (tmp_path / "0000.npz").write_text("old")
    result = call("generate", TEXT, "--model", tiny, "--samples", 2, "--out", tmp_path)
    assert result.is_mistake("0001.npz", "folder")
    assert (tmp_path / "0000.npz").read_text() == "old"
    assert names(tmp_path) == ["0000.npz", "0001.npz"]


@pytest.mark.parametrize("error", [UserError("Expected room, got none."), KeyboardInterrupt()])
def test_what_fails_at_the_third_file_of_five_leaves_none(
    call: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    written = []

    def save(motions: Any, path: Path, *rest: Any) -> None:
        if len(written) == 2:
            raise error
        path.write_bytes(b"whole")
        written.append(path)

    monkeypatch.setattr(generate_files, "save", save)
    result = call("generate", TEXT, "--model", tiny, "--samples", 5, "--out", tmp_path / "new")
    assert result.code == (2 if isinstance(error, UserError) else 130)
    assert len(written) == 2
    assert names(tmp_path) == []


def test_unknown_models_are_mistakes(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for model in ("no-such-model", str(tmp_path / "missing"), str(tmp_path / "empty"), ""):
        assert call("generate", TEXT, "--model", model, "--out", tmp_path / "new").is_mistake("model")
    assert names(tmp_path) == ["empty"]


def edited(tiny: Path, tmp_path: Path, **changes: Any) -> Path:
    """Return a copy of the model with some entries of config.json replaced; None takes one out."""
    copy = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = json.loads((copy / "config.json").read_text()) | changes
    kept = {key: value for key, value in config.items() if value is not None}
    (copy / "config.json").write_text(json.dumps(kept))
    return copy


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "magic"},
        {"format": 99},
        {"provenance": None},
        {"provenance": 3},
        {"kind": None},
        {"model": None},
        {"model": {"d": 1}},
        {"model": 3},
    ],
)
def test_foreign_configurations_are_mistakes(call: Call, tiny: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    model = edited(tiny, tmp_path, **changes)
    assert call("generate", TEXT, "--model", model, "--out", tmp_path / "new").is_mistake("config.json")


@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_truncated_weights_are_a_mistake(call: Call, tiny: Path, tmp_path: Path, keep: int) -> None:
    copy = Path(shutil.copytree(tiny, tmp_path / "model"))
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    assert call("generate", TEXT, "--model", copy, "--out", tmp_path / "new").is_mistake("model.safetensors")
    assert names(tmp_path) == ["model"]


def test_mp4_without_pyav_names_the_extra(
    call: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    result = call("generate", TEXT, "--model", tiny, "--format", "npz,mp4", "--out", tmp_path / "new")
    assert result.is_mistake('pip install "rehabmotion[video]"')
    assert names(tmp_path) == []


def test_the_page_shows_twelve_and_says_so(call: Call, tiny: Path, tmp_path: Path) -> None:
    result = call(
        "generate", TEXT, "--model", tiny, "--samples", 13, "--seconds", 1, "--format", "html", "--out", tmp_path
    )
    assert result.code == 0
    assert "first 12 of 13" in result.err
    assert (tmp_path / "player.html").read_text().count('"frames":') == 12


def test_feet_are_cleaned_up_unless_raw(call: Call, tiny: Path, tmp_path: Path) -> None:
    """What is written is `clean_up` of what --raw writes, on the floor and facing ahead once more."""
    for name, more in (("raw", ["--raw"]), ("clean", [])):
        call("generate", TEXT, "--model", tiny, "--out", tmp_path / name, "--format", "npz", *more)
    raw, clean = (read_npz(tmp_path / name / "0000.npz") for name in ("raw", "clean"))
    again = canonicalise(clean_up(raw)[0])
    assert np.abs(again.positions - clean.positions).max() < 1e-4
    assert np.abs(raw.positions - clean.positions).max() > 1e-3
