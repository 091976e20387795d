"""The whole comparison: sides in, a value with interval, size and real value for every metric out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rehabmotion import __version__
from rehabmotion.errors import UserError
from rehabmotion.metrics.neighbours import mms
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.store import Provenance
from rehabmotion.workflows.evaluation.asked import generated_side
from rehabmotion.workflows.evaluation.found import Context, Found
from rehabmotion.workflows.evaluation.sides import Side, check_comparable, is_corpus, is_model, load_side
from rehabmotion.workflows.evaluation.table import METRICS
from rehabmotion.workflows.evaluation.views import View, weights_key
from rehabmotion.workflows.models import open_evaluator

Progress = Callable[[int, int, str], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What the user asked to compare."""

    real: str
    generated: str
    train: str | None = None
    n: int | None = None
    metrics: tuple[str, ...] = ()
    repeats: int = 20
    seed: int = 0
    evaluator: str = "evaluator"
    n_draws: int = 2000

    def check(self) -> None:
        """Raise UserError for what cannot be asked."""
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown:
            raise UserError(f'Expected metrics, got "{unknown[0]}". Known: {", ".join(METRICS)}.')
        if not 1 <= self.repeats <= 1000:
            raise UserError(f"Expected 1 to 1000 repeats, got {self.repeats}.")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"Expected a seed of 0 or more, got {self.seed}.")

    def command(self) -> str:
        """Return the command line, folders by their last name: reports must not tell where they were made."""
        parts = ["rehabmotion evaluate", f"--real {_short(self.real)}", f"--generated {_short(self.generated)}"]
        parts += [f"--train {_short(self.train)}"] if self.train else []
        parts += [f"--n {self.n}"] if self.n is not None else []
        parts += [f"--metrics {','.join(self.metrics)}"] if self.metrics else []
        parts += [f"--repeats {self.repeats}", f"--seed {self.seed}"]
        return " ".join(parts + ([f"--evaluator {_short(self.evaluator)}"] if self.evaluator != "evaluator" else []))


def _short(spec: str) -> str:
    return spec if is_corpus(spec) else Path(spec).resolve().name


@dataclass(frozen=True)
class Result:
    """The report as JSON, and the views it was made of, for those who draw it."""

    report: dict[str, Any]
    generated: View
    context: Context


def compare(
    asked: Asked, data_dir: Path | None = None, say: Say = lambda _: None, progress: Progress = lambda *_: None
) -> Result:
    """Return the figures of generated motions against real ones; see docs/evaluate.md.

    A metric that its data do not allow has value None and its reason; the others are computed. Mistakes in the sides
    themselves raise UserError. The same sides and seed give the same figures.
    """
    asked.check()
    evaluator, evaluator_provenance = open_evaluator(asked.evaluator)
    real = load_side(asked.real, data_dir, say)
    generated, provenance = _generated(asked, real, data_dir, say, progress)
    training = _training(asked, provenance, data_dir, say)
    check_comparable([real, generated, *([training] if training else [])])
    context, baselines, notes = _context(asked, real, training, evaluator, len(generated))
    view = View(generated, evaluator)
    for each in (view, context.real, context.learn):
        _ = each.ids  # labels first: a model that cannot be read is no matter of a single metric
    figures = {}
    names = asked.metrics or tuple(METRICS)
    for done, name in enumerate(names):
        progress(done, len(names), name)
        figures[name] = _figure(name, view, context, baselines, notes)
    progress(len(names), len(names), "done")
    sides = {"real": real.summary(), "generated": generated.summary()}
    data = {
        **sides,
        "train": training.summary() if training else None,
        "evaluator": {"name": evaluator_provenance.name, "weights": weights_key(evaluator)},
        "seed": asked.seed,
        "repeats": asked.repeats,
        "bootstrap_draws": asked.n_draws,
        "version": __version__,
    }
    return Result({"metrics": figures, "data": data, "command": asked.command()}, view, context)


def _generated(
    asked: Asked, real: Side, data_dir: Path | None, say: Say, progress: Progress
) -> tuple[Side, Provenance | None]:
    if is_model(asked.generated):
        return generated_side(asked.generated, real, asked.n, asked.seed, progress)
    side = load_side(asked.generated, data_dir, say)
    if asked.n is not None:
        if not 2 <= asked.n <= len(side):
            raise UserError(f"Expected --n from 2 to the {len(side)} motions of {side.name}, got {asked.n}.")
        side = side.take(np.linspace(0, len(side) - 1, asked.n).round().astype(int))
    return side, None


