"""Trains the lifter and ships it: python -m rehabmotion.workflows.train_lifter RUN [--ship lifter].

Needs REHABMOTION_DATA with UI-PRMD, CMU and MARS. An hour or two on a CPU core; a run that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rehabmotion import __version__
from rehabmotion.data.corpora import CORPORA
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.encode import encode
from rehabmotion.models.lifter.losses import LifterBatch, as_looked_at, coordinate_errors
from rehabmotion.models.lifter.network import Lifter, LifterConfig
from rehabmotion.training.lifting.batches import LifterBatches
from rehabmotion.training.lifting.library import Library, Recorded
from rehabmotion.training.lifting.pairs import Pairs
from rehabmotion.training.loop import TrainingConfig, checkpoint_path, train
from rehabmotion.vision.points import POINTS
from rehabmotion.workflows import lifter_data
from rehabmotion.workflows.lifter import OSIM, About, open_lifter, save_lifter
from rehabmotion.workflows.lifter_card import lifter_card
from rehabmotion.workflows.models import SHIPPED

SETTINGS = "run.json"
BAND = 0.9
ROUNDS = 24  # of calibration batches


def train_lifter(
    run: Path,
    corpora: Sequence[str] = lifter_data.CORPORA,
    config: TrainingConfig | None = None,
    sizes: LifterConfig | None = None,
    data_dir: Path | None = None,
    say: Callable[[str], None] = print,
    init: Path | None = None,
) -> Path:
    """Train a lifter in the run folder, or go on with it, and return the folder. init: a lifter to begin with."""
    config = config or TrainingConfig(steps=6000, batch_size=32, warm_up=300, learning_rate=1e-3, validate_every=1000)
    sizes = sizes or LifterConfig(POINTS, n_dense=43)
    settings = {"data": list(corpora), "training": config.as_json(), "network": sizes.as_json()}
    settings |= {"init": str(init)} if init is not None else {}
    _open(run, settings)
    torch.manual_seed(config.seed + 11)
    lifter = Lifter(sizes, open_osim(OSIM))
    if init is not None:
        lifter.load_state_dict(open_lifter(str(init))[0].state_dict())
    data = lifter_data.lifter_data(lifter.body, corpora, data_dir, say)
    made = _batches(lifter, data.training, data, config.seed)
    checks = _batches(lifter, data.held_out or data.calibration, None, config.seed) if data.held_out else None
    say(f"training on {len(data.training)} clips, {config.steps} steps")
    resume = checkpoint_path(run).exists()
    lifter = train(lifter, made, checks, config, run, resume, _progress(say))
    widen = _widened(lifter, data.calibration or data.training)
    about = About(tuple(corpora), lifter_data.HELD_OUT, lifter_data.CALIBRATION, widen, settings, __version__)
    save_lifter(lifter, about, run, lifter_card(lifter, about, ""))
    return run


def _batches(
    lifter: Lifter, clips: Sequence[Recorded], data: lifter_data.LifterData | None, seed: int
) -> LifterBatches:
    window = lifter.config.window
    pairs = Pairs(data.pairs, window) if data is not None and data.pairs else None
    return LifterBatches(Library(clips, lifter.body.kinematics.model, window), lifter.body, pairs, seed)


def _open(run: Path, settings: dict[str, Any]) -> None:
    path = run / SETTINGS
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before != json.loads(json.dumps(settings)):
            raise UserError(f"Expected the settings {run} was begun with, got others. Choose another folder.")
    else:
        write_atomic(path, json.dumps(settings, indent=1) + "\n")


def _progress(say: Callable[[str], None]) -> Callable[[int, int, dict[str, float]], None]:
    def told(done: int, steps: int, losses: dict[str, float]) -> None:
        if done % 100 == 0:
            say(f"{done}/{steps} " + " ".join(f"{name} {value:.3f}" for name, value in losses.items()))

    return told


@torch.no_grad()
def _widened(lifter: Lifter, clips: Sequence[Recorded]) -> dict[str, float]:
    """Return for each coordinate the factor on its expected error below which 90 % of the errors lie."""
    made = _batches(lifter, clips, None, 17)
    ratios = []
    for step in range(ROUNDS):
        batch: LifterBatch = made.draw(lifter, step, 32)
        encoded = encode(batch.seen)
        lifted = lifter(encoded.features, batch.seen.real)
        rotations = as_looked_at(batch.truth.rotations, encoded.turn)
        errors = coordinate_errors(lifted, rotations, batch.truth.hinges)
        ratios.append((errors / lifted.log_width.exp())[batch.seen.real])
    factors = np.quantile(torch.cat(ratios).numpy(), BAND, axis=0)
    names = [lifter.body.names[i] for i in lifter.body.turned_columns]
    return {name: round(float(factor), 3) for name, factor in zip(names, factors, strict=True)}


def ship_lifter(run: Path, name: str, figures: str = "") -> Path:
    """Put a trained lifter into the package. Data whose terms forbid it raise UserError."""
    lifter, about = open_lifter(str(run))
    closed = [corpus for corpus in about.corpora if not CORPORA[corpus].may_ship]
    if closed:
        raise UserError(f"Expected openly licensed data, {run} was trained on {', '.join(closed)}: not to be shipped.")
    save_lifter(lifter, about, SHIPPED / name, lifter_card(lifter, about, figures), half=True)
    return SHIPPED / name


def main() -> int:
    """Train, and ship under a name if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", default=",".join(lifter_data.CORPORA))
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--init", type=Path, default=None, help="A lifter's folder to begin with.")
    parser.add_argument("--ship", default=None)
    parser.add_argument("--figures", type=Path, default=None, help="Markdown for the card.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainingConfig(
        steps=given.steps, batch_size=given.batch, warm_up=300, learning_rate=given.rate, validate_every=1000,
        save_every=250,
    )  # fmt: skip
    try:
        if not (given.run / "model.safetensors").exists():
            train_lifter(given.run, given.data.split(","), config, init=given.init)
        if given.ship:
            figures = given.figures.read_text(encoding="utf-8") if given.figures else ""
            print(ship_lifter(given.run, given.ship, figures))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
