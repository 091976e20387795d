"""Guidance: one opinion out of several, told nothing, the text, or text and score (after Ho & Salimans 2021).

Two conditions, two weights: x = x_0 + w_t (x_t - x_0) + w_s (x_ts - x_t); x_0 is told neither, x_t the text, x_ts both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.samplers import Predict

Estimate = Callable[[Tensor, Tensor, Tensor, Conditions, Tensor | None], Tensor]


def guided(
    estimate: Estimate,
    conditions: Conditions,
    valid: Tensor,
    frames: Tensor | None,
    w_text: float,
    w_score: float,
) -> Predict:
    """Return the guided prediction of x0 for a batch of B; `estimate(x, step, valid, conditions, frames)` is asked once
    a step, with all opinions in one batch."""
    scored = bool((conditions.scale >= 0).any())
    told = conditions.without_score()
    parts, weights = _opinions(told.without_text(), told, conditions if scored else None, w_text, w_score)
    joined, copies, n = Conditions.cat(parts), len(parts), len(conditions.scale)
    many_valid = valid.repeat(copies, 1, 1)
    many_frames = None if frames is None else frames.repeat(copies, 1)

    def predict(x: Tensor, step: Tensor) -> Tensor:
        x0 = estimate(x.repeat(copies, 1, 1), step.repeat(copies), many_valid, joined, many_frames)
        return torch.einsum("k,kbtc->btc", torch.tensor(weights, dtype=x0.dtype), x0.unflatten(0, (copies, n)))

    return predict


def _opinions(
    nothing: Conditions, told: Conditions, scored: Conditions | None, w_text: float, w_score: float
) -> tuple[list[Conditions], list[float]]:
    """Return the conditions to be asked and the weight of each answer; those of weight 0 are not asked."""
    if scored is None:
        pairs = [(nothing, 1 - w_text), (told, w_text)]
    else:
        pairs = [(nothing, 1 - w_text), (told, w_text - w_score), (scored, w_score)]
    asked = [(conditions, weight) for conditions, weight in pairs if weight != 0.0]
    return [conditions for conditions, _ in asked], [weight for _, weight in asked]
