"""Fits the texture: what the network's last step averages away, so that it can be drawn again.

The last sampling step returns the mean of all clean motions that fit its noisy input: fine sway, hesitation and the
sensor's unrest are lost, and with them part of the variety between repetitions. Their covariance is measured here on
training clips, apart for time and for joints, with one size for each exercise.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rehabmotion.models.diffusion import add_noise
from rehabmotion.models.generator import DiffusionGenerator
from rehabmotion.training.batches import BatchMaker

RIDGE = 1e-4  # of the mean variance, so that the factor exists
STEP = 0.02  # share of the diffusion at which a clip is shown: almost clean


@torch.no_grad()
def fit_texture(model: DiffusionGenerator, batches: BatchMaker, n: int = 2000, seed: int = 0) -> None:
    """Set the model's texture from n training clips of real people, all joints seen; without any it stays zero."""
    samples = batches.samples
    named = np.array([bool(exercise) for exercise in samples.exercise])
    rows = np.flatnonzero((samples.person >= 0) & samples.mask.all(axis=(1, 2)) & named)
    if len(rows) == 0:
        return
    rows = np.sort(np.random.default_rng(seed).choice(rows, min(n, len(rows)), replace=False))
    residuals = torch.cat([_residuals(model, batches, chunk) for chunk in np.array_split(rows, -(-len(rows) // 64))])
    size = residuals.square().mean(dim=(1, 2)).sqrt()
    unit = residuals / size[:, None, None].clamp(min=1e-6)
    over_time = torch.einsum("nic,njc->ij", unit, unit) / (len(unit) * unit.shape[2])
    over_joints = torch.einsum("nta,ntb->ab", unit, unit) / (len(unit) * unit.shape[1])
    model.texture_time.copy_(_factor(over_time))
    model.texture_joints.copy_(_factor(over_joints))
    names = np.array(samples.exercise)[rows]
    for index, exercise in enumerate(model.config.text.exercises):
        if (names == exercise).any():
            model.texture_size[index] = size[torch.from_numpy(names == exercise)].median()


def _residuals(model: DiffusionGenerator, batches: BatchMaker, rows: np.ndarray) -> Tensor:
    batch = batches.fixed(model, rows, seed=int(rows[0]))
    generator = torch.Generator().manual_seed(int(rows[0]))
    step = torch.full((len(rows),), STEP)
    x_t = add_noise(batch.x, torch.randn(batch.x.shape, generator=generator), step)
    return batch.x - model.denoiser(x_t, step, batch.valid, batch.conditions, batch.frame_mask)


def _factor(covariance: Tensor) -> Tensor:
    ridge = RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance))
    return torch.linalg.cholesky(covariance + ridge)
