"""A model's tree as tensors: what of forward kinematics does not depend on coordinates or scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.description import GROUND, Axis, Frame, Joint, Marker, Model
from rehabmotion.biomech.functions import Constant, Function, Linear
from rehabmotion.errors import UserError

Array = NDArray[np.float64]
AXES = 6  # of a joint: three rotations, three translations


@dataclass(frozen=True)
class Curved:
    """A function that is no straight line: where its value goes (axis 0..5, row of a joint), and what it reads."""

    axis: int
    row: int
    coordinate: int
    function: Function


@dataclass(frozen=True)
class Chain:
    """Joints parents first, one row (J) each; ground is body 0, then the model's bodies in their order (B).

    parent, child (J,) bodies; levels: ranges of rows with one depth. turn (3, 3, J, 3, 3): of rotation k the constant,
    sine and 1 - cosine parts, offsets' orientations folded in: R_k = turn[k, 0] + sin f turn[k, 1] + (1 - cos f)
    turn[k, 2]. axis (3, J, 3): rotation axes before R_k. slide (3, J, 3): translation axes in the parent's body axes;
    grows (3, J, 3): what scale factors multiply them with, summed, unless fixed (3, J). As in OpenSim, an askew axis
    counts the absolute parts of its direction. before (J, 3, 3): the joint in its parent, behind (J, 3, 3): the
    child's frame in the child, both m per scale factor. a, b (6, J), source (6, J): straight functions
    a q[source] + b.
    """

    parent: NDArray[np.int64]
    child: NDArray[np.int64]
    levels: tuple[tuple[int, int], ...]
    turn: Array
    axis: Array
    slide: Array
    grows: Array
    fixed: NDArray[np.bool_]
    before: Array
    behind: Array
    a: Array
    b: Array
    source: NDArray[np.int64]
    curved: tuple[Curved, ...]


def chain(model: Model) -> Chain:
    """Return the tree of a model."""
    joints = [model.joints[i] for i in model.order]
    numbers = {GROUND: 0, **{body.name: i + 1 for i, body in enumerate(model.bodies)}}
    coordinates = {c.name: i for i, c in enumerate(model.coordinates)}
    n = len(joints)
    parts = [_rotations(joint) for joint in joints]
    a, b, source, curved = _functions(joints, coordinates)
    return Chain(
        parent=np.array([numbers[j.parent.body] for j in joints], np.int64),
        child=np.array([numbers[j.child.body] for j in joints], np.int64),
        levels=_levels(joints),
        turn=np.array([p[0] for p in parts]).reshape(n, 3, 3, 3, 3).transpose(1, 2, 0, 3, 4),
        axis=np.array([p[1] for p in parts]).reshape(n, 3, 3).transpose(1, 0, 2),
        slide=np.array([_slides(j) for j in joints]).reshape(n, 3, 3).transpose(1, 0, 2),
        grows=np.abs([[t.direction for t in j.translations] for j in joints]).reshape(n, 3, 3).transpose(1, 0, 2),
        fixed=np.array([[not j.grows(t) for t in j.translations] for j in joints]).reshape(n, 3).T,
        before=np.array([placed(j.parent)[1] for j in joints]).reshape(n, 3, 3),
        behind=np.array([placed(j.child)[1] for j in joints]).reshape(n, 3, 3),
        a=a,
        b=b,
        source=source,
        curved=curved,
    )


def placed(frame: Frame) -> tuple[Array, Array]:
    """Return a frame in its body: rotation (3, 3), and (3, 3) that carries scale factors to its translation (m)."""
    rotation, offset = np.eye(3), np.zeros((3, 3))
    for step in frame.steps:
        offset = offset + rotation @ np.diag(step.translation)
        rotation = rotation @ Rotation.from_euler("XYZ", step.orientation).as_matrix()
    return rotation, offset


def located(marker: Marker) -> Array:
    """Return (3, 3) that carries a body's scale factors to the marker's place in it (m)."""
    rotation, offset = placed(marker.frame)
    return offset + rotation @ np.diag(marker.location)


def _rotations(joint: Joint) -> tuple[Array, Array]:
    """Return the parts (3, 3, 3, 3) of a joint's three rotations, and their axes (3, 3) in the frame before each."""
    first, last = placed(joint.parent)[0], placed(joint.child)[0].T
    parts = np.zeros((3, 3, 3, 3))
    axes = np.zeros((3, 3))
    for k, axis in enumerate(joint.rotations):
        d = _unit(axis, joint)
        cross = np.cross(d, np.eye(3)).T  # cross @ v = d x v
        parts[k] = np.eye(3), cross, cross @ cross
        axes[k] = d
    parts[0] = first @ parts[0]
    parts[2] = parts[2] @ last
    axes[0] = first @ axes[0]
    return parts, axes


def _unit(axis: Axis, joint: Joint) -> Array:
    d = np.array(axis.direction)
    length = np.linalg.norm(d)
    if not np.isfinite(d).all() or length < 1e-9:
        raise UserError(f'joint "{joint.name}": Expected an axis with a direction, got {axis.direction}.')
    return d / length


def _slides(joint: Joint) -> Array:
    """Return translation axes (3, 3), in the axes of the parent's body."""
    first = placed(joint.parent)[0]
    return np.array([first @ _unit(axis, joint) for axis in joint.translations])


def _functions(
    joints: list[Joint], coordinates: dict[str, int]
) -> tuple[Array, Array, NDArray[np.int64], tuple[Curved, ...]]:
    a, b = np.zeros((AXES, len(joints))), np.zeros((AXES, len(joints)))
    source, curved = np.zeros((AXES, len(joints)), np.int64), []
    for row, joint in enumerate(joints):
        for k, axis in enumerate((*joint.rotations, *joint.translations)):
            function = axis.function
            if isinstance(function, Constant):
                b[k, row] = function.number
            elif axis.coordinate is None:
                raise UserError(f'joint "{joint.name}": Expected a coordinate for an axis with a function, got none.')
            elif isinstance(function, Linear):
                a[k, row], b[k, row], source[k, row] = function.a, function.b, coordinates[axis.coordinate]
            else:
                curved.append(Curved(k, row, coordinates[axis.coordinate], function))
    return a, b, source, tuple(curved)


def _levels(joints: list[Joint]) -> tuple[tuple[int, int], ...]:
    """Return ranges of rows whose parents all stand in rows before."""
    levels: list[tuple[int, int]] = []
    start = 0
    while start < len(joints):
        inside = set[str]()
        stop = start
        while stop < len(joints) and joints[stop].parent.body not in inside:
            inside.add(joints[stop].child.body)
            stop += 1
        levels.append((start, stop))
        start = stop
    return tuple(levels)
