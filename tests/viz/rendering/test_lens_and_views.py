"""Cameras: where points fall, what is up, and that a drawn camera holds the whole person from the side asked for."""

from __future__ import annotations

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.rendering.lens import Lens, looking
from rehabmotion.viz.rendering.views import Cameras, draw_lens

BOUNDS = np.array([[[-0.3, 0.0, -0.4], [0.4, 1.8, 0.4]]])


def test_points_fall_where_the_pinhole_says() -> None:
    place = np.array([0, 1.0, 0])
    lens = Lens(100, 50.0, looking(place, np.array([2.0, 1.0, 0])), place)  # looks along x; z is right, y up
    np.testing.assert_allclose(lens.project(np.array([2.0, 1.5, 0.5])), [50 + 50 * 0.25, 50 - 50 * 0.25])
    np.testing.assert_allclose(lens.seen(np.array([2.0, 1.5, 0.5])), [0.5, -0.5, 2.0], atol=1e-12)
    np.testing.assert_allclose(lens.finer(2).project(np.array([2.0, 1.5, 0.5])), 2 * np.array([62.5, 37.5]))
    assert lens.slopes[0] == pytest.approx((0.5 - 50) / 50)


def test_roll_turns_the_picture() -> None:
    rotation = looking(np.zeros(3), np.array([1.0, 0, 0]), np.radians(90))
    np.testing.assert_allclose(rotation @ [0, -1, 0], [1, 0, 0], atol=1e-12)  # down shows on the right
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert np.isfinite(looking(np.zeros(3), np.array([0.0, 3, 0]))).all()  # straight up


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_camera_holds_the_person(seed: int) -> None:
    lens = draw_lens(np.random.default_rng(seed), Cameras(shift=0.0), 96, BOUNDS, 0.3)
    corners = np.stack(np.meshgrid(*BOUNDS[0].T), axis=-1).reshape(8, 3)
    pixels = lens.project(corners)
    assert (pixels > -1e-6).all()
    assert (pixels < 96 + 1e-6).all()
    assert np.ptp(pixels, axis=0).max() > 96 / 1.26
    assert 0.5 <= lens.place[1] <= 2.0


@pytest.mark.parametrize(("degrees", "place"), [(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (-90, (0, 1))])
def test_azimuth_counts_from_the_persons_front_to_their_left(degrees: float, place: tuple[float, float]) -> None:
    """A person who faces x has their right at +z."""
    cameras = Cameras(azimuth_deg=(degrees, degrees))
    lens = draw_lens(np.random.default_rng(0), cameras, 96, BOUNDS - [0.05, 0, 0], 0.0)
    flat = lens.place[[0, 2]] / np.linalg.norm(lens.place[[0, 2]])
    np.testing.assert_allclose(flat, place, atol=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"fov_deg": (70.0, 40.0)}, {"height": (-1.0, 2.0)}, {"share": (0.0, 1.0)}, {"shift": 0.9},
              {"room": (0.5, 1)}, {"fov_deg": (float("nan"), 60.0)}]
)  # fmt: skip
def test_impossible_cameras_are_refused(wrong) -> None:
    with pytest.raises(UserError, match="Expected"):
        Cameras(**wrong)


def test_an_impossible_lens_is_refused() -> None:
    for size, focal in ((0, 1.0), (10, 0.0), (10, float("nan"))):
        with pytest.raises(UserError, match="picture size"):
            Lens(size, focal, np.eye(3), np.zeros(3))
