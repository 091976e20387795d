"""The drawn person: of human size, whole in every pose, alike on both sides; light, shadow, hiding and chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt, label

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.viz.rendering.lens import Lens, looking
from rehabmotion.viz.rendering.looks import draw_look
from rehabmotion.viz.rendering.raster import Scene
from rehabmotion.viz.rendering.room import Backdrop, Light, draw_light, draw_room
from rehabmotion.viz.rendering.sensor import CLEAN, draw_sensor, exposed
from rehabmotion.viz.rendering.shapes import Figure, figure
from rehabmotion.viz.rendering.texture import draw_texture

BODY = Kinematics(open_osim("rehab37"))
BODIES = [body.name for body in BODY.model.bodies]
ONES = np.ones((len(BODIES), 3))
LAMP = Light(np.array([0.0, 1.0, 0.0]), 0.5, 0.5, np.ones(3))
STAGE = np.array([[-1.2, 0.0, -1.2], [1.2, 2.4, 1.2]])
SIZE = 128


def person(seed: int = 0) -> Figure:
    return figure(draw_look(np.random.default_rng(seed)), BODIES, ONES)


def stood(q: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    pose = BODY(q)
    return pose.rotations.numpy(), pose.positions.numpy()


def camera(azimuth: float = 0.0, size: int = SIZE) -> Lens:
    place = np.array([4 * np.cos(azimuth), 1.2, 4 * np.sin(azimuth)])
    return Lens(size, 1.5 * size, looking(place, np.array([0, 1.0, 0])), place)


def empty(lens: Lens, floor: bool = False, samples: int = 2) -> Backdrop:
    """Grey, and far; with a floor: what is seen of y = 0 within 9 m."""
    size = lens.size
    depth = np.full((size * samples,) * 2, 50.0, np.float32)
    v, u = np.meshgrid(lens.slopes, lens.slopes, indexing="ij")
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ lens.rotation
    reach = (
        np.where(rays[..., 1] < 0, -lens.place[1] / np.minimum(rays[..., 1], -1e-9), 50.0) if floor else 50.0 + 0 * u
    )
    points = (lens.place + rays * np.minimum(reach, 9.0)[..., None]).astype(np.float32)
    return Backdrop(np.full((size, size, 3), 0.5, np.float32), np.full((size, size), 0.5, np.float32), points, depth)


def random_pose(seed: int) -> torch.Tensor:
    """Return coordinates across most of the ranges of a healthy person."""
    rng = np.random.default_rng(seed)
    q = BODY.default.clone()
    for i, c in enumerate(BODY.model.coordinates):
        if not c.name.startswith("pelvis"):
            low, high = np.clip(c.range, -2.8, 2.8)
            q[i] = 0.8 * rng.uniform(low, high)
    return q


@pytest.mark.parametrize("seed", range(5))
def test_a_standing_person_has_human_proportions(seed: int) -> None:
    drawn = person(seed)
    bounds = drawn.cones.bounds(*stood(BODY.default))
    height = bounds[:, 1, 1].max() - bounds[:, 0, 1].min()
    assert 1.68 < height < 1.78  # the model is 1.70 m; hair and soles
    assert abs(bounds[:, 0, 1].min()) < 0.015  # on the floor
    trunk = [i for i, row in enumerate(drawn.cones.body) if BODIES[row] == "pelvis"]
    assert 0.28 < np.ptp(bounds[trunk][:, :, 2]) < 0.48  # across the hips
    assert 0.16 < np.ptp(bounds[trunk][:, :, 0]) < 0.38


@pytest.mark.parametrize("seed", range(12))
def test_nobody_falls_apart(seed: int) -> None:
    """In any pose the person is one piece: no gap at hips, shoulders, wrists or ankles."""
    lens = camera(seed)
    frame = Scene(person(seed), lens, LAMP, empty(lens), STAGE).draw(*stood(random_pose(seed)))
    assert label(frame.cover > 0, np.ones((3, 3)))[1] == 1
    assert 0.02 < frame.cover.mean() < 0.3


def test_both_sides_are_alike() -> None:
    lens = camera(0.0)
    cover = Scene(person(2), lens, LAMP, empty(lens), STAGE).draw(*stood(BODY.default)).cover
    np.testing.assert_allclose(cover, cover[:, ::-1], atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_joints_and_markers_lie_on_the_drawn_person(seed: int) -> None:
    """Joint centres within the silhouette; Plug-in-Gait's markers, off the skin, at most 4 cm beside it."""
    q, lens = random_pose(seed), camera(seed, 256)
    rotations, positions = stood(q)
    cover = Scene(person(seed), lens, LAMP, empty(lens), STAGE).draw(rotations, positions).cover
    per_metre = lens.focal / 4
    away = distance_transform_edt(cover < 0.5) / per_metre
    joints = np.floor(lens.project(positions)).astype(int)
    assert away[joints[:, 1], joints[:, 0]].max() < 0.01
    gait = [i for i, marker in enumerate(BODY.model.markers) if marker.name.isupper()]
    markers = np.floor(lens.project(BODY.markers(q).numpy()[gait])).astype(int)
    assert away[markers[:, 1], markers[:, 0]].max() < 0.04


