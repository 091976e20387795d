"""Models by name or folder: the shipped ones, and those the user trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import CARD, CONFIG, WEIGHTS, Provenance, load_evaluator, load_model

SHIPPED = Path(__file__).parents[1] / "models" / "shipped"
DEFAULT = "open"
DEFAULT_EVALUATOR = "evaluator"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be used: its name, folder, card and what it was trained on."""

    name: str
    folder: Path
    shipped: bool
    corpora: tuple[str, ...]
    scales: tuple[str, ...]
    card: str


def model_folder(name: str) -> Path:
    """Return the folder of a shipped model's name or of a run folder; anything else raises UserError."""
    if (SHIPPED / name / WEIGHTS).is_file() and "/" not in name:
        return SHIPPED / name
    if Path(name).is_dir():
        return Path(name)
    known = ", ".join(sorted(p.name for p in SHIPPED.glob("*") if p.is_dir()))
    raise UserError(f'Expected a model name or a run folder, got "{name}". Shipped: {known}.')


def open_model(name: str = DEFAULT) -> tuple[Generator, Provenance]:
    """Return a model and its provenance by name or run folder."""
    return load_model(model_folder(name))


def open_evaluator(name: str = DEFAULT_EVALUATOR) -> tuple[Evaluator, Provenance]:
    """Return an evaluator and its provenance by name or run folder."""
    return load_evaluator(model_folder(name))


def list_models(places: tuple[Path, ...] = (Path("runs"),)) -> list[ModelEntry]:
    """Return the shipped models and those found one level below `places`."""
    folders = [(folder, True) for folder in sorted(SHIPPED.glob("*"))]
    folders += [(folder, False) for place in places for folder in sorted(place.glob("*"))]
    return [_entry(folder, shipped) for folder, shipped in folders if (folder / WEIGHTS).is_file()]


def _entry(folder: Path, shipped: bool) -> ModelEntry:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        corpora, scales = tuple(config["provenance"]["corpora"]), tuple(config["model"].get("scales", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / CONFIG}: Expected a model's configuration, could not read it ({error}).") from None
    card = folder / CARD
    return ModelEntry(
        folder.name, folder, shipped, corpora, scales, card.read_text(encoding="utf-8") if card.is_file() else ""
    )
