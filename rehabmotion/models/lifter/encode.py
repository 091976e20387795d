"""What the lifter is given: points in an image as rays of a camera that looks at the person, at unit size.

The camera is turned so that the person's middle lies on its axis (as in MeTRAbs, Sarandi et al. 2021): what a person
looks like then does not depend on where in the image they stand, up to the distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Seen:
    """One person in B windows of T frames. rays (B, T, P, 2): x / z, y / z in the camera, x right, y down; confidence
    (B, T, P) from 0 to 1; world (B, T, P, 3) m, the detector's own guess in the camera's axes; has_world (B,).
    real (B, T): frames that are no padding.
    """

    rays: Tensor
    confidence: Tensor
    world: Tensor
    has_world: Tensor
    real: Tensor


@dataclass(frozen=True)
class Encoded:
    """features (B, T, F); turn (B, 3, 3): camera -> camera that looks at the person; spread (B,) of the rays there."""

    features: Tensor
    turn: Tensor
    spread: Tensor


def n_features(n_points: int) -> int:
    """Return how many numbers describe a frame."""
    return 7 * n_points + 2


def encode(seen: Seen) -> Encoded:
    """Return the lifter's input. Points that were not seen are 0; frames that are padding too."""
    shown = (seen.confidence > 0) & seen.real[..., None]
    weight = seen.confidence * shown
    total = weight.sum(dim=(1, 2)).clamp(min=1e-6)
    centre = (seen.rays * weight[..., None]).sum(dim=(1, 2)) / total[:, None]
    turn = looking_at(centre)
    rays = turned_rays(seen.rays, turn)
    spread = ((rays.square().sum(dim=-1) * weight).sum(dim=(1, 2)) / total).sqrt().clamp(min=1e-4)
    rays = (rays / spread[:, None, None, None]).clamp(-6, 6)
    world = torch.einsum("bij,btpj->btpi", turn, seen.world)
    told = shown & seen.has_world[:, None, None]
    size = ((world.square().sum(dim=-1) * told).sum(dim=(1, 2)) / told.sum(dim=(1, 2)).clamp(min=1)).sqrt()
    world = (world / size.clamp(min=1e-4)[:, None, None, None]).clamp(-6, 6)
    b, t = seen.real.shape
    parts = [
        (rays * shown[..., None]).flatten(2),
        weight,
        shown.to(rays),
        (world * told[..., None]).flatten(2),
        spread.log()[:, None, None].expand(b, t, 1),
        seen.has_world.to(rays)[:, None, None].expand(b, t, 1),
    ]
    return Encoded(torch.cat(parts, dim=-1) * seen.real[..., None], turn, spread)


def looking_at(centre: Tensor) -> Tensor:
    """Return the least rotations (B, 3, 3) that bring the rays (B, 2) onto the camera's axis."""
    d = torch.nn.functional.normalize(torch.cat([centre, torch.ones_like(centre[:, :1])], dim=1), dim=1)
    zero, one = torch.zeros_like(d[:, 0]), torch.ones_like(d[:, 0])
    x, y, z = d.unbind(1)
    share = 1 / (1 + z)
    rows = [1 - x * x * share, -x * y * share, -x, -x * y * share, 1 - y * y * share, -y, x, y, z]
    return torch.stack([row + zero * one for row in rows], dim=1).unflatten(1, (3, 3))


def turned_rays(rays: Tensor, turn: Tensor) -> Tensor:
    """Return rays (B, T, P, 2) as a camera sees them that is turned by (B, 3, 3)."""
    full = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1)
    full = torch.einsum("bij,btpj->btpi", turn, full)
    return full[..., :2] / full[..., 2:].clamp(min=0.05)
