"""A skeleton and a line of text drawn on a frame of a video, quickly: only the pixels along each bone are touched.

Bones and dots are strokes, lines with round ends. All of them together give each pixel near one its nearest stroke, by
the signed distance to the rim; what that stroke says is then laid over the pixel, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.body import CENTRE
from rehabmotion.viz.font import draw_text, fit_text
from rehabmotion.viz.raster import Picture
from rehabmotion.viz.scene import SIDES

Image = NDArray[np.uint8]
Floats = NDArray[np.floating]

FAR = 1e6  # pixels: a point beyond is no place in a picture
PALEST = 0.2  # opacity of what is hardly sure
_EDGE = 1.2  # pixels of a dark edge, so that a bone is seen on any clothes
_DARK = np.array([16.0, 20.0, 26.0], np.float32)
_WHITE = np.array([255.0, 255.0, 255.0], np.float32)
_STRIP = 0.55  # opacity of the strip behind the text


def draw_skeleton(
    image: Image,
    points: Floats,
    bones: Sequence[tuple[int, int]],
    sides: Sequence[int],
    strength: Floats | None = None,
    width: float = 4.0,
) -> Image:
    """Return an image (H, W, 3) with bones, pairs of points, and dots on points (P, 2), pixels; the given one stays.

    A pixel's centre is at its number plus a half. sides: CENTRE, LEFT or RIGHT (body.py) for each point, the colours of
    the other pictures; a bone from left to right is of the centre. strength (P,) from 0 to 1, default 1: the weaker the
    paler; nothing at 0. A bone is as sure as its weaker end. width of bones, pixels: 2 for what a detector saw and 5
    for a fitted model keep the two apart. Points that are not finite or far outside (FAR) are not drawn, nor their
    bones.
    """
    _check(image, points, bones, sides, strength, width)
    at = np.asarray(points, np.float64)
    sure = np.ones(len(at)) if strength is None else np.nan_to_num(np.asarray(strength, np.float64), nan=0.0)
    there = (sure > 0) & (np.nan_to_num(np.abs(at), nan=np.inf) < FAR).all(axis=1)
    ends = np.array([(a, b) for a, b in bones if there[a] and there[b]] + [(i, i) for i in np.flatnonzero(there)])
    drawn = image.copy()
    if len(ends):
        radii = np.where(ends[:, 0] == ends[:, 1], 0.9, 0.5) * width
        pixels, distance, stroke = _nearest(at[ends[:, 0]], at[ends[:, 1]], radii, image.shape[:2])
        opacity = (PALEST + (1 - PALEST) * sure[ends].min(axis=1)).astype(np.float32)[stroke]
        inks = SIDES.astype(np.float32)[[_side(sides[a], sides[b]) for a, b in ends.tolist()]]
        _blend(drawn.reshape(-1, 3), pixels, distance, inks, stroke, opacity)
    return drawn


def draw_caption(image: Image, text: str) -> Image:
    """Return an image (H, W, 3) with a line of text on a dark strip along its lower edge; what is too long is cut."""
    _check_image(image)
    height, width = image.shape[:2]
    size = max(8, round(height / 48))
    drawn = image.copy()
    strip = drawn[-min(height, 2 * size) :]
    strip[:] = strip + _STRIP * (_DARK - strip)
    for i, letter in enumerate(fit_text(text[:1000], size, width - size)):  # a longer line never fits
        if letter != " ":
            _stamp(strip, _letter(letter, size), size // 2 + i * size)
    return drawn


def _check(
    image: Image,
    points: Floats,
    bones: Sequence[tuple[int, int]],
    sides: Sequence[int],
    strength: Floats | None,
    width: float,
) -> None:
    _check_image(image)
    if np.ndim(points) != 2 or np.shape(points)[1] != 2:
        raise UserError(f"Expected points of shape (P, 2), got {np.shape(points)}. One person and one frame at a time.")
    n = len(points)
    if len(sides) != n or not all(0 <= side < len(SIDES) for side in sides):
        raise UserError(f"Expected a side from 0 to {len(SIDES) - 1} for each of {n} points, got {list(sides)[:40]}.")
    if any(not 0 <= end < n for bone in bones for end in bone):
        raise UserError(f"Expected bones between points 0 to {n - 1}, got {max(map(max, bones))}.")
    if strength is not None and np.shape(strength) != (n,):
        raise UserError(f"Expected strength of shape ({n},), got {np.shape(strength)}.")
    if strength is not None and ((np.asarray(strength) < 0) | (np.asarray(strength) > 1)).any():
        raise UserError(f"Expected strength from 0 to 1, got {np.nanmin(strength):g} to {np.nanmax(strength):g}.")
    if not 0 < width <= 100:
        raise UserError(f"Expected a width from 0 to 100 pixels, got {width:g}.")


def _check_image(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise UserError(f"Expected an image (H, W, 3) of bytes, got {image.shape} of {image.dtype}.")


def _side(a: int, b: int) -> int:
    """The side of a bone: that of its ends, where one has none that of the other."""
    if a == b or b == CENTRE:
        return a
    return b if a == CENTRE else CENTRE


def _nearest(
    a: Floats, b: Floats, radii: Floats, shape: tuple[int, int]
) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """Return numbers of pixels (N,) near strokes, each once, their distance to the nearest rim and that stroke (N,).

    a, b (K, 2): x, y of the ends; equal ends make a dot.
    """
    pixels, distance, stroke = _along(a, b, radii, shape)
    owner = np.empty(shape[0] * shape[1], np.int32)
    better = np.arange(len(pixels), dtype=np.int32)
    while len(better):  # of several that claim a pixel one is noted; as often as strokes overlap, at most
        owner[pixels[better]] = better
        better = better[distance[better] < distance[owner[pixels[better]]]]
    kept = np.flatnonzero(owner[pixels] == np.arange(len(pixels), dtype=np.int32))
    return pixels[kept], distance[kept], stroke[kept]


def _along(
    a: Floats, b: Floats, radii: Floats, shape: tuple[int, int]
) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """Return numbers of pixels, their distance to the rim of a stroke, and which stroke; a pixel may come repeatedly.

    Each stroke has a band of pixels along its longer axis u, a few across, v: a box around a slanting one would hold
    twenty times as many.
    """
    down = np.abs(b[:, 1] - a[:, 1]) > np.abs(b[:, 0] - a[:, 0])
    a, b = (np.where(down[:, None], end[:, ::-1], end) for end in (a, b))  # from here on u, v
    back = b[:, 0] < a[:, 0]
    a, b = np.where(back[:, None], b, a), np.where(back[:, None], a, b)
    long = np.hypot(*(b - a).T)
    cosine, sine = np.where(long > 0, (b - a).T / np.where(long > 0, long, 1.0), [[1.0], [0.0]])
    reach = radii + _EDGE + 1
    size = np.where(down[:, None], shape, shape[::-1])  # of the picture along u and v
    first = np.clip(np.floor(a[:, 0] - reach), 0, size[:, 0]).astype(np.intp)
    count = np.clip(np.ceil(b[:, 0] + reach), first, size[:, 0]).astype(np.intp) - first
    row = np.repeat(np.arange(len(a)), count)  # the stroke of each step along u
    u = np.arange(len(row)) - np.repeat(np.cumsum(count) - count - first, count)
    gone = (u + 0.5 - a[row, 0]) / cosine[row]  # along the stroke, where its axis crosses u
    middle = a[row, 1] + gone * sine[row]
    wide = (reach / cosine)[row]
    v = np.floor(middle - wide)
    off = (v + 0.5 - middle).astype(np.float32)[:, None] + np.arange(
        int(2 * (reach / cosine).max()) + 2, dtype=np.float32
    )
    lead, before, beyond, across = (
        x.astype(np.float32)[:, None] for x in (sine[row], -gone, gone - long[row], cosine[row])
    )
    along = off * lead
    over = np.maximum(np.maximum(before - along, beyond + along), 0)
    distance = np.sqrt((off * across) ** 2 + over * over) - radii.astype(np.float32)[row, None]
    near = np.flatnonzero(distance < _EDGE + 0.5)
    step, column = np.divmod(near, off.shape[1])
    stroke, u, v = row[step], u[step], v.astype(np.intp)[step] + column
    inside = (v >= 0) & (v < size[stroke, 1])
    pixels = np.where(down[stroke], u * shape[1] + v, v * shape[1] + u)
    return pixels[inside], distance.ravel()[near][inside], stroke[inside]


def _blend(
    flat: Image,
    where: NDArray[np.intp],
    distance: Floats,
    inks: Floats,
    stroke: NDArray[np.intp],
    opacity: Floats,
) -> None:
    """Lay strokes' inks (K, 3), with a soft rim and a fainter dark edge, over pixels (P, 3); all else is (N,)."""
    inside = np.clip(0.5 - distance, 0.0, 1.0)
    full = opacity * inside
    edge = (0.5 * opacity) * (np.clip(0.5 + _EDGE - distance, 0.0, 1.0) - inside)  # not under pale ink
    rest = 1 - full - edge
    for channel, dark in enumerate(_DARK):  # one by one: rows of three are slow
        new = rest * flat[where, channel] + edge * dark + full * inks[stroke, channel] + np.float32(0.5)
        flat[where, channel] = new.astype(np.uint8)


@lru_cache(maxsize=1024)
def _letter(letter: str, size: int) -> Floats:
    """The opacity of a letter's pixels, (2 size, size, 1); capitals are `size` pixels high."""
    picture = Picture(np.zeros((2 * size, size, 3), np.uint8))
    draw_text(picture, letter, size / 6, 1.5 * size, size, _WHITE)
    return (picture.pixels()[..., :1] / np.float32(255)).astype(np.float32)


def _stamp(strip: Image, letter: Floats, left: int) -> None:
    place = strip[:, left : left + letter.shape[1]]
    opacity = letter[: place.shape[0], : place.shape[1]]
    place[:] = place + opacity * (_WHITE - place) + np.float32(0.5)
