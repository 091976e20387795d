"""Packs a finished run as a shipped model: weights as 16-bit floats, configuration, card."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehabmotion.data.corpora import CORPORA
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.models import EVALUATORS
from rehabmotion.models.store import CARD, WEIGHTS, kind_of, load_evaluator, load_model, save_model
from rehabmotion.workflows.card import model_card
from rehabmotion.workflows.evaluator_card import evaluator_card
from rehabmotion.workflows.models import SHIPPED

MOST_BYTES = 16_000_000


def ship(run: Path, name: str, folder: Path = SHIPPED, figures: str = "") -> Path:
    """Write folder/name from a run, generator or evaluator, and return it.

    figures: Markdown for the card; without, those the run's own card has. Data whose terms forbid it, and heavy
    weights, raise UserError.
    """
    load, card_of = _kinds()[kind_of(run) in EVALUATORS]
    model, provenance = load(run)
    closed = [corpus for corpus in provenance.corpora if not CORPORA[corpus].may_ship]
    if closed:
        raise UserError(f"Expected openly licensed data, {run} was trained on {', '.join(closed)}: not to be shipped.")
    provenance = replace(provenance, name=name)
    target = folder / name
    save_model(model, provenance, target, half=True)
    size = (target / WEIGHTS).stat().st_size
    if size > MOST_BYTES:
        raise UserError(
            f"Expected weights under {MOST_BYTES / 1e6:.0f} MB, got {size / 1e6:.1f} MB. Train a smaller size."
        )
    write_atomic(target / CARD, card_of(model, provenance, figures or _figures_of(run)))
    return target


def _kinds() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return what loads a model and what writes its card: of those that generate, and of evaluators."""
    return (load_model, model_card), (load_evaluator, evaluator_card)


def _figures_of(run: Path) -> str:
    """Return the figures that a run's card states, "" if it has none."""
    card = run / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    _, _, after = text.partition("## Figures\n")
    return after.partition("\n## ")[0].strip()


def main() -> int:
    """Ship the run and under the name given on the command line."""
    try:
        print(ship(Path(sys.argv[1]), sys.argv[2]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
