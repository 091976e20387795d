"""Colours of flat things as functions of two lengths (m): plain, checks, stripes, bricks, clouds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rehabmotion.viz.rendering.lens import Array
from rehabmotion.viz.rendering.looks import Colour, draw_colour

Texture = Callable[[Array, Array], Array]  # (N,), (N,) -> (N, 3), 0 to 1
_LATTICE = 16


def draw_texture(rng: np.random.Generator) -> Texture:
    """Return a texture drawn by chance."""
    first, second = draw_colour(rng), draw_colour(rng)
    if rng.random() < 0.6:  # most floors and walls hold two tones of one colour
        factor = rng.uniform(0.75, 1.2)
        r, g, b = np.clip(np.array(first) * factor, 0, 1).tolist()
        second = (r, g, b)
    size = float(rng.uniform(0.1, 0.8))
    kind = rng.choice(("plain", "checks", "stripes", "bricks", "clouds", "clouds"))
    if kind == "plain":
        return plain(first, second)
    if kind == "clouds":
        return noise(rng, 2 * size, first, second)
    if kind == "checks":
        return lambda u, v: _mixed(first, second, (np.floor(u / size) + np.floor(v / size)) % 2)
    if kind == "stripes":
        return lambda u, v: _mixed(first, second, np.floor(u / size) % 2)
    return lambda u, v: _mixed(first, second, _mortar(u, v, size))


def plain(first: Colour, second: Colour) -> Texture:
    """Return a colour that fades into another over 3 m of the second length."""
    return lambda u, v: _mixed(first, second, np.clip(v / 3.0, 0, 1))


def noise(rng: np.random.Generator, size: float, first: Colour, second: Colour) -> Texture:
    """Return clouds of `size` m: random values on a lattice, smoothly joined, at two scales; they repeat after 16."""
    lattice = rng.random((_LATTICE, _LATTICE))
    return lambda u, v: _mixed(
        first,
        second,
        0.65 * _smooth(lattice, u / size, v / size) + 0.35 * _smooth(lattice, 3.7 * u / size, 3.7 * v / size),
    )


def _smooth(lattice: Array, u: Array, v: Array) -> Array:
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    a, b = u - i, v - j
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    rows, columns = (i % _LATTICE, (i + 1) % _LATTICE), (j % _LATTICE, (j + 1) % _LATTICE)
    near = lattice[rows[0], columns[0]] * (1 - b) + lattice[rows[0], columns[1]] * b
    far = lattice[rows[1], columns[0]] * (1 - b) + lattice[rows[1], columns[1]] * b
    return near * (1 - a) + far * a


def _mortar(u: Array, v: Array, size: float) -> Array:
    """Return 1 on the joints of bricks, each row half a brick along, else 0."""
    row = np.floor(v / (0.4 * size))
    across, up = (u / size + 0.5 * (row % 2)) % 1, (v / (0.4 * size)) % 1
    return ((across < 0.04) | (up < 0.1)).astype(float)


def _mixed(first: Colour, second: Colour, share: Array) -> Array:
    return np.array(first) + share[:, None] * (np.array(second) - first)
