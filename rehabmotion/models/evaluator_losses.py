"""Losses of the evaluator. A caption may describe several clips of a batch: all of them are right answers."""

from __future__ import annotations

import torch
from torch import Tensor

TEMPERATURE = 0.1


def info_nce(text: Tensor, motion: Tensor, positive: Tensor) -> Tensor:
    """Return the contrastive cross-entropy (Oord et al. 2018), both ways, its target uniform over all right answers.

    text and motion (B, d) of length 1; positive (B, B) bool. Texts and clips without any right answer do not count.
    """
    similarity = text @ motion.T / TEMPERATURE
    return 0.5 * (_cross_entropy(similarity, positive) + _cross_entropy(similarity.T, positive.T))


def _cross_entropy(similarity: Tensor, positive: Tensor) -> Tensor:
    target = positive.float()
    n = target.sum(dim=1)
    each = -(similarity.log_softmax(dim=1) * target).sum(dim=1) / n.clamp(min=1)
    return each.sum() / (n > 0).sum().clamp(min=1)


def masked_error(told: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Return the mean squared error over what is known; nothing known gives 0."""
    error = torch.where(known, told - truth, torch.zeros_like(told))
    return error.square().sum() / known.sum().clamp(min=1)
