"""Rays meet spheres, capsules and stretched cones where formulas and a slow search say they do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.viz.rendering.lens import Lens
from rehabmotion.viz.rendering.trace import trace

I3 = np.eye(3)


def test_a_sphere_is_seen_as_a_disc_of_the_tangents_radius(cones, ahead) -> None:
    """Tangents from the eye at distance d touch a sphere of radius r under asin(r / d): focal r / sqrt(d^2 - r^2)."""
    r, d, lens = 0.5, 1.5, ahead(300, 250.0)
    hits = trace(cones((r, r, 0.0)), I3[None], np.array([[0, 0, d]]), lens)
    radius = 250 * r / np.sqrt(d * d - r * r)
    row, column = np.divmod(hits.pixel, 300)
    assert len(hits.pixel) == pytest.approx(np.pi * radius**2, rel=0.005)
    assert np.hypot(row + 0.5 - 150, column + 0.5 - 150).max() == pytest.approx(radius, abs=0.5)
    nearest = hits.depth.argmin()
    assert hits.depth[nearest] == pytest.approx(d - r, abs=1e-4)
    np.testing.assert_allclose(hits.normal[nearest], [0, 0, -1], atol=0.02)


def test_a_capsule_covers_a_strip_and_two_half_discs(cones) -> None:
    """From afar the picture is a parallel one: 2 r L + pi r^2."""
    r, length, far = 0.1, 0.6, 100.0
    lens = Lens(400, 400 * far, I3, np.zeros(3))  # 400 pixels a metre
    hits = trace(cones((r, r, length)), I3[None], np.array([[0, -0.3, far]]), lens)
    assert len(hits.pixel) / 400**2 == pytest.approx(2 * r * length + np.pi * r * r, rel=0.005)


def test_a_stretched_sphere_is_an_ellipse(cones) -> None:
    lens = Lens(400, 400 * 100.0, I3, np.zeros(3))
    hits = trace(cones((0.1, 0.1, 0.0), shape=np.diag([2.0, 0.5, 3.0])), I3[None], np.array([[0, 0, 100.0]]), lens)
    assert len(hits.pixel) / 400**2 == pytest.approx(np.pi * 0.2 * 0.05, rel=0.01)
    assert hits.depth.min() == pytest.approx(100 - 0.3, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_stretched_cones_are_met_where_a_search_finds_them(cones, ahead, seed: int) -> None:
    """Points that are hit lie on the surface, and no point before them lies inside; misses stay outside."""
    rng = np.random.default_rng(seed)
    low, high, length = (0.3, 0.1, 0.7) if seed % 2 else (0.08, 0.25, 0.4)
    turn = (
        Rotation.random(random_state=seed).as_matrix()
        if seed
        else Rotation.from_euler("x", 89, degrees=True).as_matrix()
    )
    shape = np.diag(rng.uniform(0.5, 1.5, 3))
    place, lens = np.array([*rng.uniform(-0.3, 0.3, 2), 2.0]), ahead(16, 20.0)
    made = cones((low, high, length), shape=shape)
    hits = trace(made, turn[None], place[None], lens)
    v, u = np.meshgrid(lens.slopes, lens.slopes, indexing="ij")
    rays = np.stack([u.ravel(), v.ravel(), np.ones(u.size)], axis=1)
    depths = np.linspace(0.8, 3.2, 300)
    own = (rays[:, None] * depths[:, None] - place) @ (np.linalg.inv(shape) @ turn.T).T
    inside = _distance(own, low, high, length) < 0
    first = np.where(inside.any(axis=1), depths[inside.argmax(axis=1)], np.inf)
    found = np.full(16 * 16, np.inf)
    found[hits.pixel] = hits.depth
    both = np.isfinite(found) & np.isfinite(first)
    assert both.sum() > 5
    assert (np.isfinite(found) != np.isfinite(first)).sum() <= 4  # rays that graze
    off = np.abs(found[both] - first[both])
    assert off.max() < 0.05  # the search's steps are 8 mm; grazing rays are off by more
    assert np.median(off) < 0.008


def _distance(points: np.ndarray, low: float, high: float, length: float) -> np.ndarray:
    """Return the signed distance to a round cone along y, negative inside, searched among 40 of its spheres."""
    share = np.linspace(0, 1, 40)
    best = np.full(points.shape[:-1], np.inf)
    for s in share:
        best = np.minimum(best, np.linalg.norm(points - [0, s * length, 0], axis=-1) - (low + s * (high - low)))
    return best


def test_normals_point_out_and_along_runs_from_end_to_end(cones, ahead) -> None:
    turn = Rotation.from_euler("z", 40, degrees=True).as_matrix()
    hits = trace(cones((0.2, 0.1, 0.8)), turn[None], np.array([[0.2, -0.3, 2.0]]), ahead())
    np.testing.assert_allclose(np.linalg.norm(hits.normal, axis=1), 1, atol=1e-5)
    rays = np.stack([*(ahead().slopes[i] for i in np.divmod(hits.pixel, 200)[::-1]), np.ones(len(hits.pixel))], axis=1)
    assert ((hits.normal * rays).sum(axis=1) < 0.03).all()  # towards the camera
    assert hits.along.min() == 0
    assert hits.along.max() == pytest.approx(0.8)


def test_the_nearer_of_two_hides_the_other(cones, ahead) -> None:
    made = cones((0.2, 0.2, 0.0), (0.4, 0.4, 0.0))
    hits = trace(made, np.stack([I3, I3]), np.array([[0, 0, 1.0], [0, 0, 3.0]]), ahead())
    assert hits.cone[hits.pixel == 100 * 200 + 100] == 0
    hits = trace(made, np.stack([I3, I3]), np.array([[0, 0, 4.0], [0, 0, 3.0]]), ahead())
    assert set(hits.cone) == {1}
    assert len(np.unique(hits.pixel)) == len(hits.pixel)


@pytest.mark.parametrize("place", [(0, 0, -2.0), (0, 0, -0.6), (9.0, 0, 2.0), (0, -9.0, 0.1), (0.0, 0.0, 0.0)])
def test_what_is_behind_beside_or_around_the_camera_is_not_seen(cones, ahead, place) -> None:
    assert len(trace(cones((0.5, 0.3, 0.4)), I3[None], np.array([place]), ahead()).pixel) == 0


def test_bounds_are_exact(cones) -> None:
    turn = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    made = cones((0.1, 0.2, 1.0), shape=np.diag([2.0, 1.0, 0.5]))
    low, high = made.bounds(turn[None], np.zeros((1, 3)))[0]
    np.testing.assert_allclose(low, [-1.2, -0.4, -0.1], atol=1e-12)
    np.testing.assert_allclose(high, [0.1, 0.4, 0.1], atol=1e-12)
