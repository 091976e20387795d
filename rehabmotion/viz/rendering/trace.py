"""Rays against round cones, all at once: exact depth, normal and place on the cone for each pixel.

A round cone is the hull of two spheres (a capsule where they are alike, a sphere where they coincide). Each is held in
axes of its own in which it stands upright, and an affine map carries these to the body: so a flattened or scaled limb
is a round cone too, and a ray meets it where the mapped ray meets the round one, at the same parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rehabmotion.viz.rendering.lens import Array, Lens

Floats = NDArray[np.float32]
_STEEPEST = 1.5  # rad off the camera's axis: what lies farther out is never in the picture


@dataclass(frozen=True)
class Cones:
    """P round cones fixed to bodies. body (P,): rows of the poses; low, high (P,): radii at the two ends, apart by
    length (P,), in their own axes; shape (P, 3, 3): own axes -> the body's; centre (P, 3): the low end in the body, m.
    """

    body: NDArray[np.int64]
    low: Array
    high: Array
    length: Array
    shape: Array
    centre: Array

    def ends(self, rotations: Array, positions: Array) -> tuple[Array, Array]:
        """Return spheres that hold the ends, in ground: centres (..., P, 2, 3), radii (P, 2), m, for poses."""
        other = self.centre + self.shape[:, :, 1] * self.length[:, None]
        local = np.stack([self.centre, other], axis=1)
        places = np.einsum("...pij,pkj->...pki", rotations[..., self.body, :, :], local)
        return places + positions[..., self.body, None, :], self._radii

    @cached_property
    def _radii(self) -> Array:
        stretch = np.linalg.svd(self.shape, compute_uv=False)[:, 0]
        return np.stack([self.low, self.high], axis=1) * stretch[:, None]

    @cached_property
    def inverse(self) -> Array:
        """The body's axes -> own, (P, 3, 3)."""
        return np.linalg.inv(self.shape)

    def bounds(self, rotations: Array, positions: Array) -> Array:
        """Return least and greatest x, y, z (..., P, 2, 3) of ground that each cone reaches, exactly, m."""
        places, _ = self.ends(rotations, positions)
        turned = rotations[..., self.body, :, :] @ self.shape
        reach = np.linalg.norm(turned, axis=-1)[..., None, :] * np.stack([self.low, self.high], axis=1)[:, :, None]
        return np.stack([(places - reach).min(axis=-2), (places + reach).max(axis=-2)], axis=-2)


@dataclass(frozen=True)
class Hits:
    """What is seen in H pixels: pixel (H,): row * size + column; cone (H,), depth (H,) m along the camera's axis,
    normal (H, 3) in the camera's axes, along (H,) m in the cone's own axes from its low end.
    """

    pixel: NDArray[np.int64]
    cone: NDArray[np.int64]
    depth: Floats
    normal: Floats
    along: Floats

    def but(self, rows: NDArray[np.int64]) -> Hits:
        """Return some of the hits."""
        return Hits(self.pixel[rows], self.cone[rows], self.depth[rows], self.normal[rows], self.along[rows])


def trace(cones: Cones, rotations: Array, positions: Array, lens: Lens) -> Hits:
    """Return the nearest cone in each pixel, for poses of bodies in ground: rotations (B, 3, 3), positions (B, 3) m."""
    turned = lens.rotation @ rotations[cones.body]
    ends, radii = cones.ends(rotations, positions)
    seen = lens.seen(ends)
    into = np.einsum("pij,pkj->pik", cones.inverse, turned)  # camera's axes -> own
    which, row, column = _pairs(_windows(seen, radii, lens))
    counts = np.bincount(which, minlength=len(cones.body))
    lean = np.where(cones.length > 0, (cones.low - cones.high) / np.where(cones.length > 0, cones.length, 1), 0.0)
    u, v = lens.slopes[column], lens.slopes[row]
    start, ray, speed = _rays(into, seen[:, 0], counts, u, v)
    columns = (cones.low, cones.high, cones.length, lean, 1 - lean * lean, seen[:, 0, 2])
    parts = [np.repeat(c.astype(np.float32), counts) for c in columns]
    kept, reach = _met(start, ray, parts)
    depth = parts[5][kept] + reach / speed[kept]
    pixel = row[kept] * lens.size + column[kept]
    front = _nearest(pixel, depth, lens.size**2)
    kept, reach, depth, pixel = kept[front], reach[front], depth[front], pixel[front]
    low, _, length, lean, kept_share, _ = (part[kept] for part in parts)
    at = start[:, kept] + reach * ray[:, kept]
    along = np.clip((at[1] - lean * low) / kept_share, 0, length)  # the sphere that touches there has its centre here
    at[1] -= along
    cone = which[kept]
    normal = np.einsum("pij,ip->pj", into.astype(np.float32)[cone], at)
    normal /= np.sqrt((normal * normal).sum(axis=1, keepdims=True)) + np.float32(1e-12)
    return Hits(pixel, cone, depth, normal, along)


