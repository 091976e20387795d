"""A model folder: model.safetensors, config.json and CARD.md; nothing pickled, nothing half-written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.models import EVALUATORS, MODELS
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.generator import Generator

FORMAT = 1
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "CARD.md"


@dataclass(frozen=True)
class Provenance:
    """What a model was made from and what follows for its use.

    durations: exercise -> "scale:value" or "any" -> (mean, deviation) of ln seconds; heights: (mean, deviation) of the
    height proxy, metres; people: exercise -> side -> indices of the training people whose manner it can take.
    """

    name: str
    corpora: tuple[str, ...]
    held_out: tuple[str, ...]
    exercises: tuple[str, ...]
    durations: dict[str, dict[str, tuple[float, float]]]
    heights: tuple[float, float]
    people: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    version: str = ""


def save_model(model: Generator | Evaluator, provenance: Provenance, folder: Path, half: bool = False) -> None:
    """Write the weights (16-bit floats with `half`) and the configuration into a folder."""
    write_model(model, model.kind, model.config.as_json(), asdict(provenance), folder, half)


def write_model(
    model: nn.Module, kind: str, config: dict[str, Any], provenance: dict[str, Any], folder: Path, half: bool
) -> None:
    """Write weights and configuration of any network into a folder."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    if half:
        tensors = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    whole = {"format": FORMAT, "kind": kind, "model": config, "provenance": provenance}
    write_atomic(folder / WEIGHTS, save_tensors(tensors))
    write_atomic(folder / CONFIG, (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode())


def kind_of(folder: Path) -> str:
    """Return the kind of the model in a folder, "" where there is none that can be read."""
    try:
        return str(json.loads((Path(folder) / CONFIG).read_text(encoding="utf-8"))["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def load_model(folder: Path) -> tuple[Generator, Provenance]:
    """Return the model of a folder, ready for use, and its provenance.

    A damaged or foreign folder, and one that holds an evaluator, raises UserError.
    """
    model, provenance = _load(Path(folder), MODELS, "a model that generates")
    asked = [i for table in provenance.people.values() for those in table.values() for i in those]
    if asked and not 0 <= min(asked) <= max(asked) < model.config.network.n_people:
        raise UserError(f"{folder}/{CONFIG}: Expected people that the model knows, got number {max(asked)}.")
    return model, provenance


def load_evaluator(folder: Path) -> tuple[Evaluator, Provenance]:
    """Return the evaluator of a folder, ready for use, and its provenance.

    A damaged or foreign folder, and one that holds a model that generates, raises UserError.
    """
    return _load(Path(folder), EVALUATORS, "an evaluator")


def _load(folder: Path, table: dict[str, Any], wanted: str) -> tuple[Any, Provenance]:
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise UserError(f"Expected a model folder, {folder} has no {name}. Train one with: rehabmotion train.")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind, version = config["kind"], config["format"]
        known: dict[str, Any] = {**MODELS, **EVALUATORS}
        settings, network = known[kind]
        provenance = _provenance(config["provenance"])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise UserError(f"{folder / CONFIG}: Expected a model's configuration, could not read it ({error}).") from None
    if kind not in table:
        remedy = f"Train one with: rehabmotion train --model {next(iter(table))}."
        raise UserError(f'Expected {wanted}, {folder} holds one of the kind "{kind}". {remedy}')
    if version != FORMAT:
        raise UserError(f"{folder / CONFIG}: Expected format {FORMAT}, got {version}. Use the version that wrote it.")
    try:
        model = network(settings.from_json(config["model"]))
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, AssertionError) as error:
        raise UserError(f"{folder / CONFIG}: Expected sizes that make a model, could not build it ({error}).") from None
    load_weights(model, folder / WEIGHTS)
    return model.eval(), provenance


def load_weights(model: nn.Module, path: Path, whose: str = "this model") -> None:
    """Put the weights of a file into a network. Those of another one, damaged or not finite raise UserError."""
    try:
        tensors = load_tensors(path.read_bytes())
        model.load_state_dict({name: value.float() for name, value in tensors.items()})
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: Expected the weights of {whose}, could not read them ({reason}).") from None
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise UserError(f"{path}: Expected finite weights, got NaN or infinity. Train again.")


def _provenance(data: dict[str, Any]) -> Provenance:
    durations = {
        exercise: {key: (float(v[0]), float(v[1])) for key, v in table.items()}
        for exercise, table in data["durations"].items()
    }
    heights = (float(data["heights"][0]), float(data["heights"][1]))
    logs = [number for table in durations.values() for pair in table.values() for number in pair]
    if not all(abs(number) < 10 for number in (*logs, *heights)):  # also refuses NaN
        raise ValueError("durations or heights of no person")
    people = {
        exercise: {side: [int(i) for i in those] for side, those in table.items()}
        for exercise, table in data.get("people", {}).items()
    }
    lists = {key: tuple(data[key]) for key in ("corpora", "held_out", "exercises")}
    return Provenance(**{**data, **lists, "durations": durations, "heights": heights, "people": people})
