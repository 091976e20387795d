"""Rotations as networks give them: six numbers, or Euler angles. Matrices act on column vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIX_OF_NO_TURN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def matrix_of_six(six: Tensor) -> Tensor:
    """Return rotations (..., 3, 3) of six numbers (..., 6): the first two columns, made orthonormal (Zhou et al. 2019).

    Any length will do: (2, 0, 0, 5, 3, 0) is no turn. Two parallel vectors tell no rotation: the result is then none.
    """
    a, b = six[..., :3], six[..., 3:]
    x = F.normalize(a, dim=-1)
    y = F.normalize(b - (x * b).sum(dim=-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def six_of_matrix(rotation: Tensor) -> Tensor:
    """Return the first two columns (..., 6) of rotations (..., 3, 3)."""
    return torch.cat([rotation[..., 0], rotation[..., 1]], dim=-1)


def matrix_of_euler(angles: Tensor) -> Tensor:
    """Return rotations (..., 3, 3) of body-fixed x-y-z angles (..., 3) rad: R = R_x R_y R_z, OpenSim's orientation."""
    x, y, z = angles.unbind(dim=-1)
    return turn(x, 0) @ turn(y, 1) @ turn(z, 2)


def turn(angle: Tensor, axis: int) -> Tensor:
    """Return the rotations (..., 3, 3) by angles (...) rad about axis 0, 1 or 2."""
    c, s, one, nought = angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)
    rows = {
        0: (one, nought, nought, nought, c, -s, nought, s, c),
        1: (c, nought, s, nought, one, nought, -s, nought, c),
        2: (c, -s, nought, s, c, nought, nought, nought, one),
    }[axis]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def euler_of_matrix(rotation: Tensor) -> Tensor:
    """Return the body-fixed x-y-z angles (..., 3) rad of rotations, the middle one from -pi / 2 to pi / 2.

    Where the middle angle is a quarter turn the others are one: both are then given as 0, without a slope.
    """
    r = rotation
    across = (r[..., 0, 0] ** 2 + r[..., 0, 1] ** 2 + 1e-12).sqrt()
    first = _angle(-r[..., 1, 2], r[..., 2, 2])
    return torch.stack([first, torch.atan2(r[..., 0, 2], across), _angle(-r[..., 0, 1], r[..., 0, 0])], dim=-1)


def angle_between(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle (...) rad, from 0 to pi, of the rotation that carries a to b, both (..., 3, 3)."""
    d = a.transpose(-1, -2) @ b
    skew = torch.stack([d[..., 2, 1] - d[..., 1, 2], d[..., 0, 2] - d[..., 2, 0], d[..., 1, 0] - d[..., 0, 1]], dim=-1)
    trace = d[..., 0, 0] + d[..., 1, 1] + d[..., 2, 2]
    return torch.atan2(torch.linalg.vector_norm(skew, dim=-1), trace - 1)


def _angle(y: Tensor, x: Tensor) -> Tensor:
    """Return atan2(y, x); 0 and flat where both are nought, where its slope is not a number."""
    lost = x**2 + y**2 < 1e-12
    return torch.atan2(y.masked_fill(lost, 0.0), x.masked_fill(lost, 1.0))
