"""One pose, many angles: of those that make the same rotations, the ones that lie nearest to the default and run on.

Three angles of a ball joint have a twin, half a turn more, the supplement, half a turn more, and all angles come again
after a whole turn. Which of them a search ends in is chance.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.fitting import Problem

Array = NDArray[np.float64]
TURN = 2 * np.pi


def nearest_branch(problem: Problem, q: Tensor) -> Tensor:
    """Return coordinates (T, C) that make the same poses, ball joint by ball joint nearest to the default.

    From frame to frame angles go the short way; of the two ways through a recording the one is taken whose middle angle
    stays nearer to its default: the outer ones may well turn far. Ranges of clamped coordinates are kept.
    """
    out = q.clone()
    low, high = problem.low.numpy(), problem.high.numpy()
    default = problem.kinematics.default[problem.free].numpy()
    for ball in problem.balls:
        columns = problem.free[ball]
        angles = q[:, columns].numpy()
        room = low[ball] - 1e-9, high[ball] + 1e-9
        out[:, columns] = torch.from_numpy(nearest_way(angles, default[ball], room))
    return out


def nearest_way(angles: Array, default: Array, room: tuple[Array, Array]) -> Array:
    """Return the angles (T, 3) of a ball joint that make the same rotations, run on, and stay near the default (3,)."""
    ways = [_way(angles, default, room, twin) for twin in (False, True)]
    return min(ways, key=lambda way: float(((way[:, 1] - default[1]) ** 2).mean()))


def twin_of(angles: Tensor) -> Tensor:
    """Return the other three angles (..., 3) of a ball joint that make the same rotation."""
    return torch.pi + angles * torch.tensor([1.0, -1.0, 1.0], dtype=angles.dtype)


def _way(angles: Array, default: Array, room: tuple[Array, Array], twin: bool) -> Array:
    """Return angles (T, 3) that begin as they are or at their twin, and go on the short way inside their room."""
    both = np.stack([angles, twin_of(torch.from_numpy(angles)).numpy()], axis=1)  # (T, 2, 3)
    way = np.empty_like(angles)
    before = default
    for t, choices in enumerate(both):
        near = choices - TURN * np.round((choices - before) / TURN)
        near = np.where((near < room[0]) & (near + TURN <= room[1]), near + TURN, near)
        near = np.where((near > room[1]) & (near - TURN >= room[0]), near - TURN, near)
        fits = ((near >= room[0]) & (near <= room[1])).all(axis=1)
        if not fits.any():
            return angles
        far = np.where(fits, ((near - before) ** 2).sum(axis=1), np.inf)
        pick = int(far.argmin())
        if t == 0 and twin and fits.all():
            pick = 1 - pick
        way[t] = before = near[pick]
    return way
