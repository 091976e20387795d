"""Trains an evaluator on corpora and leaves a run folder: configuration, log, checkpoints, weights, card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rehabmotion import __version__
from rehabmotion.data.captions import HELD_OUT_FAMILIES, captions, with_side
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.metrics.text_agreement import MIN_CLIPS, mm_dist, r_precision
from rehabmotion.models.evaluator import VARIANTS, Evaluator, EvaluatorConfig
from rehabmotion.models.store import CARD, Provenance, save_model
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.training.evaluator import (
    EvaluatorBatches,
    EvaluatorSamples,
    channel_statistics,
    evaluator_samples,
    fit_features,
)
from rehabmotion.training.loop import TrainingConfig, train
from rehabmotion.workflows.evaluator_card import evaluator_card
from rehabmotion.workflows.sizes import Size
from rehabmotion.workflows.train import Progress, Say, begin_run, run_settings

DEFAULT_VARIANT = "transformer"
FAMILIES = {Evaluator.kind: DEFAULT_VARIANT, **{f"{Evaluator.kind}-{name}": name for name in VARIANTS}}  # of --model
SIZES = {
    "smoke": Size(32, 1, 2, steps=20, batch_size=16, text_steps=0, d_text=16),
    "small": Size(64, 2, 4, steps=1500, batch_size=96, text_steps=0, d_text=64, learning_rate=2e-3, ema=0.995),
    "base": Size(96, 3, 4, steps=4000, batch_size=96, text_steps=0, d_text=64, learning_rate=2e-3, ema=0.995),
}
ROUNDS = 5  # of drawn captions, each ranked in pools drawn four times


def train_evaluator(
    corpora: Sequence[str],
    out: Path,
    size_name: str = "small",
    steps: int | None = None,
    seed: int = 0,
    resume: bool = False,
    data_dir: Path | None = None,
    precision: str = "no",
    say: Say = lambda _: None,
    progress: Progress = lambda *_: None,
    variant: str = DEFAULT_VARIANT,
    save_every: int | None = None,
    accumulate: int = 1,
) -> Path:
    """Train on NAME:train of each corpus, measure on NAME:val, and return the run folder `out`.

    A run that exists is refused unless `resume`; the settings of a resumed run are those it began with.
    """
    if variant not in VARIANTS:
        raise UserError(f'Expected a variant of the evaluator, got "{variant}". Known: {", ".join(VARIANTS)}.')
    if size_name not in SIZES:
        raise UserError(f'Expected a size of the evaluator, got "{size_name}". Known: {", ".join(SIZES)}.')
    size = SIZES[size_name]
    settings = run_settings(corpora, size_name, size, steps, None, seed, precision, save_every, accumulate)
    settings |= {"variant": variant}
    first, training, held_out = begin_run(corpora, out, settings, resume, data_dir, say)
    samples = evaluator_samples(training, size.n_frames)
    model = _new(samples, size, variant, seed)
    config = TrainingConfig(**settings["training"])
    checks = None
    if any(m.meta.get("exercise") or m.text for clips in held_out.values() for m in clips):
        kept_back = evaluator_samples(held_out, size.n_frames, mirrored=False)
        checks = EvaluatorBatches(kept_back, model.config.scales)
    say(f"training on {len(samples)} clips (mirrored ones counted), {config.steps} steps")
    model = train(model, EvaluatorBatches(samples, model.config.scales, seed), checks, config, out, resume, progress)
    fit_features(model, samples)
    if first:
        provenance = _provenance(out.name, training, held_out, samples, settings)
        figures = agreement_table(model, recorded(held_out), seed)
        for line in figures:
            say(line)
        save_model(model, provenance, out)
        write_atomic(out / CARD, evaluator_card(model, provenance, "\n".join(figures)))
    return out


def _new(samples: EvaluatorSamples, size: Size, variant: str, seed: int) -> Evaluator:
    """Return an untrained evaluator. No draw is shared with a generator of the same seed."""
    statistics = channel_statistics(samples.clips)
    config = EvaluatorConfig(
        statistics.mean,
        statistics.std,
        samples.scales,
        variant=variant,
        n_frames=size.n_frames,
        d=size.d,
        layers=size.layers,
        heads=size.heads,
        d_text=size.d_text,
    )
    torch.manual_seed(seed + 7919)
    return Evaluator(config)


def _provenance(
    name: str,
    training: dict[str, list[Motion]],
    held_out: dict[str, list[Motion]],
    samples: EvaluatorSamples,
    settings: dict[str, Any],
) -> Provenance:
    people = {f"{corpus} {m.meta['subject']}" for corpus, clips in held_out.items() for m in clips if m.meta["subject"]}
    return Provenance(
        name=name,
        corpora=tuple(training),
        held_out=tuple(sorted(person for person in people if not person.startswith("simulator"))),
        exercises=tuple(sorted({exercise for exercise in samples.exercise if exercise})),
        durations={},
        heights=(0.0, 0.0),  # nothing is generated, so no body is drawn
        training=settings,
        version=__version__,
    )


# --- what it has learnt ---------------------------------------------------------------------------------------------


def recorded(corpora: dict[str, list[Motion]]) -> list[Motion]:
    """Return the clips of known exercises that show people; simulated ones where there are no others."""
    known = {name: [m for m in clips if m.meta.get("exercise") in EXERCISES] for name, clips in corpora.items()}
    people = [m for name, clips in known.items() if name != "simulator" for m in clips]
    return people or known.get("simulator", [])


def agreement_table(model: Evaluator, motions: Sequence[Motion], seed: int = 0) -> list[str]:
    """Return lines of a Markdown table: how well the evaluator finds held-out clips by wording seen and unseen.

    Multi-positive R-Precision (same exercise and side), text to motion, pools of 32. Too few clips give no table.
    """
    if len(motions) < MIN_CLIPS:
        return []
    points = model.embed_motions(motions)
    ids = [f"{motion.meta['exercise']} {motion.meta['side']}" for motion in motions]
    rows = ["| captions | R@1 | R@2 | R@3 | chance R@1 | MM-Dist |", "|---|---|---|---|---|---|"]
    for name, families in {"names": ("name",), "unseen wording": HELD_OUT_FAMILIES}.items():
        rng = np.random.default_rng(seed)
        rounds, distances = [], []
        for i in range(ROUNDS):
            texts = model.embed_texts([spoken(motion, families, rng) for motion in motions])
            rounds.append(r_precision(texts, points, ids, seed=seed + i, repeats=4))
            distances.append(mm_dist(texts, points).mean())
        values = [f"{np.mean([found.values[k] for found in rounds]):.3f}" for k in (1, 2, 3)]
        rows.append(f"| {name} | {' | '.join(values)} | {rounds[0].chance[1]:.3f} | {np.mean(distances):.3f} |")
    return [*rows, "", f"Over {len(motions)} held-out clips, captions that name the side where there is one."]


def spoken(motion: Motion, families: Sequence[str], rng: np.random.Generator) -> str:
    """Return a caption of the clip's exercise in wording of `families` that says the side where there is one."""
    exercise, side = str(motion.meta["exercise"]), motion.meta["side"]
    texts = captions(exercise, side, families)
    return with_side(texts[rng.integers(len(texts))], exercise, side)
