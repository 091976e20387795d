"""A moving skeleton against what one camera saw of it: places along the rays, then all coordinates refined together.

A point X on the ray r of a camera obeys x - r_x z = 0 and y - r_y z = 0 (X in the camera's axes): linear in X, so what
markers in space do for inverse kinematics, rays do here (Gauss-Newton; Hartley & Zisserman 2004, 12.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor

from rehabmotion.biomech.jacobian import marker_slopes
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.trajectory import banded, smoothed

CHUNK = 512  # frames
PLACES = slice(3, 6)  # the pelvis' coordinates of rehab37 that slide


@dataclass(frozen=True)
class View:
    """What a camera at the origin saw: rays (T, P, 2), x right, y down over depth; weight (T, P), 0: not seen.

    rotation (3, 3): ground -> camera; fps: frames a second. The first P markers of a model are the points.
    """

    rays: Tensor
    weight: Tensor
    rotation: Tensor
    fps: float

    def across(self) -> Tensor:
        """Return matrices (T, P, 2, 3) that give how far points of ground lie off their rays, times their depth."""
        eye = torch.eye(2, 3, dtype=self.rays.dtype).expand(*self.rays.shape[:2], 2, 3).clone()
        eye[..., 2] = -self.rays
        return eye @ self.rotation


@dataclass(frozen=True)
class RefineConfig:
    """How much is believed. point: how far a point is seen off, m; robust: from where it counts less, m.

    bias: how far a detector's points are from the model's all the time, m; prior: how many of their expected errors
    coordinates may go.
    """

    point: float = 0.025
    robust: float = 0.05
    bias: float = 0.015
    prior: float = 2.5
    seconds: float = 0.04
    rounds: int = 6
    iterations: int = 4


def placed_along_rays(k: Kinematics, q: Tensor, scales: Tensor, view: View, seconds: float = 0.2) -> Tensor:
    """Return the pelvis' places (T, 3) m in ground at which the points of poses q (T, C) lie nearest to their rays.

    Least squares over the whole clip. Second differences in time are weighed (seconds fps)^4 times what tells the
    depth, which sizes in an image hardly do: it changes slowly, while places across the view follow the rays.
    """
    still = q.clone()
    still[:, PLACES] = 0.0
    points = k.markers(still, scales)[:, : view.rays.shape[1]]
    a = view.across()
    off = (a @ points[..., None])[..., 0]
    depth = torch.full((len(q), 1, 1), 3.0, dtype=q.dtype)
    where = torch.zeros(len(q), 3, dtype=q.dtype)
    for _ in range(3):  # a point counts by how far it is off in the image, so by its depth
        w = (view.weight[..., None] / depth.square())[..., None]
        normal = (a.transpose(-1, -2) @ (a * w)).sum(dim=1)
        right = -(a.transpose(-1, -2) @ (off[..., None] * w)).sum(dim=1)[..., 0]
        floor = 1e-6 * torch.eye(3, dtype=q.dtype)
        stiff = (seconds * view.fps) ** 4 * np.full(3, float(torch.linalg.eigvalsh(normal.mean(dim=0))[0]))
        where = torch.from_numpy(solved_band((normal + floor).numpy(), right.numpy(), stiff))
        depth = (where @ view.rotation[2])[:, None, None].clamp(min=0.5)
    return where


def solved_band(normal: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return x (T, F) that solves normal x = right frame by frame, with weighted second differences in time."""
    return np.asarray(
        solveh_banded(banded(normal, weight, 0.0), right.ravel(), lower=True).reshape(right.shape), np.float64
    )


