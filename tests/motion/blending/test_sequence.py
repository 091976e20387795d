"""Sources one after the other and over one another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.data.simulator import simulate
from rehabmotion.metrics.physical import bone_length_error
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.blending.clip import Clip, grounded
from rehabmotion.motion.blending.parts import PARTS, joints_of
from rehabmotion.motion.blending.poses import ANKLES, TOES, put_together, take_apart
from rehabmotion.motion.blending.quiet import Quiet, standing_pose
from rehabmotion.motion.blending.sequence import (
    BRIEFEST,
    Source,
    Stretch,
    compose,
    joined,
    laid_over,
    placing,
    settled,
    switches,
)
from rehabmotion.motion.retarget import bone_lengths, with_bone_lengths

Array = NDArray[np.float64]
FPS = 30.0


def moving(exercise: str, side: str, lengths: Array | None, start: float, end: float, seed: int = 3) -> Clip:
    """Return a simulated repetition on the clock of a plan, of a body with these bones."""
    motion = simulate(exercise, side, seed, grade=3)
    if lengths is not None:
        motion = with_bone_lengths(motion, lengths)
    return Clip(grounded(motion.positions, motion.fps), motion.fps, start, end)


@pytest.fixture(scope="module")
def lengths() -> Array:
    x = simulate("deep_squat", "both", 3, grade=3).positions
    return bone_lengths(x, np.ones(x.shape[:2], bool))


def played(rows: dict[str, list[Stretch]], sources: list[Source], seconds: float, lengths: Array) -> Array:
    windows = switches(rows, sources, lengths)
    times = np.arange(round(seconds * FPS)) / FPS
    return compose(rows, windows, settled(rows, windows, sources), times, lengths)


def all_parts(stretches: list[Stretch]) -> dict[str, list[Stretch]]:
    return {part: list(stretches) for part in PARTS}


def test_what_is_laid_over_takes_its_time_and_the_rest_stays() -> None:
    below, above = [Stretch(0, 0.0, 5.0), Stretch(1, 5.0, 9.0)], [Stretch(2, 1.0, 4.0, 2)]
    assert laid_over(below, above) == [
        Stretch(0, 0.0, 1.0),
        Stretch(2, 1.0, 4.0, 2),
        Stretch(0, 4.0, 5.0),
        Stretch(1, 5.0, 9.0),
    ]


def test_what_would_show_for_a_moment_is_left_out() -> None:
    below, above = [Stretch(0, 0.0, 9.0)], [Stretch(1, 0.3, 4.0), Stretch(2, 4.4, 8.9)]
    row = laid_over(below, above)
    assert [s.source for s in row] == [1, 2]
    assert [(s.start, s.end) for s in row] == [(0.0, pytest.approx(4.2)), (pytest.approx(4.2), 9.0)]


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.7, 8)), max_size=5))
def test_a_row_has_no_gaps_and_no_overlaps(spans: list[tuple[float, float]]) -> None:
    above, now = [], 0.0
    for number, (pause, length) in enumerate(spans, start=1):
        above.append(Stretch(number, now + pause, now + pause + length, 2))
        now = above[-1].end
    row = laid_over([Stretch(0, 0.0, now + 1.0)], above)
    assert (row[0].start, row[-1].end) == (0.0, now + 1.0)
    assert all(a.end == b.start for a, b in pairwise(row))
    assert all(s.length >= BRIEFEST - 1e-9 for s in row)


def test_gaps_are_met_in_the_middle() -> None:
    assert joined([Stretch(0, 1.0, 2.0), Stretch(1, 3.0, 4.0)], 0.0, 5.0) == [
        Stretch(0, 0.0, 2.5),
        Stretch(1, 2.5, 5.0),
    ]


def test_windows_do_not_overlap_and_leave_the_higher_rank_its_time(lengths: Array) -> None:
    sources: list[Source] = [
        moving("deep_squat", "both", lengths, 0.0, 2.0),
        moving("arm_lift", "both", lengths, 2.0, 4.0),
        moving("deep_squat", "both", lengths, 4.0, 6.0),
    ]
    row = [Stretch(0, 0.0, 2.0, 1), Stretch(1, 2.0, 4.0, 2), Stretch(2, 4.0, 6.0, 1)]
    first, second = switches(all_parts(row), sources, lengths)["legs"]
    assert first.end < second.start
    assert 2.0 - first.start > first.end - 2.0
    assert second.end - 4.0 > 4.0 - second.start


def test_one_clip_alone_comes_back_as_it_was(lengths: Array) -> None:
    clip = moving("deep_squat", "both", lengths, 0.0, 3.0)
    x = played(all_parts([Stretch(0, 0.0, 3.0, 1)]), [clip], 3.0, lengths)
    assert np.abs(x - clip.at(np.arange(90) / FPS)).max() < 2e-3  # between frames bones are a little short


def test_arms_laid_over_leave_legs_and_trunk_alone(lengths: Array) -> None:
    squat, lift = moving("deep_squat", "both", lengths, 0.0, 4.0), moving("arm_lift", "both", lengths, 1.0, 3.0)
    base = [Stretch(0, 0.0, 4.0, 1)]
    rows = all_parts(base)
    plain = played(rows, [squat, lift], 4.0, lengths)
    over = [Stretch(1, 1.0, 3.0, 2)]
    rows = {part: laid_over(base, over if "arm" in part else []) for part in PARTS}
    x = played(rows, [squat, lift], 4.0, lengths)
    arms = joints_of(["left_arm", "right_arm"])
    rest = [j for j in range(22) if j not in arms]
    assert np.abs(x[:, rest] - plain[:, rest]).max() < 1e-9
    assert np.abs(x[:3] - plain[:3]).max() < 1e-9
    middle = [60]
    own = take_apart(lift.at(np.array(middle) / FPS)).directions[:, arms]
    assert np.abs(take_apart(x[middle]).directions[:, arms] - own).max() < 0.1


def sequence_of_three(lengths: Array) -> Array:
    """Squat, lunge to the side with feet elsewhere, standing quietly: one frame's positions after the other."""
    squat = moving("deep_squat", "both", lengths, 0.0, 3.0)
    lunge = moving("side_lunge", "left", lengths, 3.0, 6.0)
    pose = standing_pose(take_apart(squat.positions[:1]), lengths)
    quiet = Quiet.draw(pose, 6.0, 9.0, np.random.default_rng(0))
    row = [Stretch(0, 0.0, 3.0, 1), Stretch(1, 3.0, 6.0, 1), Stretch(2, 6.0, 9.0)]
    return played(all_parts(row), [squat, lunge, quiet], 9.0, lengths)


