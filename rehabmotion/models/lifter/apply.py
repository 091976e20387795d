"""The lifter over a whole clip: windows that overlap, each seen also in the mirror, laid over one another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rehabmotion.biomech.mirror import swapped
from rehabmotion.models.lifter.body import BALLS, HINGES, TIED
from rehabmotion.models.lifter.encode import Seen, encode
from rehabmotion.models.lifter.losses import Lifted
from rehabmotion.models.lifter.network import N_TURNED, Lifter
from rehabmotion.motion.skeleton import mirror_joint_name

AT_ONCE = 64  # windows


@dataclass(frozen=True)
class Skeletons:
    """A clip of T frames in the camera's axes (x right, y down, z away). rotations (T, 6, 3, 3), hinges (T, 8) rad,
    tied factors (24,), width (T, 26) rad: mean errors expected of the coordinates, up (3,): against gravity.
    """

    rotations: Tensor
    hinges: Tensor
    tied: Tensor
    width: Tensor
    up: Tensor


@torch.no_grad()
def lift(lifter: Lifter, rays: Tensor, confidence: Tensor, world: Tensor | None) -> Skeletons:
    """Return the skeletons of one person from rays (T, P, 2), confidence (T, P) and world points (T, P, 3) m or None.

    Points in the order of the lifter's configuration, at its rate. A clip in the mirror gives skeletons in the mirror.
    """
    seen = Seen(
        rays[None],
        confidence[None],
        torch.zeros(1, *rays.shape[:2], 3) if world is None else world[None],
        torch.tensor([world is not None]),
        torch.ones(1, len(rays), dtype=torch.bool),
    )
    points = lifter.config.points
    order = [points.index(mirror_joint_name(name)) for name in points]
    plain, mirror = _windows(lifter, seen), _reflected(_windows(lifter, _in_mirror(seen, order)))
    return _blended([plain, mirror], len(rays))


@dataclass(frozen=True)
class _Windows:
    """Lifted windows (W, L, ...) in the camera's axes, their first frames, and how much each frame counts (W, L)."""

    lifted: Lifted
    starts: list[int]
    share: Tensor


def _windows(lifter: Lifter, seen: Seen) -> _Windows:
    length, n = lifter.config.window, seen.rays.shape[1]
    starts = list(range(0, max(1, n - length // 2), length // 2)) if n > length else [0]
    rows = torch.tensor(starts)[:, None] + torch.arange(length)
    inside = rows < n
    rows = rows.clamp(max=n - 1)
    cut = Seen(
        seen.rays[0][rows], seen.confidence[0][rows], seen.world[0][rows], seen.has_world.expand(len(starts)), inside
    )
    shown = (cut.confidence.amax(dim=2) > 0) & inside
    ramp = torch.minimum(torch.arange(length) + 1, length - torch.arange(length)) / (length / 2)
    share = ramp.clamp(0.05, 1)[None] * inside
    parts = []
    for first in range(0, len(starts), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        encoded = encode(Seen(cut.rays[part], cut.confidence[part], cut.world[part], cut.has_world[part], shown[part]))
        parts.append(_turned_back(lifter(encoded.features, inside[part]), encoded.turn))
    whole = Lifted(*(torch.cat([getattr(p, name) for p in parts]) for name in vars(parts[0])))
    return _Windows(whole, starts, share)


def _turned_back(lifted: Lifted, turn: Tensor) -> Lifted:
    """Return skeletons and gravity in the axes of the camera itself; dense markers, not read here, stay."""
    back = turn.transpose(1, 2)
    rotations = lifted.rotations.clone()
    rotations[:, :, 0] = torch.einsum("bij,btjk->btik", back, lifted.rotations[:, :, 0])
    return replace(lifted, rotations=rotations, up=torch.einsum("bij,bj->bi", back, lifted.up))


def _in_mirror(seen: Seen, order: list[int]) -> Seen:
    rays, world = seen.rays[:, :, order].clone(), seen.world[:, :, order].clone()
    rays[..., 0] *= -1
    world[..., 0] *= -1
    return Seen(rays, seen.confidence[:, :, order], world, seen.has_world, seen.real)


def _reflected(windows: _Windows) -> _Windows:
    """Return windows of the clip in the mirror as those of the clip itself."""
    lifted = windows.lifted
    balls = ["root", *BALLS]
    order = [balls.index(swapped(name)) for name in balls]
    hinges = [HINGES.index(swapped(name)) for name in HINGES]
    rotations = lifted.rotations[:, :, order].clone()
    # a joint's own axes are mirrored at z = 0; the camera's at x = 0
    own = torch.tensor([1.0, 1.0, -1.0])
    camera = torch.tensor([-1.0, 1.0, 1.0])
    first = rotations[:, :, 0] * camera[:, None] * own
    rotations = rotations * own[:, None] * own
    rotations[:, :, 0] = first
    angles, rest = lifted.log_width.split([3 * len(balls), len(hinges)], dim=-1)
    width = torch.cat([angles.unflatten(-1, (-1, 3))[:, :, order].flatten(2), rest[..., hinges]], dim=-1)
    turned = replace(
        lifted, rotations=rotations, hinges=lifted.hinges[..., hinges], log_width=width, up=lifted.up * camera
    )
    return replace(windows, lifted=turned)


def _blended(parts: list[_Windows], n: int) -> Skeletons:
    """Return the mean of windows over one another: rotations by the nearest rotation to their mean."""
    length = parts[0].share.shape[1]
    total = torch.zeros(n)
    sums = [torch.zeros(n, 1 + len(BALLS), 3, 3), torch.zeros(n, len(HINGES)), torch.zeros(n, N_TURNED)]
    tied, up = torch.zeros(3 * len(TIED)), torch.zeros(3)
    for part in parts:
        for i, start in enumerate(part.starts):
            m = min(length, n - start)
            share, rows = part.share[i, :m], slice(start, start + m)
            total[rows] += share
            for into, value in zip(
                sums, (part.lifted.rotations[i], part.lifted.hinges[i], part.lifted.log_width[i].exp()), strict=True
            ):
                into[rows] += share.reshape(-1, *[1] * (into.dim() - 1)) * value[:m]
            tied += share.sum() * part.lifted.tied[i]
            up += share.sum() * part.lifted.up[i]
    rotations, hinges, width = (s / total.reshape(-1, *[1] * (s.dim() - 1)) for s in sums)
    return Skeletons(
        nearest_rotation(rotations), hinges, tied / total.sum(), width, torch.nn.functional.normalize(up, dim=0)
    )


def nearest_rotation(matrix: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) nearest to matrices (Frobenius norm)."""
    u, _, v = torch.linalg.svd(matrix)
    sign = torch.linalg.det(u @ v)
    u = torch.cat([u[..., :2], u[..., 2:] * sign[..., None, None]], dim=-1)
    return u @ v
