"""The training loop: one batch after another, read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sized
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import nn

from rehabmotion.errors import UserError
from rehabmotion.models.trainable import Draws, Trainable
from rehabmotion.training.batches import to_device
from rehabmotion.training.checkpoint import Average, load_checkpoint, save_checkpoint
from rehabmotion.training.log import Log

Model = TypeVar("Model", bound=Trainable)
Judge = Callable[[Any], dict[str, float]]  # model -> figures of what it makes


class Batches(Protocol):
    """What makes the batches of a model: drawn ones for its training, fixed ones for its validation."""

    @property
    def samples(self) -> Sized:
        """The clips that batches are made of."""

    def draw(self, model: Any, step: int, size: int, shard: int = 0, shards: int = 1) -> Any:
        """Return one of the `shards` batches of a training step, by (seed, step, shard) alone."""

    def fixed(self, model: Any, rows: np.ndarray, seed: int) -> Any:
        """Return given clips as a batch, as they are."""


@dataclass(frozen=True)
class TrainingConfig:
    """How a run is trained; kept with the run."""

    steps: int = 4000
    batch_size: int = 64
    accumulate: int = 1  # batches of a step and process, one after another: for memory
    learning_rate: float = 1e-3
    warm_up: int = 300
    weight_decay: float = 1e-2
    ema: float = 0.999
    clip: float = 1.0
    validate_every: int = 500
    save_every: int = 500
    precision: str = "no"  # or bf16
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)


def checkpoint_path(run: Path) -> Path:
    """Return where a run keeps its last checkpoint."""
    return run / "checkpoints" / "last.safetensors"


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Return the rate at a step: linear warm-up, then a cosine down to a hundredth."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


class _Loss(nn.Module):
    """Lets Accelerate wrap the model: its forward is the loss."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Any, draws: Draws, player: str) -> dict[str, torch.Tensor]:
        return self.model.loss(batch, draws, player)


def train(
    model: Model,
    batches: Batches,
    validation: Batches | None,
    config: TrainingConfig,
    run: Path,
    resume: bool = False,
    progress: Callable[[int, int, dict[str, float]], None] = lambda *_: None,
    judge: Judge | None = None,
) -> Model:
    """Return the model with its averaged weights after `config.steps` steps; checkpoints and log go to `run`.

    Works on CPU, one GPU, or several by torchrun; the players of a family take turns in every step. Randomness of a
    step comes from (seed, step) alone, so a resumed run ends with the weights of one that was never stopped, and N
    processes see the numbers of one with N times the batch. judge: asked at every validation, for the log. Raises
    UserError when the loss is no longer finite.
    """
    several = len(model.turns) > 1
    kwargs = DistributedDataParallelKwargs(find_unused_parameters=several)
    accelerator = Accelerator(mixed_precision=config.precision, kwargs_handlers=[kwargs])
    average = Average(model.to(accelerator.device), config.ema)
    players = model.players
    optimisers = {
        player: torch.optim.AdamW(weights, lr=1.0, betas=model.betas, weight_decay=config.weight_decay)
        for player, weights in players.items()
    }
    wrapped = accelerator.prepare_model(_Loss(model))
    ready = {player: accelerator.prepare_optimizer(optimiser) for player, optimiser in optimisers.items()}
    checkpoint = checkpoint_path(run)
    first = load_checkpoint(checkpoint, model, average, optimisers) if resume and checkpoint.exists() else 0
    log = Log(run, first) if accelerator.is_main_process else None
    started = time.monotonic()
    model.train()
    for step in range(first, config.steps):
        rate = learning_rate(step, config) * model.rate
        losses: dict[str, float] = {}
        for turn, player in enumerate(model.turns):
            for group in optimisers[player].param_groups:
                group["lr"] = rate
            losses |= _turn(accelerator, wrapped, model, batches, config, step, turn, player)
            accelerator.clip_grad_norm_(players[player], config.clip)
            ready[player].step()
            wrapped.zero_grad()
        average.update(model, step)
        done = step + 1
        if log is None:
            continue
        log.training(done, losses, rate, (done - first) / (time.monotonic() - started))
        progress(done, config.steps, losses)
        if done % config.validate_every == 0 or done == config.steps:
            log.validation(done, _validated(model, validation, judge, average, accelerator.device))
        if done % config.save_every == 0 or done == config.steps:
            save_checkpoint(checkpoint, model, average, optimisers, done)
    accelerator.wait_for_everyone()
    average.copy_to(model)
    accelerator.end_training()
    return model.cpu().eval()


def _turn(
    accelerator: Accelerator,
    wrapped: nn.Module,
    model: Trainable,
    batches: Batches,
    config: TrainingConfig,
    step: int,
    turn: int,
    player: str,
) -> dict[str, float]:
    """Put the gradient of a player's turn into its weights, from `accumulate` batches; return its losses."""
    parts = config.accumulate
    first, shards = accelerator.process_index * parts, accelerator.num_processes * parts
    sums: dict[str, float] = {}
    for part in range(parts):
        shard = first + part
        torch.manual_seed(_seed(config.seed, step, shard))  # drop-out
        draws = Draws(_seed(config.seed + 1, step, turn), shard, shards)
        number = step * len(model.turns) + turn
        batch = to_device(batches.draw(model, number, config.batch_size, shard, shards), accelerator.device)
        last = part == parts - 1
        with nullcontext() if last else accelerator.no_sync(wrapped):
            losses = wrapped(batch, draws, player)
            if not torch.isfinite(losses["total"]):
                raise UserError(f"The loss is not finite at step {step}: check the data, or lower the learning rate.")
            accelerator.backward(losses["total"] / parts)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / parts
    if accelerator.num_processes == 1:
        return sums
    means = accelerator.reduce(torch.tensor(list(sums.values()), device=accelerator.device), reduction="mean")
    return dict(zip(sums, means.tolist(), strict=True))


def _validated(
    model: Trainable, validation: Batches | None, judge: Judge | None, average: Average, device: torch.device
) -> dict[str, float]:
    """Return the losses on held-out clips, and what a judge says, of the averaged weights; the others are put back."""
    kept = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    average.copy_to(model)
    model.eval()
    figures = validate(model, validation, device) if validation is not None else {}
    if judge is not None:
        figures |= judge(model)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name in kept:
                p.copy_(kept[name])
    model.train()
    return figures


@torch.no_grad()
def validate(model: Trainable, maker: Batches, device: torch.device, n: int = 256) -> dict[str, float]:
    """Return the mean losses over the same n clips and noise every time."""
    rows = np.random.default_rng(0).choice(len(maker.samples), min(n, len(maker.samples)), replace=False)
    sums: dict[str, float] = {}
    chunks = np.array_split(rows, max(1, len(rows) // 64))
    for index, chunk in enumerate(chunks):
        batch = to_device(maker.fixed(model, chunk, index), device)
        for player in model.players:
            for name, value in model.loss(batch, Draws(index), player).items():
                sums[name] = sums.get(name, 0.0) + float(value) / len(chunks)
    return sums


def _seed(seed: int, step: int, number: int) -> int:
    return (seed * 1_000_003 + step * 101 + number) % (2**62)
