"""What the lifter is trained by: rotations, angles, places, and how sure it may be of each coordinate."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.models.lifter.body import Body, to_angles
from rehabmotion.models.lifter.encode import Seen

WEIGHTS = {
    "rotations": 2.0, "hinges": 2.0, "places": 8.0, "pace": 16.0, "dense": 2.0, "tied": 0.5, "up": 0.5, "width": 0.05,
}  # fmt: skip
POLE = 0.95  # sine of the middle angle
BEHIND_THE_ANGLES = 0.1  # of ball joints' angles themselves, beside their rotations


@dataclass(frozen=True)
class Lifted:
    """What the lifter says, in the axes of the camera that looks at the person.

    rotations (B, T, 6, 3, 3) of root and ball joints, hinges (B, T, 8) rad, tied factors (B, 24) of a person of the
    model's size, dense markers (B, T, M, 3) m about the pelvis, log_width (B, T, 26): log of the mean error expected
    of each coordinate, rad; up (B, 3): against gravity, unit length.
    """

    rotations: Tensor
    hinges: Tensor
    tied: Tensor
    dense: Tensor
    log_width: Tensor
    up: Tensor


@dataclass
class Truth:
    """What was so, in the camera's axes. rotations (B, T, 6, 3, 3), hinges (B, T, 8), tied (B, 24), up (B, 3);
    sure (B,): how much of the angles is believed.
    """

    rotations: Tensor
    hinges: Tensor
    tied: Tensor
    up: Tensor
    sure: Tensor


@dataclass
class LifterBatch:
    """What was seen and what was so."""

    seen: Seen
    truth: Truth


def lifter_losses(lifted: Lifted, truth: Truth, turn: Tensor, real: Tensor, body: Body) -> dict[str, Tensor]:
    """Return the losses, scalars, `total` among them. turn (B, 3, 3): camera -> camera that looks at the person."""
    rotations = as_looked_at(truth.rotations, turn)
    sure = torch.ones(truth.rotations.shape[:3]).to(truth.hinges) * truth.sure[:, None, None]
    sure[:, :, 0] = 1.0
    with torch.no_grad():
        places = body.places(rotations, truth.hinges, truth.tied)
    found = body.places(lifted.rotations, lifted.hinges, lifted.tied)
    off, dense = (found - places).norm(dim=-1), places[:, :, -lifted.dense.shape[2] :]
    both = (real[:, 1:] & real[:, :-1]).to(off)
    with torch.no_grad():
        errors = coordinate_errors(lifted, rotations, truth.hinges)
    counted = real.to(off)[..., None] * torch.cat(
        [sure.repeat_interleave(3, dim=2), truth.sure[:, None, None].expand_as(lifted.hinges)], dim=2
    )
    angles, told = ball_angles(lifted.rotations[:, :, 1:], rotations[:, :, 1:])
    out = {
        "rotations": _mean((lifted.rotations - rotations).abs().mean(dim=(3, 4)), real[..., None] * sure)
        + BEHIND_THE_ANGLES * _mean(angles.sum(dim=-1), counted[..., 3:18:3] * told),
        "hinges": _mean((lifted.hinges - truth.hinges).abs(), counted[..., 18:]),
        "places": _mean(off, real[..., None].to(off).expand_as(off)),
        "pace": _mean((found - places).diff(dim=1).norm(dim=-1), both[..., None].expand(*both.shape, off.shape[2])),
        "dense": _mean(
            (lifted.dense - dense).norm(dim=-1), real[..., None].to(off).expand(*real.shape, dense.shape[2])
        ),
        "tied": (lifted.tied - truth.tied).abs().mean(),
        "up": (1 - (lifted.up * torch.einsum("bij,bj->bi", turn, truth.up)).sum(dim=-1)).mean(),
        "width": _mean(errors * (-lifted.log_width).exp() + lifted.log_width, counted),
    }
    total = sum((WEIGHTS[name] * value for name, value in out.items()), torch.zeros(()).to(off))
    return {"total": total, **out}


def as_looked_at(rotations: Tensor, turn: Tensor) -> Tensor:
    """Return rotations (B, T, 6, 3, 3) as the camera has them that is turned by (B, 3, 3) to look at the person."""
    root = torch.einsum("bij,btjk->btik", turn, rotations[:, :, 0])
    return torch.cat([root[:, :, None], rotations[:, :, 1:]], dim=2)


def ball_angles(found: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return absolute errors of ball joints' three angles (..., 3), rad, and where they count (...).

    Near the pole, where the middle angle is 90 degrees, the outer two mean nothing and their slopes have no bounds.
    """
    told = (found[..., 2, 1].abs() < POLE) & (truth[..., 2, 1].abs() < POLE)
    eye = torch.eye(3).to(found).expand_as(found)
    tame = torch.where(told[..., None, None], found, eye)
    return _wrapped(to_angles(tame) - to_angles(truth)).abs().clamp(max=0.6), told


def coordinate_errors(lifted: Lifted, rotations: Tensor, hinges: Tensor) -> Tensor:
    """Return absolute errors (B, T, 26), rad: of the root about its own axes; of ball joints' angles; of hinges."""
    relative = rotations[:, :, 0].transpose(-1, -2) @ lifted.rotations[:, :, 0]
    root = to_angles(relative).abs()
    told, true = to_angles(lifted.rotations[:, :, 1:]), to_angles(rotations[:, :, 1:])
    twin = torch.pi + told * torch.tensor([1.0, -1.0, 1.0]).to(told)
    ways = torch.stack([_wrapped(told - true).abs(), _wrapped(twin - true).abs()])
    nearer = ways.sum(dim=-1).argmin(dim=0)
    balls = torch.where((nearer == 0)[..., None], ways[0], ways[1])
    return torch.cat([root, balls.flatten(2), (lifted.hinges - hinges).abs()], dim=2)


def _wrapped(angle: Tensor) -> Tensor:
    return angle - 2 * torch.pi * (angle / (2 * torch.pi)).round()


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)
