"""Feet, smoothness, bones: closed forms."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.metrics.physical import (
    acceleration,
    bone_length_error,
    bone_length_variations,
    floating,
    foot_skate,
    foot_slide,
    jerk,
    log_dimensionless_jerk,
    penetration,
)
from rehabmotion.motion import CANONICAL, FEET, Skeleton

FOOT = Skeleton(("foot",), (-1,))


def along(x: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """One joint that moves along an axis, (T, 1, 3) metres."""
    positions = np.zeros((len(x), 1, 3))
    positions[:, 0, axis] = x
    return positions


# --- feet ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mm", [0.0, 1.0, 5.0, 20.0])
def test_a_foot_on_the_floor_that_moves_5_mm_a_frame_slides_5(mm: float) -> None:
    assert foot_slide(along(np.arange(50) * mm / 1000), feet=[0]) == pytest.approx(mm, abs=1e-9)


def test_it_is_the_horizontal_displacement_in_any_direction() -> None:
    positions = along(np.arange(50) * 0.003) + along(np.arange(50) * 0.004, axis=2)
    assert foot_slide(positions, feet=[0]) == pytest.approx(5.0)
    assert foot_slide(along(np.arange(50) * 0.0001, axis=1), feet=[0]) == 0.0  # rising is not sliding


def test_a_foot_that_swings_high_and_fast_is_not_in_contact() -> None:
    positions = np.zeros((50, 2, 3))
    positions[:, 1, 0] = np.arange(50) * 0.05
    positions[:, 1, 1] = 0.3
    assert foot_slide(positions, feet=[0, 1]) == 0.0
    positions[:, 1, 0] = np.arange(50) * 0.008  # slow: in contact by the or-rule, however high
    assert foot_slide(positions, feet=[0, 1]) == pytest.approx(4.0)


def test_the_floor_is_where_the_feet_are() -> None:
    positions = along(np.arange(50) * 0.02) + np.array([0.0, 7.0, 0.0])
    assert foot_slide(positions, feet=[0]) == pytest.approx(20.0)


def test_by_default_ankles_and_toes_are_the_feet() -> None:
    positions = np.random.default_rng(0).normal(0, 0.001, (50, 22, 3))
    assert foot_slide(positions) == foot_slide(positions, feet=CANONICAL.indices(*FEET))


def test_masked_feet_are_left_out() -> None:
    """Garbage under the mask once counted."""
    positions = np.repeat(along(np.arange(50) * 0.005), 2, axis=1)
    valid = np.ones((50, 2), bool)
    valid[10:20, 1] = False
    spoilt = np.where(valid[..., None], positions, 1e3)
    assert foot_slide(spoilt, feet=[0, 1], valid=valid) == pytest.approx(5.0)
    assert foot_slide(positions, feet=[0, 1], valid=np.zeros_like(valid)) == 0.0


def test_a_foot_that_moves_20_mm_a_frame_at_20_fps_skates_and_a_slower_or_higher_one_does_not() -> None:
    x = along(np.arange(50) * 0.02)
    assert foot_skate(x, 20.0, toes=[0]) == 1
    assert foot_skate(x, 9.9, toes=[0]) == 0
    high = x.copy()
    high[::2, 0, 1] = 1.0  # every second frame high above the floor: never low in two frames on end
    assert foot_skate(high, 20.0, toes=[0]) == 0


def test_a_foot_3_cm_below_the_floor_is_25_mm_deep() -> None:
    x = np.zeros((10, 22, 3))
    x[:, CANONICAL.indices(*FEET), 1] = -0.03
    assert penetration(x, floor=0.0) == pytest.approx(25)
    assert penetration(x) == 0  # the floor is where the feet are
    assert penetration(x, floor=-0.028) == 0  # within the tolerance


def test_masked_feet_neither_skate_nor_sink_and_without_any_nothing_is_said() -> None:
    x = np.zeros((10, 22, 3))
    x[:, CANONICAL.index("left_foot")] = np.arange(10)[:, None] * [0.1, -1.0, 0.0]
    valid = np.ones((10, 22), bool)
    valid[:, CANONICAL.index("left_foot")] = False
    assert foot_skate(x, 30.0, valid=valid) == 0
    assert penetration(x, valid=valid) == 0
    assert np.isnan(foot_skate(x, 30.0, valid=np.zeros_like(valid)))
    assert np.isnan(penetration(x, valid=np.zeros_like(valid)))


# --- jerk ---------------------------------------------------------------------------------------------------------


def test_the_jerk_of_t_cubed_is_6_and_of_steady_motion_0() -> None:
    t = np.arange(60) / 30
    assert jerk(along(t**3), 30.0) == pytest.approx(6.0, abs=1e-6)
    for steady in (np.ones(60), t, t**2):
        assert jerk(along(steady), 30.0) == pytest.approx(0.0, abs=1e-6)


def test_the_jerk_of_a_sine() -> None:
    # third difference of A sin(wt): amplitude A (2 sin(w dt / 2) / dt)^3
    x = 0.2 * np.sin(2 * np.pi * np.arange(303) / 30)  # 300 differences: whole periods
    assert jerk(along(x), 30.0) == pytest.approx(34.8877085719, abs=1e-8)
    assert 0.2 * (2 * math.sin(math.pi / 30) * 30) ** 3 / math.sqrt(2) == pytest.approx(34.8877085719)


def test_the_jerk_of_noise_is_sigma_root_20_over_dt_cubed_for_each_axis() -> None:
    sigma, fps = 0.001, 30.0
    noise = np.random.default_rng(0).normal(0, sigma, (4000, 22, 3))
    one_axis = jerk(noise * [1.0, 0.0, 0.0], fps)
    assert one_axis == pytest.approx(sigma * math.sqrt(20) * fps**3, rel=0.01)  # 121 m/s^3
    assert jerk(noise, fps) == pytest.approx(math.sqrt(3) * one_axis, rel=0.01)


def test_differences_that_touch_a_masked_frame_are_left_out() -> None:
    t = np.arange(60) / 30
    valid = np.ones((60, 1), bool)
    valid[[17, 41]] = False
    spoilt = np.where(valid[..., None], along(t**3), -50.0)
    assert jerk(spoilt, 30.0, valid) == pytest.approx(6.0, abs=1e-6)
    assert jerk(spoilt, 30.0) > 1e5


@pytest.mark.parametrize("n", [1, 3])
def test_too_short_a_clip_has_no_jerk(n: int) -> None:
    assert math.isnan(jerk(np.zeros((n, 1, 3)), 30.0))
    assert math.isnan(jerk(np.zeros((20, 1, 3)), 30.0, np.zeros((20, 1), bool)))


# --- acceleration and smoothness ----------------------------------------------------------------------------------


def test_the_acceleration_of_t_squared_is_2_and_of_steady_motion_0() -> None:
    t = np.arange(60) / 30
    assert acceleration(along(t**2), 30.0) == pytest.approx(2.0, abs=1e-9)
    assert acceleration(along(3 * t), 30.0) == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(acceleration(along(t[:2]), 30.0))


def test_the_acceleration_of_noise_has_sigma_root_6_over_dt_squared_for_each_axis() -> None:
    noise = np.random.default_rng(0).normal(0, 0.001, (4000, 22, 3)) * [1.0, 0.0, 0.0]
    expected = 0.001 * math.sqrt(6) * 900 * math.sqrt(2 / math.pi)  # the mean of |x|, where the table has the rms
    assert acceleration(noise, 30.0) == pytest.approx(expected, rel=0.01)


def test_relative_to_the_root_a_common_acceleration_is_none() -> None:
    t = np.arange(60) / 30
    positions = np.repeat(along(t**2), 3, axis=1)
    positions[:, 2, 1] = 2 * t**2
    assert acceleration(positions, 30.0, root=0) == pytest.approx((0.0 + 4.0) / 2, abs=1e-9)
    valid = np.ones((60, 3), bool)
    valid[20, 0] = False
    spoilt = np.where(valid[..., None], positions, 99.0)
    assert acceleration(spoilt, 30.0, root=0, valid=valid) == pytest.approx(2.0, abs=1e-9)


def minimum_jerk(n: int, seconds: float = 2.0, metres: float = 0.3) -> tuple[NDArray[np.float64], float]:
    """A reach (n + 1, 1, 3) along x and its rate: 10 s^3 - 15 s^4 + 6 s^5."""
    s = np.linspace(0, 1, n + 1)
    return along(metres * (10 * s**3 - 15 * s**4 + 6 * s**5)), n / seconds


def test_the_smoothness_of_a_minimum_jerk_reach_is_approached_with_the_square_of_the_frame_time() -> None:
    error = [log_dimensionless_jerk(*minimum_jerk(n)) + math.log(204.8) for n in (100, 200, 400)]
    assert error[2] == pytest.approx(0, abs=1e-3)
    assert error[0] / error[1] == pytest.approx(4, rel=0.1)
    assert error[1] / error[2] == pytest.approx(4, rel=0.1)


def test_smoothness_has_no_unit_and_falls_with_tremor() -> None:
    x, fps = minimum_jerk(100)
    smooth = log_dimensionless_jerk(x, fps)
    assert log_dimensionless_jerk(7 * x, 3 * fps) == pytest.approx(smooth, abs=1e-9)
    tremor = along(0.002 * np.sin(2 * np.pi * 5 * np.arange(101) / fps))
    assert log_dimensionless_jerk(x + tremor, fps) < smooth - 1


def test_joints_at_rest_or_unseen_do_not_count_as_smooth() -> None:
    x, fps = minimum_jerk(100)
    three = np.concatenate([x, np.zeros_like(x), np.random.default_rng(0).normal(size=x.shape)], axis=1)
    valid = np.ones((101, 3), bool)
    valid[:, 2] = False
    assert log_dimensionless_jerk(three, fps, valid=valid) == pytest.approx(log_dimensionless_jerk(x, fps))
    assert log_dimensionless_jerk(three, fps, joints=[0]) == pytest.approx(log_dimensionless_jerk(x, fps))
    assert math.isnan(log_dimensionless_jerk(three, fps, valid=np.zeros_like(valid)))
    assert math.isnan(log_dimensionless_jerk(three[:3], fps))


# --- bones --------------------------------------------------------------------------------------------------------

TWO = Skeleton(("hip", "knee"), (-1, 0))


def test_bones_of_10_and_11_in_turn_depart_by_half_of_the_difference() -> None:
    positions = np.zeros((20, 2, 3))
    positions[:, 1, 1] = np.tile([1.0, 1.1], 10)
    assert bone_length_error(positions, TWO) == pytest.approx(0.05)


def test_a_body_moved_stiffly_has_no_error(standing: NDArray[np.float64]) -> None:
    walk = standing + np.linspace(0, 2, 30)[:, None, None]
    assert bone_length_error(walk) < 1e-12


def test_the_worst_bone_counts_and_masked_frames_do_not() -> None:
    positions = np.zeros((20, 2, 3))
    positions[:, 1, 1] = 1.0
    positions[7, 1, 1] = 3.0
    valid = np.ones((20, 2), bool)
    valid[7, 1] = False
    assert bone_length_error(positions, TWO) == pytest.approx(3.0 - 1.1)
    assert bone_length_error(positions, TWO, valid) == 0.0
    assert bone_length_error(positions, TWO, np.zeros_like(valid)) == 0.0


def test_bones_of_10_and_11_in_turn_vary_by_a_twenty_first() -> None:
    positions = np.zeros((20, 2, 3))
    positions[:, 1, 1] = np.tile([1.0, 1.1], 10)
    assert bone_length_variations(positions, TWO) == pytest.approx([0.0476190476])
    assert bone_length_variations(9 * positions, TWO) == pytest.approx([0.0476190476])
    without_knee = np.tile([True, False], (20, 1))
    assert np.isnan(bone_length_variations(positions, TWO, without_knee)).all()


def test_bones_vary_where_they_are_seen(standing: NDArray[np.float64]) -> None:
    walk = np.repeat(standing[None], 30, axis=0)
    walk[7, CANONICAL.index("left_foot")] += 1.0
    valid = np.ones((30, 22), bool)
    assert np.nanmax(bone_length_variations(walk)) > 0.1
    valid[7, CANONICAL.index("left_foot")] = False
    assert bone_length_variations(walk, valid=valid) == pytest.approx(np.zeros(21), abs=1e-12)


def test_a_person_3_cm_in_the_air_for_half_the_time_floats_15_mm() -> None:
    positions = np.zeros((40, 22, 3))
    positions[20:, CANONICAL.indices(*FEET), 1] = 0.03
    assert floating(positions) == pytest.approx(15.0)
    positions[:, CANONICAL.index("left_foot"), 1] = 0.0  # one foot stands: nobody floats
    assert floating(positions) == pytest.approx(0.0)
    assert floating(positions - [0.0, 0.1, 0.0], floor=0.0) == 0.0
    assert math.isnan(floating(positions, valid=np.zeros((40, 22), bool)))
