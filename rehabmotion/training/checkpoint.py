"""Checkpoints as safetensors: weights, their running average, the optimiser's moments and the step; written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic


class Average:
    """Exponential moving average of weights; it starts fast (Karras et al. 2024 discuss such warm-ups)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the model's weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, p in model.named_parameters():
            if name in self.weights:
                self.weights[name].lerp_(p.detach(), 1 - decay)

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Put the average into a model."""
        for name, p in model.named_parameters():
            if name in self.weights:
                p.copy_(self.weights[name])


Optimisers = Mapping[str, torch.optim.Optimizer]  # by player


def save_checkpoint(path: Path, model: nn.Module, average: Average, optimisers: Optimisers, step: int) -> None:
    """Write everything a run needs to go on."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.weights.items()}
    for player, optimiser in optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{player}.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_atomic(path, save_tensors(tensors, metadata={"state": json.dumps({"step": step})}))


def load_checkpoint(path: Path, model: nn.Module, average: Average, optimisers: Optimisers) -> int:
    """Put a checkpoint into model, average and optimisers; return its step. A damaged or foreign one: UserError."""
    try:
        with safe_open(path, framework="pt") as file:
            step = int(json.loads(file.metadata()["state"])["step"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        model.load_state_dict(_part(tensors, "model."))
        average.weights = {k: v.to(average.weights[k].device) for k, v in _part(tensors, "average.").items()}
        for player, optimiser in optimisers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in _part(tensors, f"optimiser.{player}.").items():
                index, name = key.split(".", 1)
                states.setdefault(int(index), {})[name] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": states})
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: Expected a checkpoint of this run, could not read it ({reason}).") from None
    return step


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
