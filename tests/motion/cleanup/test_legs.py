"""The leg solver and the finding of feet."""

import numpy as np
import pytest

from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.cleanup import CleanUpConfig
from rehabmotion.motion.cleanup.feet import ANKLES, find_feet, lowest
from rehabmotion.motion.cleanup.legs import HIPS, KNEES, _solve_leg

THIGH, SHANK = 0.42, 0.40


def legs(flexion_deg: float, aside_deg: float = 0.0, n: int = 60) -> np.ndarray:
    """Positions (n, 22, 3) of which only the legs matter: hips 20 cm apart, knees bent ahead, or turned aside."""
    x = np.zeros((n, 22, 3))
    f, a = np.radians(flexion_deg), np.radians(aside_deg)
    lean = np.arctan2(SHANK * np.sin(f), THIGH + SHANK * np.cos(f))
    pole = np.array([np.sin(a), 0.0, np.cos(a)])
    for s, side in enumerate((0.1, -0.1)):
        hip = np.array([side, 0.9, 0.0])
        knee = hip + THIGH * (np.cos(lean) * np.array([0.0, -1.0, 0.0]) + np.sin(lean) * pole)
        reach = np.sqrt(THIGH**2 + SHANK**2 + 2 * THIGH * SHANK * np.cos(f))
        x[:, HIPS[s]], x[:, KNEES[s]], x[:, ANKLES[s]] = hip, knee, hip - [0.0, reach, 0.0]
    return x


@pytest.mark.parametrize("aside", [0.0, 40.0, -40.0])
@pytest.mark.parametrize("flexion", [45.0, 90.0, 130.0])
@pytest.mark.parametrize("step", [(0.0, 0.0, 0.0), (0.05, 0.03, -0.06), (-0.04, -0.02, 0.05)])
def test_a_bent_leg_reaches_its_target_and_keeps_lengths_and_side(
    flexion: float, aside: float, step: tuple[float, float, float]
) -> None:
    x = legs(flexion, aside)
    y, target = x.copy(), x[:, ANKLES[0]] + np.array(step)
    _solve_leg(y, x, 0, target, THIGH, SHANK, 30.0)
    np.testing.assert_allclose(y[:, ANKLES[0]], target, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(y[:, KNEES[0]] - y[:, HIPS[0]], axis=-1), THIGH, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(y[:, ANKLES[0]] - y[:, KNEES[0]], axis=-1), SHANK, atol=1e-12)
    pole = np.array([np.sin(np.radians(aside)), 0.0, np.cos(np.radians(aside))])
    assert ((y[:, KNEES[0]] - y[:, HIPS[0]]) @ pole > 0.1).all()
    if step == (0.0, 0.0, 0.0):
        np.testing.assert_allclose(y, x, atol=1e-9)


def test_a_straight_leg_does_not_pop() -> None:
    """One millimetre of trembling at 6 degrees of flexion is 3 cm for the knee; here the ankle gives way instead."""
    x = legs(6.0)
    t = np.arange(60)
    target = x[:, ANKLES[0]] + 0.001 * np.sin(2 * np.pi * 5 * t / 30)[:, None] * np.array([0.0, 1.0, 0.0])
    y = x.copy()
    _solve_leg(y, x, 0, target, THIGH, SHANK, 30.0)
    assert np.abs(np.diff(y[5:-5, KNEES[0]], axis=0)).max() < 0.001
    assert np.abs(np.diff(y[:, KNEES[0]], axis=0)).max() < 0.005
    assert np.abs(y[:, ANKLES[0]] - target).max() < 0.002


def test_out_of_reach_the_leg_is_straight_and_as_long_as_it_was() -> None:
    x = legs(60.0)
    y = x.copy()
    _solve_leg(y, x, 0, x[:, HIPS[0]] - [0.0, 1.5, 0.0], THIGH, SHANK, 30.0)
    length = np.linalg.norm(y[:, ANKLES[0]] - y[:, HIPS[0]], axis=-1)
    assert (length <= THIGH + SHANK + 1e-9).all()
    assert (length > 0.95 * (THIGH + SHANK)).all()
    np.testing.assert_allclose(np.linalg.norm(y[:, KNEES[0]] - y[:, HIPS[0]], axis=-1), THIGH, atol=1e-9)


def test_the_lowest_point_has_no_corner_and_the_height_of_equals() -> None:
    assert lowest(np.array([0.1, 0.1])) == pytest.approx(0.1)
    assert lowest(np.array([0.0, 1.0])) == pytest.approx(0.002 * np.log(2))


def lifted(still: Motion, height: float, forward: float) -> np.ndarray:
    """The left foot up and ahead for the middle second."""
    x = still.positions.astype(np.float64)
    rise = np.zeros(60)
    rise[15:45] = np.sin(np.pi * (np.arange(30) + 0.5) / 30) ** 2
    x[:, CANONICAL.indices("left_ankle", "left_foot")] += rise[:, None, None] * np.array([0.0, height, forward])
    return x


def find(x: np.ndarray) -> np.ndarray:
    n = len(x)
    return find_feet(x, np.ones((n, 2), bool), np.ones(n, bool), 30.0, CleanUpConfig()).stands


def test_a_lifted_foot_is_in_the_air_and_the_other_one_stands(still: Motion) -> None:
    stands = find(lifted(still, 0.25, 0.2))
    assert stands[:, 1].all()
    assert stands[:14, 0].all()
    assert stands[46:, 0].all()
    assert not stands[22:38, 0].any()


def test_a_foot_that_trembles_on_the_floor_stands(still: Motion) -> None:
    assert find(lifted(still, 0.01, 0.01)).all()


def test_a_body_that_floats_as_a_whole_stands(still: Motion) -> None:
    x = still.positions.astype(np.float64)
    x[..., 1] += 0.15 * np.sin(np.pi * np.arange(60) / 60)[:, None]
    assert find(x).all()
