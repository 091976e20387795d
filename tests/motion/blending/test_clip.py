"""Clips on the clock of a plan: at rest at both ends, feet on the floor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.motion.blending.clip import ANKLE, Clip, ease, grounded, on_feet
from rehabmotion.motion.blending.poses import ANKLES, TOES

Array = NDArray[np.float64]


def test_ease_goes_evenly_between_its_ramps() -> None:
    """2 s with ramps of 0.2 s: the speed between them is 1 / 1.8, half the way is done at half the time."""
    t = np.linspace(0, 2, 2001)
    e = ease(t, 2.0, 0.2)
    assert e[[0, 1000, 2000]] == pytest.approx([0, 0.5, 1])
    speed = np.diff(e) * 1000
    assert speed[300:1700] == pytest.approx(np.full(1400, 1 / 1.8))
    assert speed[[0, -1]] == pytest.approx([0, 0], abs=1e-4)
    assert np.abs(np.diff(speed)).max() < 0.006  # no jump: 1.5 / 0.2 / 1.8 per second at most, in steps of 1 ms
    assert ease(np.array([-1.0, 3.0]), 2.0, 0.2).tolist() == [0, 1]


def test_a_clip_shorter_than_its_ramps_still_goes_all_the_way() -> None:
    assert ease(np.array([0.0, 0.05, 0.1]), 0.1, 0.2) == pytest.approx([0, 0.5, 1])


def test_a_clip_is_held_outside_its_time(standing: Array) -> None:
    x = np.repeat(standing[None], 31, axis=0)
    x[:, :, 2] += np.linspace(0, 0.3, 31)[:, None]
    clip = Clip(x, 30.0, 2.0, 3.5)
    at = clip.at(np.array([0.0, 2.0, 2.75, 3.5, 9.0]))
    assert at[:, 0, 2] - standing[0, 2] == pytest.approx([0, 0, 0.15, 0.3, 0.3])


def test_grounding_takes_away_what_a_sensor_sinks(standing: Array) -> None:
    """Squats by one depth sensor had the whole body sink by 10 cm: standing feet floated at the ends."""
    n = 90
    drift = 0.1 * np.sin(np.linspace(0, np.pi, n)) ** 2
    x = standing[None] - drift[:, None, None] * np.array([0.0, 1.0, 0.0])
    y = grounded(x, 30.0)
    assert np.abs(y[:, TOES, 1]).max() < 0.015
    assert np.ptp(y[:, TOES, 1]) < 0.004
    assert y - x == pytest.approx(np.broadcast_to((y - x)[:, :1], x.shape))  # up or down, as a whole
    assert (y - x)[..., [0, 2]] == pytest.approx(0)


def test_a_raised_foot_does_not_stand(standing: Array) -> None:
    x = standing.copy()
    x[[ANKLES[0], TOES[0]], 1] += 0.2
    assert on_feet(np.stack([standing, x])).tolist() == [[True, True], [False, True]]
    assert 0.03 < ANKLE < 0.1
