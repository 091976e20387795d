"""The lit surface of a body part in pixels: where it is, how bright, how near."""

from __future__ import annotations

import numpy as np

from rehabmotion.viz.raster import Array, chain_distance, hull_distance

_LIGHT = np.array([-0.36, -0.43, 0.83])  # from the upper left, in front; screen axes
_LIMB = 3  # parts of up to so many spheres are limbs: the spheres lie in a row


def part_distance(circles: Array, points: Array) -> tuple[Array, Array]:
    """Return distance (P,) and way out (P, 2) of a limb, or of a broad part with its sides blended into a dome."""
    if len(circles) <= _LIMB:
        return chain_distance(circles, points)
    return hull_distance(circles, points, soft=0.4 * float(circles[:, 2].mean()))


def lit_surface(spheres: Array, circles: Array, points: Array) -> tuple[Array, Array, Array]:
    """Return signed distance in pixels, light -1..1 and depth in metres (P,) of the hull of spheres at points (P, 2).

    spheres (C, 5): pixel x, y, depth m, pixels per metre, radius m; circles (C, 3): the same in pixels. The surface
    bulges towards the viewer as a sphere does: full radius over the axis, none at the rim.
    """
    distance, outward = part_distance(circles, points)
    middle, radius, width = (_broad if len(spheres) > _LIMB else _limb)(spheres, circles, points, distance)
    tilt = outward * np.clip(1 + distance / width, 0, 1)[:, None]
    facing = np.sqrt(np.maximum(1 - (tilt * tilt).sum(axis=1), 0))
    light = tilt[:, 0] * _LIGHT[0] + tilt[:, 1] * _LIGHT[1] + facing * _LIGHT[2]
    return distance, light, np.minimum(middle - radius * facing, _nearest_sphere(spheres, circles, points))


def _nearest_sphere(spheres: Array, circles: Array, points: Array) -> Array:
    """Depth (P,) of the nearest sphere's front, far beside them: seen end-on, a part is as near as its near end."""
    off = (points[:, None] - circles[None, :, :2]) / np.maximum(circles[:, 2], 0.5)[:, None]
    rise = 1 - (off * off).sum(axis=-1)
    fronts = np.where(rise > 0, spheres[:, 2] - spheres[:, 4] * np.sqrt(np.maximum(rise, 0)), 1e6)
    return fronts.min(axis=1)


def _broad(spheres: Array, circles: Array, points: Array, distance: Array) -> tuple[Array, Array, Array]:
    """Depth m and radius m of the plane through the spheres, and the hull's inner width in pixels, (P,)."""
    off = circles[:, :2] - (centre := circles[:, :2].mean(axis=0))
    steady = np.eye(2) * (circles[:, 2] ** 2).sum() * 0.1  # spheres seen in a row leave the slope open
    slope = np.linalg.solve(off.T @ off + steady, off.T @ (spheres[:, 2] - spheres[:, 2].mean()))
    depth = spheres[:, 2].mean() + (points[:, 0] - centre[0]) * slope[0] + (points[:, 1] - centre[1]) * slope[1]
    inner = max(-float(distance.min()), 1.0)
    return depth, np.full(len(points), spheres[:, 4].mean()), np.full(len(points), inner)


def _limb(spheres: Array, circles: Array, points: Array, distance: Array) -> tuple[Array, Array, Array]:
    """Depth m, radius m and radius in pixels along the limb's axis, (P,)."""
    axis = circles[-1, :2] - circles[0, :2]
    axis = axis / (float(axis @ axis) + 1e-9)
    knots = np.maximum.accumulate((circles[:, :2] - circles[0, :2]) @ axis)
    along = (points[:, 0] - circles[0, 0]) * axis[0] + (points[:, 1] - circles[0, 1]) * axis[1]
    depth, radius, width = (np.interp(along, knots, v) for v in (spheres[:, 2], spheres[:, 4], circles[:, 2]))
    return depth, radius, np.maximum(width, 0.5)
