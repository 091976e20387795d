"""Metrics that are means over clips, or differences of such means: body and floor, range, scores, copies, exercise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.metrics import angles
from rehabmotion.metrics.intervals import Counts, mean_draws, mean_known, median_draws, recentred
from rehabmotion.metrics.memorisation import copy_rate, median_ratio, nearest_distance
from rehabmotion.metrics.score_agreement import spearman
from rehabmotion.workflows.evaluation.found import Context, Draws, Found, over_clips
from rehabmotion.workflows.evaluation.views import View


def per_clip(name: str, note: str = "") -> Callable[[View, View, Context], Found]:
    """Return the metric that is the mean of a physical number of each clip."""

    def metric(g: View, _: View, c: Context) -> Found:
        return over_clips(g.physical[name], g, c, note)

    return metric


def bone_error(g: View, r: View, c: Context) -> Found:
    """Return how far the mean departure of bones from their own length is from that of real clips, mm."""
    return _difference(g.physical["bone_error"][:, None], r.physical["bone_error"][:, None], None, g, r, c)


def rom_error(g: View, r: View, c: Context) -> Found:
    """Return the difference of the mean range of motion, degrees, averaged over angles and exercises."""
    return _difference(g.rom, r.rom, (g.exercises, r.exercises), g, r, c)


def symmetry_error(g: View, r: View, c: Context) -> Found:
    """Return the difference of the mean symmetry index of left and right ranges, averaged over joints and exercises."""
    of = angles.symmetry_index
    return _difference(of(g.rom), of(r.rom), (g.exercises, r.exercises), g, r, c)


def _difference(
    x: Draws, y: Draws, labels: tuple[Sequence[str], Sequence[str]] | None, g: View, r: View, c: Context
) -> Found:
    """Return |mean generated - mean real| of columns (N, A), inside the exercises of both sides, then averaged."""
    classes = _rows_by_class(labels, len(x), len(y))
    once = [np.ones((1, len(v)), np.int16) for v in (x, y)]
    value = float(_mean_differences(x, y, classes, once[0], once[1])[0])
    if np.isnan(value):
        raise UserError("no clip for which this is defined on both sides")
    (counts_g, covers), (counts_r, _) = c.counts(g, c.n_draws, "generated"), c.counts(r, c.n_draws, "real")
    draws = recentred(_mean_differences(x, y, classes, counts_g, counts_r), value)
    n = sum(len(rows) for rows, _ in classes)
    kinds = f"within {len(classes)} exercises of both sides" if labels else ""
    return Found(value, n, np.maximum(draws, 0.0), tuple(note for note in (kinds, covers) if note))


def _rows_by_class(
    labels: tuple[Sequence[str], Sequence[str]] | None, n: int, m: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    if labels is None:
        return [(np.arange(n), np.arange(m))]
    a, b = np.array(labels[0]), np.array(labels[1])
    common = sorted(set(a) & set(b))
    if not common:
        raise UserError("the two sides have no exercise in common")
    return [(np.flatnonzero(a == name), np.flatnonzero(b == name)) for name in common]


def _mean_differences(
    x: Draws, y: Draws, classes: list[tuple[np.ndarray, np.ndarray]], counts_x: Counts, counts_y: Counts
) -> Draws:
    found = []
    for rows, others in classes:
        for column in range(x.shape[1]):
            a = mean_draws(x[rows, column], counts_x[:, rows])
            b = mean_draws(y[others, column], counts_y[:, others])
            found.append(np.abs(a - b))
    return mean_known(np.stack(found))


# --- scores -----------------------------------------------------------------------------------------------------------


def score_mae(g: View, _: View, c: Context) -> Found:
    """Return the mean absolute difference of asked and read score, mean of two regressors, points of the scale."""
    scored, asked, read, scale = read_scores(g, c)
    errors = {name: np.abs(answer - asked) for name, answer in read.items()}
    each = ", ".join(f"{name} {error.mean():.3g}" for name, error in errors.items())
    constant = float(np.abs(asked - np.median(asked)).mean())
    return over_clips(np.mean(list(errors.values()), axis=0), scored, c, f"{scale}: {each}; a constant {constant:.3g}")


def score_spearman(g: View, _: View, c: Context) -> Found:
    """Return the rank correlation of asked and read score, mean of two regressors."""
    scored, asked, read, scale = read_scores(g, c)
    if np.ptp(asked) == 0:
        raise UserError("all scores asked for are the same")
    each = {name: spearman(answer, asked) for name, answer in read.items()}
    counts, covers = c.counts(scored, c.n_draws, "generated")
    draws = np.mean([_spearman_draws(answer, asked, counts) for answer in read.values()], axis=0)
    spelled = ", ".join(f"{name} {value:.3f}" for name, value in each.items())
    return Found(float(np.mean(list(each.values()))), len(scored), draws, (f"{scale}: {spelled}", covers))


def _spearman_draws(read: Draws, asked: Draws, counts: Counts) -> Draws:
    rows = np.arange(len(asked))
    drawn = (np.repeat(rows, count) for count in counts)
    return np.array([spearman(read[i], asked[i]) if np.ptp(asked[i]) > 0 else np.nan for i in drawn])


def read_scores(g: View, c: Context) -> tuple[View, Draws, dict[str, Draws], str]:
    """Return the clips that carry the commonest scale, their scores, what each regressor reads, and the scale."""
    return c.once(("scores", id(g)), lambda: _fresh_scores(g, c))


def _fresh_scores(g: View, c: Context) -> tuple[View, Draws, dict[str, Draws], str]:
    carried = Counter(score.scale for motion in g.motions for score in motion.scores)
    if not carried:
        raise UserError("no clip carries a score")
    scale = min(carried, key=lambda name: (-carried[name], name))
    rows = np.flatnonzero(~np.isnan(g.scores(scale)))
    if len(rows) < 2:
        raise UserError(f"score agreement takes at least 2 clips with a score, got {len(rows)}")
    scored = g if len(rows) == len(g) else g.take(rows)
    read = c.regressors(scale).predict_singly(scored.directions, scored.exercises)
    return scored, scored.scores(scale), read, scale


# --- copies and exercises ---------------------------------------------------------------------------------------------


def memorisation(g: View, r: View, c: Context) -> Found:
    """Return how near clips come to training clips over how near real held-out ones do; far below 1 they are copies."""
    if c.training is None:
        raise UserError("needs the motions the generator was trained on: --train")
    own, held_out = (_to_training(view, c) for view in (g, r))
    value = median_ratio(own, held_out)
    if np.isnan(value):
        raise UserError("the real side is part of the training clips: hold other people out")
    (counts_g, covers), (counts_r, _) = c.counts(g, c.n_draws, "generated"), c.counts(r, c.n_draws, "real")
    draws = median_draws(own, counts_g) / median_draws(held_out, counts_r)
    rates = f"copies within 2 cm: {copy_rate(own):.3f}, of real held-out clips {copy_rate(held_out):.3f}"
    return Found(value, len(g), draws, (f"{len(c.training)} training clips", rates, covers))


def _to_training(view: View, c: Context) -> Draws:
    assert c.training is not None
    training = c.training
    return c.once(("training", id(view)), lambda: nearest_distance(view.aligned, training.aligned))


def exercise_accuracy(g: View, _: View, c: Context) -> Found:
    """Return how often a judge of real clips names the exercise that was asked for."""
    judge = c.judge()
    names = np.array(g.exercises)
    known = np.isin(names, judge.classes)
    if not known.any():
        raise UserError("no clip is asked to be an exercise that the real side shows")
    predicted = c.once(("named", id(g)), lambda: judge.predict(g.directions))
    right = np.where(known, predicted == names, np.nan)
    left_out = int((~known).sum())
    note = f"{len(judge.classes)} exercises" + (f", {left_out} clips of others left out" if left_out else "")
    return over_clips(right, g, c, note)
