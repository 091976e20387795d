"""Cutting MARS into repetitions: synthetic signals with known valleys, then the real counts."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.data.mars import BOUNDARIES, at_rest, effort, find_repetitions, load
from rehabmotion.errors import UserError
from rehabmotion.io.mars import SKELETON
from rehabmotion.motion import CANONICAL, Motion

FPS = 10.0


def bumps(rests: list[int], efforts: list[int]) -> np.ndarray:
    """A signal of raised cosines (height 1) of the given lengths in frames, with rests (0) between."""
    parts = [np.zeros(rests[0])]
    for effort_length, rest in zip(efforts, rests[1:], strict=True):
        parts += [0.5 - 0.5 * np.cos(2 * np.pi * np.arange(effort_length) / effort_length), np.zeros(rest)]
    return np.concatenate(parts)


def test_each_bump_is_one_repetition_that_holds_its_peak_and_starts_at_rest():
    signal = bumps([10, 12, 12, 12, 10], [25, 25, 25, 25])
    cuts = find_repetitions(signal, FPS)
    assert len(cuts) == 4
    for number, (start, end) in enumerate(cuts):
        peak = 10 + 12 * number + 25 * number + 12.5
        assert abs(0.5 * (start + end - 1) - peak) <= 1
        assert signal[start] < 0.15
        assert signal[end - 1] < 0.15


def test_touching_bumps_are_cut_at_the_valley():
    signal = bumps([5, 0, 0, 5], [30, 30, 30])
    cuts = find_repetitions(signal, FPS)
    assert len(cuts) == 3
    assert all(abs(end - start) <= 2 for (_, end), (start, _) in itertools.pairwise(cuts))
    assert abs(cuts[0][1] - 35) <= 2
    assert abs(cuts[1][1] - 65) <= 2


def test_a_pause_half_way_does_not_split_a_repetition():
    signal = bumps([10, 10], [40])
    with_dip = signal - 0.45 * np.exp(-((np.arange(len(signal)) - 30) ** 2) / 20)
    assert with_dip[30] < 0.6 < with_dip[24]
    assert len(find_repetitions(np.concatenate([with_dip, with_dip]), FPS)) == 2


def test_repetitions_cut_off_at_the_ends_are_left_out():
    signal = bumps([10, 10, 10, 10], [30, 30, 30])
    assert len(find_repetitions(signal[25:], FPS)) == 2
    assert len(find_repetitions(signal[:-25], FPS)) == 2


def test_too_slow_and_too_fast_are_left_out():
    assert find_repetitions(bumps([20, 20, 20], [200, 200]), FPS) == []  # 20 s each
    assert find_repetitions(bumps([1] * 32, [6] * 31), FPS) == []  # 0.6 s each


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=200))
def test_any_signal_gives_ordered_cuts_inside_it(values: list[float]):
    cuts = find_repetitions(np.array(values), FPS)
    flat = [frame for start, end in cuts for frame in (start, end - 1)]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(values) and 10 <= end - start <= 80 for start, end in cuts)


def test_repetitions_that_start_elsewhere_are_not_at_rest():
    positions = np.zeros((60, 22, 3))
    positions[0] += 0.2
    assert at_rest(positions, [(0, 20), (20, 40), (40, 60)]) == [(20, 40), (40, 60)]
    assert at_rest(positions, []) == []


def test_effort_follows_the_moving_arm_and_the_sinking_pelvis():
    positions = np.zeros((2, 22, 3))
    names = CANONICAL.joint_names
    positions[1, names.index("left_wrist"), 1] = 0.6
    positions[1, names.index("pelvis"), 1] = -0.3
    motion = Motion(positions, FPS)
    for exercise, side, change in [
        ("upper_limb_extension", "left", 0.9),
        ("upper_limb_extension", "right", 0.3),
        ("upper_limb_extension", "both", 0.6),
        ("squat", "both", 0.3),
        ("side_lunge", "left", 0.3),
    ]:
        assert np.ptp(effort(motion, exercise, side)) == pytest.approx(change, abs=1e-6)


def test_boundaries_rise_and_have_ten_movements():
    for edges in BOUNDARIES.values():
        assert len(edges) == 11
        assert list(edges) == sorted(set(edges))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"kinect_data_validate\.csv"):
        next(load(tmp_path))


def test_another_number_of_frames_is_refused(tmp_path: Path):
    folder = tmp_path / "synced_data/wooutlier/subject1/timesplit"
    folder.mkdir(parents=True)
    header = ",".join(f"{name}_{axis}" for axis in "XYZ" for name in SKELETON.joint_names)
    (folder / "kinect_data_validate.csv").write_text(header + "\n" + ",".join(["0.5"] * 75) + "\n")
    with pytest.raises(UserError, match=r"Expected 2365 frames .* got 1"):
        next(load(tmp_path))


def test_the_real_set_has_974_repetitions_of_all_ten_movements(data_dir: Path):
    motions = list(load(data_dir / "mars"))
    counts = Counter((m.meta["exercise"], m.meta["side"]) for m in motions)
    assert len(motions) == 974
    assert len(counts) == 10
    assert min(counts.values()) >= 60
    assert {m.meta["subject"] for m in motions} == {"1", "2", "3"}
    for motion in motions:
        assert 1 <= motion.seconds <= 8
        assert motion.valid.all()
        assert motion.text == ""
        assert motion.scores == ()
        first, last = motion.positions[0], motion.positions[-1]
        assert np.linalg.norm(first - last, axis=-1).mean() < 0.2  # back where it began


def test_in_the_real_set_the_named_side_is_the_side_that_moves(data_dir: Path):
    for motion in load(data_dir / "mars"):
        exercise, side = motion.meta["exercise"], motion.meta["side"]
        if exercise == "limb_extension":
            other = {"left": "right", "right": "left"}[side]
            assert np.ptp(motion.joint(f"{side}_ankle")[:, 0]) > np.ptp(motion.joint(f"{other}_ankle")[:, 0])
        if exercise == "side_lunge":
            x = motion.joint("pelvis")[:, 0]
            assert (x[len(x) // 2] > x[0]) == (side == "left")
