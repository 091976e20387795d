"""The drawn body as a surface of triangles on a rig: what glTF and OBJ hold.

Each part is the hull of its spheres, closed by itself; parts overlap at the joints as balls in sockets do, so a knee
bent by 140 degrees keeps its round cap, which one blended skin would lose. The trunk is one part that bends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import Motion, Skeleton
from rehabmotion.motion.rig import Rig, rig
from rehabmotion.viz.body import CENTRE, Part
from rehabmotion.viz.hull import hull_field, zero_surface
from rehabmotion.viz.stage import set_stage

Array = NDArray[np.floating]
Indices = NDArray[np.intp]
_TRUNK = {"spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar"}
_STEP = 0.6  # of the least radius: the size of the triangles
_BLEND = 0.5  # of the least radius: how widely parts of one body flow into each other


@dataclass(frozen=True)
class Mesh:
    """V vertices and F triangles in the rest pose: vertices, normals (V, 3) metres; faces (F, 3), outward.

    joints, weights (V, 4): what each vertex turns with, by what share; sides (F,): the colour (body.py).
    """

    vertices: Array
    normals: Array
    faces: Indices
    joints: Indices
    weights: Array
    sides: Indices


@dataclass(frozen=True)
class RiggedBody:
    """A motion as a rig with a body on it.

    rest (J, 3), rest_axes (J, 3, 3): the joints in the rest pose and their axes, a T-pose that faces +z, its trunk and
    shoulders as they are on average; positions (T, J, 3): where the rig puts them; lift: metres up by which the soles,
    and not the joints above them, stand on y = 0.
    """

    motion: Motion
    rig: Rig
    rest: Array
    rest_axes: Array
    positions: Array
    mesh: Mesh
    lift: float

    def surface(self, frame: int) -> tuple[Array, Array]:
        """Return vertices, lifted, and normals (V, 3) in a frame."""
        mesh, turns = self.mesh, self.rig.frames[frame] @ np.swapaxes(self.rest_axes, 1, 2)
        vertices, normals = np.zeros_like(mesh.vertices), np.zeros_like(mesh.vertices)
        for joints, weights in zip(mesh.joints.T, mesh.weights.T, strict=True):
            off = np.einsum("vab,vb->va", turns[joints], mesh.vertices - self.rest[joints])
            vertices += weights[:, None] * (off + self.positions[frame, joints])
            normals += weights[:, None] * np.einsum("vab,vb->va", turns[joints], mesh.normals)
        return vertices + np.array([0.0, self.lift, 0.0]), normalise(normals)


def rigged_body(motion: Motion) -> RiggedBody:
    """Return the body on its rig, for any skeleton. A motion without a valid joint raises UserError.

    A part is there if its joints are all valid in some frame, as a whole person is easier to watch than one whose
    limbs come and go; where they are not, it sits on the placeholders.
    """
    stage = set_stage(motion)
    rigged = rig(motion)
    rest, axes = _rest(rigged)
    ever: NDArray[np.bool_] = np.any(motion.valid, axis=0)
    shown = [part for part, drawn in zip(stage.parts, stage.drawn(ever), strict=True) if drawn]
    lift = float(stage.positions[0, 0, 1] - motion.positions[0, 0, 1])
    mesh = _joined([_unit(parts, rest) for parts in _units(shown, motion.skeleton)])
    return RiggedBody(motion, rigged, rest, axes, rigged.positions(), mesh, lift)


def _rest(rigged: Rig) -> tuple[Array, Array]:
    """Joints (J, 3) and their axes (J, 3, 3) in the rest pose, each root where it is at first."""
    rest, axes = rigged.offsets.copy(), np.tile(np.eye(3), (len(rigged.offsets), 1, 1))
    for joint in rigged.skeleton.order:
        parent = rigged.skeleton.parents[joint]
        if parent < 0:
            rest[joint] = rigged.places[0, joint]
            continue
        rest[joint] = rest[parent] + axes[parent] @ rigged.offsets[joint]
        axes[joint] = axes[parent]
        if rigged.skeleton.joint_names[joint] in _TRUNK:  # so that least of it has to bend
            axes[joint] = axes[parent] @ Rotation.from_matrix(rigged.rotations[:, joint]).mean().as_matrix()
        elif rigged.skeleton.joint_names[parent] in _TRUNK:
            axes[joint] = np.eye(3)
    return rest, axes


def _units(parts: list[Part], skeleton: Skeleton) -> list[list[Part]]:
    """The parts that are one surface: those of a group, and a neck with the trunk it grows from."""
    neck = skeleton.joint_names.index("neck") if "neck" in skeleton.joint_names else -1
    trunk = max(part.group for part in parts)
    units: dict[tuple[int, int], list[Part]] = {}  # (side, group, or a number of its own)
    for i, part in enumerate(parts):
        grows = trunk > 0 and part.side == CENTRE and set(part.carriers) == {neck}
        units.setdefault((part.side, trunk if grows else part.group or -1 - i), []).append(part)
    return list(units.values())


def _unit(parts: list[Part], rest: Array) -> Mesh:
    """The surface of parts that are one body, in the rest pose."""
    hulls = [(_centres(part, rest), np.array([radius for _, radius in part.spheres])) for part in parts]
    centres, radii = (np.concatenate([hull[k] for hull in hulls]) for k in (0, 1))
    middle = centres.mean(axis=0)
    axes = np.linalg.svd(centres - middle)[2]  # a grid along the part: squares in rings around a limb
    axes[2] *= np.linalg.det(axes)
    blend = _BLEND * float(radii.min())

    def fields(points: Array) -> list[tuple[Array, Array]]:
        return [hull_field((c - middle) @ axes.T, r, points) for c, r in hulls]

    def field(points: Array) -> Array:
        return _blended([distance for distance, _ in fields(points)], blend)

    spread = (centres - middle) @ axes.T
    reach = radii[:, None] + blend
    vertices, normals, faces = zero_surface(
        field, (spread - reach).min(axis=0), (spread + reach).max(axis=0), _STEP * float(radii.min())
    )
    joints, weights = _skin(parts, fields(vertices), len(rest))
    return Mesh(middle + vertices @ axes, normals @ axes, faces, joints, weights, np.full(len(faces), parts[0].side))


def _centres(part: Part, rest: Array) -> Array:
    return np.array([sum(w * rest[joint] for joint, w in weights.items()) for weights, _ in part.spheres])


def _blended(distances: list[Array], width: float) -> Array:
    """The least distance, rounded by a parabola where two are within `width` of each other."""
    least = distances[0]
    for other in distances[1:]:
        near = np.maximum(1 - np.abs(least - other) / width, 0)
        least = np.minimum(least, other) - 0.25 * width * near * near
    return least


def _skin(parts: list[Part], fields: list[tuple[Array, Array]], n_joints: int) -> tuple[Indices, Array]:
    """Joints and weights (V, 4): a vertex turns with the carriers of the spheres it lies on, of the nearest part."""
    nearest = np.argmin([distance for distance, _ in fields], axis=0)
    dense = np.zeros((len(nearest), n_joints))
    for k, (part, (_, shares)) in enumerate(zip(parts, fields, strict=True)):
        for sphere, carrier in enumerate(part.carriers):
            dense[nearest == k, carrier] += shares[nearest == k, sphere]
    padded = np.pad(dense, ((0, 0), (0, max(0, 4 - n_joints))))
    joints = np.argsort(-padded, axis=1, kind="stable")[:, :4]  # never more than three: shares lie on a triangle
    weights = np.take_along_axis(padded, joints, axis=1)
    return np.where(weights > 0, joints, 0), weights / weights.sum(axis=1, keepdims=True)


def _joined(meshes: list[Mesh]) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    fields = ("vertices", "normals", "joints", "weights", "sides")
    whole = {name: np.concatenate([getattr(mesh, name) for mesh in meshes]) for name in fields}
    return Mesh(faces=np.concatenate(faces), **whole)
