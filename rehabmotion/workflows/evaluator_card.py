"""The card of an evaluator: what it was made from, what its figures mean, what they must not be compared with."""

from __future__ import annotations

from rehabmotion.data.corpora import CORPORA
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.store import Provenance

_MANNER = {
    "gru": "Bidirectional GRUs in the manner of Guo et al. 2022, trained with InfoNCE",
    "transformer": "Transformers and InfoNCE, after TMR (Petrovich et al. 2023) without its generative half",
}


def evaluator_card(model: Evaluator, provenance: Provenance, figures: str = "") -> str:
    """Return the card as Markdown; `figures` is what was measured, as Markdown."""
    c, p, run = model.config, provenance, provenance.training
    parameters = sum(value.numel() for value in model.parameters())
    how = run.get("training", {})
    ship = all(CORPORA[name].may_ship for name in p.corpora)
    lines = [
        f"# Evaluator `{p.name}`",
        "",
        f"{_MANNER[c.variant]}: text and motion",
        "in one space, for R-Precision and MM-Dist, and features of motion for FID, KID, precision and recall.",
        f"{parameters / 1e6:.1f} million parameters; {c.d_features} features, of them {c.n_principal} principal",
        "components in deviations of the training people. It shares nothing with any model that generates.",
        "",
        "**It measures models, not patients.** Figures of two evaluators cannot be compared, nor can those of one",
        "evaluator with published figures: print the real baseline beside each.",
        "",
        "## Data",
        "",
        *(f"- `{name}`: {CORPORA[name].title}. Terms: {CORPORA[name].terms}." for name in p.corpora),
        "",
        f"Held out of training: {', '.join(p.held_out) or 'nobody'}. Held-out wording: third and first person.",
        "Its weights may be shared." if ship else "**Its weights must not be shared**: see the terms above.",
        "",
        f"Exercises it has seen, recorded or simulated: {', '.join(p.exercises) or 'none'}.",
        "",
        "## Training",
        "",
        f"`rehabmotion train --model {model.kind}-{c.variant} --data {','.join(p.corpora)} --size {run.get('size')} "
        f"--steps {how.get('steps')} --seed {how.get('seed')} --out RUN` (rehabmotion {p.version}).",
        "",
        *(["## Figures", "", figures, ""] if figures else []),
        "## Limits",
        "",
        "It reads canonical motions of one repetition: bone directions at equal steps of the clip's own time, the",
        "pelvis' place, the duration. Body size is not seen, and joints that are missing are not read. What no",
        "training clip showed, it places somewhere all the same.",
        "",
    ]
    return "\n".join(lines)
