"""Joint angles: by hand first, then what turning, mirroring and hiding may change."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.data.simulator import simulate
from rehabmotion.metrics.angles import (
    LIMBS,
    PAIRS,
    ROM_NAMES,
    angles_deg,
    range_of_motion_deg,
    rom_vector,
    symmetry_index,
)
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.transforms import mirror

Place = Callable[..., NDArray[np.float64]]


@pytest.fixture
def placed(standing: NDArray[np.float64]) -> Place:
    """A function that returns one standing frame with some joints put elsewhere."""

    def place(**joints: tuple[float, float, float]) -> NDArray[np.float64]:
        x = standing.copy()
        for name, at in joints.items():
            x[CANONICAL.index(name)] = at
        return x[None]

    return place


def test_a_knee_at_right_angles(placed: Place) -> None:
    x = placed(left_hip=(0, 1, 0), left_knee=(0, 0.5, 0), left_ankle=(0, 0.5, 0.5))
    assert angles_deg(x)["left_knee_flexion"] == pytest.approx(90)
    straight = placed(left_hip=(0, 1, 0), left_knee=(0, 0.5, 0), left_ankle=(0, 0, 0))
    assert angles_deg(straight)["left_knee_flexion"] == pytest.approx(0, abs=1e-5)


def test_trunk_hip_and_arm_by_hand(placed: Place) -> None:
    upright = {"pelvis": (0.0, 1.0, 0.0), "neck": (0.0, 1.5, 0.0)}
    found = angles_deg(placed(**upright, right_shoulder=(-0.2, 1.4, 0), right_elbow=(-0.5, 1.4, 0)))
    assert found["right_shoulder_elevation"] == pytest.approx(90)
    assert found["trunk_inclination"] == pytest.approx(0, abs=1e-5)
    found = angles_deg(placed(**upright, left_hip=(0.1, 1, 0), left_knee=(0.1, 1, 0.5)))
    assert found["left_hip_flexion"] == pytest.approx(90)
    bowed = angles_deg(placed(pelvis=(0, 1, 0), neck=(0, 1, 0.5)))
    assert bowed["trunk_inclination"] == pytest.approx(90)
    leant = angles_deg(placed(pelvis=(0, 1, 0), neck=(0.5, 1.5, 0)))
    assert leant["trunk_lean"] == pytest.approx(45)


def test_a_deep_bow_is_no_lean_even_below_the_horizontal(placed: Place) -> None:
    """Measured in the world's axes, a neck 2 cm to the side of a bow past the horizontal leant by 130 degrees."""
    bows = [placed(pelvis=(0, 1, 0), neck=(0.02, 1 + 0.5 * np.cos(a), 0.5 * np.sin(a))) for a in (0.0, 1.0, 1.7)]
    assert range_of_motion_deg(np.concatenate(bows))["trunk_lean"] < 0.1


def test_a_segment_without_length_has_no_angle(placed: Place) -> None:
    assert np.isnan(angles_deg(placed(left_knee=(0, 1, 0), left_hip=(0, 1, 0)))["left_knee_flexion"]).all()


def test_a_range_is_the_largest_minus_the_smallest(placed: Place) -> None:
    bent = [placed(left_hip=(0, 1, 0), left_knee=(0, 0.5, 0), left_ankle=(0, 0.5 - 0.5 * c, 0.5 * s))
            for c, s in ((1, 0), (np.cos(1), np.sin(1)), (np.cos(0.4), np.sin(0.4)))]  # fmt: skip
    rom = range_of_motion_deg(np.concatenate(bent))
    assert rom["left_knee_flexion"] == pytest.approx(np.degrees(1), abs=1e-4)
    assert rom["right_knee_flexion"] == 0
    assert list(rom) == list(ROM_NAMES)


def test_turning_about_the_vertical_and_walking_off_change_no_angle() -> None:
    x = simulate("side_lunge", "left", 3).positions.astype(float)
    a = 0.7
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    before, after = rom_vector(x), rom_vector(x @ turn.T + [3.0, 0.0, -2.0])
    assert np.allclose(before, after, atol=1e-6)


def test_mirroring_exchanges_left_and_right() -> None:
    motion = simulate("hurdle_step", "left", 3)
    rom, other = rom_vector(motion.positions), rom_vector(mirror(motion).positions)
    assert np.allclose(rom[PAIRS], other[PAIRS[:, ::-1]], atol=1e-4)
    assert np.allclose(symmetry_index(rom), symmetry_index(other), atol=1e-5)
    assert symmetry_index(rom)[list(LIMBS).index("hip_flexion")] > 0.5


def test_what_was_not_seen_is_left_out() -> None:
    motion = simulate("deep_squat", "both", 3)
    valid = motion.valid.copy()
    valid[:, CANONICAL.index("left_ankle")] = False
    x = motion.positions.copy()
    x[:, CANONICAL.index("left_ankle")] = 9.0
    rom = range_of_motion_deg(x, valid)
    assert np.isnan(rom["left_knee_flexion"])
    assert np.isnan(rom["left_ankle"])
    assert rom["right_knee_flexion"] == pytest.approx(range_of_motion_deg(motion.positions)["right_knee_flexion"])
    assert np.isnan(symmetry_index(rom_vector(x, valid))[0])


def test_limbs_at_rest_are_alike_and_one_alone_is_not() -> None:
    rom = np.zeros(len(ROM_NAMES))
    assert (symmetry_index(rom) == 0).all()
    rom[0] = 40.0
    assert symmetry_index(rom)[0] == 2
    rom[1] = 20.0
    assert symmetry_index(rom)[0] == pytest.approx(2 * 20 / 60)
