"""Run folders: one run in each, and its settings are its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

import rehabmotion.workflows.train as module
from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.models.store import load_model
from rehabmotion.motion import Motion
from rehabmotion.motion.transforms import canonicalise
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
        {"family": "transformer"},
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


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that puts n made people into the place of every corpus; the last of them is held out."""

    def put(n: int) -> None:
        def motions(name: str, *_: object) -> list[Motion]:
            split = name.partition(":")[2]
            people = range(n - 1) if split == "train" else [n - 1]
            return [
                canonicalise(simulate("hurdle_step", "left", i, grade=2)).but(meta={"subject": f"s{i}"}) for i in people
            ]

        monkeypatch.setattr(module, "prepared", motions)
        monkeypatch.setattr(module, "corpus_root", lambda *_: None)

    return put


def test_a_fine_tuned_model_knows_the_people_it_was_first_trained_on(
    recorded: Callable[[int], None], tmp_path: Path
) -> None:
    """It once listed the people of the new data, under numbers that meant others, or nobody, in its network."""
    recorded(3)
    first = train_model("diffusion", ["mars"], tmp_path / "a", "smoke", steps=1)
    model, provenance = load_model(first)
    assert model.config.network.n_people == 4  # two people and their mirror images
    assert provenance.people == {"hurdle_step": {"left": [0, 2], "right": [1, 3]}}
    recorded(8)
    second = train_model("diffusion", ["mars"], tmp_path / "b", "smoke", steps=1, init=str(first))
    model, tuned = load_model(second)
    assert model.config.network.n_people == 4
    assert tuned.people == provenance.people
