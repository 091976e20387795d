"""Run folders: one run in each, and its settings are its own."""

from pathlib import Path

import pytest

import rehabmotion.workflows.train as module
from rehabmotion.errors import UserError
from rehabmotion.workflows.train import train_model


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder that was begun; nothing more is ever read or trained."""

    def halt(*_: object, **__: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(module, "prepared", halt)
    with pytest.raises(InterruptedError):
        train_model("diffusion", ["simulator"], tmp_path / "run", "smoke")
    return tmp_path / "run"


def test_a_run_that_exists_is_refused_without_resume(out: Path) -> None:
    before = (out / "run.json").read_bytes()
    with pytest.raises(UserError, match="--resume"):
        train_model("diffusion", ["simulator"], out, "smoke")
    assert (out / "run.json").read_bytes() == before
    with pytest.raises(InterruptedError):
        train_model("diffusion", ["simulator"], out, "smoke", resume=True)


@pytest.mark.parametrize("change", [{"seed": 1}, {"steps": 9}, {"size_name": "small"}])
def test_a_resumed_run_keeps_the_settings_it_began_with(out: Path, change: dict[str, object]) -> None:
    settings = {"corpora": ["simulator"], "size_name": "smoke", **change}
    with pytest.raises(UserError, match="Expected the settings"):
        train_model("diffusion", out=out, resume=True, **settings)  # type: ignore[arg-type]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files"):
        train_model("diffusion", ["simulator"], tmp_path, "smoke")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "settings",
    [
        {"family": "gan"},
        {"size_name": "huge"},
        {"steps": 0},
        {"corpora": []},
        {"corpora": ["simulator:train"]},
        {"corpora": ["amass"]},
        {"precision": "fp8"},
    ],
)
def test_settings_that_make_no_run_leave_no_folder(tmp_path: Path, settings: dict[str, object]) -> None:
    arguments = {"family": "diffusion", "corpora": ["simulator"], "size_name": "smoke", **settings}
    with pytest.raises(UserError):
        train_model(out=tmp_path / "run", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
