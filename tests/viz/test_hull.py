"""Hulls of spheres as fields, and their surfaces: spheres and capsules by closed form, then what any hull has."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.viz.hull import gradient, hull_field, zero_surface

BONE = np.array([[0.0, 0, 0], [1.0, 0, 0]])


def surface(centres: np.ndarray, radii: np.ndarray) -> tuple[trimesh.Trimesh, np.ndarray]:
    low, high = (centres - radii[:, None]).min(axis=0), (centres + radii[:, None]).max(axis=0)
    vertices, normals, faces = zero_surface(
        lambda p: hull_field(centres, radii, p)[0], low, high, 0.5 * float(radii.min())
    )
    return trimesh.Trimesh(vertices, faces, process=False), normals


def test_distances_by_hand() -> None:
    """A capsule of radius 0.1: beside it, beyond its end, inside it."""
    points = np.array([[0.5, 0.3, 0], [1.3, 0, 0], [0.25, 0, 0], [-1.0, 0, 0]])
    distance, shares = hull_field(BONE, np.array([0.1, 0.1]), points)
    assert distance == pytest.approx([0.2, 0.2, -0.1, 0.9])
    assert shares == pytest.approx(np.array([[0.5, 0.5], [0, 1], [0.75, 0.25], [1, 0]]))


def test_a_triangle_of_spheres_is_flat_between_them() -> None:
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    distance, shares = hull_field(corners, np.full(3, 0.1), np.array([[0.2, 0.2, 0.5]]))
    assert distance == pytest.approx([0.4])
    assert shares == pytest.approx(np.array([[0.6, 0.2, 0.2]]))


def test_spheres_in_one_place_are_one() -> None:
    distance, shares = hull_field(np.zeros((3, 3)), np.array([0.1, 0.2, 0.1]), np.array([[1.0, 0, 0]]))
    assert distance == pytest.approx([0.8])
    assert shares == pytest.approx(np.array([[0, 1, 0]]))


def test_a_capsule_has_its_volume_and_its_normals() -> None:
    mesh, normals = surface(BONE, np.array([0.1, 0.1]))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(np.pi * 0.1**2 + 4 / 3 * np.pi * 0.1**3, rel=0.04)
    foot = np.clip(mesh.vertices[:, :1], 0, 1) * [1, 0, 0]
    assert np.linalg.norm(mesh.vertices - foot, axis=1) == pytest.approx(np.full(len(normals), 0.1), abs=1e-4)
    assert normals == pytest.approx((mesh.vertices - foot) / 0.1, abs=2e-2)


@settings(max_examples=25, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_any_hull_is_closed_and_looks_outward(seed: int, n: int) -> None:
    """Closed: each edge is passed as often one way as the other. Where two sheets touch inside one cell, four faces may
    meet at an edge (one hull in fifty), which trimesh no longer calls watertight: seed 5612, two spheres."""
    rng = np.random.default_rng(seed)
    mesh, normals = surface(rng.normal(0, 0.1, (n, 3)), rng.uniform(0.05, 0.1, n))
    there = np.sort(mesh.edges @ [len(mesh.vertices), 1])
    back = np.sort(mesh.edges[:, ::-1] @ [len(mesh.vertices), 1])
    assert np.array_equal(there, back)
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert np.quantile((mesh.vertex_normals * normals).sum(axis=1), 0.02) > 0.5


def test_the_gradient_of_a_plane() -> None:
    assert gradient(lambda p: p @ np.array([1.0, 2.0, 3.0]), np.zeros((2, 3)), 0.1) == pytest.approx(
        np.array([[1, 2, 3], [1, 2, 3]])
    )


def test_a_bone_of_a_kilometre_is_refused() -> None:
    with pytest.raises(UserError, match="in proportion"):
        surface(np.array([[0.0, 0, 0], [1000, 900, 800]]), np.array([0.03, 0.03]))
