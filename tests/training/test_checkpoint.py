"""Checkpoints: everything a run needs, and nothing else is believed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rehabmotion.errors import UserError
from rehabmotion.training.checkpoint import Average, load_checkpoint, save_checkpoint

Parts = tuple[nn.Module, Average, dict[str, torch.optim.Optimizer]]


def parts(width: int = 4, seed: int = 0, steps: int = 3) -> Parts:
    """A little network after some steps of training."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 1))
    average, optimiser = Average(model, 0.9), torch.optim.AdamW(model.parameters(), lr=0.1)
    for step in range(steps):
        model(torch.randn(5, 3)).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
        average.update(model, step)
    return model, average, {"model": optimiser}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "a.safetensors", *parts(), 17)
    return tmp_path / "a.safetensors"


def test_all_of_it_comes_back(path: Path) -> None:
    model, average, optimiser = parts()
    other = parts(seed=5, steps=1)
    assert load_checkpoint(path, *other) == 17
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other[0].parameters(), strict=True))
    assert all(torch.equal(average.weights[k], other[1].weights[k]) for k in average.weights)
    states = [o.state_dict()["state"] for o in (optimiser["model"], other[2]["model"])]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][i][k], states[1][i][k]) for i in states[0] for k in states[0][i])


def test_a_fresh_optimiser_takes_it_too(path: Path) -> None:
    fresh = parts(seed=2, steps=0)
    load_checkpoint(path, *fresh)
    assert fresh[2]["model"].state_dict()["state"][0]["step"] == 3


@pytest.mark.parametrize("cut", [0, 5, 200, -1])
def test_a_truncated_one_is_refused(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"a\.safetensors") as caught:
        load_checkpoint(path, *parts())
    assert "\n" not in str(caught.value)


def no_metadata(path: Path) -> None:
    save_file({"x": torch.zeros(1)}, path)


def no_step(path: Path) -> None:
    save_file({"x": torch.zeros(1)}, path, {"state": "{}"})


def no_json(path: Path) -> None:
    save_file({"x": torch.zeros(1)}, path, {"state": "seventeen"})


def of_another_size(path: Path) -> None:
    save_checkpoint(path, *parts(width=7), 3)


def foreign_average(path: Path) -> None:
    model, average, optimiser = parts()
    average.weights["extra"] = torch.zeros(2)
    save_checkpoint(path, model, average, optimiser, 3)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [no_metadata, no_step, no_json, of_another_size, foreign_average, a_folder])
def test_a_foreign_one_is_refused(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    with pytest.raises(UserError, match="checkpoint of this run"):
        load_checkpoint(path, *parts())
