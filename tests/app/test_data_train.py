"""`data`, `train` and `models`: what is there and whole, what is refused before anything is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehabmotion.data.corpora import CORPORA
from rehabmotion.workflows import models as shelf

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data folder but the one a test names, and a cache of its own."""
    monkeypatch.delenv("REHABMOTION_DATA", raising=False)
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def names(folder: Path) -> list[str]:
    """Return the names of all files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def states(call: Call, *arguments: object) -> dict[str, dict[str, str]]:
    """Return what a data command prints as JSON, by corpus."""
    result = call("data", *arguments, "--json")
    assert result.out.count("\n") == 1
    told = json.loads(result.out)
    assert set(told) == {"corpora"}
    for corpus in told["corpora"]:
        assert set(corpus) == {"name", "title", "terms", "state", "detail"}
    return {corpus["name"]: corpus for corpus in told["corpora"]}


def test_list_without_data_names_every_corpus(call: Call) -> None:
    found = states(call, "list")
    assert list(found) == list(CORPORA)
    assert found["simulator"]["state"] == "present"
    assert {found[name]["state"] for name in CORPORA if name != "simulator"} == {"absent"}


def test_list_says_what_is_there_and_what_is_missing(call: Call, data_folder: Path) -> None:
    found = states(call, "list", "--data-dir", data_folder)
    assert found["bandai"]["state"] == "present"
    assert found["uiprmd"]["state"] == "incomplete"
    assert "Segmented Movements/Kinect" in found["uiprmd"]["detail"]
    assert found["kimore"]["state"] == "absent"


def test_list_is_a_line_for_each_corpus(call: Call, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHABMOTION_DATA", str(data_folder))
    result = call("data", "list")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == list(CORPORA)


def test_check_reads_a_corpus_whole(call: Call, data_folder: Path) -> None:
    (found,) = states(call, "check", "bandai", "--data-dir", data_folder).values()
    assert found["state"] == "present"
    assert found["detail"].startswith("10 clips, people not stated, ")


def test_check_takes_a_split(call: Call, data_folder: Path) -> None:
    found = states(call, "check", "bandai:train", "bandai:val", "--data-dir", data_folder)
    assert found["bandai:train"]["detail"].startswith("8 clips")
    assert found["bandai:val"]["detail"].startswith("2 clips")


def test_check_of_a_damaged_corpus_says_so_and_exits_with_2(call: Call, data_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(data_folder / "bandai", tmp_path / "data" / "bandai")
    archive = tmp_path / "data" / "bandai" / "bandai_motion_30hz.npz"
    archive.write_bytes(archive.read_bytes()[:-50])
    result = call("data", "check", "bandai", "--data-dir", tmp_path / "data", "--json")
    assert result.code == 2
    assert json.loads(result.out)["corpora"][0]["state"] == "damaged"
    assert result.err == "error: Expected whole corpora, got 1 damaged or incomplete: bandai.\n"


def test_prepare_writes_into_the_cache_and_never_into_the_data(call: Call, data_folder: Path, tmp_path: Path) -> None:
    before = names(data_folder)
    first = call("data", "prepare", "bandai", "--data-dir", data_folder)
    assert first.code == 0
    assert first.err == "preparing bandai (first use)\n"
    assert first.out.startswith("bandai ")
    assert [name.split("-")[0] for name in names(tmp_path / "cache")] == ["prepared/bandai"]
    assert names(data_folder) == before
    assert call("data", "prepare", "bandai", "--data-dir", data_folder).err == ""


@pytest.mark.parametrize("command", [["data", "check"], ["data", "prepare"]])
def test_corpora_that_are_not_there_are_mistakes(
    call: Call, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """A named corpus that is absent was once "checked" with exit 0."""
    assert call(*command, "amass").is_mistake("amass", "uiprmd", "simulator")
    assert call(*command, "bandai:test").is_mistake("bandai:test", "bandai:val")
    assert call(*command, "bandai").is_mistake("bandai", "REHABMOTION_DATA", "--data-dir")
    assert call(*command, "kimore", "--data-dir", data_folder).is_mistake("kimore", "missing kimore")
    assert call(*command, "uiprmd", "--data-dir", data_folder).is_mistake("missing", "Segmented Movements/Kinect")
    assert call(*command, "--data-dir", tmp_path / "nowhere").is_mistake("nowhere", "--data-dir")
    monkeypatch.setenv("REHABMOTION_DATA", str(tmp_path / "gone"))
    assert call(*command, "bandai").is_mistake("gone", "REHABMOTION_DATA")
    assert names(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_told_before_the_work(
    call: Call, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "file" / "cache"))
    assert call("data", "prepare", "bandai", "--data-dir", data_folder).is_mistake("cache")


# --- train


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "amass"], ["amass", "uiprmd"]),
        (["--data", "uiprmd"], ["uiprmd", "REHABMOTION_DATA"]),
        (["--data", "simulator,kimore"], ["kimore", "REHABMOTION_DATA"]),
        (["--data", "simulator:train"], ["simulator:train", "plain"]),
        (["--data", " , "], ["corpus", "none"]),
        (["--data", "simulator", "--model", "transformer"], ["transformer", "diffusion", "gan"]),
        (["--data", "simulator", "--save-every", "0"], ["checkpoints", "0"]),
        (["--data", "simulator", "--accumulate", "-1"], ["batch", "-1"]),
        (["--data", "simulator", "--size", "huge"], ["huge", "smoke", "paper"]),
        (["--data", "simulator", "--steps", "0"], ["step", "0"]),
        (["--data", "simulator", "--precision", "int8"], ["int8", "bf16"]),
        (["--data", "simulator", "--init", "no-such-model"], ["no-such-model"]),
        (["--data", "simulator", "--model", "vae", "--init", "open"], ["vae", "diffusion"]),
    ],
)
def test_train_refuses_before_it_makes_the_run(
    call: Call, tmp_path: Path, arguments: list[str], says: list[str]
) -> None:
    """An absent corpus left run.json behind, and the next try was refused because the run existed."""
    result = call("train", *arguments, "--out", tmp_path / "run")
    assert result.is_mistake(*says), result
    assert list(tmp_path.iterdir()) == []


def test_train_refuses_folders_that_hold_something(call: Call, tmp_path: Path) -> None:
    held = {"run": ("run.json", "{}"), "model": ("model.safetensors", ""), "mine": ("notes.txt", "mine")}
    for folder, (name, content) in held.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content)
    (tmp_path / "file").write_text("mine")
    before = names(tmp_path)
    simulator = ("train", "--data", "simulator", "--size", "smoke")
    assert call(*simulator, "--out", tmp_path / "run").is_mistake("run", "--resume")
    assert call(*simulator, "--out", tmp_path / "model").is_mistake("model", "--resume")
    assert call(*simulator, "--out", tmp_path / "run", "--resume").is_mistake("run", "settings")
    assert call(*simulator, "--out", tmp_path / "model", "--resume").is_mistake("run.json")
    assert call(*simulator, "--out", tmp_path / "mine").is_mistake("mine", "other files")
    assert call(*simulator, "--out", tmp_path / "file").is_mistake("file")
    assert call(*simulator, "--out", tmp_path / "file" / "below").is_mistake("folder")
    assert names(tmp_path) == before


@pytest.mark.slow
def test_train_leaves_a_model_that_generates_and_is_not_trained_again(
    call: Call, data_folder: Path, tmp_path: Path
) -> None:
    train = ["train", "--data", "bandai", "--size", "smoke", "--steps", 2, "--data-dir", data_folder]
    made = call(*train, "--out", tmp_path / "runs" / "one")
    assert (made.code, made.out) == (0, f"{tmp_path / 'runs' / 'one'}\n")
    assert "Traceback" not in made.err
    assert {"CARD.md", "config.json", "model.safetensors", "run.json"} <= set(names(tmp_path / "runs" / "one"))
    assert call(*train, "--out", tmp_path / "runs" / "one").is_mistake("--resume")
    assert call(*train, "--out", tmp_path / "runs" / "one", "--resume", "--seed", 1).is_mistake("training")
    tuned = call(*train, "--init", tmp_path / "runs" / "one", "--out", tmp_path / "runs" / "two")
    assert tuned.code == 0, tuned.err
    listed = json.loads(call("models", "--json").out)["models"]
    assert [entry["name"] for entry in listed if not entry["shipped"]] == ["one", "two"]
    model = ["--model", tmp_path / "runs" / "two"]
    assert call("generate", "a person bows", *model, "--out", tmp_path / "bow").code == 0
    refused = call("generate", "a person bows", *model, "--score", "fms:2", "--out", tmp_path / "no")
    assert refused.is_mistake("fms", "none")


# --- models


def test_models_lists_local_runs_with_their_cards(
    call: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path / "shipped")
    assert call("models") == (0, "", "No models here. Train one with: rehabmotion train\n")
    shutil.copytree(tiny, tmp_path / "runs" / "mine")
    (tmp_path / "runs" / "mine" / "CARD.md").write_text("# Model\nwhat it was made from\n")
    for arguments in (["models"], ["models", "list"]):
        result = call(*arguments)
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines()[:2] == ["mine (local, runs/mine)", "  data: simulator; scales: fms, uiprmd"]
        assert "  | what it was made from" in result.out


@pytest.mark.parametrize(
    "arguments", [["models", "--json"], ["models", "list", "--json"], ["models", "--json", "list"]]
)
def test_models_json_is_one_object(
    call: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """`models --json list` printed for people: the option before the word was lost."""
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(tiny, tmp_path / "runs" / "mine")
    result = call(*arguments)
    (entry,) = json.loads(result.out)["models"]
    assert (entry["name"], entry["shipped"], entry["scales"]) == ("mine", False, ["fms", "uiprmd"])
    assert (result.out.count("\n"), result.err) == (1, "")