def test_edges_are_soft_and_cover_adds_up() -> None:
    """Coverage at 2 x 2 samples estimates the same area as at 8 x 8."""
    lens, pose = camera(0.5), stood(BODY.default)
    few, many = (Scene(person(), lens, LAMP, empty(lens, samples=s), STAGE).draw(*pose).cover for s in (2, 8))
    assert few.sum() == pytest.approx(many.sum(), rel=0.01)
    assert ((few > 0) & (few < 1)).sum() > 100


def test_a_wall_before_the_person_hides_them() -> None:
    lens = camera()
    near = replace(empty(lens), depth=np.full((2 * SIZE,) * 2, 2.0, np.float32))
    assert Scene(person(), lens, LAMP, near, STAGE).draw(*stood(BODY.default)).cover.max() == 0


def test_the_shadow_lies_under_the_feet_of_who_stands_under_the_lamp() -> None:
    lens = camera(0.4)
    back = empty(lens, floor=True)
    frame = Scene(person(), lens, LAMP, back, STAGE).draw(*stood(BODY.default))
    dark = (frame.cover == 0) & (frame.rgb[..., 0] < 0.45)
    assert dark.sum() > 20
    assert np.linalg.norm(back.points[dark][:, [0, 2]], axis=1).max() < 0.45


def test_the_lit_side_is_brighter() -> None:
    lens = camera(0.0)
    for sign in (1, -1):
        lamp = replace(LAMP, direction=np.array([0.5, 0.5, sign * np.sqrt(0.5)]))
        frame = Scene(person(), lens, lamp, empty(lens), STAGE).draw(*stood(BODY.default))
        whole = frame.cover == 1
        left, right = (frame.rgb[:, half][whole[:, half]].mean() for half in (slice(0, 64), slice(64, None)))
        # the camera sees the front: ground's z, the person's right, is on the picture's left
        assert (left > right) == (sign > 0)


def test_pictures_follow_from_the_seed() -> None:
    def picture(seed: int) -> np.ndarray:
        rng, lens = np.random.default_rng(seed), camera()
        drawn, light = figure(draw_look(rng), BODIES, ONES), draw_light(rng)
        scene = Scene(drawn, lens, light, draw_room(rng, lens, light, STAGE), STAGE)
        return exposed(scene.draw(*stood(BODY.default)).rgb, draw_sensor(rng), rng)

    first = picture(3)
    assert first.shape == (3, SIZE, SIZE)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, picture(3))
    assert (first != picture(4)).mean() > 0.5


@pytest.mark.parametrize("seed", range(8))
def test_rooms_are_whole_and_nothing_stands_before_the_person(seed: int) -> None:
    lens, rng = camera(seed), np.random.default_rng(seed)
    room = draw_room(rng, lens, draw_light(rng), STAGE / [1.6, 1, 1.6])
    for part in (room.rgb, room.direct, room.depth, room.points):
        assert np.isfinite(part).all()
    assert room.depth.min() > 0
    assert room.points[..., 1].min() > -1e-3  # nothing under the floor
    assert 0 <= room.direct.min() <= room.direct.max() < 1
    cover = [Scene(person(seed), lens, LAMP, b, STAGE).draw(*stood(BODY.default)).cover for b in (room, empty(lens))]
    assert np.abs(cover[0] - cover[1]).mean() < 0.002  # soles in the floor alone


def test_textures_stay_colours() -> None:
    u, v = np.random.default_rng(0).uniform(-50, 50, (2, 400))
    for seed in range(30):
        colours = draw_texture(np.random.default_rng(seed))(u, v)
        assert colours.shape == (400, 3)
        assert colours.min() >= 0
        assert colours.max() <= 1


def test_the_sensor_keeps_light_and_its_noise_has_the_size_asked_for() -> None:
    grey = np.full((64, 64, 3), 0.5, np.float32)
    rng = np.random.default_rng(0)
    assert (exposed(grey, CLEAN, rng) == 128).all()
    noisy = exposed(grey, replace(CLEAN, noise=0.02), rng)
    assert noisy.std() == pytest.approx(0.02 * 255, rel=0.05)
    assert (exposed(9 * grey, CLEAN, rng) == 255).all()
    edge = np.zeros((32, 32, 3), np.float32)
    edge[:, 16:] = 1
    assert exposed(edge, replace(CLEAN, blur=1.5), rng).mean() == pytest.approx(127.5, abs=1)


def test_bad_figures_and_poses_are_refused() -> None:
    look = draw_look(np.random.default_rng(0))
    for factors in (np.zeros_like(ONES), ONES[:3], ONES * np.nan, -ONES):
        with pytest.raises(UserError, match="Expected factors"):
            figure(look, BODIES, factors)
    with pytest.raises(UserError, match="lacks femur_r"):
        figure(look, ["thigh" if name == "femur_r" else name for name in BODIES], ONES)
    lens = camera()
    scene = Scene(person(), lens, LAMP, empty(lens), STAGE)
    with pytest.raises(UserError, match="nan"):
        scene.draw(*(part * np.nan for part in stood(BODY.default)))
    with pytest.raises(UserError, match="backdrop"):
        Scene(person(), camera(size=64), LAMP, empty(lens), STAGE)
