"""What a metric comes to: its value, how far it would move with other clips or people, and what must be known of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import Counts, bootstrap_counts, covers_people, interval, mean_draws
from rehabmotion.metrics.judges import Judge
from rehabmotion.metrics.regressors import ScoreRegressors
from rehabmotion.workflows.evaluation.views import View

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A value over n clips with bootstrap draws of it (None: none were asked for), and notes."""

    value: float
    n: int
    draws: Draws | None = None
    notes: tuple[str, ...] = ()

    def also(self, *notes: str) -> Found:
        """Return it with further notes."""
        return replace(self, notes=(*self.notes, *(note for note in notes if note)))

    @property
    def ci(self) -> list[float] | None:
        """The 95 % interval, or None."""
        if self.draws is None or not len(self.draws):
            return None
        low, high = interval(self.draws)
        return None if np.isnan(low) else [low, high]


@dataclass
class Context:
    """What all metrics share: the real side, what may be learnt from, sizes and the seed.

    learn: real clips that judges are fitted on and that stand in for generated ones in the baseline; test: real clips
    of other people that judges are checked on; training: all clips the generator saw, None where nobody knows.
    """

    real: View
    learn: View
    test: View
    training: View | None
    seed: int = 0
    repeats: int = 20
    n_draws: int = 2000
    kept: dict[Any, Any] = field(default_factory=dict)

    def number(self, *what: object) -> int:
        """Return a seed of its own for a purpose."""
        return zlib.crc32(repr((self.seed, *what)).encode())

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, made once for a key."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def counts(self, view: View, n_draws: int, purpose: str) -> tuple[Counts, str]:
        """Return bootstrap counts (D, N) of a view's clips and what they cover."""
        return bootstrap_counts(view.side.subjects, n_draws, self.number("draws", purpose, view.side.name))

    def groups(self, view: View) -> list[str | None] | None:
        """Return whose clips move together in the draws, None where clips move alone."""
        subjects = view.side.subjects
        return subjects if covers_people(subjects) else None

    def equal_parts(self, a: View, b: View) -> Iterator[tuple[View, View, int]]:
        """Yield parts of equal size of two views and the number of draws for each: metrics of sets depend on n."""
        n = min(len(a), len(b))
        if len(a) == len(b):
            yield a, b, self.n_draws
            return
        for repeat in range(self.repeats):
            rng = np.random.default_rng(self.number("parts", repeat))
            parts = [v if len(v) == n else v.take(np.sort(rng.choice(len(v), n, replace=False))) for v in (a, b)]
            yield parts[0], parts[1], -(-self.n_draws // self.repeats)

    def judge(self) -> Judge:
        """Return the judge of exercises, fitted on `learn`."""
        return self.once("judge", lambda: _fitted_judge(self.learn, self.seed))

    def regressors(self, scale: str) -> ScoreRegressors:
        """Return the two regressors of a scale, fitted on `learn`."""
        return self.once(("regressors", scale), lambda: _fitted_regressors(self.learn, scale, self.seed))


Metric = Callable[[View, View, Context], Found]


def _fitted_judge(learn: View, seed: int) -> Judge:
    names = np.array(learn.exercises)
    rows = np.flatnonzero(names != "")
    if len(set(names[rows])) < 2:
        raise UserError("judging exercises takes real clips of at least two exercises to learn from")
    return Judge(seed).fit(learn.directions[rows], names[rows].tolist())


def _fitted_regressors(learn: View, scale: str, seed: int) -> ScoreRegressors:
    y = learn.scores(scale)
    rows = np.flatnonzero(~np.isnan(y))
    if len(rows) < 10 or np.ptp(y[rows]) == 0:
        raise UserError(f"judging scores takes at least 10 real clips of different {scale} to learn from")
    names = np.array(learn.exercises)[rows]
    subjects = [learn.side.subjects[i] for i in rows]
    return ScoreRegressors(scale, seed).fit(learn.directions[rows], list(names), y[rows], subjects)


def over_clips(values: Sequence[float] | Draws, view: View, c: Context, note: str = "") -> Found:
    """Return the mean of a number of each clip; NaN where it does not apply."""
    x = np.asarray(values, np.float64)
    known = int((~np.isnan(x)).sum())
    if not known:
        raise UserError(note or "no clip for which this is defined")
    counts, covers = c.counts(view, c.n_draws, "generated")
    return Found(float(np.nanmean(x)), known, mean_draws(x, counts), tuple(t for t in (note, covers) if t))
