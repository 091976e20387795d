"""Nonlinear least squares of a model's markers, many frames at once, inside the limits of its coordinates.

Levenberg-Marquardt (Levenberg 1944, Marquardt 1963) with the damping of Nielsen (1999): what stands at a limit and is
drawn beyond it is held there (Bertsekas 1982).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from rehabmotion.biomech.functions import Linear
from rehabmotion.biomech.jacobian import marker_slopes
from rehabmotion.biomech.kinematics import Kinematics


@dataclass(frozen=True)
class InverseConfig:
    """How the search goes. tolerance: of the relative gain of a step, at which a frame is done.

    damping: at first, relative to the curvature. stride: of the frames that are solved first, the others begin between
    them. sweeps, jump, again: how often frames that lie farther than `jump` (rad, m) from a neighbour are solved again
    from there, with how many steps. chunk: frames at a time.
    """

    iterations: int = 60
    tolerance: float = 1e-7
    damping: float = 1e-2
    stride: int = 8
    sweeps: int = 50
    jump: float = 0.35
    again: int = 25
    chunk: int = 256


@dataclass
class Problem:
    """Where markers were seen: target (T, M, 3) m, weight (T, M), 0 = not seen; scale factors (B, 3) or None."""

    kinematics: Kinematics
    target: Tensor
    weight: Tensor
    scales: Tensor | None = None
    free: Tensor = field(init=False)
    low: Tensor = field(init=False)
    high: Tensor = field(init=False)
    balls: list[list[int]] = field(init=False)  # numbers, among the free ones, of coordinates that turn as a ball joint

    def __post_init__(self) -> None:
        k = self.kinematics
        names = k.model.free()
        self.free = torch.tensor([k.names.index(name) for name in names])
        chosen = {c.name: c for c in k.model.coordinates}
        clamp = [chosen[name].range if chosen[name].clamped else (-torch.inf, torch.inf) for name in names]
        self.low, self.high = (torch.tensor(ends, dtype=k.default.dtype) for ends in zip(*clamp, strict=True))
        self.balls = [
            [names.index(str(axis.coordinate)) for axis in joint.rotations]
            for joint in k.model.joints
            if all(axis.coordinate in names and axis.function == Linear() for axis in joint.rotations)
        ]
        self.target = torch.where(self.weight[..., None] > 0, self.target, torch.zeros_like(self.target))

    def cost(self, q: Tensor, rows: Tensor) -> Tensor:
        """Return the weighted sum of squares (N,) of coordinates (N, C) at frames `rows`."""
        far = self.target[rows] - self.kinematics.markers(q, self.scales)
        return (far.square().sum(dim=-1) * self.weight[rows]).sum(dim=-1)

    def system(self, q: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return costs (N,), normal matrices (N, F, F) and right sides (N, F) at coordinates (N, C)."""
        places, slopes = marker_slopes(self.kinematics, q, self.scales)
        root = self.weight[rows].sqrt()[..., None]
        far = ((self.target[rows] - places) * root).flatten(1)
        slope = (slopes[..., self.free] * root[..., None]).flatten(1, 2)
        across = slope.transpose(1, 2)
        return far.square().sum(dim=1), across @ slope, (across @ far[..., None])[..., 0]


def descend(problem: Problem, q: Tensor, rows: Tensor, config: InverseConfig) -> tuple[Tensor, Tensor]:
    """Return coordinates (N, C) and costs (N,) of frames `rows`, each from where it starts to a minimum."""
    free, n = problem.free, len(rows)
    q = q.clone()
    q[:, free] = q[:, free].clamp(problem.low, problem.high)
    cost, normal, right = problem.system(q, rows)
    damping = torch.full((n,), config.damping, dtype=q.dtype)
    raised = torch.full_like(damping, 2.0)
    going = torch.arange(n)
    for _ in range(config.iterations):
        step = _step(problem, q[going][:, free], normal, right, damping[going])
        tried = q[going]
        tried[:, free] = (tried[:, free] + step).clamp(problem.low, problem.high)
        step = tried[:, free] - q[going][:, free]
        expected = (step * (2 * right - (normal @ step[..., None])[..., 0])).sum(dim=1)
        new = problem.system(tried, rows[going])
        better = new[0] < cost[going]
        gain = (cost[going] - new[0]) / cost[going].clamp(min=1e-30)
        ratio = (cost[going] - new[0]) / expected.clamp(min=1e-30)
        took = going[better]
        q[took], cost[took] = tried[better], new[0][better]
        normal = torch.where(better[:, None, None], new[1], normal)
        right = torch.where(better[:, None], new[2], right)
        lower = damping[going] * (1 - (2 * ratio - 1) ** 3).clamp(1 / 5, 2.0)  # Nielsen 1999
        damping[going] = torch.where(better, lower, damping[going] * raised[going]).clamp(1e-12, 1e8)
        raised[going] = torch.where(better, torch.full_like(lower, 2.0), 2 * raised[going])
        done = (better & (gain < config.tolerance)) | (damping[going] >= 1e6) | (cost[going] < 1e-24)
        going, normal, right = going[~done], normal[~done], right[~done]
        if not len(going):
            break
    return q, cost


def _step(problem: Problem, inside: Tensor, normal: Tensor, right: Tensor, damping: Tensor) -> Tensor:
    """Return the step (N, F) of damped least squares with what is pressed against its limit held there."""
    held = ((inside <= problem.low) & (right < 0)) | ((inside >= problem.high) & (right > 0))
    keep = (~held).to(normal)
    curvature = torch.diagonal(normal, dim1=1, dim2=2)
    least = 1e-9 * curvature.amax(dim=1, keepdim=True) + 1e-12
    matrix = normal * keep[:, :, None] * keep[:, None, :]
    matrix = matrix + torch.diag_embed(damping[:, None] * (curvature + least) + least + held.to(normal))
    return torch.linalg.solve(matrix, (right * keep)[..., None])[..., 0]
