"""Ties between scale factors of bodies: a picture tells a segment's length and width, not three sizes of every bone.

Left and right are independent. In the paper the groups were chosen by hand; here a rule makes them for any model, and
`ties_by_hand` takes other groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.chain import placed
from rehabmotion.biomech.description import GROUND, Joint, Model
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError

Array = NDArray[np.float64]
SHORT = 0.08  # m: bodies whose joints lie closer (talus, ulna, vertebrae) have no length that a picture could tell
AXES = "xyz"


@dataclass(frozen=True)
class Ties:
    """Which factors are one. names (S) of the tied factors; index (B, 3): the number of each body's along x, y, z."""

    names: tuple[str, ...]
    index: tuple[tuple[int, ...], ...]

    def spread(self, tied: Tensor) -> Tensor:
        """Return factors of the bodies (..., B, 3) for tied ones (..., S)."""
        if tied.shape[-1] != len(self.names):
            raise UserError(f"Expected {len(self.names)} tied scale factors, got {tied.shape[-1]}.")
        return tied[..., self._numbers.to(tied.device)]

    def gather(self, scales: Tensor) -> Tensor:
        """Return tied factors (..., S), the means of those of the bodies (..., B, 3)."""
        if scales.shape[-2:] != (len(self.index), 3):
            raise UserError(f"Expected scale factors (..., {len(self.index)}, 3), got {tuple(scales.shape)}.")
        return scales.flatten(-2) @ self._shares.to(scales)

    def pairs(self, bodies: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Return the numbers of tied factors that are left and right of one another, each pair once."""
        found = set[tuple[int, int]]()
        for i, name in enumerate(bodies):
            other = bodies.index(other_side(name, bodies))
            found |= {(a, b) for a, b in zip(self.index[i], self.index[other], strict=True) if a < b}
        return tuple(sorted(found))

    @cached_property
    def _numbers(self) -> Tensor:
        return torch.tensor(self.index)

    @cached_property
    def _shares(self) -> Tensor:
        hot = torch.nn.functional.one_hot(self._numbers.flatten(), len(self.names)).double()
        return hot / hot.sum(dim=0)


def ties_of(model: Model) -> Ties:
    """Return ties by rule: for every segment one factor along its longest extent, one for the two axes across.

    A segment is a body with those that do not move on it (welded, locked or driven joints), and with the short bodies
    that carry it (an ulna and its radius, a talus and its heel). Axes are matched at rest, where frames may differ.
    """
    rest = _rest_rotations(model)
    number = {body.name: i for i, body in enumerate(model.bodies)}
    names: list[str] = []
    index = [[0, 0, 0] for _ in model.bodies]
    for segment in _segments(model):
        longest = max(segment, key=lambda body: float(_extent(model, body).max()))
        along = rest[number[longest]][:, int(_shape(model, longest).argmax())]
        for body in segment:
            own = int(np.abs(rest[number[body]].T @ along).argmax())
            index[number[body]] = [len(names) + (axis != own) for axis in range(3)]
        names += [f"{longest} length", f"{longest} width"]
    return Ties(tuple(names), tuple(tuple(row) for row in index))


def ties_by_hand(model: Model, groups: Iterable[tuple[str, Sequence[str]]]) -> Ties:
    """Return ties from groups: names of tied factors with what they are of, ("thigh width", ("femur_r.x", ...)).

    Every axis of every body is in one group; others raise UserError.
    """
    number = {f"{body.name}.{axis}": (i, a) for i, body in enumerate(model.bodies) for a, axis in enumerate(AXES)}
    names: list[str] = []
    index = [[-1, -1, -1] for _ in model.bodies]
    for name, cells in groups:
        if name in names or not cells:
            raise UserError(f'Expected groups of other names, with something in them, got "{name}" again or empty.')
        for cell in cells:
            if cell not in number:
                raise UserError(f'Expected a body and an axis such as "{next(iter(number), "")}", got "{cell}".')
            body, axis = number[cell]
            if index[body][axis] >= 0:
                raise UserError(f'Expected "{cell}" in one group, got it in "{name}" too.')
            index[body][axis] = len(names)
        names.append(name)
    left = [cell for cell, (body, axis) in number.items() if index[body][axis] < 0]
    if left:
        raise UserError(f'Expected every axis of every body in a group, "{left[0]}" is in none.')
    return Ties(tuple(names), tuple(tuple(row) for row in index))


def other_side(name: str, names: Iterable[str]) -> str:
    """Return the name on the other side, itself for what lies in the middle.

    femur_r and femur_l; some models mark the left only: elbow and elbow_l.
    """
    known = set(names)
    for a, b in (("_r", "_l"), ("_l", "_r"), ("_R", "_L"), ("_L", "_R")):
        if name.endswith(a) and name[:-2] + b in known:
            return name[:-2] + b
    if f"{name}_l" in known and f"{name}_r" not in known:
        return f"{name}_l"
    if name.endswith("_l") and name[:-2] in known:
        return name[:-2]
    return name


def _segments(model: Model) -> list[list[str]]:
    """Return the bodies by segment, in the model's order."""
    free = set(model.free())
    head = {body.name: body.name for body in model.bodies}

    def join(a: str, b: str) -> None:
        old, new = head[a], head[b]
        head.update({body: new for body, h in head.items() if h == old})

    for joint in model.joints:
        if joint.parent.body != GROUND and not _moves(joint, free):
            join(joint.child.body, joint.parent.body)
    for body in model.bodies:
        carried = [j for j in model.joints if j.parent.body == body.name and _moves(j, free)]
        if len(carried) == 1 and np.linalg.norm(_extent(model, body.name)) < SHORT:
            join(carried[0].child.body, body.name)
    return [[b.name for b in model.bodies if head[b.name] == h] for h in dict.fromkeys(head.values())]


def _moves(joint: Joint, free: set[str]) -> bool:
    return any(coordinate.name in free for coordinate in joint.coordinates)


def _extent(model: Model, body: str) -> Array:
    """Return how far the joints of a body lie apart along its axes, (3,) m."""
    places = [placed(j.parent)[1].sum(axis=1) for j in model.joints if j.parent.body == body]
    places += [placed(j.child)[1].sum(axis=1) for j in model.joints if j.child.body == body]
    return np.asarray(np.ptp(places, axis=0))


def _shape(model: Model, body: str) -> Array:
    """Return the extent of a body; for one without joints beyond, where its mass lies; for none, y: it hangs down."""
    extent = _extent(model, body)
    if extent.max() > 0:
        return extent
    joint = next(j for j in model.joints if j.child.body == body)
    mass = np.abs(next(b for b in model.bodies if b.name == body).mass_center - placed(joint.child)[1].sum(axis=1))
    return mass if mass.max() > 1e-6 else np.array([0.0, 1.0, 0.0])


def _rest_rotations(model: Model) -> Array:
    kinematics = Kinematics(model.with_markers(()))
    return np.asarray(kinematics(kinematics.default).rotations.numpy())
