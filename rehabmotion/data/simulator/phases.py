"""Time: minimum-jerk phases, smooth paths through stations, slow drift and tremor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def rise(u: Array, start: float, end: float) -> Array:
    """Return a step 0 -> 1 between two times with minimum jerk: 10 s^3 - 15 s^4 + 6 s^5 (Flash and Hogan 1985)."""
    s = np.clip((u - start) / (end - start), 0.0, 1.0)
    return s**3 * (10.0 + s * (-15.0 + 6.0 * s))


def lobe(u: Array, start: float, top: float, leave: float, end: float) -> Array:
    """Return 0 -> 1 -> 0: up from `start` to `top`, held until `leave`, back at `end`."""
    return rise(u, start, top) - rise(u, leave, end)


def stations(u: Array, times: Sequence[float], values: Sequence[float]) -> Array:
    """Return a path (T,) that rests at each (time, value), with minimum-jerk moves between them."""
    path = np.full_like(u, values[0])
    for i in range(len(times) - 1):
        if values[i + 1] != values[i]:
            path += (values[i + 1] - values[i]) * rise(u, times[i], times[i + 1])
    return path


def drift(rng: np.random.Generator, seconds: Array, channels: int) -> Array:
    """Return slow natural wandering (T, channels) of unit standard deviation, 0.15-0.7 Hz."""
    return _waves(rng, seconds, channels, (0.15, 0.7), 3)


def tremor(rng: np.random.Generator, seconds: Array, channels: int) -> Array:
    """Return shaking (T, channels) of unit standard deviation, 3-5 Hz: slow pathological tremor, still
    there at half the usual frame rate."""
    return _waves(rng, seconds, channels, (3.0, 5.0), 3)


def _waves(rng: np.random.Generator, seconds: Array, channels: int, band_hz: tuple[float, float], n: int) -> Array:
    frequency = rng.uniform(*band_hz, size=(n, channels))
    phase = rng.uniform(0, 2 * np.pi, size=(n, channels))
    waves = np.sin(2 * np.pi * seconds[:, None, None] * frequency + phase)
    return waves.sum(axis=1) * np.sqrt(2.0 / n)


def hesitant(u: Array, strength: float, n: int = 3) -> Array:
    """Return time (T,) in 0..1 that goes on in `n` spurts; monotone, ends kept, unchanged at strength 0."""
    return u - 0.8 * strength * np.sin(2 * np.pi * n * u) / (2 * np.pi * n)
