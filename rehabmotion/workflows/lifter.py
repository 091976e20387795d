"""The lifter's folder: weights, configuration, how its bands are widened, card. Shipped as `lifter`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.network import Lifter, LifterConfig
from rehabmotion.models.store import CARD, CONFIG, FORMAT, WEIGHTS, load_weights, write_model
from rehabmotion.workflows.models import model_folder

SHIPPED_LIFTER = "lifter"
OSIM = "rehab37"


@dataclass(frozen=True)
class About:
    """What a lifter was made from. widen: coordinate -> factor from its expected error to the half of a 90 % band."""

    corpora: tuple[str, ...]
    held_out: tuple[str, ...]
    calibration: tuple[str, ...]
    widen: dict[str, float]
    training: dict[str, Any]
    version: str


def save_lifter(lifter: Lifter, about: About, folder: Path, card: str, half: bool = False) -> None:
    """Write the weights (16-bit floats with `half`), the configuration and the card into a folder."""
    write_model(lifter, Lifter.kind, lifter.config.as_json(), asdict(about), folder, half)
    write_atomic(folder / CARD, card)


def open_lifter(name: str = SHIPPED_LIFTER) -> tuple[Lifter, About]:
    """Return a lifter by its shipped name or run folder, ready for use. A damaged or other folder raises UserError."""
    folder = model_folder(name)
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise UserError(f"Expected a lifter's folder, {folder} has no {file}.")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if config["kind"] != Lifter.kind or config["format"] != FORMAT:
            raise ValueError(f"kind {config['kind']}, format {config['format']}")
        about = config["provenance"]
        lists = {key: tuple(about[key]) for key in ("corpora", "held_out", "calibration")}
        lifter = Lifter(LifterConfig.from_json(config["model"]), open_osim(OSIM))
        found = About(**{**about, **lists})
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{folder / CONFIG}: Expected a lifter's configuration, could not read it ({error}).") from None
    load_weights(lifter, folder / WEIGHTS, "a lifter")
    return lifter.eval(), found
