"""Is generated motion of use? Downstream models trained and tested on real and on generated clips, fold by fold.

    TRTR  real -> real: the reference            TSTR  generated -> real: does it carry the label?
    TRTS  real -> generated: is it recognised?   TR+S  both -> real: does it help? at shares of the real size

Nobody is in two folds, and the generator is trained anew in each, on its training people alone. A generated clip is
labelled with what was asked for. Beside TR+S stand simple augmentations of the same size, and answers that look at no
motion. A finished fold is kept as a file, and a run with the same settings goes on after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.motion import SCALES, Motion
from rehabmotion.workflows.utility.figures import task_figures, utility_markdown
from rehabmotion.workflows.utility.tasks import (
    MORE,
    TASKS,
    Clips,
    Downstream,
    Predictor,
    Wanted,
    asked_clips,
    bones_seen,
    more,
    real_clips,
    score_of,
    wanted_like,
)

__all__ = ["Downstream", "Fold", "UtilitySettings", "Wanted", "folds_by_subject", "utility", "utility_markdown"]

VERSION = 1  # raise when the protocol changes: kept folds are then refused


@dataclass(frozen=True)
class Fold:
    """One split: its number from 0, the people tested on, and a seed of its own."""

    number: int
    test_subjects: tuple[str, ...]
    seed: int


Perform = Callable[[list[Wanted]], list[Motion]]
MakeGenerator = Callable[[list[Motion], Fold], Perform]
Progress = Callable[[int, int, str], None]  # fold, of how many, what is done now


@dataclass(frozen=True)
class UtilitySettings:
    """What is asked; kept with the results. `scale` names the scores that clips and requests carry, if any."""

    tasks: tuple[str, ...]
    scale: str | None = None
    n_folds: int = 5
    seed: int = 0
    shares: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)  # of generated clips beside the real ones, in TR+S
    simple: tuple[str, ...] = ("copy", "noise", "warp", "mirror")
    models: Downstream = field(default_factory=Downstream)
    n_draws: int = 2000

    def check(self) -> None:
        """Raise UserError for what cannot be asked."""
        self.models.check()
        for names, known in ((self.tasks, TASKS), (self.simple, MORE)):
            wrong = [name for name in names if name not in known]
            if wrong:
                raise UserError(f'Expected one of {", ".join(known)}, got "{wrong[0]}".')
        if not self.tasks or any(share <= 0 for share in self.shares):
            raise UserError(f"Expected a task or more and shares above 0, got {self.tasks} and {self.shares}.")
        if self.scale not in SCALES and (self.scale or set(self.tasks) & {"quality", "score"}):
            raise UserError(f"Expected a scale of {', '.join(SCALES)}, got {self.scale}.")


def folds_by_subject(subjects: Sequence[str], n_folds: int, seed: int = 0) -> list[Fold]:
    """Return folds that hold every subject in exactly one test part; their sizes differ by one subject at most."""
    people = sorted(set(subjects))
    if not 2 <= n_folds <= len(people):
        raise UserError(f"Expected 2 to {len(people)} folds, as many as there are people at most, got {n_folds}.")
    order = np.random.default_rng(seed).permutation(len(people))
    parts = [tuple(sorted(people[i] for i in order[k::n_folds])) for k in range(n_folds)]
    return [Fold(k, part, seed * 1000 + k) for k, part in enumerate(parts)]


def utility(
    motions: Sequence[Motion],
    make_generator: MakeGenerator,
    out: Path,
    settings: UtilitySettings,
    generator: Mapping[str, Any],
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Return the figures of all tasks, JSON-ready; `out` keeps the folds, utility.json and utility.md.

    motions: real, prepared, each with subject and exercise, and with a score on the scale if there is one.
    make_generator: trains on the motions of a fold's training people and returns what makes motions for requests.
    generator: what it is, JSON-ready; kept, and compared when a run is taken up again. Other settings, motions or
    another generator than those `out` began with raise UserError.
    """
    settings.check()
    _check(motions, settings)
    folds = folds_by_subject([str(m.meta["subject"]) for m in motions], settings.n_folds, settings.seed)
    key = _open(out, motions, settings, generator)
    kept = []
    for fold in folds:
        path = out / f"fold-{fold.number:02d}.json"
        if not path.exists():

            def say(stage: str, number: int = fold.number) -> None:
                progress(number, len(folds), stage)

            outcome = {"key": key, **asdict(fold), **_run(motions, make_generator, fold, settings, say)}
            write_atomic(path, _json(outcome))
        kept.append(_read(path, key))  # read back even when new, so that a resumed run gives the same bytes
    result = {
        "settings": json.loads(_json(asdict(settings))),
        "generator": dict(generator),
        "n_clips": len(motions),
        "folds": [{name: fold[name] for name in ("number", "test_subjects", "n_train", "n_test")} for fold in kept],
        "tasks": {name: task_figures(kept, name, settings.n_draws, settings.seed) for name in settings.tasks},
    }
    write_atomic(out / "utility.json", _json(result))
    write_atomic(out / "utility.md", utility_markdown(result))
    return result


