"""KIMORE corpus: levelling in closed form, lost legs masked, repetitions cut as labelled."""

from pathlib import Path

import numpy as np
import pytest

from rehabmotion.data.kimore import load
from rehabmotion.data.kimore_sensor import LOWER_BODY, levelled, sensor_pitch, with_lost_legs_masked
from rehabmotion.errors import UserError
from rehabmotion.io.kimore import SKELETON_18
from rehabmotion.motion import Motion

HEIGHTS = {
    "SpineShoulder": 1.3,
    "Neck": 1.37,
    "SpineMid": 1.1,
    "SpineBase": 0.8,
    "Hip": 0.8,
    "Knee": 0.45,
    "Ankle": 0.1,
}


def standing(pitch_deg: float = 0.0, n_frames: int = 40) -> Motion:
    """A person upright 2.5 m before a sensor pitched so that the body seems to lean to it by `pitch_deg`."""
    x = np.zeros((n_frames, 18, 3))
    for j, name in enumerate(SKELETON_18.joint_names):
        side = 0.1 if "Left" in name else -0.1 if "Right" in name else 0.0
        x[:, j] = (side, HEIGHTS.get(name.removesuffix("Left").removesuffix("Right"), 1.2), -2.5)
    c, s = np.cos(np.radians(pitch_deg)), np.sin(np.radians(pitch_deg))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Motion((x @ turn.T).astype(np.float32), 30, SKELETON_18)


@pytest.mark.parametrize("pitch_deg", [-5.0, 0.0, 14.0])
def test_pitch_is_found_and_taken_out(pitch_deg: float) -> None:
    motion = standing(pitch_deg)
    pitch = sensor_pitch([motion])
    assert np.degrees(pitch) == pytest.approx(pitch_deg, abs=1e-3)
    level = levelled(motion, pitch)
    np.testing.assert_allclose(level.positions, standing().positions, atol=1e-5)
    assert level.meta["tilt_deg"] == pitch_deg


def test_pitch_ignores_bent_frames() -> None:
    """A third of the frames bends forward with the shoulders 30 cm lower: the upright ones decide."""
    motion = standing(12.0, 60)
    bent = motion.positions.copy()
    bent[:20, SKELETON_18.index("SpineShoulder")] += np.array([0.0, -0.3, 0.6])
    assert np.degrees(sensor_pitch([motion.but(positions=bent)])) == pytest.approx(12.0, abs=1e-3)


def test_one_lifted_ankle_masks_that_leg_only() -> None:
    positions = standing().positions.copy()
    positions[5:15, SKELETON_18.index("AnkleLeft"), 1] += 0.3
    masked = with_lost_legs_masked([standing().but(positions=positions)])[0]
    lost = np.zeros((40, 18), dtype=bool)
    lost[5:15, SKELETON_18.indices("KneeLeft", "AnkleLeft")] = True
    np.testing.assert_array_equal(~masked.valid, lost)


def test_shrunk_trunk_masks_the_lower_body() -> None:
    """Hips, knees and ankles 10 cm too high: the trunk shrinks from 50 to 40 cm though no ankle is lifted by 20."""
    positions = standing().positions.copy()
    below = [j for j, name in enumerate(SKELETON_18.joint_names) if name in LOWER_BODY and name != "SpineMid"]
    for j in below:
        positions[30:, j, 1] += 0.1
    masked = with_lost_legs_masked([standing().but(positions=positions)])[0]
    lost = np.zeros((40, 18), dtype=bool)
    lost[30:, SKELETON_18.indices(*LOWER_BODY)] = True
    np.testing.assert_array_equal(~masked.valid, lost)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"kimore_patients_ex1\.npz"):
        list(load(tmp_path))


def test_repetitions_of_the_real_set(data_dir: Path) -> None:
    """810 labelled ones; 61 lost to the sensor or the ringing ends. Sides as the trunk bends and turns."""
    motions = list(load(data_dir / "kimore"))
    assert len(motions) == 749
    assert all(m.meta["repetition"] >= 1 and 0.9 < m.seconds < 25 for m in motions)
    assert not any(m.meta["subject_number"] == 50 and m.meta["exercise"] == "arm_lift" for m in motions)
    first = next(m for m in motions if m.meta["exercise"] == "trunk_rotation")
    assert (first.n_frames, first.meta["side"], first.scores[0].value) == (71, "right", 40)
    assert first.fps == pytest.approx(747 * 30 / 1171)
    tilts = {m.meta["subject_number"]: m.meta["tilt_deg"] for m in motions}
    assert {s for s, tilt in tilts.items() if tilt > 10} == {41, 45, 46, 52, 54, 57, 59, 62, 63, 67, 68}
    assert all(abs(tilt) < 16 for tilt in tilts.values())
    agree = [np.sign(_bend(m)) == (1 if m.meta["side"] == "left" else -1) for m in motions if _tilts_well(m)]
    assert len(agree) > 50
    assert np.mean(agree) > 0.95


def _bend(motion: Motion) -> float:
    """How far the neck goes over the pelvis, + = to the subject's left, where it is farthest."""
    lateral = motion.joint("neck")[:, 0] - motion.joint("pelvis")[:, 0]
    return float(lateral[np.argmax(np.abs(lateral))])


def _tilts_well(motion: Motion) -> bool:
    return (
        motion.meta["exercise"] == "lateral_trunk_tilt" and bool(motion.valid[:, 0].all()) and abs(_bend(motion)) > 0.08
    )
