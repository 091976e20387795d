"""Wavefront OBJ, one mesh a frame in a folder: what reads neither rigs nor skins, and a paper's way into a renderer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import Motion
from rehabmotion.viz.body import GHOST
from rehabmotion.viz.glb import NAMES
from rehabmotion.viz.mesh import rigged_body
from rehabmotion.viz.scene import SIDES

MOST_FRAMES = 10_000  # at about half a megabyte a frame
MATERIALS = "body.mtl"
Array = NDArray[np.floating]


def write_obj(motion: Motion, folder: Path) -> None:
    """Write folder/frame_0000.obj ... and body.mtl: the drawn body, metres, y up, soles on y = 0; any skeleton.

    The vertices and faces of all frames correspond. Placeholders of missing joints are drawn like any other joint.
    More than 10,000 frames raise UserError.
    """
    check_length(motion)
    body = rigged_body(motion)
    sides = sorted(set(body.mesh.sides.tolist()))
    groups = [(NAMES[side].replace(" ", "_"), body.mesh.faces[body.mesh.sides == side]) for side in sides]
    write_atomic(folder / MATERIALS, "".join(_material(side) for side in sides))
    write_meshes(folder, (body.surface(t) for t in range(motion.n_frames)), groups, MATERIALS)


def check_length(motion: Motion) -> None:
    """Raise UserError where a motion has more frames than anybody wants as files."""
    if motion.n_frames > MOST_FRAMES:
        raise UserError(f"Expected at most {MOST_FRAMES} frames for .obj, got {motion.n_frames}. Trim the motion.")


def write_meshes(
    folder: Path,
    surfaces: Iterator[tuple[Array, Array]],
    groups: Sequence[tuple[str, NDArray[np.integer]]],
    materials: str | None = None,
) -> None:
    """Write one file a surface, vertices and normals (V, 3), with named groups of faces (F, 3)."""
    lines = [f"mtllib {materials}\n"] if materials else []
    faces = []
    for name, corners in groups:
        faces.append(f"g {name}\n" + (f"usemtl {name}\n" if materials else ""))
        faces.append(_rows("f %d//%d %d//%d %d//%d\n", np.repeat(corners + 1, 2, axis=1)))
    for t, (vertices, normals) in enumerate(surfaces):
        points = _rows("v %.5f %.5f %.5f\n", vertices + 0.0) + _rows("vn %.3f %.3f %.3f\n", normals)
        write_atomic(folder / f"frame_{t:04d}.obj", "".join([*lines, points, *faces]))


def vertex_normals(vertices: Array, faces: NDArray[np.integer]) -> Array:
    """Return normals (V, 3) of a mesh, each the mean of its faces' by area; zero for a vertex of no face."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    summed = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(summed, faces[:, k], across)
    return normalise(summed)


def _rows(form: str, table: NDArray[np.number]) -> str:
    return (form * len(table)) % tuple(table.ravel().tolist())


def _material(side: int) -> str:
    name, (red, green, blue) = NAMES[side].replace(" ", "_"), SIDES[side] / 255.0
    return f"newmtl {name}\nKd {red:.4f} {green:.4f} {blue:.4f}\nd {0.35 if side == GHOST else 1.0}\n"