def _check(motions: Sequence[Motion], settings: UtilitySettings) -> None:
    if not motions:
        raise UserError("Expected real motions, got none.")
    unnamed = sum(not m.meta.get("subject") or not m.meta.get("exercise") for m in motions)
    if unnamed:
        raise UserError(f"Expected motions with subject and exercise, {unnamed} have none. Leave them out.")
    if settings.scale:
        unscored = sum(score_of(m, settings.scale) is None for m in motions)
        if unscored:
            raise UserError(f"Expected motions scored on {settings.scale}, {unscored} are not. Leave them out.")


def _run(
    motions: Sequence[Motion],
    make_generator: MakeGenerator,
    fold: Fold,
    settings: UtilitySettings,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return the predictions of a fold: task -> row -> answers, and the truths they are held against."""
    training = [m for m in motions if str(m.meta["subject"]) not in fold.test_subjects]
    testing = [m for m in motions if str(m.meta["subject"]) in fold.test_subjects]
    bones = bones_seen(training)
    real, test = (real_clips(part, settings.scale, bones) for part in (training, testing))
    learnt = {}
    for name in settings.tasks:  # before the generator, which takes longest: what is missing here is told at once
        say(f"{name}: TRTR")
        learnt[name] = _fit(name, real, settings, fold)
    size = {share: max(1, round(share * len(training))) for share in (*settings.shares, 1.0)}
    wanted = wanted_like(training, max(size.values()), settings.scale, np.random.default_rng(fold.seed))
    say("training the generator")
    generate = make_generator(training, fold)
    say(f"generating {len(wanted)} motions")
    made = asked_clips(generate(wanted), wanted, bones)
    once = made.take(slice(size[1.0]))
    sets = {"TSTR": once}
    for share in settings.shares:
        sets[f"TR+S {share:g}"] = real.and_also(made.take(slice(size[share])))
    for kind in settings.simple:
        for share in settings.shares:
            sets[f"{kind} {share:g}"] = real.and_also(more(kind, real, size[share], fold.seed))
    tasks = {}
    for name in settings.tasks:
        rows = {label: _row(blind(real), test, 0) for label, blind in TASKS[name].blind.items()}
        rows["TRTR"] = _row(learnt[name], test, len(real))
        for label, clips in sets.items():
            say(f"{name}: {label}")
            rows[label] = _row(_fit(name, clips, settings, fold), test, len(clips))
        truth = TASKS[name].labels
        recognised = {"truth": truth(once).tolist(), **_row(learnt[name], once, len(real))}
        tasks[name] = {"truth": truth(test).tolist(), "rows": rows, "TRTS": recognised}
    facts = {"n_train": len(real), "n_test": len(test), "subject": test.subject.tolist()}
    values = [None if np.isnan(v) else float(v) for v in test.value]
    return {**facts, "exercise": test.exercise.tolist(), "value": values, "tasks": tasks}


def _fit(name: str, clips: Clips, settings: UtilitySettings, fold: Fold) -> Predictor:
    return TASKS[name].fit(clips, settings.models, settings.scale, fold.seed)


def _row(model: Predictor, test: Clips, n_train: int) -> dict[str, Any]:
    return {"predicted": model(test).tolist(), "n_train": n_train}


# --- what is kept ---------------------------------------------------------------------------------------------------


def _open(out: Path, motions: Sequence[Motion], settings: UtilitySettings, generator: Mapping[str, Any]) -> str:
    """Return the key of the run; its settings are written into a new folder, compared in one that holds a run."""
    asked = {
        "version": VERSION,
        "settings": asdict(settings),
        "generator": dict(generator),
        "motions": _fingerprint(motions, settings.scale),
    }
    text, path = _json(asked, by_name=True), out / "settings.json"
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            different = [k for k, v in json.loads(text).items() if before.get(k) != v]
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"{path}: Expected the settings of a run, could not read them ({error}).") from None
        if different:
            raise UserError(f"Expected what {out} began with, got other {', '.join(different)}. Choose another folder.")
    else:
        write_atomic(path, text)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fingerprint(motions: Sequence[Motion], scale: str | None) -> str:
    digest = hashlib.sha256()
    for m in motions:
        words = (m.meta["subject"], m.meta["exercise"], m.meta.get("side"), m.fps, str(score_of(m, scale)))
        digest.update(repr(words).encode())
        digest.update(m.positions.tobytes())
        digest.update(m.valid.tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path, key: str) -> dict[str, Any]:
    try:
        fold = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: Expected a finished fold, could not read it ({error}). Remove the file.") from None
    if fold.get("key") != key:
        raise UserError(f"{path}: Expected a fold of this run, it belongs to another one. Choose another folder.")
    return fold


def _json(data: Any, by_name: bool = False) -> str:
    """Return JSON text. The order of rows is that of the table, so keys are sorted only where asked."""
    return json.dumps(data, indent=1, sort_keys=by_name, allow_nan=False) + "\n"