def _windows(seen: Array, radii: Array, lens: Lens) -> NDArray[np.int64]:
    """Return first and end column, first and end row (P, 4) that a cone may touch, from its end spheres' tangents."""
    bounds = []
    for axis in (0, 1):
        across, depth = seen[..., axis], seen[..., 2]
        half = np.arcsin(np.minimum(radii / np.maximum(np.hypot(across, depth), 1e-9), 1.0))
        angle = np.arctan2(across, depth)
        low, high = (np.tan(np.clip(a, -_STEEPEST, _STEEPEST)) for a in (angle - half, angle + half))
        first = np.floor(lens.size / 2 + lens.focal * low.min(axis=1) - 0.5)
        end = np.ceil(lens.size / 2 + lens.focal * high.max(axis=1) + 0.5)
        bounds += [np.clip(first, 0, lens.size), np.clip(end, 0, lens.size)]
    return np.stack(bounds, axis=1).astype(np.int64)


def _pairs(windows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return cone, row and column of every pixel of every window, cone by cone."""
    left, right, top, bottom = windows.T
    width = np.maximum(right - left, 0)
    counts = width * np.maximum(bottom - top, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    down = (number.astype(np.float32) + np.float32(0.5)) / np.repeat(np.maximum(width, 1).astype(np.float32), counts)
    row = down.astype(np.int64)  # a float's quotient, for whole numbers' is slow; half a pixel keeps it exact
    return which, row + np.repeat(top, counts), number - row * np.repeat(width, counts) + np.repeat(left, counts)


def _rays(into: Array, centre: Array, counts: NDArray[np.int64], u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Return where rays start (3, N), at the depth of the cone's low end, for single precision is then enough; their
    directions (3, N) of unit length, and how much of it there is per metre of depth (N,): all in the cones' axes.
    """
    m = [[np.repeat(into[:, i, j].astype(np.float32), counts) for j in range(3)] for i in range(3)]
    x, y, z = (np.repeat(centre[:, i].astype(np.float32), counts) for i in range(3))
    a, b = z * u - x, z * v - y
    start = np.stack([m[i][0] * a + m[i][1] * b for i in range(3)])
    ray = np.stack([m[i][0] * u + m[i][1] * v + m[i][2] for i in range(3)])
    speed = np.sqrt((ray * ray).sum(axis=0))
    return start, ray / speed, speed


def _met(start: Floats, ray: Floats, parts: list[Floats]) -> tuple[NDArray[np.int64], Floats]:
    """Return which rays meet their cone, and after what length: first of both spheres and the flank between them.

    With lean s = (r_a - r_b) / L and c^2 = 1 - s^2, the flank is c^2 (|p|^2 - r_a^2) = (p_y - s r_a)^2, between the
    circles where spheres touch it: 0 <= p_y - s r_a <= c^2 L (after I. Quilez, "Rounded cone - intersection").
    """
    low, high, length, lean, share, nearest = parts
    do, oo = (start * ray).sum(axis=0), (start * start).sum(axis=0)
    e = start[1] - lean * low
    k2, k1, k0 = share - ray[1] * ray[1], share * do - ray[1] * e, share * (oo - low * low) - e * e
    h = k1 * k1 - k0 * k2
    kept = np.flatnonzero(h >= 0)  # the cone through both spheres holds all of them
    low, high, length, share, nearest = (part[kept] for part in (low, high, length, share, nearest))
    do, oo, e, k1, k2, h = (a[kept] for a in (do, oo, e, k1, k2, h))
    dy, oy, none = ray[1, kept], start[1, kept], np.float32(np.inf)
    root = np.sqrt(h)
    k2 = np.where(np.abs(k2) < 1e-6, np.float32(1e-6), k2)
    best = np.full(len(kept), none)
    for t in ((-k1 - root) / k2, (root - k1) / k2):
        y = e + t * dy
        best = np.minimum(best, np.where((y >= 0) & (y <= share * length), t, none))
    for radius, nearer, square in (
        (low, do, oo),
        (high, do - length * dy, oo - length * (2 * oy - length)),
    ):
        inside = nearer * nearer - square + radius * radius
        best = np.minimum(best, np.where(inside >= 0, -nearer - np.sqrt(np.maximum(inside, 0)), none))
    met = np.isfinite(best)
    return kept[met], best[met]


def _nearest(pixel: NDArray[np.int64], depth: Floats, n_pixels: int) -> NDArray[np.int64]:
    """Return the one hit of each pixel that is nearest, before the camera."""
    front = np.full(n_pixels, np.inf, np.float32)
    ahead = np.where(depth > 0, depth, np.float32(np.inf))
    np.minimum.at(front, pixel, ahead)
    first = np.full(n_pixels, -1)
    at_front = np.flatnonzero((ahead == front[pixel]) & np.isfinite(ahead))
    first[pixel[at_front]] = at_front  # of two alike, the later: always the same one
    return first[first >= 0]
