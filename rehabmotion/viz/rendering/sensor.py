"""From light to bytes: brightness, tint, blur and noise of a cheap camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """blur: pixels (standard deviation, before bytes are made); noise: of 0 to 1; gain (3,), gamma, corners: how much
    darker these are.
    """

    blur: float
    noise: float
    gain: Floats
    gamma: float
    corners: float


CLEAN = Sensor(0.0, 0.0, np.ones(3, np.float32), 1.0, 0.0)


def draw_sensor(rng: np.random.Generator) -> Sensor:
    """Return a camera drawn by chance; one in three is sharp."""
    return Sensor(
        blur=float(max(0.0, rng.uniform(-0.4, 0.8))),
        noise=float(rng.uniform(0.0, 0.03)),
        gain=(rng.uniform(0.85, 1.25) * rng.uniform(0.93, 1.07, 3)).astype(np.float32),
        gamma=float(rng.uniform(0.75, 1.15)),
        corners=float(rng.uniform(0.0, 0.3)),
    )


def exposed(rgb: Floats, sensor: Sensor, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return bytes (3, S, S) of light (S, S, 3), 0 to 1. Noise is drawn from rng, the same count each time."""
    image = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    if sensor.blur > 0:
        image = np.stack([gaussian_filter(plane, sensor.blur, mode="nearest", truncate=3) for plane in image])
    image = image * sensor.gain[:, None, None]
    if sensor.corners > 0:
        at = np.linspace(-1, 1, rgb.shape[0], dtype=np.float32) ** 2
        image *= 1 - np.float32(sensor.corners / 2) * (at[:, None] + at)
    if sensor.gamma != 1:
        image = np.maximum(image, 0) ** np.float32(sensor.gamma)
    image += np.float32(sensor.noise) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(np.clip(255 * image + 0.5, 0, 255), np.uint8)
