"""How markers move with coordinates: the analytic Jacobian, axis by axis (opensim-free; checked against autograd)."""

from __future__ import annotations

import torch
from torch import Tensor

from rehabmotion.biomech.kinematics import Kinematics, Scales, State, applied


def marker_slopes(kinematics: Kinematics, q: Tensor, scales: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return markers (..., M, 3) and their slopes by coordinates (..., M, 3, C), m per rad or m.

    An axis a through o that a function f turns about moves a point p by f' a x (p - o), one it slides along by f' a.
    Slopes by driven coordinates are 0: what they do counts for the coordinate that drives them.
    """
    q, factors, lead = kinematics.flat(q, scales)
    state = kinematics.state(q, factors)
    points = kinematics.points(state, factors)
    moving = _moving(kinematics)
    gain = kinematics.values(q, slope=True).flatten(0, 1)[moving]  # (A, N)
    across = _axes(kinematics, state, factors, points, moving) * gain[:, None, None]
    by_coordinate = _by_coordinate(kinematics, across, moving, q)
    m = points.shape[1]
    return (
        points.permute(2, 1, 0).reshape(*lead, m, 3),
        by_coordinate.permute(3, 2, 1, 0).reshape(*lead, m, 3, len(kinematics.names)),
    )


def _moving(k: Kinematics) -> Tensor:
    """Return the numbers (A,) of the axes, out of 6 J, that a coordinate moves."""
    moves = k.a != 0
    for c in k.curved:
        moves[c.axis, c.row] = True
    return moves.reshape(-1).nonzero()[:, 0]


def _axes(k: Kinematics, state: State, scales: Scales, points: Tensor, moving: Tensor) -> Tensor:
    """Return how markers move along each moving axis, (A, 3, M, N); 0 for those not below it."""
    up, n_joints = state.parent_rotation, len(k.parent)
    n = up.shape[-1]
    axis = k.axis.permute(2, 0, 1)[..., None].expand(-1, -1, -1, n)  # (3, 3 axes, J, N)
    slide = k.slide.permute(2, 0, 1)[..., None] * scales.growth
    inner = [axis[:, 0], applied(state.turned[0], axis[:, 1]), applied(state.turned[1], axis[:, 2])]
    every = torch.stack([*inner, *slide.expand(-1, -1, -1, n).unbind(1)], dim=1)  # (3, 6, J, N), in the parent
    joint = moving % n_joints
    direction = applied(up[:, :, joint], every.flatten(1, 2)[:, moving])  # (3, A, N)
    arm = points[:, None] - state.centre[:, joint, None]  # (3, A, M, N)
    d = direction[:, :, None].expand_as(arm)
    turns = (moving < 3 * n_joints)[:, None, None]
    moved = torch.where(turns, torch.linalg.cross(d, arm, dim=0), d)
    below = k.above[k.marker_body].T[joint, :, None]
    return (moved * below).transpose(0, 1)


def _by_coordinate(k: Kinematics, across: Tensor, moving: Tensor, q: Tensor) -> Tensor:
    """Return (C, 3, M, N) from what axes move (A, 3, M, N); driven coordinates count for their drivers."""
    source = k.source.clone()
    for c in k.curved:
        source[c.axis, c.row] = c.coordinate
    out = torch.zeros(len(k.names), *across.shape[1:], dtype=q.dtype, device=q.device)
    out = out.index_add(0, source.reshape(-1)[moving], across)
    for dependent, independent, function, scale in reversed(k.couplers):
        gain = scale * function.slope(q[independent])
        out[independent] = out[independent] + gain * out[dependent]
        out[dependent] = 0
    return out
