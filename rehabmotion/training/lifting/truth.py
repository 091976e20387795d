"""From moving bodies to what was so and what was seen, as the lifter's batches hold them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.models.lifter.body import Body
from rehabmotion.models.lifter.encode import Seen
from rehabmotion.models.lifter.losses import Truth
from rehabmotion.training.lifting.scene import Cameras
from rehabmotion.training.lifting.sensor import Sensed


def moved_points(body: Body, q: Tensor, tied: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return detector points (B, T, P, 3) m in ground and the rotations (B, T, P, 3, 3) of the bodies they lie on."""
    k, (b, t), n_points = body.kinematics, q.shape[:2], len(body.points)
    with torch.no_grad():
        columns, scales, _ = k.flat(q, body.untied(tied)[:, None].expand(b, t, -1, 3))
        state = k.state(columns, scales)
        places = k.points(state, scales)[:, :n_points].permute(2, 1, 0).unflatten(0, (b, t))
        turned = state.rotation[:, :, k.marker_body[:n_points]].permute(3, 2, 0, 1).unflatten(0, (b, t))
    return places.double().numpy(), turned.double().numpy()


def truth_of(body: Body, q: Tensor, tied: Tensor, sure: NDArray[np.float32], view: Cameras) -> Truth:
    """Return what was so, as cameras see it."""
    camera = torch.from_numpy(view.rotation).float()
    rotations = body.rotations(q)
    rotations[:, :, 0] = torch.einsum("bij,btjk->btik", camera, rotations[:, :, 0])
    return Truth(rotations, q[..., body.hinge_columns], tied, camera[:, :, 1], torch.from_numpy(sure))


def as_seen(found: Sensed) -> Seen:
    """Return what a detector gave as tensors, every frame a real one."""
    real = torch.ones(found.rays.shape[:2], dtype=torch.bool)
    rays, confidence, world = (torch.from_numpy(a).float() for a in (found.rays, found.confidence, found.world))
    return Seen(rays, confidence, world, torch.from_numpy(found.has_world), real)
