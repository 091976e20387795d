"""Metrics of sets of features: distances of distributions, neighbours, diversity, words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.metrics import diversity, frechet, kid, neighbours, text_agreement, warping
from rehabmotion.metrics.intervals import mean_draws, pair_mean_draws, recentred
from rehabmotion.workflows.evaluation.found import Context, Draws, Found, over_clips
from rehabmotion.workflows.evaluation.views import View

K = 5  # neighbours
WARPING_PAIRS = 1000


def fid(g: View, r: View, c: Context) -> Found:
    """Return the Fréchet distance at equal sizes, beside what two samples of one distribution would give."""
    found = _of_parts(g, r, c, frechet.fid, lambda x, y, cx, cy, *_: frechet.fid_draws(x, y, cx, cy))
    n, d = found.n, r.features.shape[1]
    null = frechet.fid_null(r.features, n, n)
    return found.also(f"two samples of one distribution: {null:.3g}", f"unreliable below n = {2 * d}" * (n < 2 * d))


def kernel_distance(g: View, r: View, c: Context) -> Found:
    """Return KID at equal sizes, features in deviations of the evaluator's training people."""
    found = _of_parts(g, r, c, kid.kid, kid.kid_draws)
    return found.also("two samples of one distribution: 0")


def _of_parts(g: View, r: View, c: Context, value: Callable[..., float], draws: Callable[..., Draws]) -> Found:
    values: list[float] = []
    drawn: list[Draws] = []
    n, notes = 0, ""
    for part, real, n_draws in c.equal_parts(g, r):
        x, y = real.features, part.features
        values.append(value(x, y))
        n = len(y)
        real_counts, notes = c.counts(real, n_draws, f"real {len(values)}")
        counts, _ = c.counts(part, n_draws, f"generated {len(values)}")
        drawn.append(recentred(draws(x, y, real_counts, counts, c.groups(real), c.groups(part)), values[-1]))
    return Found(float(np.mean(values)), n, np.concatenate(drawn), (f"real side {notes}",))


def prdc(which: str) -> Callable[[View, View, Context], Found]:
    """Return the metric precision, recall, density or coverage."""

    def metric(g: View, r: View, c: Context) -> Found:
        parts: Any = c.once(("prdc", id(g), id(r)), lambda: _prdc_parts(g, r, c))
        side = 0 if which in ("precision", "density") else 1
        values: list[float] = []
        drawn: list[Draws] = []
        notes = ""
        for views, found, n_draws in parts:
            each = getattr(found, which)
            counts, notes = c.counts(views[side], n_draws, f"{which} {len(values)}")
            values.append(float(each.mean()))
            drawn.append(mean_draws(each, counts))
        n = len(parts[0][0][0])
        null = neighbours.coverage_null(n, n, K) if which == "coverage" else 1.0
        expected = f"two samples of one distribution: {null:.3g}" if which in ("coverage", "density") else ""
        return Found(float(np.mean(values)), n, np.concatenate(drawn), (f"k = {K}", notes)).also(expected)

    return metric


def _prdc_parts(g: View, r: View, c: Context) -> list[Any]:
    return [
        ((part, real), neighbours.prdc(real.features, part.features, K), n_draws)
        for part, real, n_draws in c.equal_parts(g, r)
    ]


def spread(g: View, _: View, c: Context) -> Found:
    """Return Diversity (Guo et al. 2020): the mean distance of sampled pairs, over repeats."""
    n_pairs = min(300, len(g) - 1)
    values = [diversity.diversity(g.features, n_pairs, c.number("diversity", i)) for i in range(c.repeats)]
    return Found(float(np.mean(values)), len(g), _recentred_pairs(g, c, float(np.mean(values))), (f"{n_pairs} pairs",))


def apd(g: View, _: View, c: Context) -> Found:
    """Return the mean distance of all pairs of features."""
    value = diversity.apd(g.features)
    return Found(value, len(g), _recentred_pairs(g, c, value))


