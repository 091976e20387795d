"""Skeletons and captions on frames: where pixels lie, in which colours, how strong, and what cannot be drawn."""

import time
import warnings

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.body import CENTRE, LEFT, RIGHT
from rehabmotion.viz.overlay import _EDGE, PALEST, _nearest, draw_caption, draw_skeleton
from rehabmotion.viz.raster import chain_distance
from rehabmotion.viz.scene import SIDES

GREY = np.full((60, 100, 3), 120, np.uint8)
TWO = np.array([[20.0, 30.0], [80.0, 30.0]])


def test_a_bone_has_its_colour_and_width_and_leaves_the_rest() -> None:
    """A line along y = 30 of 4 pixels: rows 28 to 31 are ink, 26 and 33 (1.5 px out) edge, the others as before."""
    drawn = draw_skeleton(GREY, TWO, [(0, 1)], [LEFT, LEFT], width=4.0)
    assert (drawn[28:32, 40:60] == SIDES[LEFT]).all()
    assert (drawn[27, 40:60] < 90).all()  # dark edge
    assert (drawn[32, 40:60] < 90).all()
    assert (drawn[:26, 40:60] == 120).all()
    assert (drawn[35:] == 120).all()
    assert (GREY == 120).all()


def test_every_pixel_has_the_distance_to_its_nearest_stroke() -> None:
    """Against the distance that the other pictures are drawn with, over the whole picture; each pixel comes once."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.uniform(-30, 110, (2, 6, 2))
        b[0] = a[0]  # a dot
        b[1], b[2] = a[1] + [0, 50], a[2] + [-60, 0]  # along the axes
        radii = rng.uniform(0.5, 6, 6)
        pixels, distance, stroke = _nearest(a, b, radii, (60, 80))
        x, y = np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5)
        points = np.stack([x.ravel(), y.ravel()], -1)
        ends = [np.array([[*a[k], radii[k]], [*b[k], radii[k]]]) for k in range(6)]
        wanted = np.stack([chain_distance(e, points)[0] for e in ends])
        near = np.flatnonzero(wanted.min(axis=0) < _EDGE + 0.49)
        assert len(np.unique(pixels)) == len(pixels)
        assert np.isin(near, pixels).all()
        np.testing.assert_allclose(distance, wanted.min(axis=0)[pixels], atol=1e-3)
        np.testing.assert_allclose(wanted[stroke, pixels], wanted.min(axis=0)[pixels], atol=1e-3)


def test_a_picture_on_its_side_gives_a_skeleton_on_its_side() -> None:
    points = np.random.default_rng(1).uniform(-10, 110, (12, 2))
    bones = [(i, i + 1) for i in range(11)]
    sides = [i % 3 for i in range(12)]
    image = np.random.default_rng(2).integers(0, 255, (70, 100, 3)).astype(np.uint8)
    upright = draw_skeleton(image, points, bones, sides)
    turned = draw_skeleton(np.ascontiguousarray(image.transpose(1, 0, 2)), points[:, ::-1], bones, sides)
    assert np.abs(upright.astype(int) - turned.transpose(1, 0, 2)).max() <= 2


@pytest.mark.parametrize(
    ("ends", "colour"),
    [
        ((LEFT, LEFT), LEFT),
        ((RIGHT, CENTRE), RIGHT),
        ((CENTRE, LEFT), LEFT),
        ((LEFT, RIGHT), CENTRE),
        ((CENTRE, CENTRE), CENTRE),
    ],
)
def test_a_bone_is_of_the_side_of_its_ends(ends: tuple[int, int], colour: int) -> None:
    assert (draw_skeleton(GREY, TWO, [(0, 1)], ends)[30, 50] == SIDES[colour]).all()


def test_weak_bones_are_pale_and_unseen_ones_absent() -> None:
    """A bone is as sure as its weaker end: opacity .2 + .8 of that."""
    for weak in (0.1, 0.5, 1.0):
        drawn = draw_skeleton(GREY, TWO, [(0, 1)], [RIGHT] * 2, np.array([1.0, weak]))
        opacity = PALEST + (1 - PALEST) * weak
        np.testing.assert_allclose(drawn[30, 50], 120 + opacity * (SIDES[RIGHT] - 120), atol=1)
    for none in (0.0, np.nan):
        drawn = draw_skeleton(GREY, TWO, [(0, 1)], [RIGHT] * 2, np.array([1.0, none]))
        assert (drawn[:, 40:] == 120).all()
        assert (drawn[30, 20] == SIDES[RIGHT]).all()  # the dot of the seen end


@pytest.mark.parametrize("far", [np.nan, np.inf, -np.inf, 1e300, 2e6])
def test_points_that_are_nowhere_are_not_drawn(far: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw_skeleton(GREY, np.array([[20.0, far], [far, 30.0]]), [(0, 1)], [LEFT, RIGHT])
        assert (drawn == GREY).all()
        assert (draw_skeleton(GREY, np.full((3, 2), far), [(0, 1), (1, 2)], [0, 1, 2]) == GREY).all()


def test_bones_leave_the_picture_in_the_right_direction() -> None:
    """An end 900,000 pixels away along the same line makes the same picture as one 200 away."""
    start, way = np.array([50.0, 30.0]), np.array([0.8, 0.6])
    near, far = (
        draw_skeleton(GREY, np.stack([start, start + length * way]), [(0, 1)], [LEFT] * 2) for length in (200, 9e5)
    )
    assert np.abs(near.astype(int) - far).max() <= 2
    outside = np.array([[-500.0, -20.0], [700.0, -20.0]])
    assert (draw_skeleton(GREY, outside, [(0, 1)], [LEFT] * 2) == GREY).all()


def test_no_points_and_no_bones_are_no_skeleton() -> None:
    assert (draw_skeleton(GREY, np.zeros((0, 2)), [], []) == GREY).all()
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert (draw_skeleton(tiny, np.array([[0.5, 0.5]]), [], [LEFT])[0, 0] == SIDES[LEFT]).all()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"image": GREY[..., 0]}, r"\(H, W, 3\) of bytes"),
        ({"image": GREY / 255}, r"\(H, W, 3\) of bytes"),
        ({"points": np.zeros((2, 3))}, r"\(P, 2\)"),
        ({"points": np.zeros((5, 2, 2))}, r"\(P, 2\)"),
        ({"bones": [(0, 2)]}, "between points 0 to 1"),
        ({"bones": [(-1, 1)]}, "between points 0 to 1"),
        ({"sides": [0]}, "a side from 0 to 3"),
        ({"sides": [0, 7]}, "a side from 0 to 3"),
        ({"strength": np.ones(3)}, r"shape \(2,\)"),
        ({"strength": np.array([0.5, 2.0])}, "strength from 0 to 1, got 0.5 to 2"),
        ({"width": 0.0}, "width"),
        ({"width": float("nan")}, "width"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changed: dict, why: str) -> None:
    given = {"image": GREY, "points": TWO, "bones": [(0, 1)], "sides": [1, 1], **changed}
    with pytest.raises(UserError, match=why):
        draw_skeleton(**given)


def test_it_is_quick() -> None:
    """2 to 5 ms on a busy core, for 31 points and 22 bones in 1280 x 720; the bound leaves room for slow machines."""
    rng = np.random.default_rng(0)
    image, points = np.zeros((720, 1280, 3), np.uint8), rng.uniform((400, 50), (900, 700), (31, 2))
    bones = [tuple(rng.choice(31, 2, replace=False).tolist()) for _ in range(22)]
    took = []
    for _ in range(7):
        start = time.process_time()
        draw_skeleton(image, points, bones, [1] * 31)
        took.append(time.process_time() - start)
    assert min(took) < 0.03


def test_a_caption_stands_on_a_strip_at_the_lower_edge() -> None:
    image = np.full((480, 640, 3), 200, np.uint8)
    drawn = draw_caption(image, "Müller: person 1, 12.34 s")
    assert (drawn[:460] == 200).all()
    strip = drawn[460:].astype(int)
    assert strip.max() > 240  # letters
    assert np.median(strip) < 120  # the strip
    assert (strip[:, 400:] == strip[0, 639]).all()  # no letter beyond the text
    assert not (draw_caption(image, "1 s") == draw_caption(image, "2 s")).all()
    assert (image == 200).all()


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 3), (17, 33)])
@pytest.mark.parametrize("text", ["", "a" * 100_000, "日本\n\t\x00|{}", "é"])
def test_any_caption_fits_any_picture(size: tuple[int, int], text: str) -> None:
    assert draw_caption(np.zeros((*size, 3), np.uint8), text).shape == (*size, 3)
