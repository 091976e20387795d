"""Clean-up of whole motions: what slides stands still, what sinks stands up, what is clean stays."""

import numpy as np
import pytest

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.metrics.physical import bone_length_error, foot_slide, jerk, log_dimensionless_jerk
from rehabmotion.motion import CANONICAL, FEET, Motion, Skeleton
from rehabmotion.motion.cleanup import CleanUpConfig, clean_up
from rehabmotion.motion.retarget import bone_lengths
from rehabmotion.motion.transforms import canonicalise

LEGS = CANONICAL.indices("left_knee", "right_knee", *FEET)


def shifted(motion: Motion, by: np.ndarray, joints: list[int] | None = None) -> Motion:
    positions = motion.positions.astype(np.float64)
    positions[:, joints if joints is not None else slice(None)] += by
    return motion.but(positions=positions)


def largest_mm(a: Motion, b: Motion) -> float:
    return float(1000 * np.linalg.norm(a.positions - b.positions, axis=-1).max())


def trembling(motion: Motion, size: float, hz: float = 0.7) -> Motion:
    """The body over feet that slide back and forth, each its own way, bones kept by the whole legs' turning."""
    t = np.arange(motion.n_frames) / motion.fps
    swing = size * np.sin(2 * np.pi * hz * t)[:, None] * np.array([1.0, 0.0, 1.0])
    return shifted(motion, swing[:, None])


def test_a_slide_of_3_mm_a_frame_is_locked(still: Motion) -> None:
    steps = 0.003 * np.arange(60)[:, None, None] * np.array([0.0, 0.0, 1.0])
    sliding = shifted(still, steps)
    assert foot_slide(sliding.positions) == pytest.approx(3.0, abs=1e-3)
    clean, report = clean_up(sliding)
    assert foot_slide(clean.positions) < 0.3
    assert report.slide is not None
    assert report.slide[0] == pytest.approx(3.0, abs=1e-3)
    assert report.slide[1] < 0.3
    assert report.contact == {"left": 1.0, "right": 1.0}


def test_a_wavering_slide_is_locked_and_gets_no_rougher(still: Motion) -> None:
    sliding = trembling(still, 0.03)
    assert foot_slide(sliding.positions) > 2.0
    clean, _ = clean_up(sliding)
    assert foot_slide(clean.positions) < 0.3
    assert jerk(clean.positions, 30) <= 1.05 * jerk(sliding.positions, 30)


@pytest.mark.parametrize("height", [-0.05, 0.05])
def test_a_body_sunk_or_floating_by_5_cm_stands_on_the_floor(still: Motion, height: float) -> None:
    clean, report = clean_up(shifted(still, np.array([0.0, height, 0.0])))
    assert largest_mm(clean, still) < 1.0
    assert report.floating is not None
    assert report.floating[1] < 1.0
    assert report.penetration[1] < 0.1
    assert report.moved["pelvis"] == pytest.approx(50.0, abs=1.0)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("exercise", ["deep_squat", "sit_to_stand"])
def test_a_clean_simulated_motion_changes_by_less_than_5_mm(exercise: str, seed: int) -> None:
    motion = canonicalise(simulate(exercise, "both", seed, score=100))
    clean, report = clean_up(motion)
    assert largest_mm(clean, motion) < 5.0
    assert report.limits == {}


@pytest.mark.parametrize("exercise", ["hurdle_step", "inline_lunge", "standing_active_straight_leg_raise"])
def test_steps_stay_steps(exercise: str) -> None:
    """A foot that is lifted goes as high as before and lands where it did, to 2 cm."""
    motion = canonicalise(simulate(exercise, "left", 4, score=100))
    clean, _ = clean_up(motion)
    feet = CANONICAL.indices(*FEET)
    assert np.ptp(clean.positions[:, feet, 1], axis=0) == pytest.approx(
        np.ptp(motion.positions[:, feet, 1], axis=0), abs=0.02
    )
    assert np.abs(clean.positions - motion.positions).max() < 0.04
    assert jerk(clean.positions, 30) < 1.05 * jerk(motion.positions, 30) + 1.0  # m/s3; the simulator has no noise