def _training(asked: Asked, provenance: Provenance | None, data_dir: Path | None, say: Say) -> Side | None:
    """Return what the generator saw: as given, by the model's card, else the train part of the real corpus."""
    if asked.train is not None:
        return load_side(asked.train, data_dir, say)
    if provenance is not None and provenance.corpora:
        sides = [load_side(f"{name}:train", data_dir, say) for name in provenance.corpora]
        return Side(",".join(side.name for side in sides), tuple(m for side in sides for m in side.motions))
    if is_corpus(asked.real):
        return load_side(f"{asked.real.partition(':')[0]}:train", data_dir, say)
    return None


def _context(
    asked: Asked, real: Side, training: Side | None, evaluator: Evaluator, n: int
) -> tuple[Context, dict[str, tuple[View, View]], dict[str, str]]:
    """Return the context, the pairs (in place of generated, real) of the real values, and what to say of them."""
    whole = View(real, evaluator)
    if training is not None:
        alike = _alike(training, real)
        learn, test = View(alike, evaluator), whole
        shown = _sample(learn, n, asked.seed)
        say = f"real: {len(shown)} training clips against {real.name}"
    else:
        first, second = _halves(real, asked.seed)
        learn, test = whole.take(first), whole.take(second)
        shown = learn
        say = f"real: two halves of {real.name}, {len(learn)} and {len(test)} clips"
    context = Context(
        whole, learn, test, View(training, evaluator) if training else None, asked.seed, asked.repeats, asked.n_draws
    )
    baselines = {"learn": (shown, test), "test": (test, test), "held_out": (whole, whole)}
    judged = "training clips" if training is not None else "one half"
    notes = {"learn": say, "test": f"real: judges fitted on {judged}, asked about {len(test)} others", "held_out": ""}
    return context, baselines, notes


def _alike(training: Side, real: Side) -> Side:
    """Return the training clips recorded like the real ones and of their exercises, all of them if there are few."""
    exercises = {m.meta.get("exercise") for m in real.motions}
    sources = {m.meta.get("source") for m in real.motions}
    rows = [
        i
        for i, m in enumerate(training.motions)
        if m.meta.get("source") in sources and m.meta.get("exercise") in exercises
    ]
    return training.take(rows) if len(rows) >= 20 else training


def _sample(view: View, n: int, seed: int) -> View:
    if len(view) <= n:
        return view
    return view.take(np.sort(np.random.default_rng([seed, 1]).choice(len(view), n, replace=False)))


def _halves(real: Side, seed: int) -> tuple[list[int], list[int]]:
    """Return rows of two halves that share no person; clip by clip where there is only one, or nobody is named."""
    rng = np.random.default_rng([seed, 2])
    people = sorted({s for s in real.subjects if s is not None})
    if len(people) >= 2 and None not in real.subjects:
        chosen = set(rng.permutation(people)[: len(people) // 2].tolist())
        inside = [subject in chosen for subject in real.subjects]
    else:
        order = rng.permutation(len(real))
        inside = [False] * len(real)
        for i in order[: len(real) // 2]:
            inside[int(i)] = True
    rows = range(len(real))
    return [i for i in rows if inside[i]], [i for i in rows if not inside[i]]


def _figure(
    name: str, view: View, context: Context, baselines: dict[str, tuple[View, View]], notes: dict[str, str]
) -> dict[str, Any]:
    row = METRICS[name]
    entry: dict[str, Any] = {"value": None, "ci": None, "n": len(view), "real": None}
    entry |= {"direction": row.direction, "unit": row.unit, "note": ""}
    try:
        found: Found = row.metric(view, context.real, context)
    except UserError as error:
        return {**entry, "note": f"refused: {error}"}
    said = list(found.notes)
    try:
        g, r = baselines[row.baseline]
        real: float | None = row.metric(g, r, replace(context, n_draws=1)).value
        said.append(notes[row.baseline])
    except UserError as error:
        real = None
        said.append(f"no real value: {error}")
    ci = None if found.ci is None else [_rounded(end) for end in found.ci]
    return {
        **entry,
        "value": _rounded(found.value),
        "ci": ci,
        "n": found.n,
        "real": None if real is None else _rounded(real),
        "note": "; ".join(note for note in said if note),
    }


def _rounded(x: float) -> float:
    return float(f"{x:.6g}")


def shown_motions(view: View, context: Context, n: int = 3) -> tuple[Sequence[int], Sequence[int]]:
    """Return the rows of the n best and n worst motions: by their distance to the nearest real clip."""
    order = np.argsort(mms(view.features, context.real.features), kind="stable")
    n = min(n, len(order) // 2)
    return [int(i) for i in order[:n]], [int(i) for i in order[::-1][:n]]
