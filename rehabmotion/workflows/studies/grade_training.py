"""Base models without grades, and fine-tuning that tells the grade as a number, in words, or directly.

As in 'Fitness Aware Human Motion Generation with Fine-Tuning' (2024): `numerical` and `textual` put the grade into the
caption, `direct`, its future work, into a token of its own. HP1 and HP2 are its two sets of hyperparameters, scaled to
smaller networks: rates ten times as high, and as many clips seen by both (HP2 takes four steps of 8 for one of 32).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rehabmotion import __version__
from rehabmotion.data.caption_draws import Caption, draw_caption, draw_other
from rehabmotion.data.captions import TRAINING_FAMILIES, numerical_grade, textual_grade
from rehabmotion.data.samples import Samples
from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import Provenance, load_model, save_model
from rehabmotion.models.text import OTHER
from rehabmotion.motion import Score
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, checkpoint_path, train
from rehabmotion.workflows.sizes import Size
from rehabmotion.workflows.train import durations, new_model

MODES = ("base", "numerical", "textual", "direct")
RATE = 10.0  # times the published rates: those are for 17 million weights


@dataclass(frozen=True)
class Hyperparameters:
    """One published set, before scaling; share: of the steps of HP1."""

    name: str
    learning_rate: float
    batch_size: int
    weight_decay: float
    share: float


HP1 = Hyperparameters("HP1", 1e-4, 32, 0.0, 1.0)
HP2 = Hyperparameters("HP2", 3e-5, 8, 3e-6, 4.0)


def grade_of(score: Score) -> int:
    """Return the grade 1, 2 or 3 that a score is told as: fms as it is, two-level scales as 1 and 3."""
    return int(score.value) if score.scale == "fms" else 3 if score.unit >= 0.5 else 1


PROMPTS: dict[str, Callable[[str, int], str]] = {"numerical": numerical_grade, "textual": textual_grade}


def prompt(mode: str, text: str, score: Score) -> tuple[str, Score | None]:
    """Return the words and the score a model of a mode is asked with. The base model is given the number, as there."""
    if mode == "direct":
        return text, score
    return PROMPTS["numerical" if mode == "base" else mode](text, grade_of(score)), None


class GradeBatches(BatchMaker):
    """Batches whose captions tell the grade of a scale in one way only, and of nobody in particular."""

    def __init__(self, samples: Samples, config: GeneratorConfig, seed: int, mode: str, scale: str) -> None:
        super().__init__(samples, config, seed, own_people=False)
        self.mode, self.scale = mode, scale

    def _ask(self, row: int, rng: np.random.Generator) -> tuple[Caption, Score | None, str]:
        s = self.samples
        if self._class(row) == OTHER:
            return (Caption(s.text[row]) if s.text[row] else draw_other(rng)), None, s.side[row] or "none"
        caption = draw_caption(s.exercise[row], s.side[row], rng, TRAINING_FAMILIES)
        score = next((one for one in s.scores[row] if one.scale == self.scale), None)
        told = None
        if score is not None and self.mode != "base":
            text, told = prompt(self.mode, caption.text, score)
            caption = replace(caption, text=text)
        return caption, told, s.side[row] or "none"


def pretrained(
    samples: Callable[[], Samples],
    size: Size,
    hp: Hyperparameters,
    steps: int,
    out: Path,
    say: Callable[[str], None],
) -> None:
    """Leave a base model in `out`, trained without grades; gone on with where it was stopped, left where it is there.

    samples: made when they are needed.
    """
    if not (out / "model.safetensors").exists():
        clips, stopped = samples(), checkpoint_path(out).exists()
        model = new_model("diffusion", clips, size, "ngram", 0, stopped, say, text_seed=0)
        _train(model, clips, hp, round(steps * hp.share), out, "base", "")


def fine_tuned(
    base: Path, samples: Callable[[], Samples], hp: Hyperparameters, steps: int, out: Path, mode: str, scale: str
) -> None:
    """Leave the base model of a folder in `out`, fine-tuned on graded clips in one mode, unless it is there."""
    if not (out / "model.safetensors").exists():
        model = load_model(base)[0]
        model.config = replace(model.config, scales=tuple(sorted({*model.config.scales, scale})))
        _train(model, samples(), hp, round(steps * hp.share), out, mode, scale)


def _train(
    model: Generator, samples: Samples, hp: Hyperparameters, steps: int, out: Path, mode: str, scale: str
) -> None:
    config = TrainingConfig(
        steps=steps,
        batch_size=hp.batch_size,
        learning_rate=RATE * hp.learning_rate,
        weight_decay=hp.weight_decay,
        warm_up=min(300, steps // 10 + 1),
    )
    batches = GradeBatches(samples, model.config, 0, mode, scale)
    model = train(model, batches, None, config, out, resume=checkpoint_path(out).exists())
    save_model(model, provenance_of(out.name, samples), out)


def provenance_of(name: str, samples: Samples) -> Provenance:
    """Return what sampling needs to know: durations of exercises, body sizes; nobody's manner."""
    heights = samples.height
    corpora: Sequence[str] = sorted(set(samples.corpus))
    return Provenance(
        name=name,
        corpora=tuple(corpora),
        held_out=(),
        exercises=samples.exercises,
        durations=durations(samples),
        heights=(round(float(heights.mean()), 4), round(float(heights.std()), 4)),
        version=__version__,
    )