@dataclass
class Reprojection:
    """The sum of squares of a trajectory: points off their rays, coordinates off what the lifter said."""

    kinematics: Kinematics
    scales: Tensor
    view: View
    prior: Tensor
    stiff: Tensor
    offset: Tensor
    share: Tensor
    free: Tensor = field(init=False)
    low: Tensor = field(init=False)
    high: Tensor = field(init=False)

    def __post_init__(self) -> None:
        k = self.kinematics
        chosen = {c.name: c for c in k.model.coordinates}
        names = k.model.free()
        self.free = torch.tensor([k.names.index(name) for name in names])
        clamp = [chosen[name].range if chosen[name].clamped else (-torch.inf, torch.inf) for name in names]
        self.low, self.high = (torch.tensor(ends, dtype=torch.float64) for ends in zip(*clamp, strict=True))
        self.across = self.view.across()

    def off(self, q: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return how far points lie off their rays (N, P, 2) m and in which axes (N, P, 3, 3) offsets count."""
        k = self.kinematics
        n = self.view.rays.shape[1]
        columns, scales, _ = k.flat(q, self.scales)
        state = k.state(columns, scales)
        points = k.points(state, scales)[:, :n].permute(2, 1, 0)
        turned = state.rotation[:, :, k.marker_body[:n]].permute(3, 2, 0, 1)
        moved = points + (turned @ self.offset[:, :, None])[..., 0]
        return (self.across[rows] @ moved[..., None])[..., 0], turned

    def cost(self, q: Tensor, rows: Tensor) -> Tensor:
        """Return the sums of squares (N,) of coordinates (N, C) at frames `rows`."""
        off = torch.cat([self.off(q[i], rows[i])[0] for i in torch.arange(len(q)).split(CHUNK)])
        pulled = ((q - self.prior[rows])[:, self.free].square() * self.stiff[rows]).sum(dim=1)
        return (off.square().sum(dim=-1) * self.share[rows]).sum(dim=1) + pulled

    def system(self, q: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return costs (N,), normal matrices (N, F, F) and right sides (N, F) at coordinates (N, C)."""
        parts = [self._system(q[i], rows[i]) for i in torch.arange(len(q)).split(CHUNK)]
        cost, normal, right = (torch.cat(each) for each in zip(*parts, strict=True))
        return cost, normal, right

    def _system(self, q: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n = self.view.rays.shape[1]
        _, slopes = marker_slopes(self.kinematics, q, self.scales)
        off, _ = self.off(q, rows)
        root = self.share[rows].sqrt()[..., None]
        slope = ((self.across[rows] @ slopes[:, :n][..., self.free]) * root[..., None]).flatten(1, 2)
        far = (off * root).flatten(1)
        pulled = (q - self.prior[rows])[:, self.free]
        stiff = self.stiff[rows]
        normal = slope.transpose(1, 2) @ slope + torch.diag_embed(stiff)
        right = -(slope.transpose(1, 2) @ far[..., None])[..., 0] - stiff * pulled
        return far.square().sum(dim=1) + (pulled.square() * stiff).sum(dim=1), normal, right


def refined(
    k: Kinematics, q: Tensor, scales: Tensor, view: View, width: Tensor, config: RefineConfig | None = None
) -> Tensor:
    """Return the trajectory near q (T, C) that agrees best with what was seen and what was expected, and is smooth.

    width (T, C): errors expected of q, rad; where it is 0 nothing is expected and the coordinate is free. Limits and
    locks are kept. Points that a detector puts elsewhere than the model has them are allowed an offset of their own.
    """
    config = config or RefineConfig()
    with torch.no_grad():
        free = torch.tensor([k.names.index(name) for name in k.model.free()])
        expected = width[:, free] * config.prior
        stiff = torch.where(expected > 0, 1 / expected.clamp(min=1e-3).square(), torch.zeros_like(expected))
        rows = torch.arange(len(q))
        offset = torch.zeros(view.rays.shape[1], 3, dtype=q.dtype)
        base = view.weight / config.point**2
        problem = Reprojection(k, scales, view, q.clone(), stiff, offset, base)
        for _ in range(config.rounds):
            off, turned = problem.off(q, rows)
            residual = off.square().sum(dim=-1).sqrt()
            problem.share = base / (1 + (residual / config.robust).square())
            problem.offset = _offsets(problem, off, turned, config)
            q = smoothed(problem, q, view.fps, config.seconds, config.iterations)
    return q


def _offsets(problem: Reprojection, off: Tensor, turned: Tensor, config: RefineConfig) -> Tensor:
    """Return offsets (P, 3) m of points in the axes of their bodies that explain what is off all the time."""
    slope = problem.across @ turned  # (T, P, 2, 3)
    share = problem.share / problem.share.sum(dim=0, keepdim=True).clamp(min=1e-9)
    rest = off - (slope @ problem.offset[None, :, :, None])[..., 0]
    normal = torch.einsum("tpij,tpik,tp->pjk", slope, slope, share)
    right = -torch.einsum("tpij,tpi,tp->pj", slope, rest, share)
    ridge = (config.point / config.bias) ** 2 * torch.eye(3, dtype=off.dtype)
    return torch.linalg.solve(normal + ridge, right[..., None])[..., 0]
