"""Forward kinematics of a musculoskeletal model in torch: batched and differentiable.

Inside, numbers lie as (3, 3, joints, frames): a product of rotations is then three multiplications of long vectors,
and joints of one depth are one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from rehabmotion.biomech.chain import chain, located
from rehabmotion.biomech.description import GROUND, Model
from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Pose:
    """Where the model's bodies stand in ground, in their order: rotations (..., B, 3, 3), origins (..., B, 3) m."""

    rotations: Tensor
    positions: Tensor


@dataclass(frozen=True)
class Scales:
    """Scale factors of ground and bodies, (1 + B, 3, N or 1), and what joints' translations grow by, (3, J, N or 1)."""

    body: Tensor
    growth: Tensor


@dataclass(frozen=True)
class State:
    """Vectors of N frames. rotation (3, 3, 1 + B, N), position (3, 1 + B, N) of ground and bodies; f (6, J, N).

    turned: the rotations of a joint before each of its axes; centre (3, J, N): where its axes meet, in ground.
    """

    rotation: Tensor
    position: Tensor
    turned: tuple[Tensor, Tensor]
    centre: Tensor
    parent_rotation: Tensor


class Kinematics(nn.Module):
    """Coordinates (..., C) and scale factors (..., B, 3) -> poses of bodies, places of markers.

    Coordinates are those of `model.coordinates` in order, rad and m; driven ones are computed from their couplers and
    what is given for them is not read. Weights are none; `.to(torch.float32)` chooses the precision.
    """

    parent: Tensor
    child: Tensor
    source: Tensor
    a: Tensor
    b: Tensor
    axis: Tensor
    turn: Tensor
    slide: Tensor
    grows: Tensor
    fixed: Tensor
    before: Tensor
    behind: Tensor
    marker_body: Tensor
    marker_place: Tensor
    default: Tensor
    above: Tensor
    place: Tensor

    def __init__(self, model: Model, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.model = model
        c = chain(model)
        self.curved = c.curved
        row_of = {0: 0, **{int(body): row for row, body in enumerate(c.child)}}
        self.levels = [
            (slice(a, b), torch.tensor([row_of[int(body)] - before for body in c.parent[a:b]]))
            for (a, b), before in zip(c.levels, [0, *(a for a, _ in c.levels)], strict=False)
        ]
        self.names = tuple(coordinate.name for coordinate in model.coordinates)
        self.couplers = [
            (self.names.index(k.dependent), self.names.index(k.independent), k.function, k.scale)
            for k in model.couplers_in_order()
        ]
        bodies = [GROUND, *(body.name for body in model.bodies)]
        arrays = {
            "parent": c.parent, "child": c.child, "source": c.source, "a": c.a, "b": c.b, "axis": c.axis,
            "turn": np.moveaxis(c.turn, (3, 4), (2, 3)), "slide": c.slide, "grows": c.grows, "fixed": c.fixed,
            "before": c.before, "behind": c.behind,
            "marker_body": np.array([bodies.index(m.frame.body) for m in model.markers], np.int64),
            "marker_place": np.array([located(m) for m in model.markers]).reshape(-1, 3, 3),
            "default": np.array([coordinate.default for coordinate in model.coordinates]),
            "above": _above(c.parent, c.child, len(bodies)),
            "place": np.array([0, *(1 + row_of[i] for i in range(1, len(bodies)))]),
        }  # fmt: skip
        for name, array in arrays.items():
            tensor = torch.from_numpy(np.ascontiguousarray(array))
            self.register_buffer(name, tensor.to(dtype) if tensor.is_floating_point() else tensor, persistent=False)

    def coupled(self, q: Tensor) -> Tensor:
        """Return coordinates (..., C) with the driven ones computed from those that drive them."""
        if q.shape[-1] != len(self.names):
            raise UserError(f"Expected {len(self.names)} coordinates of {self.model.name}, got {q.shape[-1]}.")
        if not self.couplers:
            return q
        columns = list(q.unbind(-1))
        for dependent, independent, function, scale in self.couplers:
            columns[dependent] = scale * function.value(columns[independent])
        return torch.stack(columns, dim=-1)

    def forward(self, q: Tensor, scales: Tensor | None = None) -> Pose:
        """Return where the bodies stand for coordinates q (..., C) and scale factors (..., B, 3), None = 1."""
        q, factors, lead = self.flat(q, scales)
        state = self.state(q, factors)
        rotation = state.rotation[:, :, 1:].permute(3, 2, 0, 1).reshape(*lead, -1, 3, 3)
        return Pose(rotation, state.position[:, 1:].permute(2, 1, 0).reshape(*lead, -1, 3))

    def markers(self, q: Tensor, scales: Tensor | None = None) -> Tensor:
        """Return where the model's markers stand in ground, (..., M, 3) m."""
        q, factors, lead = self.flat(q, scales)
        return self.points(self.state(q, factors), factors).permute(2, 1, 0).reshape(*lead, -1, 3)

    # --- inside: vectors of N frames ------------------------------------------------------------------------------

    def flat(self, q: Tensor, scales: Tensor | None) -> tuple[Tensor, Scales, torch.Size]:
        """Return coordinates (C, N), scale factors, and the shape that N stands for."""
        q = self.coupled(q)
        bodies = len(self.model.bodies)
        if scales is None:
            ones = torch.ones(1 + bodies, 3, 1, dtype=q.dtype, device=q.device)
            unscaled = Scales(ones, torch.ones(3, len(self.parent), 1, dtype=q.dtype, device=q.device))
            return q.reshape(-1, q.shape[-1]).T, unscaled, q.shape[:-1]
        if scales.shape[-2:] != (bodies, 3):
            raise UserError(f"Expected scale factors (..., {bodies}, 3), got {tuple(scales.shape)}.")
        lead = torch.Size(np.broadcast_shapes(q.shape[:-1], scales.shape[:-2]))  # torch's own imports sympy: seconds
        each = scales if scales.dim() == 2 else scales.expand(*lead, bodies, 3).reshape(-1, bodies, 3)
        each = each[None] if each.dim() == 2 else each
        body = torch.cat([torch.ones_like(each[:, :1]), each], dim=1).permute(1, 2, 0)
        grown = torch.einsum("kjs,jsn->kjn", self.grows, body[self.parent])
        growth = torch.where(self.fixed[..., None], torch.ones_like(grown), grown)
        return q.expand(*lead, q.shape[-1]).reshape(-1, q.shape[-1]).T, Scales(body, growth), lead

    def values(self, q: Tensor, slope: bool = False) -> Tensor:
        """Return the six functions (6, J, N) of every joint, or their slopes."""
        if slope:
            values = self.a[..., None].expand(*self.a.shape, q.shape[1])
        else:
            values = self.a[..., None] * q[self.source] + self.b[..., None]
        if not self.curved:
            return values
        flat = values.flatten(0, 1)
        rows = torch.tensor([c.axis * values.shape[1] + c.row for c in self.curved], device=q.device)
        curves = [(c.function.slope if slope else c.function.value)(q[c.coordinate]) for c in self.curved]
        return flat.index_copy(0, rows, torch.stack(curves)).reshape(values.shape)

    def state(self, q: Tensor, scales: Scales) -> State:
        f = self.values(q)
        local, turned = self.turned(f)
        return self.stood(local, f[3:], scales, turned)

    def turned(self, f: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the rotations of the joints (3, 3, J, N) for functions f (6, J, N), and those before each axis."""
        sine, versed = torch.sin(f[:3]), 1 - torch.cos(f[:3])
        turns = [self._turn(k, sine[k], versed[k]) for k in range(3)]
        two = product(turns[0], turns[1])
        return product(two, turns[2]), (turns[0], two)

    def stood(self, local: Tensor, slid: Tensor, scales: Scales, turned: tuple[Tensor, Tensor]) -> State:
        """Return where bodies stand for rotations of the joints (3, 3, J, N) and translations along axes (3, J, N)."""
        shift = self._before(scales) + self._slid(slid, scales)  # (3, J, N): the joint's centre in the parent
        behind = torch.einsum("jxs,jsn->xjn", self.behind, scales.body[self.child])
        n = local.shape[3]
        rotation, position = torch.eye(3).to(local)[:, :, None, None].expand(3, 3, 1, n), local.new_zeros(3, 1, n)
        rotations, positions = [rotation], [position]
        centres, parents = list[Tensor](), list[Tensor]()
        for rows, at in self.levels:  # the parents of a level all stand in the level before
            above = rotation[:, :, at]
            centre = position[:, at] + applied(above, shift[:, rows])
            rotation = product(above, local[:, :, rows])
            position = centre - applied(rotation, behind[:, rows])
            rotations.append(rotation)
            positions.append(position)
            centres.append(centre)
            parents.append(above)
        return State(
            torch.cat(rotations, dim=2)[:, :, self.place],
            torch.cat(positions, dim=1)[:, self.place],
            turned,
            torch.cat(centres, dim=1),
            torch.cat(parents, dim=2),
        )

    def _turn(self, k: int, sine: Tensor, versed: Tensor) -> Tensor:
        """Return rotation k of every joint, (3, 3, J, N)."""
        constant, by_sine, by_versed = self.turn[k][..., None]
        return torch.addcmul(torch.addcmul(constant, by_sine, sine), by_versed, versed)

    def _before(self, scales: Scales) -> Tensor:
        return torch.einsum("jxs,jsn->xjn", self.before, scales.body[self.parent])

    def _slid(self, f: Tensor, scales: Scales) -> Tensor:
        return torch.einsum("kjx,kjn->xjn", self.slide, f * scales.growth)

    def points(self, state: State, scales: Scales) -> Tensor:
        """Return markers (3, M, N) in ground."""
        place = torch.einsum("mxs,msn->xmn", self.marker_place, scales.body[self.marker_body])
        return state.position[:, self.marker_body] + applied(state.rotation[:, :, self.marker_body], place)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return matrix products (3, 3, ...) of (3, 3, ...) and (3, 3, ...)."""
    first = a[:, 0, None] * b[0]
    return torch.addcmul(torch.addcmul(first, a[:, 1, None], b[1]), a[:, 2, None], b[2])


def applied(a: Tensor, v: Tensor) -> Tensor:
    """Return matrices (3, 3, ...) times vectors (3, ...)."""
    return torch.addcmul(torch.addcmul(a[:, 0] * v[0], a[:, 1], v[1]), a[:, 2], v[2])


def _above(parent: np.ndarray, child: np.ndarray, n_bodies: int) -> np.ndarray:
    """Return (1 + B, J): whether a joint lies between a body and ground."""
    above = np.zeros((n_bodies, len(parent)), bool)
    for row, (p, c) in enumerate(zip(parent, child, strict=True)):
        above[c] = above[p]
        above[c, row] = True
    return above
