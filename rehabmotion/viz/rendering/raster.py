"""A person in a room: what is nearest in each pixel, lit, its shadow cast; smooth edges from several rays a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.rendering.lens import Array, Lens, looking
from rehabmotion.viz.rendering.room import Backdrop, Floats, Light
from rehabmotion.viz.rendering.shapes import Figure
from rehabmotion.viz.rendering.trace import Hits, trace

SAMPLES = 2  # rays along each side of a pixel
_SHADOW_PIXELS = 96  # of the picture that the lamp sees
_LAMP = 30.0  # m from the person
_BIAS = 0.025  # m behind its own surface from where on a thing is in its own shadow


@dataclass(frozen=True)
class Frame:
    """rgb (S, S, 3), 0 to 1 and beyond; cover (S, S): how much of a pixel is the person; depth (S, S) m along the
    camera's axis, of the person's nearest sample, infinite without.
    """

    rgb: Floats
    cover: Floats
    depth: Floats


class Scene:
    """A person before a backdrop, seen by a camera and lit by a lamp that stand still: draw(pose) -> Frame.

    stage (2, 3): least and greatest x, y, z, m, of ground that the person stays in: beyond it no shadow falls.
    """

    def __init__(self, figure: Figure, lens: Lens, light: Light, backdrop: Backdrop, stage: Array) -> None:
        if backdrop.rgb.shape != (lens.size, lens.size, 3):
            raise UserError(
                f"Expected a backdrop of {lens.size} pixels, got {backdrop.rgb.shape}. Draw it for this lens."
            )
        self.figure, self.lens, self.light, self.backdrop = figure, lens, light, backdrop
        self.samples = backdrop.depth.shape[0] // lens.size
        self.fine = lens.finer(self.samples)
        middle, radius = stage.mean(axis=0), 0.5 * float(np.linalg.norm(stage[1] - stage[0]))
        place = middle + _LAMP * light.direction
        focal = 0.5 * _SHADOW_PIXELS * (_LAMP - radius) / radius
        self.lamp = Lens(_SHADOW_PIXELS, focal, looking(place, middle), place)
        self.behind = _Looked(self.lamp, backdrop.points.reshape(-1, 3))

    def draw(self, rotations: Array, positions: Array) -> Frame:
        """Return the picture of one pose of bodies in ground: rotations (B, 3, 3), positions (B, 3) m."""
        if not (np.isfinite(rotations).all() and np.isfinite(positions).all()):
            raise UserError("Expected a pose of numbers, got nan or inf. Leave frames without a pose out.")
        lit = self._lamp_depth(rotations, positions)
        hits = trace(self.figure.cones, rotations, positions, self.fine)
        shown = hits.depth < self.backdrop.depth.ravel()[hits.pixel]
        hits = hits.but(np.flatnonzero(shown))
        shadow = self.behind.shadow(lit, 0.0)
        rgb = (
            self.backdrop.rgb
            * (1 - 0.85 * self.backdrop.direct * shadow.reshape(self.backdrop.direct.shape))[..., None]
        )
        return self._laid(rgb, hits, self._colours(hits, lit))

    def _lamp_depth(self, rotations: Array, positions: Array) -> Floats:
        depth = np.full(_SHADOW_PIXELS**2, np.inf, np.float32)
        hits = trace(self.figure.cones, rotations, positions, self.lamp)
        depth[hits.pixel] = hits.depth
        return depth

    def _colours(self, hits: Hits, lit: Floats) -> Floats:
        """Return the colours (H, 3) of what is seen: cloth or skin, under all the light and the lamp's."""
        row, column = np.divmod(hits.pixel, self.fine.size)
        slopes = self.fine.slopes
        rays = np.stack([slopes[column], slopes[row], np.ones(len(row), np.float32)], axis=1)
        turn = self.lens.rotation.astype(np.float32)
        points = self.lens.place.astype(np.float32) + (rays * hits.depth[:, None]) @ turn
        towards, up = turn @ self.light.direction.astype(np.float32), turn[:, 1]
        facing = np.maximum(hits.normal @ towards, 0)
        facing *= 1 - 0.8 * _Looked(self.lamp, points).shadow(lit, _BIAS)
        level = self.light.ambient * (0.8 + 0.2 * (hits.normal @ up)) + self.light.diffuse * facing
        period = self.figure.period[hits.cone]
        striped = (hits.along / period) % 1 > 0.5
        albedo = np.where(striped[:, None], self.figure.other[hits.cone], self.figure.colour[hits.cone])
        return np.asarray(albedo * level[:, None] * self.light.tint.astype(np.float32), np.float32)

    def _laid(self, rgb: Floats, hits: Hits, colours: Floats) -> Frame:
        """Return samples averaged over the pixels they lie in."""
        size, k = self.lens.size, self.samples
        row, column = np.divmod(hits.pixel, self.fine.size)
        pixel = (row // k) * size + column // k
        cover = (np.bincount(pixel, minlength=size * size) / (k * k)).astype(np.float32)
        sums = [np.bincount(pixel, colours[:, c], minlength=size * size) / (k * k) for c in range(3)]
        depth = np.full(size * size, np.inf, np.float32)
        np.minimum.at(depth, pixel, hits.depth)
        whole = rgb.reshape(-1, 3) * (1 - cover)[:, None] + np.stack(sums, axis=1)
        shape = (size, size)
        return Frame(whole.reshape(*shape, 3).astype(np.float32), cover.reshape(shape), depth.reshape(shape))


class _Looked:
    """Where points (N, 3) of ground lie in the lamp's picture; shadow(depths there) -> how dark each is, 0 to 1."""

    def __init__(self, lamp: Lens, points: Array) -> None:
        seen = lamp.seen(points)
        at = lamp.pixels(seen) - 0.5
        corner = np.floor(np.clip(at, 0, lamp.size - 2)).astype(np.int64)
        self.outside = ((at < 0) | (at > lamp.size - 1)).any(axis=1)
        self.first = corner[:, 1] * lamp.size + corner[:, 0]
        self.depth = seen[:, 2].astype(np.float32)
        x, y = (np.clip(at - corner, 0, 1)).astype(np.float32).T
        self.shares = ((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)
        self.steps = (0, 1, lamp.size, lamp.size + 1)

    def shadow(self, lit: NDArray[np.float32], bias: float) -> Floats:
        """Return shadow from the depths (pixels,) that the lamp lights, mixed between its four nearest pixels."""
        dark = np.zeros(len(self.first), np.float32)
        limit = self.depth - np.float32(bias)
        for step, share in zip(self.steps, self.shares, strict=True):
            dark += share * (lit[self.first + step] < limit)
        dark[self.outside] = 0
        return dark
