"""The training loop: a stopped run ends like one that was not, and bad data are one line."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rehabmotion.data.samples import Samples
from rehabmotion.errors import UserError
from rehabmotion.models.diffusion import DiffusionGenerator
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.checkpoint import Average
from rehabmotion.training.loop import TrainingConfig, _validated, learning_rate, train

Make = Callable[[], DiffusionGenerator]
CONFIG = TrainingConfig(steps=9, batch_size=4, warm_up=3, validate_every=4, save_every=4, ema=0.9)


def same(a: DiffusionGenerator, b: DiffusionGenerator) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def run_of(
    make_model: Make, samples: Samples, out: Path, config: TrainingConfig = CONFIG, **more: object
) -> DiffusionGenerator:
    model = make_model()
    makers = BatchMaker(samples, model.config, seed=config.seed), BatchMaker(samples, model.config)
    return train(model, *makers, config, out, **more)  # type: ignore[arg-type]


class Stopped(Exception):
    """As if the machine had gone away."""


def stop_at(last: int) -> Callable[..., None]:
    def progress(step: int, *_: object) -> None:
        if step == last:
            raise Stopped

    return progress


# --- resuming -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [4, 6])
def test_a_stopped_run_ends_with_the_weights_of_one_that_was_not(
    make_model: Make, samples: Samples, tmp_path: Path, stopped: int
) -> None:
    whole = run_of(make_model, samples, tmp_path / "whole")
    with pytest.raises(Stopped):
        run_of(make_model, samples, tmp_path / "run", progress=stop_at(stopped + 1))
    seen: list[int] = []
    resumed = run_of(make_model, samples, tmp_path / "run", resume=True, progress=lambda step, *_: seen.append(step))
    assert seen == [5, 6, 7, 8, 9]  # from the checkpoint after step 4
    assert same(resumed, whole)


def test_the_same_run_gives_the_same_weights_and_another_seed_others(
    make_model: Make, samples: Samples, tmp_path: Path
) -> None:
    a = run_of(make_model, samples, tmp_path / "a")
    assert same(a, run_of(make_model, samples, tmp_path / "b"))
    other = dataclasses.replace(CONFIG, seed=1)
    assert not same(a, run_of(make_model, samples, tmp_path / "c", other))


def test_a_finished_run_resumed_is_the_same_model(make_model: Make, samples: Samples, tmp_path: Path) -> None:
    whole = run_of(make_model, samples, tmp_path / "run")
    assert same(run_of(make_model, samples, tmp_path / "run", resume=True), whole)


def test_resuming_without_a_checkpoint_begins(make_model: Make, samples: Samples, tmp_path: Path) -> None:
    whole = run_of(make_model, samples, tmp_path / "whole")
    assert same(run_of(make_model, samples, tmp_path / "run", resume=True), whole)


# --- what it learns -----------------------------------------------------------------------------------------------


def test_the_loss_falls_and_the_text_encoder_stays(make_model: Make, samples: Samples, tmp_path: Path) -> None:
    losses: list[float] = []
    config = dataclasses.replace(CONFIG, steps=60, batch_size=8, warm_up=5, learning_rate=5e-3)
    model = run_of(make_model, samples, tmp_path, config, progress=lambda *a: losses.append(a[2]["x0"]))
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])
    before = make_model()
    assert all(torch.equal(a, b) for a, b in zip(model.text.parameters(), before.text.parameters(), strict=True))
    assert not model.training


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_data_that_are_not_finite_are_one_line_not_a_model_of_nan(
    make_model: Make, samples: Samples, tmp_path: Path, bad: float
) -> None:
    x = samples.x.copy()
    x[:, 3, 10] = bad
    with pytest.raises(UserError, match="not finite at step 0") as caught:
        run_of(make_model, dataclasses.replace(samples, x=x), tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "checkpoints").exists()


def test_validation_reads_the_average_and_leaves_the_weights(make_model: Make, samples: Samples) -> None:
    model = make_model().train()
    average = Average(model, 0.9)
    with torch.no_grad():
        for p in average.weights.values():
            p.add_(0.1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    maker = BatchMaker(samples, model.config)
    first, second = (_validated(model, maker, None, average, torch.device("cpu")) for _ in range(2))
    assert first == second
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert model.training
    other = _validated(model, maker, None, Average(model, 0.9), torch.device("cpu"))
    assert other != first


def test_the_log_has_a_line_for_each_validation(make_model: Make, samples: Samples, tmp_path: Path) -> None:
    run_of(make_model, samples, tmp_path)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    totals = [row for row in rows if row["name"] == "total"]
    assert [(row["step"], row["split"]) for row in totals] == [(s, "validation") for s in ("4", "8", "9")]
    assert all(float(row["value"]) > 0 for row in totals)


# --- rates and averages -------------------------------------------------------------------------------------------


def test_the_rate_rises_in_a_line_and_falls_in_a_cosine_to_a_hundredth() -> None:
    config = TrainingConfig(steps=1100, warm_up=100, learning_rate=2.0)
    rates = [learning_rate(step, config) for step in (0, 49, 99, 100, 600, 1100, 2000)]
    assert rates == pytest.approx([0.02, 1.0, 2.0, 2.0, 2 * (0.01 + 0.99 / 2), 0.02, 0.02])
    assert learning_rate(0, TrainingConfig(steps=10, warm_up=300, learning_rate=3.0)) == pytest.approx(0.01)


def test_the_average_starts_fast_and_then_keeps_its_decay() -> None:
    line = torch.nn.Linear(1, 1)
    average = Average(line, 0.99)
    start = line.weight.detach().clone()
    with torch.no_grad():
        line.weight.fill_(5.0)
    average.update(line, 0)  # decay 1/10
    assert torch.allclose(average.weights["weight"], 0.1 * start + 0.9 * 5.0)
    kept = average.weights["weight"].clone()
    average.update(line, 10_000)
    assert torch.allclose(average.weights["weight"], 0.99 * kept + 0.01 * 5.0)


def test_frozen_weights_are_not_averaged() -> None:
    line = torch.nn.Linear(2, 2)
    line.bias.requires_grad_(False)
    assert list(Average(line, 0.9).weights) == ["weight"]
