"""What is behind the person: a room or open ground with textures and boxes, drawn once for a still camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.viz.rendering.lens import Array, Lens
from rehabmotion.viz.rendering.looks import draw_colour
from rehabmotion.viz.rendering.texture import Texture, draw_texture, noise, plain

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """One far lamp: direction (3,) towards it, in ground, unit length; how bright the rest and it are; tint (3,)."""

    direction: Array
    ambient: float
    diffuse: float
    tint: Array


@dataclass(frozen=True)
class Backdrop:
    """rgb (S, S, 3), lit, 0 to 1; direct (S, S): how much of it is the lamp's; points (S, S, 3) of ground that are
    seen, m; depth (k S, k S) m, in k times as many pixels.
    """

    rgb: Floats
    direct: Floats
    points: Floats
    depth: Floats


@dataclass(frozen=True)
class _Box:
    """A box that stands on the ground: middle (3,), half sizes (3,), turned by yaw; faces: -x, +x, -y ..."""

    middle: Array
    half: Array
    yaw: float
    faces: tuple[Texture, ...]


def draw_light(rng: np.random.Generator) -> Light:
    """Return a lamp drawn by chance, 30 to 80 degrees above the horizon."""
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(30, 80))
    direction = np.array([np.cos(azimuth) * np.cos(height), np.sin(height), np.sin(azimuth) * np.cos(height)])
    warm = rng.uniform(-0.08, 0.08)
    return Light(
        direction, float(rng.uniform(0.55, 0.80)), float(rng.uniform(0.25, 0.75)), 1 + warm * np.array([1, 0, -1])
    )


def draw_room(rng: np.random.Generator, lens: Lens, light: Light, stage: Array, samples: int = 2) -> Backdrop:
    """Return what a camera sees behind a person who stays within `stage` (2, 3), least and greatest x, y, z m.

    The ground is at y = 0, whatever the stage's least y. Boxes never stand between camera and person, nor in the stage.
    """
    fine = lens.finer(samples)
    v, u = np.meshgrid(fine.slopes, fine.slopes, indexing="ij")
    rays = np.stack([u.ravel(), v.ravel(), np.ones(u.size)], axis=1) @ lens.rotation
    yaw = float(rng.uniform(0, np.pi))
    depth, normal, colour = _hall(rng, lens, rays, stage, yaw, fine.size)
    for box in _furniture(rng, lens, stage, yaw):
        _draw_box(box, lens.place, rays, depth, normal, colour)
    direct = light.diffuse * np.maximum(normal @ light.direction, 0)
    lit = colour * (light.ambient + direct)[:, None] * light.tint
    points = lens.place + rays * depth[:, None]
    share = direct / (light.ambient + direct)
    size = lens.size
    smaller = [_averaged(a, size, samples) for a in (lit, share[:, None], points)]
    return Backdrop(smaller[0], smaller[1][..., 0], smaller[2], depth.reshape(fine.size, fine.size).astype(np.float32))


def _averaged(values: Array, size: int, samples: int) -> Floats:
    return values.reshape(size, samples, size, samples, -1).mean(axis=(1, 3)).astype(np.float32)


def _turned(vectors: Array, yaw: float) -> Array:
    """Return vectors (..., 3) of ground in axes turned by yaw about y."""
    c, s = np.cos(yaw), np.sin(yaw)
    return vectors @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]).T


def _hall(
    rng: np.random.Generator, lens: Lens, rays: Array, stage: Array, yaw: float, size: int
) -> tuple[Array, Array, Array]:
    """Return depth (N,), normal (N, 3) and colour (N, 3) of floor, walls and ceiling around camera and stage."""
    outside = rng.random() < 0.2
    inner = np.stack([*(np.array([[x, y, z]]) for x in stage[:, 0] for y in stage[:, 1] for z in stage[:, 2])])
    inner = _turned(np.concatenate([inner[:, 0], lens.place[None]]), yaw)
    reach = (20.0, 60.0) if outside else (0.25, 3.5)
    low, high = inner.min(axis=0) - rng.uniform(*reach, 3), inner.max(axis=0) + rng.uniform(*reach, 3)
    low[1], high[1] = 0.0, max(float(high[1]), 2.4)
    start, d = _turned(lens.place, yaw), _turned(rays, yaw)
    with np.errstate(divide="ignore"):
        reaches = (np.where(d > 0, high, low) - start) / np.where(d == 0, 1e-12, d)
    axis = reaches.argmin(axis=1)
    depth = np.take_along_axis(reaches, axis[:, None], axis=1)[:, 0]
    ahead = np.take_along_axis(d, axis[:, None], axis=1)[:, 0] > 0
    places = start + depth[:, None] * d
    floor, ceiling = draw_texture(rng), plain(*([(0.9, 0.9, 0.88)] * 2))
    wall = plain(draw_colour(rng), draw_colour(rng)) if rng.random() < 0.5 else draw_texture(rng)
    sky = noise(rng, 8.0, (0.62, 0.75, 0.92), (0.93, 0.95, 0.97))
    above = sky if outside else ceiling
    walls = [sky if outside else wall if rng.random() < 0.6 else draw_texture(rng) for _ in range(4)]
    colour = np.empty((len(d), 3))
    faces: list[tuple[int, bool, Texture]] = [
        (1, False, floor), (1, True, above), (0, False, walls[0]), (0, True, walls[1]), (2, False, walls[2]),
        (2, True, walls[3]),
    ]  # fmt: skip
    for number, side, look in faces:
        rows = np.flatnonzero((axis == number) & (ahead == side))
        a, b = ((0, 2), (0, 2), (2, 1), (2, 1), (0, 1), (0, 1))[2 * (1, 0, 2).index(number)]
        colour[rows] = look(places[rows, a], places[rows, b])
    if rng.random() < 0.2:  # a wild picture in place of walls: nothing there should matter
        behind = axis != 1
        row, column = np.divmod(np.flatnonzero(behind), size)
        colour[behind] = _wild(rng)(column / size, row / size)
    normal = np.zeros((len(d), 3))
    normal[np.arange(len(d)), axis] = np.where(ahead, -1.0, 1.0)
    return depth, _turned(normal, -yaw), colour


def _wild(rng: np.random.Generator) -> Callable[[Array, Array], Array]:
    coarse = noise(rng, 0.4, draw_colour(rng), draw_colour(rng))
    fine = noise(rng, 0.1, draw_colour(rng), draw_colour(rng))
    return lambda u, v: 0.5 * (coarse(u, v) + fine(u, v))


def _furniture(rng: np.random.Generator, lens: Lens, stage: Array, yaw: float) -> list[_Box]:
    """Return up to five boxes beside and behind the person."""
    middle, radius = stage.mean(axis=0), 0.5 * float(np.hypot(*(stage[1] - stage[0])[[0, 2]]))
    towards = lens.place - middle
    bearing = np.arctan2(towards[2], towards[0])
    boxes = []
    for _ in range(int(rng.integers(0, 6))):
        half = rng.uniform((0.15, 0.15, 0.15), (0.6, 0.9, 0.6))
        away = radius + float(np.hypot(half[0], half[2])) + rng.uniform(0.05, 2.5)
        angle = bearing + np.pi + rng.uniform(-0.62, 0.62) * np.pi
        place = middle + away * np.array([np.cos(angle), 0, np.sin(angle)])
        place[1] = half[1]
        faces = (plain(c := draw_colour(rng), c),) * 6 if rng.random() < 0.6 else (draw_texture(rng),) * 6
        boxes.append(_Box(place, half, yaw if rng.random() < 0.6 else float(rng.uniform(0, np.pi)), faces))
    return boxes


def _draw_box(box: _Box, eye: Array, rays: Array, depth: Array, normal: Array, colour: Array) -> None:
    """Draw a box where it is nearer than what was there, in place."""
    start, d = _turned(eye - box.middle, box.yaw), _turned(rays, box.yaw)
    d = np.where(d == 0, 1e-12, d)
    first, last = (np.sort([(-box.half - start) / d, (box.half - start) / d], axis=0))[:2]
    axis = first.argmax(axis=1)
    enters, leaves = first.max(axis=1), last.min(axis=1)
    rows = np.flatnonzero((enters < leaves) & (enters > 0) & (enters < depth))
    if not len(rows):
        return
    depth[rows] = enters[rows]
    sides = np.zeros((len(rows), 3))
    sides[np.arange(len(rows)), axis[rows]] = -np.sign(d[rows, axis[rows]])
    normal[rows] = _turned(sides, -box.yaw)
    places = start + enters[rows, None] * d[rows]
    for number, (a, b) in enumerate(((2, 1), (0, 2), (0, 1))):
        on = axis[rows] == number
        colour[rows[on]] = box.faces[2 * number](places[on, a], places[on, b])