@pytest.mark.parametrize("exercise", ["deep_squat", "hurdle_step", "inline_lunge", "side_lunge"])
def test_noisy_feet_are_calmed_bones_stay_and_smoothness_does_not_suffer(exercise: str) -> None:
    motion = canonicalise(simulate(exercise, "both" if exercise == "deep_squat" else "right", 6))
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.normal(0, 0.002, (motion.n_frames, 22, 3)), axis=0)
    noise[:, [j for j in range(22) if j not in LEGS]] = 0.0
    lengths = bone_lengths(motion.positions, motion.valid)
    from rehabmotion.motion.retarget import with_bone_lengths
    from rehabmotion.motion.transforms import smooth

    rough = canonicalise(with_bone_lengths(smooth(shifted(motion, noise)), lengths))
    clean, report = clean_up(rough)
    assert report.slide is not None
    assert report.slide[1] < 0.4 * report.slide[0]
    assert bone_length_error(clean.positions) < 1e-6
    assert bone_lengths(clean.positions, clean.valid) == pytest.approx(lengths, abs=1e-5)
    assert jerk(clean.positions, 30) < 1.05 * jerk(rough.positions, 30)
    before, after = (log_dimensionless_jerk(m.positions, 30) for m in (rough, clean))
    assert after > before - 0.05 * abs(before)


def test_cleaning_twice_changes_less_than_a_millimetre(still: Motion) -> None:
    for motion in (trembling(still, 0.03), canonicalise(simulate("deep_squat", "both", 5))):
        once, _ = clean_up(motion)
        assert largest_mm(clean_up(once)[0], once) < 1.0


@pytest.mark.parametrize(
    "exercise", ["active_straight_leg_raise", "trunk_stability_push_up", "rotary_stability_ipsilateral"]
)
def test_who_lies_or_kneels_is_not_made_to_stand(exercise: str) -> None:
    side = "both" if exercise == "trunk_stability_push_up" else "left"
    motion = canonicalise(simulate(exercise, side, 3))
    clean, report = clean_up(motion)
    assert report.standing == 0.0
    assert report.slide is None
    assert report.notes
    assert clean.positions[..., 1].min() >= -1e-6
    moved = clean.positions - motion.positions
    assert np.ptp(moved, axis=1).max() < 1e-5  # as a whole, and only upwards
    assert moved[..., 1].min() > -1e-5
    assert np.abs(moved[..., [0, 2]]).max() < 1e-5


def test_the_posture_of_an_unknown_motion_is_seen_from_the_trunk() -> None:
    lying = canonicalise(simulate("active_straight_leg_raise", "left", 3)).but(meta={"exercise": None})
    standing = canonicalise(simulate("squat", "both", 3)).but(meta={"exercise": None})
    assert clean_up(lying)[1].standing == 0.0
    assert clean_up(standing)[1].standing == 1.0
    both = standing.but(positions=np.concatenate([standing.positions, lying.positions]), valid=None)
    shown = clean_up(both)[1].standing
    assert shown == pytest.approx(standing.n_frames / both.n_frames, abs=0.1)
    told = np.zeros(both.n_frames, bool)
    assert clean_up(both, standing=told)[1].standing == 0.0


def test_parts_can_be_switched_off(still: Motion) -> None:
    sunk = shifted(trembling(still, 0.03), np.array([0.0, -0.05, 0.0]))
    off, _ = clean_up(sunk, CleanUpConfig(limits=False, floor=False))
    assert largest_mm(off, sunk) == 0.0
    lifted, _ = clean_up(sunk, CleanUpConfig(lock=False))
    assert foot_slide(lifted.positions) == pytest.approx(foot_slide(sunk.positions), abs=0.1)
    assert lifted.positions[:, LEGS, 1].min() > -0.002


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_a_few_frames_are_enough(still: Motion, n: int) -> None:
    short = still.but(positions=still.positions[:n] - np.float32([0, 0.05, 0]), valid=None)
    clean, _ = clean_up(short)
    assert clean.positions.shape == (n, 22, 3)
    assert np.abs(clean.positions - still.positions[:n]).max() < 0.002