def _recentred_pairs(g: View, c: Context, value: float) -> Draws:
    counts, _ = c.counts(g, c.n_draws, "generated")
    return recentred(pair_mean_draws(_distances(g, c), counts, c.groups(g)), value)


def _distances(g: View, c: Context) -> Draws:
    return c.once(("distances", id(g)), lambda: diversity.pairwise(g.features))


def acpd(g: View, _: View, c: Context) -> Found:
    """Return the mean distance of pairs inside each exercise, averaged over exercises."""
    value = diversity.acpd(g.features, g.exercises)
    if np.isnan(value):
        raise UserError("no exercise has two clips")
    counts, _note = c.counts(g, c.n_draws, "generated")
    return Found(value, len(g), diversity.acpd_draws(_distances(g, c), g.exercises, counts, c.groups(g)))


def multimodality(g: View, _: View, c: Context) -> Found:
    """Return the mean distance of motions asked for alike: same exercise, side and scores."""
    asked = [(*one, *sorted(map(str, m.scores))) for one, m in zip(g.ids, g.motions, strict=True)]
    values = [diversity.multimodality(g.features, asked, 10, c.number("multimodality", i)) for i in range(c.repeats)]
    value = float(np.mean(values))
    if np.isnan(value):
        raise UserError("no two clips were asked for alike")
    counts, _note = c.counts(g, c.n_draws, "generated")
    draws = recentred(diversity.acpd_draws(_distances(g, c), asked, counts, c.groups(g)), value)
    return Found(value, len(g), draws, ("alike: same exercise, side and scores",))


def mms(g: View, r: View, c: Context) -> Found:
    """Return the mean distance to the nearest real clip (first neighbour)."""
    return over_clips(neighbours.mms(g.features, r.features), g, c, "low is faithful or copied: see memorisation")


def r_precision(k: int) -> Callable[[View, View, Context], Found]:
    """Return the metric R-Precision at k: text to motion, multi-positive, pools of 32."""

    def metric(g: View, _: View, c: Context) -> Found:
        found, spoken = c.once(("r_precision", id(g)), lambda: _r_precision(g, c))
        note = f"chance {found.chance[k]:.3f}"
        small = f"pool of {found.pool}, not 32: too few clips" if found.pool < 32 else ""
        return over_clips(found.hits[k], spoken, c, note).also(small)

    return metric


def _r_precision(g: View, c: Context) -> tuple[text_agreement.RPrecision, View]:
    spoken = _spoken(g)
    texts = spoken.evaluator.embed_texts(spoken.captions)
    found = text_agreement.r_precision(
        texts, spoken.points, spoken.ids, pool=32, seed=c.number("pools"), repeats=c.repeats
    )
    return found, spoken


def _spoken(g: View) -> View:
    rows = [i for i, text in enumerate(g.captions) if text]
    if len(rows) < text_agreement.MIN_CLIPS:
        raise UserError(f"text agreement takes at least {text_agreement.MIN_CLIPS} clips with words, got {len(rows)}")
    return g if len(rows) == len(g) else g.take(rows)


def mm_dist(g: View, _: View, c: Context) -> Found:
    """Return the mean distance of words to their motion."""
    spoken = _spoken(g)
    return over_clips(text_agreement.mm_dist(spoken.evaluator.embed_texts(spoken.captions), spoken.points), spoken, c)


def warping_diversity(per_frame: bool) -> Callable[[View, View, Context], Found]:
    """Return WPD (frames) or WPD/T of pairs inside each exercise, on bone directions."""

    def metric(g: View, _: View, c: Context) -> Found:
        frames, share, views = c.once(("warping", id(g)), lambda: _warping(g, c))
        return over_clips(share if per_frame else frames, views, c, f"{len(frames)} pairs within exercises")

    return metric


def _warping(g: View, c: Context) -> tuple[Draws, Draws, View]:
    pairs = warping.draw_pairs(len(g), WARPING_PAIRS, c.number("pairs"), g.exercises)
    frames, share = warping.wpd_pairs(g.sequences, pairs)
    return frames, share, g.take(pairs[:, 0])
