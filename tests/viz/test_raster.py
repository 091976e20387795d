"""Drawing against closed forms: distances, areas, the camera, the PNG."""

import struct
import zlib

import numpy as np
import pytest

from rehabmotion.viz.camera import Camera
from rehabmotion.viz.font import fit_text, plain, text_width
from rehabmotion.viz.raster import Picture, chain_distance, hull_distance, png_bytes

WHITE = np.full((60, 80, 3), 255, np.uint8)
BLACK = np.zeros(3)


@pytest.mark.parametrize("distance", [hull_distance, chain_distance])
def test_a_circle(distance):
    circle = np.array([[3.0, 4.0, 2.0]])
    found, outward = distance(circle, np.array([[3.0, 4.0], [6.0, 4.0], [3.0, 1.0]]))
    np.testing.assert_allclose(found, [-2, 1, 1], atol=0.02)
    np.testing.assert_allclose(outward[1:], [[1, 0], [0, -1]], atol=0.02)


@pytest.mark.parametrize("distance", [hull_distance, chain_distance])
def test_flats_of_a_limb_are_exact(distance):
    """Circles of radius 2 and 1, 5 apart: the common tangent's normal leans by 1/5 towards the small one."""
    limb = np.array([[0.0, 0.0, 2.0], [5.0, 0.0, 1.0]])
    normal = np.array([0.2, np.sqrt(1 - 0.04)])
    touch = 0.5 * (2 * normal + (np.array([5, 0]) + 1 * normal))
    found, outward = distance(limb, np.stack([touch, touch + 0.3 * normal, touch - 0.3 * normal]))
    np.testing.assert_allclose(found, [0, 0.3, -0.3], atol=1e-5)
    np.testing.assert_allclose(outward, np.stack([normal] * 3), atol=1e-3)


def test_hull_and_chain_agree():
    rng = np.random.default_rng(0)
    for _ in range(20):
        limb = np.concatenate([rng.uniform(0, 50, (2, 2)), rng.uniform(1, 8, (2, 1))], axis=1)
        points = rng.uniform(-10, 60, (200, 2))
        a, b = hull_distance(limb, points)[0], chain_distance(limb, points)[0]
        # inside, or beside: beyond an arc the polygon's corner is nearer than the circle
        close = b < 1
        np.testing.assert_allclose(a[close], b[close], atol=0.1)


def test_a_circle_inside_another_changes_nothing():
    both = np.array([[0.0, 0.0, 5.0], [1.0, 0.0, 2.0]])
    points = np.array([[7.0, 0.0], [0.0, 0.0], [0.0, -6.0]])
    np.testing.assert_allclose(chain_distance(both, points)[0], [2, -5, 1], atol=1e-6)
    np.testing.assert_allclose(hull_distance(both, points)[0], [2, -5, 1], atol=0.05)


def test_area_of_a_line_is_length_times_width_and_a_round_end():
    picture = Picture(WHITE)
    picture.line((15.3, 30.2), (60.7, 30.2), 9, BLACK)
    ink = (1 - picture.rgb[..., 0] / 255).sum()
    assert ink == pytest.approx(45.4 * 9 + np.pi * 4.5**2, rel=0.01)


def test_edges_are_smooth():
    picture = Picture(WHITE)
    picture.line((10, 30.25), (70, 30.25), 4, BLACK)  # covers y 28.25 to 32.25
    np.testing.assert_allclose(picture.rgb[27:34, 40, 0] / 255, [1, 0.25, 0, 0, 0, 0.75, 1], atol=0.02)


def test_drawing_outside_is_cut_and_all_outside_is_nothing():
    picture = Picture(WHITE)
    picture.line((-50, -50), (-20, -20), 9, BLACK)
    np.testing.assert_array_equal(picture.pixels(), WHITE)
    picture.line((-10, 10), (10, 10), 9, BLACK)
    assert picture.pixels()[10, 0, 0] == 0
    assert picture.pixels()[10, 40, 0] == 255


def test_nearer_wins_whatever_the_order():
    red, blue = np.array([255.0, 0, 0]), np.array([0, 0, 255.0])
    for order in ((1, 2), (2, 1)):
        picture = Picture(WHITE)
        where = (slice(0, 10), slice(0, 10))
        for depth in order:
            picture.paint(where, red if depth == 1 else blue, np.ones((10, 10)), np.full((10, 10), float(depth)))
        np.testing.assert_array_equal(picture.pixels()[5, 5], [255, 0, 0])


def test_camera_looks_at_the_front():
    """From the front the person's left (+x) is on the right of the picture, up is up, nearer is larger."""
    camera = Camera(640, 480, 1.8, 1.0, yaw=0.0, pitch=0.0)
    middle, left, above, near = camera.project(
        np.array([[0, camera.middle, 0], [0.5, camera.middle, 0], [0, camera.middle + 0.5, 0], [0, camera.middle, 0.5]])
    )
    np.testing.assert_allclose(middle[:2], [320, 240])
    assert left[0] - 320 == pytest.approx(0.5 * middle[3])
    assert 240 - above[1] == pytest.approx(0.5 * middle[3])
    assert near[2] == pytest.approx(middle[2] - 0.5)
    assert near[3] > middle[3]


def test_from_the_persons_left_the_front_is_on_the_left():
    camera = Camera(640, 480, 1.8, 1.0, yaw=np.pi / 2, pitch=0.0)
    assert camera.project(np.array([0.0, 1.0, 0.5]))[0] < 320


def test_floor_points_project_back_to_their_pixels():
    camera = Camera(64, 48, 1.8, 1.0)
    ground = camera.ground
    rows, columns = np.nonzero(np.isfinite(ground[..., 0]))
    assert len(rows) > 500
    on_floor = np.insert(ground[rows, columns], 1, 0.0, axis=1)
    seen = camera.project(on_floor)[:, :2]
    deep = camera.project(on_floor)[:, 2] > 0.06
    np.testing.assert_allclose(seen[deep], np.stack([columns, rows], -1)[deep] + 0.5, atol=1e-6)


@pytest.mark.parametrize("size", [(640, 480), (200, 500)])
@pytest.mark.parametrize("yaw", [0.0, 0.7, np.pi / 2])
def test_the_whole_stage_is_in_the_picture(size, yaw):
    camera = Camera(*size, 1.8, 0.9, yaw=yaw)
    angle = np.linspace(0, 2 * np.pi, 40)
    for height in (0.0, 1.8):
        rim = np.stack([0.9 * np.cos(angle), np.full(40, height), 0.9 * np.sin(angle)], -1)
        seen = camera.project(rim)
        assert (seen[:, 0] > 0).all()
        assert (seen[:, 0] < size[0]).all()


def test_png_is_read_back():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    data = png_bytes(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (5, 7)
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0]
    rows = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8).reshape(7, 16)
    np.testing.assert_array_equal(rows[:, 1:].reshape(7, 5, 3), pixels)


def test_text_is_cut_to_fit():
    assert fit_text("squat", 12, 500) == "squat"
    cut = fit_text("a very long caption indeed", 12, 100)
    assert cut.endswith("..")
    assert text_width(cut, 12) <= 100
    assert plain("Übung –\n “tief”") == 'Ubung - "tief"'
