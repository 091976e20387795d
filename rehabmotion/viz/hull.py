"""The rounded hull of spheres as a field in space, and a field's zero surface as triangles."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import normalise

Array = NDArray[np.floating]
Field = Callable[[Array], Array]  # points (P, 3) -> signed distance (P,), negative inside
MOST_CELLS = 2_000_000
# the corners of a cell, and its twelve edges as pairs of corners
_CORNERS = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
_EDGES = np.array([(a, b) for a, b in combinations(range(8), 2) if np.abs(_CORNERS[a] - _CORNERS[b]).sum() == 1])


def hull_field(centres: Array, radii: Array, points: Array) -> tuple[Array, Array]:
    """Return signed distance (P,) and shares (P, S), rows of sum 1, of the hull of spheres at points (P, 3).

    centres (S, 3), radii (S,), metres. The distance is that to the nearest point of all segments and triangles between
    centres, less the radius there, which runs linearly: a cone's radius is not quite that of the tangent cone, and the
    inside of a hull of four spheres or more is told by its faces. The shares say where on the spheres the point is.
    """
    best, shares = np.full(len(points), np.inf), np.zeros((len(points), len(radii)))
    for size in (1, 2, 3):
        for corners in combinations(range(len(radii)), size):
            at = _barycentric(centres[list(corners)], points)
            distance = np.linalg.norm(points - at @ centres[list(corners)], axis=1) - at @ radii[list(corners)]
            nearer = (distance < best) & (at >= 0).all(axis=1)
            best[nearer] = distance[nearer]
            shares[nearer] = 0.0
            shares[np.ix_(nearer, corners)] = at[nearer]
    return best, shares


def _barycentric(corners: Array, points: Array) -> Array:
    """Coordinates (P, C) of the points' feet on the line or plane through corners (C, 3); degenerate ones are -1."""
    sides = corners[1:] - corners[0]
    gram = sides @ sides.T
    if len(sides) and np.linalg.det(gram) <= 1e-9 * np.trace(gram) ** len(sides):
        return np.full((len(points), len(corners)), -1.0)
    along = (points - corners[0]) @ sides.T @ np.linalg.inv(gram) if len(sides) else np.zeros((len(points), 0))
    return np.concatenate([1 - along.sum(axis=1, keepdims=True), along], axis=1)


def zero_surface(field: Field, low: Array, high: Array, step: float) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return vertices, normals (V, 3) and faces (F, 3), outward, of a field's zero surface inside low..high (3,).

    Naive surface nets (Gibson, MICCAI 1998): one vertex a cell that the surface crosses, one square an edge that it
    crosses, cut in two; then the vertices are moved onto the surface along the gradient. What is thinner than two
    steps may be lost. More than 2 million cells raise UserError: bones out of all proportion.
    """
    shape = np.ceil((high - low) / step).astype(int) + 2
    if np.prod(shape.astype(float)) > MOST_CELLS:
        size = float((high - low).max())
        raise UserError(f"Expected a body in proportion, got a part of {size:.3g} m. Check the joints and their unit.")
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    values = field((low + (grid - 0.5) * step).reshape(-1, 3)).reshape(shape)
    corners = np.stack(
        [values[x : shape[0] - 1 + x, y : shape[1] - 1 + y, z : shape[2] - 1 + z] for x, y, z in _CORNERS], -1
    )
    inside = corners < 0
    cells = np.argwhere(inside.any(axis=-1) & ~inside.all(axis=-1))
    number = np.full(shape, -1)
    number[tuple(cells.T)] = np.arange(len(cells))
    vertices = low + (cells - 0.5 + _middle(corners[tuple(cells.T)])) * step
    faces = _squares(values < 0, number)
    for _ in range(2):
        slope = gradient(field, vertices, 0.05 * step)
        vertices = vertices - (field(vertices) / np.maximum((slope * slope).sum(axis=1), 0.25))[:, None] * slope
    return vertices, normalise(gradient(field, vertices, 0.05 * step)), faces


def gradient(field: Field, points: Array, step: float) -> Array:
    """Return the gradient (P, 3) by central differences."""
    offsets = step * np.concatenate([np.eye(3), -np.eye(3)])
    values = field((points + offsets[:, None]).reshape(-1, 3)).reshape(6, -1)
    return (values[:3] - values[3:]).T / (2 * step)


def _middle(values: Array) -> Array:
    """The mean (C, 3), in cells, of the crossings on the edges of cells with corner values (C, 8)."""
    a, b = values[:, _EDGES[:, 0]], values[:, _EDGES[:, 1]]
    crossed = (a < 0) != (b < 0)
    share = np.where(crossed, a / np.where(crossed, a - b, 1.0), 0.0)[..., None]
    points = _CORNERS[_EDGES[:, 0]] + share * (_CORNERS[_EDGES[:, 1]] - _CORNERS[_EDGES[:, 0]])
    return (points * crossed[..., None]).sum(axis=1) / crossed.sum(axis=1, keepdims=True)


def _squares(inside: NDArray[np.bool_], number: NDArray[np.intp]) -> NDArray[np.intp]:
    """Two triangles for each grid edge with one end inside: around it lie four cells."""
    faces = []
    for axis in range(3):
        there, back = np.roll(np.eye(3, dtype=int), -axis, axis=0)[1:]
        first = np.take(inside, range(inside.shape[axis] - 1), axis)
        second = np.take(inside, range(1, inside.shape[axis]), axis)
        at = np.argwhere(first != second)
        ring = np.stack([number[tuple((at - shift).T)] for shift in (0 * there, there, there + back, back)], axis=1)
        leaving = first[tuple(at.T)]  # inside below, outside above: the square looks along the axis
        ring[~leaving] = ring[~leaving][:, ::-1]
        faces += [ring[:, [0, 1, 2]], ring[:, [0, 2, 3]]]
    return np.concatenate(faces)
