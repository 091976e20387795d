"""Drawing without a graphics library: hulls of circles by their support function, with smooth edges and depth.

The hull of circles is {p : u . p <= h(u) for every direction u} with h(u) = max(u . centre + radius). The largest
excess over a set of directions is the signed distance to it: exact on flats, whose directions are added in closed
form, and to 1 % of a radius on arcs. That one number gives coverage, shading normal and shadow alike. Limbs, whose
circles lie in a row, have a closed form.
"""

from __future__ import annotations

import struct
import zlib
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Window = tuple[slice, slice]  # rows, columns

N_RING = 24
_SOFT_JOIN = 0.006  # metres over which one body fades into another that it cuts
_RING = np.stack([np.cos(a := 2 * np.pi * np.arange(N_RING) / N_RING), np.sin(a)], axis=-1)


def hull_planes(circles: Array) -> tuple[Array, Array]:
    """Return directions (K, 2) and supports (K,) of the hull of circles (C, 3): x, y, radius."""
    directions = [_RING]
    for a, b in combinations(circles, 2):
        axis = b[:2] - a[:2]
        length = float(np.hypot(*axis))
        lean = (a[2] - b[2]) / length if length > 1e-9 else 2.0
        if abs(lean) < 1:  # else one circle holds the other and they share no tangent
            along, across = axis / length, np.array([-axis[1], axis[0]]) / length
            rise = np.sqrt(1 - lean * lean)
            directions.append(np.array([lean * along + rise * across, lean * along - rise * across]))
    u = np.concatenate(directions)
    return u, (u @ circles[:, :2].T + circles[:, 2]).max(axis=1)


def hull_distance(circles: Array, points: Array, soft: float = 1e-3) -> tuple[Array, Array]:
    """Return the signed distance (P,), negative inside, and the outward direction (P, 2) of the nearest side.

    Sides nearly as near count too, over about `soft` units: deep inside their directions cancel, as on a dome.
    """
    middle = circles[:, :2].mean(axis=0)  # small numbers, so that single precision is enough
    u, support = (a.astype(np.float32) for a in hull_planes(circles - np.array([*middle, 0.0])))
    x, y = (points - middle).astype(np.float32).T
    # written out, not a matrix product: one this thin only keeps the linear algebra library's threads busy
    excess = u[:, :1] * x + u[:, 1:] * y - support[:, None]
    distance = excess.max(axis=0)
    weight = np.exp((excess - distance) / np.float32(soft))
    outward = np.stack([(weight * u[:, :1]).sum(axis=0), (weight * u[:, 1:]).sum(axis=0)], axis=-1)
    return distance, outward / weight.sum(axis=0)[:, None]


def chain_distance(circles: Array, points: Array) -> tuple[Array, Array]:
    """Return what hull_distance does for circles in a row (a limb), each joined to the next: exact, and quicker."""
    distance, outward = _cone_distance(circles[0], circles[min(1, len(circles) - 1)], points)
    for a, b in pairwise(circles[1:]):
        other, direction = _cone_distance(a, b, points)
        nearer = other < distance
        distance, outward = np.where(nearer, other, distance), np.where(nearer[:, None], direction, outward)
    return distance, outward


def _cone_distance(a: Array, b: Array, points: Array) -> tuple[Array, Array]:
    """The nearest side lies along a normal n with n . (b - a) = r_a - r_b; its foot on the axis is between a and b."""
    along = b[:2] - a[:2]
    length = float(np.hypot(*along))
    lean = (a[2] - b[2]) / length if length > 1e-9 else 2.0
    if abs(lean) >= 1:  # one circle holds the other
        rest = points - (a if a[2] >= b[2] else b)[:2]
        away = np.sqrt((rest * rest).sum(axis=1))
        return away - max(a[2], b[2]), rest / np.maximum(away, 1e-9)[:, None]
    along = along / length
    rest = points - a[:2]
    across = np.abs(rest[:, 0] * along[1] - rest[:, 1] * along[0])
    foot = np.clip(
        rest[:, 0] * along[0] + rest[:, 1] * along[1] - across * (lean / np.sqrt(1 - lean * lean)), 0, length
    )
    rest = rest - foot[:, None] * along
    away = np.sqrt((rest * rest).sum(axis=1))
    return away - (a[2] - foot * lean), rest / np.maximum(away, 1e-9)[:, None]


def coverage(distance: Array) -> Array:
    """Return how much of a pixel lies inside an edge at a signed distance in pixels: 1 inside, 0 outside."""
    return np.clip(0.5 - distance, 0.0, 1.0)


class Picture:
    """Colours (H, W, 3) 0..255 and depths (H, W) metres that shapes are drawn into, over a background of bytes."""

    def __init__(self, background: NDArray[np.uint8]) -> None:
        self.background = background
        self.rgb = background.astype(np.float32)
        self.depth = np.full(background.shape[:2], 1e6, dtype=np.float32)
        self._touched = [*background.shape[:2], 0, 0]  # rows and columns: first, first, end, end

    def window(self, circles: Array, margin: float = 3.0) -> tuple[Window, Array] | None:
        """Return the rows and columns that circles (C, 3) may touch and their pixel centres (P, 2), or None."""
        low = np.floor((circles[:, :2] - circles[:, 2:]).min(axis=0) - margin).astype(int)
        high = np.ceil((circles[:, :2] + circles[:, 2:]).max(axis=0) + margin).astype(int)
        (x0, y0), (x1, y1) = np.maximum(low, 0), np.minimum(high, self.rgb.shape[1::-1])
        if x0 >= x1 or y0 >= y1:
            return None
        x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        return (slice(y0, y1), slice(x0, x1)), np.stack([x.ravel(), y.ravel()], axis=-1)

    def paint(self, where: Window, colour: Array, alpha: Array, depth: Array | None = None) -> None:
        """Lay colour (..., 3) or (3,) over a window, opacity alpha (...), where depth (...) is nearer than before."""
        old = self.rgb[where]
        shape = old.shape[:2]
        alpha = alpha.reshape(shape).astype(np.float32)
        self._touch(*where)
        if depth is not None:
            depth = depth.reshape(shape)
            nearer = np.clip(0.5 + (self.depth[where] - depth) / (2 * _SOFT_JOIN), 0.0, 1.0)
            self.depth[where] = np.where((alpha > 0.5) & (nearer > 0.5), depth, self.depth[where])
            alpha = alpha * nearer
        new = (colour if colour.ndim == 1 else colour.reshape(*shape, 3)).astype(np.float32)
        self.rgb[where] = old + alpha[..., None] * (new - old)

    def _touch(self, rows: slice, columns: slice) -> None:
        first, left, end, right = self._touched
        self._touched = [
            min(first, rows.start),
            min(left, columns.start),
            max(end, rows.stop),
            max(right, columns.stop),
        ]

    def line(self, a: tuple[float, float], b: tuple[float, float], width: float, colour: Array) -> None:
        """Draw a round-ended line between two points, pixels."""
        ends = np.array([[*a, width / 2], [*b, width / 2]])
        found = self.window(ends)
        if found:
            self.paint(found[0], colour, coverage(chain_distance(ends, found[1])[0]))

    def pixels(self) -> NDArray[np.uint8]:
        """Return the colours as bytes (H, W, 3)."""
        first, left, end, right = self._touched
        pixels = self.background.copy()
        if first < end:
            changed = self.rgb[first:end, left:right]
            pixels[first:end, left:right] = np.clip(changed + 0.5, 0, 255).astype(np.uint8)
        return pixels


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG file of RGB pixels (H, W, 3)."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)  # filter 0 in each row

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
