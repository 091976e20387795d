"""Ranges of joints: what is outside comes back, what is inside stays."""

import numpy as np
import pytest

from rehabmotion.data.simulator import SIMULATED, simulate
from rehabmotion.geometry.limbs import turned
from rehabmotion.metrics.angles import angles_deg
from rehabmotion.metrics.physical import bone_length_error
from rehabmotion.motion import CANONICAL, EXERCISES, Motion
from rehabmotion.motion.cleanup import CleanUpConfig, clean_up
from rehabmotion.motion.cleanup.limits import BELOW, RANGES, exceeded_deg, within_limits


def bent(motion: Motion, joint: str, axis: tuple[float, float, float], degrees: np.ndarray) -> Motion:
    """The bone above `joint` and all beyond turned about its upper end by `degrees` (T,) from the pose it has."""
    x = motion.positions.astype(np.float64)
    chain = BELOW[CANONICAL.index(joint)]
    centre = x[:, CANONICAL.parents[CANONICAL.index(joint)], None]
    about = np.broadcast_to(np.array(axis), (len(x), 1, 3))
    x[:, chain] = centre + turned(x[:, chain] - centre, about, np.radians(degrees)[:, None])
    return motion.but(positions=x)


def pulse(degrees: float) -> np.ndarray:
    """0, then up to `degrees` in the middle second, then 0: (60,)."""
    return degrees * np.exp(-0.5 * ((np.arange(60) - 30) / 5) ** 2)


def test_an_overstretched_knee_is_straightened(still: Motion) -> None:
    """A shank that swings forward about the left-pointing axis by 40 degrees comes back to 5 of overstretching."""
    broken = bent(still, "left_ankle", (-1.0, 0.0, 0.0), pulse(40.0))
    before = exceeded_deg(broken.positions, broken.valid)["left_knee_extension"]
    assert before.max() > 20
    y, found = within_limits(broken.positions.astype(np.float64), broken.valid, 30.0, 0.1)
    assert found["left_knee_extension"] == pytest.approx(before.max(), abs=0.01)
    assert exceeded_deg(y, broken.valid)["left_knee_extension"].max() < 0.1
    assert set(found) == {"left_knee_extension"}
    assert np.abs(y[:8] - broken.positions[:8]).max() < 1e-6  # long before, nothing happens
    others = [j for j in range(22) if j not in BELOW[CANONICAL.index("left_ankle")]]
    assert np.abs(y[:, others] - broken.positions[:, others]).max() < 1e-6
    clean, report = clean_up(broken)
    assert "left_knee_extension" in report.limits
    assert exceeded_deg(clean.positions, clean.valid)["left_knee_extension"].max() < 1.0


@pytest.mark.parametrize(
    ("name", "joint", "axis", "degrees"),
    [
        ("hip_extension", "left_knee", (1.0, 0.0, 0.0), 85.0),
        ("hip_adduction", "left_knee", (0.0, 0.0, -1.0), 70.0),
        ("ankle_dorsiflexion", "left_foot", (-1.0, 0.0, 0.0), 80.0),
        ("shoulder_extension", "left_elbow", (1.0, 0.0, 0.0), 100.0),
        ("elbow_extension", "left_wrist", (1.0, 0.0, 0.0), 80.0),
        ("neck_bend", "head", (1.0, 0.0, 0.0), 110.0),
        ("spine_bend_upper", "neck", (1.0, 0.0, 0.0), 90.0),
    ],
)
def test_each_range_brings_its_bone_back_smoothly(
    still: Motion, name: str, joint: str, axis: tuple[float, float, float], degrees: float
) -> None:
    broken = bent(still, joint, axis, pulse(degrees))
    side = "left_" if joint.startswith("left") else ""
    before = exceeded_deg(broken.positions, broken.valid)[side + name]
    assert before.max() > 5
    y, found = within_limits(broken.positions.astype(np.float64), broken.valid, 30.0, 0.1)
    assert side + name in found
    assert exceeded_deg(y, broken.valid)[side + name].max() < 0.5
    assert bone_length_error(y) < 1e-6
    third = [np.abs(np.diff(x, 3, axis=0)).max() for x in (broken.positions.astype(np.float64), y)]
    assert third[1] < 2.0 * third[0]  # no jump


def test_clean_simulated_motions_are_inside_all_ranges() -> None:
    for exercise in SIMULATED:
        for side in EXERCISES[exercise].sides:
            motion = simulate(exercise, side, 2, score=100)
            worst = {k: v.max() for k, v in exceeded_deg(motion.positions, motion.valid).items() if v.max() > 3}
            assert worst == {}, exercise


def test_a_joint_that_was_not_seen_is_never_judged(still: Motion) -> None:
    broken = bent(still, "left_ankle", (-1.0, 0.0, 0.0), pulse(40.0))
    valid = broken.valid.copy()
    valid[:, CANONICAL.index("left_ankle")] = False
    y, found = within_limits(broken.positions.astype(np.float64), valid, 30.0, 0.1)
    assert found == {}
    assert (y == broken.positions).all()


def test_limits_can_be_switched_off(still: Motion) -> None:
    broken = bent(still, "left_wrist", (1.0, 0.0, 0.0), pulse(80.0))
    clean, report = clean_up(broken, CleanUpConfig(limits=False))
    assert report.limits == {}
    flexion = [angles_deg(m.positions)["left_elbow_flexion"] for m in (broken, clean)]
    np.testing.assert_allclose(*flexion, atol=1e-3)


def test_names_are_unique() -> None:
    assert len({one.name for one in RANGES}) == len(RANGES)