def test_a_long_motion_takes_time_in_proportion(still: Motion) -> None:
    """A minute as it may come from a plan: 1,800 frames; foot height and place are the same all along."""
    long = canonicalise(simulate("squat", "both", 3))
    many = long.but(positions=np.concatenate([long.positions] * 20), valid=None)
    clean, report = clean_up(many)
    assert clean.n_frames == 20 * long.n_frames
    assert report.slide is not None
    assert report.slide[1] < 0.3


def test_missing_joints_are_left_alone(still: Motion) -> None:
    """KIMORE's arrays have no feet and no head; their ankles still stand."""
    valid = still.valid.copy()
    gone = CANONICAL.indices("left_foot", "right_foot", "head")
    valid[:, gone] = False
    sliding = trembling(still, 0.03).but(valid=valid)
    clean, _ = clean_up(sliding)
    assert (clean.positions[:, gone] == sliding.positions[:, gone]).all()
    assert (clean.valid == valid).all()
    ankles = CANONICAL.indices("left_ankle", "right_ankle")
    assert np.linalg.norm(np.diff(clean.positions[:, ankles][..., [0, 2]], axis=0), axis=-1).mean() < 0.0005


def test_a_gap_in_an_ankle_is_bridged_and_stays_a_gap(still: Motion) -> None:
    valid = still.valid.copy()
    valid[20:30, CANONICAL.index("left_ankle")] = False
    holed = still.but(valid=valid)
    clean, _ = clean_up(holed)
    assert (clean.valid == valid).all()
    assert np.abs(clean.positions - still.positions)[valid].max() < 0.005


def test_without_legs_the_feet_are_left_alone(still: Motion) -> None:
    valid = still.valid.copy()
    valid[:, LEGS] = False
    clean, report = clean_up(still.but(valid=valid))
    assert report.notes == ("legs were never seen: feet left alone",)
    assert report.slide is None
    assert (clean.positions == still.positions).all()


def test_bad_input_is_refused(still: Motion) -> None:
    with pytest.raises(UserError, match="canonical 22 joints"):
        clean_up(Motion(np.zeros((5, 1, 3)), 30.0, skeleton=Skeleton(("a",), (-1,))))
    with pytest.raises(UserError, match="Expected standing of shape"):
        clean_up(still, standing=np.ones(3, bool))
    with pytest.raises(UserError, match="finite positions"):
        clean_up(shifted(still, np.array([np.nan, 0, 0])))
    with pytest.raises(UserError, match="Expected slow > 0"):
        CleanUpConfig(slow=0.0)
    with pytest.raises(UserError, match="low < high"):
        CleanUpConfig(low=0.2)


def test_the_report_is_ready_for_json(still: Motion) -> None:
    import json

    report = clean_up(still)[1]
    assert json.loads(json.dumps(report.as_json()))["moved"].keys() == set(CANONICAL.joint_names)


def test_real_clips_keep_their_smoothness_and_stand(data_dir: object) -> None:
    """Kinect and Vicon clips of UI-PRMD: no rougher as a whole, and feet slide less."""
    from pathlib import Path

    from rehabmotion.data.prepare import prepared

    for name in ("uiprmd:val", "uiprmd-vicon:val"):
        motions = [m for m in prepared(name, Path(str(data_dir))) if m.valid.all()][::20]
        clean = [clean_up(m)[0] for m in motions]
        rough = [np.mean([jerk(m.positions, m.fps) for m in group]) for group in (motions, clean)]
        slide = [np.mean([foot_slide(m.positions) for m in group]) for group in (motions, clean)]
        assert rough[1] < 1.05 * rough[0]
        assert slide[1] < 0.7 * slide[0]
