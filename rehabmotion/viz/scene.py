"""One person on a floor, drawn into pixels: the player's look for videos and stills."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rehabmotion.viz.body import GHOST, Part
from rehabmotion.viz.camera import Camera
from rehabmotion.viz.raster import Array, Picture, Window, coverage
from rehabmotion.viz.stage import Stage
from rehabmotion.viz.surface import lit_surface, part_distance

# the light theme of player.css
PANEL, SKY, GROUND, GRID = (np.array(c, float) for c in ((255,) * 3, (247, 249, 252), (223, 229, 236), (154, 166, 181)))
SHADOW, EDGE, INK = (np.array(c, float) for c in ((39, 49, 61), (30, 39, 50), (27, 36, 48)))
SIDES = np.array([[204, 211, 219], [47, 134, 220], [234, 138, 36], [204, 211, 219]], dtype=float)  # by a part's side
_COOL = np.array([18.0, 26.0, 44.0])  # what shaded sides darken towards
_BRIGHTEST = 1.13


def empty_stage(camera: Camera) -> NDArray[np.uint8]:
    """Return the background (H, W, 3): sky, a floor that fades out, a grid of half metres (coarser when large)."""
    ground = camera.ground
    down = np.broadcast_to((np.arange(camera.height)[:, None, None] + 0.5) / camera.height, (*ground.shape[:2], 1))
    picture = PANEL + np.minimum(down / 0.6, 1.0) * (SKY - PANEL)
    reach = np.ceil(2 * camera.stage_radius + 1) / 2 + 0.5
    away = np.hypot(ground[..., 0], ground[..., 1]) / reach
    fade = np.nan_to_num(np.clip(1 - away, 0, 1), nan=0.0)
    disc = np.nan_to_num(np.clip(1 - away**2, 0, 1), nan=0.0)
    picture += disc[..., None] * (GROUND - picture)
    step = 0.5 * 2.0 ** max(0, math.ceil(math.log2(reach / 5)))
    for axis in (0, 1):
        across = ground[..., axis] / step
        metres_per_pixel = np.hypot(*np.gradient(np.nan_to_num(across, nan=0.0)))
        off = np.abs(across - np.round(across)) / np.maximum(metres_per_pixel, 1e-9)
        lines = np.nan_to_num(coverage(off - 0.5), nan=0.0) * np.minimum(0.75, 0.9 * fade)
        picture += lines[..., None] * (GRID - picture)
    return np.rint(picture).astype(np.uint8)


def draw_person(picture: Picture, camera: Camera, stage: Stage, seconds: float) -> None:
    """Draw the stage's person at a time: the shadow, then the parts from far to near."""
    points, mask = stage.at(seconds)
    shown = [part for part, drawn in zip(stage.parts, stage.drawn(mask), strict=True) if drawn]
    placed = [_place(part, points) for part in shown]
    _draw_shadow(picture, camera, [spheres for spheres, part in zip(placed, shown, strict=True) if part.side != GHOST])
    units: dict[tuple[int, int], list[Array]] = {}  # (side, group, or a number of its own): hulls
    for i, (part, spheres) in enumerate(zip(shown, placed, strict=True)):
        hull = np.concatenate([camera.project(spheres[:, :3]), spheres[:, 3:]], axis=1)
        units.setdefault((part.side, part.group or -1 - i), []).append(hull)
    for (side, _), hulls in sorted(units.items(), key=lambda unit: -float(np.concatenate(unit[1])[:, 2].mean())):
        _draw_unit(picture, hulls, SIDES[side], 0.35 if side == GHOST else 1.0)


def _place(part: Part, points: Array) -> Array:
    """Spheres (C, 4): centre and radius, metres."""
    return np.array([[*sum(w * points[j] for j, w in weights.items()), radius] for weights, radius in part.spheres])


def _draw_unit(picture: Picture, hulls: list[Array], colour: Array, opacity: float) -> None:
    """Draw hulls of spheres (C, 5) as one body: pixel x, y, depth m, pixels per metre, radius m."""
    circles = [np.stack([s[:, 0], s[:, 1], s[:, 3] * s[:, 4]], axis=-1) for s in hulls]
    found = picture.window(np.concatenate(circles))
    if not found:
        return
    where = found[0]
    shape = picture.depth[where].shape
    distance, light, depth = (np.full(shape, v, dtype=np.float32) for v in (1e6, 0.0, 1e6))
    for spheres, around in zip(hulls, circles, strict=True):
        window = picture.window(around)
        if window:
            at = _within(window[0], where)
            outside, lit, near = (v.reshape(distance[at].shape) for v in lit_surface(spheres, around, window[1]))
            light[at] = np.where(outside < 2, np.maximum(light[at], lit), light[at])
            depth[at] = np.where(outside < 2, np.minimum(depth[at], near), depth[at])
            distance[at] = np.minimum(distance[at], outside)
    level = (0.5 + (_BRIGHTEST - 0.5) * np.minimum(light, 1))[..., None]
    shaded = _COOL + np.minimum(level, 1) * (colour - _COOL)
    shaded += np.maximum(level - 1, 0) * 2 * (255 - shaded)
    picture.paint(where, EDGE, 0.5 * opacity * coverage(distance - 1.1), depth)
    picture.paint(where, shaded, opacity * coverage(distance), depth)


def _within(inner: Window, outer: Window) -> Window:
    """The inner window as rows and columns of the outer one."""
    rows, columns = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True))
    return rows, columns


def _draw_shadow(picture: Picture, camera: Camera, placed: list[Array]) -> None:
    """Darken the floor under the light; the parts' outlines on the ground are joined before they are softened."""
    if camera.pitch <= 0.01:
        return
    soft = 0.07  # metres
    flats = [np.stack([x + 0.12 * y, z - 0.08 * y, r], axis=-1) for x, y, z, r in (s.T for s in placed)]
    boxes = [_floor_box(camera, flat, soft) for flat in flats]
    found = picture.window(np.concatenate(boxes)) if boxes else None
    if not found:
        return
    where = found[0]
    ground = camera.ground[where]
    nearest = np.full(ground.shape[:2], soft, dtype=np.float32)
    for flat, box in zip(flats, boxes, strict=True):
        inner = picture.window(box)
        if inner:
            at = _within(inner[0], where)
            distance, _ = part_distance(flat, ground[at].reshape(-1, 2))
            nearest[at] = np.fmin(nearest[at], distance.reshape(nearest[at].shape))  # NaN above the horizon
    depth = np.clip((soft - nearest) / (soft + 0.02), 0, 1)
    picture.paint(where, SHADOW, 0.3 * depth * depth * (3 - 2 * depth))


def _floor_box(camera: Camera, flat: Array, soft: float) -> Array:
    """Points on the screen (4 C, 3), of radius 0, around circles on the floor (C, 3) grown by `soft` metres."""
    corners = flat[:, None, :2] + (flat[:, None, 2:] + soft) * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    seen = camera.project(np.insert(corners.reshape(-1, 2), 1, 0.0, axis=1))[:, :3]
    return seen * np.array([1, 1, 0])


def draw_stage(camera: Camera, background: NDArray[np.uint8], stage: Stage, seconds: float) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of one panel at a time."""
    picture = Picture(background)
    draw_person(picture, camera, stage, seconds)
    return picture.pixels()
