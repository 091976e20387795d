"""What a generator in training makes for held-out people, beside their clips: kernel distance and coverage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.metrics.kid import kid
from rehabmotion.metrics.neighbours import prdc
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import Provenance, load_evaluator
from rehabmotion.motion import Motion
from rehabmotion.training.loop import Judge
from rehabmotion.workflows.evaluation.asked import ask_like
from rehabmotion.workflows.generate import generate_each
from rehabmotion.workflows.models import model_folder

N_CLIPS = 96  # so that a validation takes seconds
K = 5  # neighbours, as in `evaluate`


def clip_judge(held_out: Sequence[Motion], provenance: Provenance) -> Judge | None:
    """Return what gives `kid` and `coverage` of motions made for the words, scores and lengths of held-out clips.

    Features are those of the shipped evaluator. None where fewer clips are held out than the neighbourhoods need.
    """
    clips = [held_out[i] for i in np.linspace(0, len(held_out) - 1, min(N_CLIPS, len(held_out))).round().astype(int)]
    if len(clips) <= 2 * K:
        return None
    evaluator = load_evaluator(model_folder("evaluator"))[0]
    real = evaluator.features(clips)

    def judge(model: Generator) -> dict[str, float]:
        device = model.mean.device
        asks = [ask_like(clip, i, model) for i, clip in enumerate(clips)]
        try:
            made = evaluator.features(list(generate_each(model.cpu(), provenance, asks, raw=True)))
        except UserError:  # so early in a training that what is made is no body yet
            return {}
        finally:
            model.to(device)
        return {"kid": kid(real, made), "coverage": prdc(real, made, K).means()["coverage"]}

    return judge
