"""The card of a model: what it was made from, what it can be asked, what it must not be used for."""

from __future__ import annotations

from rehabmotion.data.corpora import CORPORA
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import Provenance
from rehabmotion.motion import SCALES


def model_card(model: Generator, provenance: Provenance, figures: str = "") -> str:
    """Return the card as Markdown; `figures` is what was measured, as Markdown."""
    c, p = model.config, provenance
    parameters = sum(value.numel() for value in model.parameters())
    data = [f"- `{name}`: {CORPORA[name].title}. Terms: {CORPORA[name].terms}." for name in p.corpora]
    scales = [f"- `{name}:{SCALES[name].spelled_range}`: {SCALES[name].meaning}." for name in c.scales]
    run = p.training
    ship = all(CORPORA[name].may_ship for name in p.corpora)
    lines = [
        f"# Model `{p.name}`",
        "",
        f"{model.described}, over joint positions, told words, score and duration.",
        f"{parameters / 1e6:.1f} million parameters, {c.network.layers} layers, width {c.network.d}.",
        "",
        "**Not a medical device.** It shows how an exercise may look; it does not judge, diagnose or treat anybody.",
        "",
        "## Data",
        "",
        *data,
        "",
        f"Held out of training: {', '.join(p.held_out) or 'nobody'}.",
        "Its weights may be shared." if ship else "**Its weights must not be shared**: see the terms above.",
        "",
        "## What it can be asked",
        "",
        *(scales or ["- no score scale"]),
        "",
        f"Exercises it has seen, recorded or simulated: {', '.join(p.exercises) or 'none'}.",
        "",
        "## Training",
        "",
        f"`rehabmotion train --model {model.kind} --data {','.join(p.corpora)} --size {run.get('size')} "
        f"--steps {run.get('training', {}).get('steps')} --seed {run.get('training', {}).get('seed')} --out RUN` "
        f"(rehabmotion {p.version}).",
        "",
        *(["## Figures", "", figures, ""] if figures else []),
        "## Limits",
        "",
        "Healthy people acted UI-PRMD's incorrect repetitions; `fms` and `sim` come from the simulator's formula,",
        "not from raters. Sensors guess what they cannot see, and the model has learnt their habits with the movement:",
        "feet and hands are the least exact. 22 joints, no hands or face; one repetition of 1 to 10 seconds.",
        "",
    ]
    return "\n".join(lines)
