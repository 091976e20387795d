"""Inverse kinematics: the coordinates that bring a model's markers nearest to where they were seen, all frames at once.

A pose has several minima. Every few frames are solved first, again from their neighbours where those fit better and
from other sides where a coordinate presses against its limit; the others begin between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from rehabmotion.biomech.branches import nearest_branch, twin_of
from rehabmotion.biomech.fitting import InverseConfig, Problem, descend
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError

ROUGH = 1e-4  # tolerance where a pose is only a place to begin


@dataclass(frozen=True)
class Solution:
    """Coordinates q (T, C), rad and m; marker errors (T, M) m, NaN where a marker was not seen."""

    q: Tensor
    errors: Tensor
    limited: Tensor = field(repr=False)  # (T, C): stands at a limit

    @property
    def rms(self) -> Tensor:
        """Root mean square marker error (T,) m over the markers seen."""
        return self.errors.square().nanmean(dim=1).sqrt()


def inverse_kinematics(
    kinematics: Kinematics,
    target: Tensor,
    valid: Tensor,
    weights: Tensor | None = None,
    scales: Tensor | None = None,
    start: Tensor | None = None,
    config: InverseConfig | None = None,
) -> Solution:
    """Return the coordinates that fit markers target (T, M, 3) m best, where valid (T, M) is True.

    weights (M,) of the model's markers, 1 each; scales (B, 3); start (C,) or (T, C): where to look first, the model's
    defaults moved to the markers. Locked coordinates stay, driven ones follow. Fewer than three markers in a frame
    raise UserError.
    """
    config = config or InverseConfig()
    weight = valid.to(target) * (torch.ones(target.shape[1]).to(target) if weights is None else weights.to(target))
    few = ((weight > 0).sum(dim=1) < 3).nonzero()
    if len(few):
        raise UserError(f"Expected three markers or more in every frame, frame {int(few[0, 0])} has fewer.")
    problem = Problem(kinematics, target, weight, scales)
    told = _of_seen_markers(problem)
    with torch.no_grad():
        if start is None:
            start = _from_few(told, config)
        q, _ = _solved(told, start.expand(len(target), -1), torch.arange(len(target)), config)
        return solution_of(problem, nearest_branch(problem, q))


def _of_seen_markers(problem: Problem) -> Problem:
    """Return the problem without markers that are never seen: a model may carry those of several sets."""
    seen = (problem.weight > 0).any(dim=0)
    model = problem.kinematics.model
    markers = [marker for marker, kept in zip(model.markers, seen.tolist(), strict=True) if kept]
    fewer = Kinematics(model.with_markers(markers), problem.target.dtype)
    return Problem(fewer, problem.target[:, seen], problem.weight[:, seen], problem.scales)


def solution_of(problem: Problem, q: Tensor) -> Solution:
    """Return coordinates (T, C) as a solution, driven ones computed, with what they miss."""
    q = problem.kinematics.coupled(q)
    far = (problem.target - problem.kinematics.markers(q, problem.scales)).norm(dim=-1)
    inside = q[:, problem.free]
    limited = torch.zeros_like(q, dtype=torch.bool)
    limited[:, problem.free] = (inside <= problem.low + 1e-6) | (inside >= problem.high - 1e-6)
    return Solution(q, torch.where(problem.weight > 0, far, torch.full_like(far, torch.nan)), limited)


def _from_few(problem: Problem, config: InverseConfig) -> Tensor:
    """Return where to begin (T, C): every few frames solved, well enough to begin from, the others between them."""
    config = replace(config, tolerance=max(config.tolerance, ROUGH))
    n = len(problem.target)
    few = torch.arange(0, n, config.stride)
    few = few if few[-1] == n - 1 else torch.cat([few, torch.tensor([n - 1])])
    q, cost = _solved(problem, _begin(problem)[few], few, config)
    q = _off_limits(problem, q, cost, few, config)
    q, _ = _solved(problem, q, few, config)
    at = torch.bucketize(torch.arange(n), few, right=True).clamp(1, max(1, len(few) - 1)) - 1
    after = (at + 1).clamp(max=len(few) - 1)
    share = (torch.arange(n) - few[at]) / (few[after] - few[at]).clamp(min=1)
    return torch.lerp(q[at], q[after], share.to(q)[:, None])


def _off_limits(problem: Problem, q: Tensor, cost: Tensor, rows: Tensor, config: InverseConfig) -> Tensor:
    """Return coordinates (N, C) after trying other ways to poses that press against limits.

    Those coordinates begin again in the middle of their range, or the whole ball joint at the other three angles that
    make the same rotation: half a turn more, the supplement, half a turn more.
    """
    low, high = problem.low, problem.high
    for joint in [None, *problem.balls]:
        inside = q[:, problem.free]
        held = (inside <= low + 1e-6) | (inside >= high - 1e-6)
        tried = q.clone()
        if joint is None:
            tried[:, problem.free] = torch.where(held, (low + high) / 2, inside)
        else:
            held = held[:, joint]
            for column, angle in zip(joint, twin_of(inside[:, joint]).unbind(1), strict=True):
                middle = ((low + high) / 2)[column].nan_to_num(0.0)
                tried[:, problem.free[column]] = angle - 2 * torch.pi * ((angle - middle) / (2 * torch.pi)).round()
        some = held.any(dim=1).nonzero()[:, 0]
        if len(some):
            found, value = descend(problem, tried[some], rows[some], config)
            better = value < cost[some] * (1 - 1e-6)
            q[some[better]], cost[some[better]] = found[better], value[better]
    return q


def _solved(problem: Problem, start: Tensor, rows: Tensor, config: InverseConfig) -> tuple[Tensor, Tensor]:
    """Return coordinates (N, C) and costs (N,) of frames `rows`, in their order, from where they start."""
    q, cost = start.clone(), torch.empty(len(rows), dtype=start.dtype)
    for part in torch.arange(len(rows)).split(config.chunk):
        q[part], cost[part] = descend(problem, q[part], rows[part], config)
    changed = torch.ones(len(q), dtype=torch.bool)
    for _ in range(config.sweeps):
        if changed.any():
            changed = _from_neighbours(problem, q, cost, rows, changed, config)
    return q, cost


def _begin(problem: Problem) -> Tensor:
    """Return default coordinates (T, C), moved and turned about the vertical so that markers lie where they were seen.

    Of the angles tried the best is taken: a person may face anywhere.
    """
    k, n = problem.kinematics, len(problem.target)
    default = k.coupled(k.default)
    body = _root(problem)
    if body is None:
        return default.expand(n, -1).clone()
    turn, place = body
    best, least = default.expand(n, -1).clone(), torch.full((n,), torch.inf, dtype=default.dtype)
    rows = torch.arange(n)
    share = problem.weight / problem.weight.sum(dim=1, keepdim=True)
    centre = (problem.target * share[..., None]).sum(dim=1)
    for angle in torch.linspace(-torch.pi, torch.pi, 9, dtype=default.dtype)[:-1]:
        q = default.expand(n, -1).clone()
        if turn is not None:
            q[:, turn] = angle
        places = k.markers(q, problem.scales)
        q[:, place] += centre - (places * share[..., None]).sum(dim=1)
        cost = problem.cost(q, rows)
        better = cost < least
        best[better], least[better] = q[better], cost[better]
    return best


def _root(problem: Problem) -> tuple[int | None, list[int]] | None:
    """Return the numbers of the coordinate that turns the root about the vertical, if any, and of its three places."""
    k = problem.kinematics
    joint = k.model.joints[k.model.order[0]]
    sliding = [axis.coordinate for axis in joint.translations]
    if None in sliding or not all(k.names.index(str(name)) in problem.free for name in sliding):
        return None
    upright = [a.coordinate for a in joint.rotations if abs(a.direction[1]) > 0.99 and a.coordinate]
    turn = k.names.index(upright[0]) if upright else None
    return turn, [k.names.index(str(name)) for name in sliding]


def _from_neighbours(
    problem: Problem, q: Tensor, cost: Tensor, frames: Tensor, changed: Tensor, config: InverseConfig
) -> Tensor:
    """Solve frames again, in place, from the pose of a neighbour that changed and is far; return which then changed."""
    inside = q[:, problem.free]
    far = (inside[1:] - inside[:-1]).abs().amax(dim=1) > config.jump
    at = torch.arange(len(q) - 1)
    after, before = at[far & changed[:-1]] + 1, at[far & changed[1:]]
    rows, source = torch.cat([after, before]), torch.cat([after - 1, before + 1])
    now = torch.zeros_like(changed)
    if not len(rows):
        return now
    found, value = q[source], torch.empty_like(cost[rows])
    short = replace(config, iterations=config.again, tolerance=max(config.tolerance, ROUGH))
    for part in torch.arange(len(rows)).split(config.chunk):
        found[part], value[part] = descend(problem, found[part], frames[rows[part]], short)
    for row, pose, new in zip(rows.tolist(), found, value, strict=True):
        if new < cost[row] * (1 - 1e-6):
            q[row], cost[row], now[row] = pose, new, True
    return now
