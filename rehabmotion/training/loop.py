"""The training loop: one batch after another, read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from rehabmotion.errors import UserError
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.generator import DiffusionGenerator
from rehabmotion.training.batches import to_device
from rehabmotion.training.checkpoint import Average, load_checkpoint, save_checkpoint
from rehabmotion.training.log import Log

Model = TypeVar("Model", DiffusionGenerator, Evaluator)


class Batches(Protocol):
    """What makes the batches of a model: drawn ones for its training, fixed ones for its validation."""

    @property
    def samples(self) -> Sized:
        """The clips that batches are made of."""

    def draw(self, model: Any, step: int, size: int, rank: int = 0) -> Any:
        """Return the batch of a training step, by (seed, step, rank) alone."""

    def fixed(self, model: Any, rows: np.ndarray, seed: int) -> Any:
        """Return given clips as a batch, as they are."""


@dataclass(frozen=True)
class TrainingConfig:
    """How a run is trained; kept with the run."""

    steps: int = 4000
    batch_size: int = 64
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

    def forward(self, batch: Any, generator: torch.Generator) -> dict[str, torch.Tensor]:
        return self.model.loss(batch, generator)


def train(
    model: Model,
    batches: Batches,
    validation: Batches | None,
    config: TrainingConfig,
    run: Path,
    resume: bool = False,
    progress: Callable[[int, int, dict[str, float]], None] = lambda *_: None,
) -> Model:
    """Return the model with its averaged weights after `config.steps` steps; checkpoints and log go to `run`.

    Works on CPU, one GPU, or several by torchrun. Randomness of a step comes from (seed, step, rank) alone, so a
    resumed run ends with the weights of one that was never stopped. Raises UserError when the loss is no longer finite.
    """
    accelerator = Accelerator(mixed_precision=config.precision)
    optimiser = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1.0, betas=(0.9, 0.99), weight_decay=config.weight_decay
    )
    average = Average(model.to(accelerator.device), config.ema)
    wrapped, optimiser = accelerator.prepare(_Loss(model), optimiser)
    checkpoint = checkpoint_path(run)
    first = load_checkpoint(checkpoint, model, average, optimiser.optimizer) if resume and checkpoint.exists() else 0
    log = Log(run, first) if accelerator.is_main_process else None
    rank, started = accelerator.process_index, time.monotonic()
    model.train()
    for step in range(first, config.steps):
        torch.manual_seed(_seed(config.seed, step, rank))  # drop-out
        draws = torch.Generator().manual_seed(_seed(config.seed + 1, step, rank))
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config)
        batch = to_device(batches.draw(model, step, config.batch_size, rank), accelerator.device)
        losses = wrapped(batch, draws)
        if not torch.isfinite(losses["total"]):
            raise UserError(f"The loss is not finite at step {step}: check the data, or lower the learning rate.")
        accelerator.backward(losses["total"])
        accelerator.clip_grad_norm_(wrapped.parameters(), config.clip)
        optimiser.step()
        optimiser.zero_grad()
        average.update(model, step)
        done = step + 1
        if log is None:
            continue
        shown = {name: float(value.detach()) for name, value in losses.items()}
        log.training(done, shown, learning_rate(step, config), (done - first) / (time.monotonic() - started))
        progress(done, config.steps, shown)
        if validation is not None and (done % config.validate_every == 0 or done == config.steps):
            log.validation(done, validate(model, validation, average, accelerator.device))
        if done % config.save_every == 0 or done == config.steps:
            save_checkpoint(checkpoint, model, average, optimiser.optimizer, done)
    accelerator.wait_for_everyone()
    average.copy_to(model)
    accelerator.end_training()
    return model.cpu().eval()


@torch.no_grad()
def validate(model: Model, maker: Batches, average: Average, device: torch.device, n: int = 256) -> dict[str, float]:
    """Return the mean losses of the averaged weights over the same n clips and noise every time."""
    kept = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    average.copy_to(model)
    model.eval()
    rows = np.random.default_rng(0).choice(len(maker.samples), min(n, len(maker.samples)), replace=False)
    sums: dict[str, float] = {}
    chunks = np.array_split(rows, max(1, len(rows) // 64))
    for index, chunk in enumerate(chunks):
        batch = to_device(maker.fixed(model, chunk, index), device)
        for name, value in model.loss(batch, torch.Generator().manual_seed(index)).items():
            sums[name] = sums.get(name, 0.0) + float(value) / len(chunks)
    for name, p in model.named_parameters():
        if name in kept:
            p.copy_(kept[name])
    model.train()
    return sums


def _seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step * 101 + rank) % (2**62)