def test_nothing_jumps(lengths: Array) -> None:
    """Positions, speeds and accelerations of the whole: no frame differs from its neighbours by a jump."""
    x = sequence_of_three(lengths)
    speed = np.linalg.norm(np.diff(x, axis=0), axis=-1) * FPS
    bend = np.linalg.norm(np.diff(x, n=2, axis=0), axis=-1) * FPS**2
    assert speed.max() < 3.5
    assert bend.max() < 45.0
    assert bone_length_error(x) < 1e-9


def test_one_foot_stands_at_every_change(lengths: Array) -> None:
    x = sequence_of_three(lengths)
    for middle in (90, 190):
        inside = x[middle - 6 : middle + 7][:, ANKLES][..., [0, 2]]
        wander = np.linalg.norm(inside - inside[:1], axis=-1).max(axis=0)
        assert wander.min() < 0.012
    assert x[..., TOES, 1].min() > -0.03
    assert np.minimum(x[:, TOES, 1], x[:, ANKLES, 1] - 0.06).min(axis=1).max() < 0.03  # somebody's foot is on the floor


def test_a_motion_begins_where_the_one_before_ends(standing: Array) -> None:
    lengths = bone_lengths(standing[None], np.ones((1, 22), bool))
    begins = take_apart(standing[None])
    ends = begins.placed(0.5, np.array([2.0, 0.0, 1.0]))
    yaw, shift = placing(ends, begins, lengths)
    again = begins.placed(yaw, shift)
    assert yaw == pytest.approx(0.5)
    assert put_together(again, lengths) == pytest.approx(put_together(ends, lengths))


def test_a_raised_foot_is_not_the_one_that_stays(standing: Array) -> None:
    lengths = bone_lengths(standing[None], np.ones((1, 22), bool))
    ends, begins = take_apart(standing[None]), take_apart(standing[None])
    ends.ankles[0, 0] += np.array([0.0, 0.2, 0.3])  # the left one, in the air
    _, shift = placing(ends, begins, lengths)
    assert begins.placed(0.0, shift).ankles[0, 1] == pytest.approx(ends.ankles[0, 1])


def test_left_and_right_arm_can_follow_different_sources(lengths: Array) -> None:
    one, two = (moving("arm_lift", "both", lengths, 0.0, 2.0, seed) for seed in (3, 4))
    rows = {part: [Stretch(1 if part == "left_arm" else 0, 0.0, 2.0)] for part in PARTS}
    x = take_apart(played(rows, [one, two], 2.0, lengths))
    for part, clip in (("left_arm", two), ("right_arm", one)):
        joint = CANONICAL.index(part.replace("arm", "elbow"))
        own = take_apart(clip.at(np.arange(60) / FPS)).directions[:, joint]
        assert np.abs(x.directions[:, joint] - own).max() < 1e-6
