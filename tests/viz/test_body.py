"""The drawn body: what is drawn where joints are missing, how large, and where the floor lies."""

import numpy as np
import pytest

from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.viz.body import CENTRE, GHOST, LEFT, RIGHT, body_parts, body_scale, side_of
from rehabmotion.viz.stage import set_stage


def test_every_sphere_is_a_weighted_mean():
    """Weights sum to 1, so a body that is moved is drawn moved."""
    for part in body_parts(CANONICAL):
        for weights, radius in part.spheres:
            assert sum(weights.values()) == pytest.approx(1)
            assert 0 < radius < 0.2


def test_a_whole_person_needs_no_stand_in(squat):
    parts = body_parts(CANONICAL)
    stage = set_stage(squat(1))
    drawn = stage.drawn(np.ones(22, bool))
    assert [part.unless for part, shown in zip(parts, drawn, strict=True) if shown] == [-1] * 16


def test_missing_joint_hides_what_hangs_on_it_and_no_more(squat):
    stage = set_stage(squat(1))
    mask = np.ones(22, bool)
    mask[CANONICAL.index("left_wrist")] = False
    lost = stage.drawn(np.ones(22, bool)) & ~stage.drawn(mask)
    assert lost.sum() == 2  # forearm and hand
    assert not (stage.drawn(mask) & ~stage.drawn(np.ones(22, bool))).any()


def test_missing_shoulder_leaves_the_spine_drawn(squat):
    """Without a shoulder the chest cannot be drawn; the bones it hid are."""
    stage = set_stage(squat(1))
    mask = np.ones(22, bool)
    mask[CANONICAL.index("left_shoulder")] = False
    new = stage.drawn(mask) & ~stage.drawn(np.ones(22, bool))
    shown = {frozenset(stage.parts[i].joints) for i in np.flatnonzero(new)}
    assert frozenset(CANONICAL.indices("spine2", "spine3")) in shown
    assert frozenset(CANONICAL.indices("right_collar", "right_shoulder")) in shown


def test_a_head_that_was_not_measured_is_a_ghost(squat):
    stage = set_stage(squat(1))
    mask = np.ones(22, bool)
    assert GHOST not in [part.side for part, shown in zip(stage.parts, stage.drawn(mask), strict=True) if shown]
    mask[CANONICAL.index("head")] = False
    new = np.flatnonzero(stage.drawn(mask) & ~stage.drawn(np.ones(22, bool)))
    assert [stage.parts[i].side for i in new] == [GHOST]


def test_no_part_reads_a_masked_joint(squat):
    stage = set_stage(squat(3))
    rng = np.random.default_rng(1)
    for mask in rng.random((50, 22)) > 0.4:
        for part, shown in zip(stage.parts, stage.drawn(mask), strict=True):
            assert not shown or mask[part.joints].all()


@pytest.mark.parametrize(
    ("name", "side"),
    [("left_knee", LEFT), ("RightArm", RIGHT), ("lKnee", LEFT), ("L_Hip", LEFT), ("hip_r", RIGHT), ("LKNE", LEFT)],
)
def test_sides_by_name(name, side):
    assert side_of(name) == side


@pytest.mark.parametrize("name", ["pelvis", "root", "lumbar", "neck", "ribs", "Hips", "l"])
def test_names_without_a_side(name):
    assert side_of(name) == CENTRE


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.3])
def test_thickness_follows_size(squat, factor):
    motion = squat(3)
    small = motion.but(positions=motion.positions * factor)
    assert body_scale(small) == pytest.approx(factor * body_scale(motion), rel=1e-4)


def test_feet_touch_the_floor(squat):
    """The lowest drawn sphere of a standing person touches y = 0, wherever the recording's floor was."""
    motion = squat(10)
    for shift in (-2.0, 0.0, 5.0):
        stage = set_stage(motion.but(positions=motion.positions + np.array([3.0, shift, 1.0], np.float32)))
        centres = [
            (sum(w * stage.positions[:, j, 1] for j, w in weights.items()).min() - radius)
            for part in stage.parts
            if part.unless < 0
            for weights, radius in part.spheres
        ]
        assert min(centres) == pytest.approx(0, abs=2e-3)


def test_without_feet_the_hips_do_not_sit_on_the_floor(squat):
    motion = squat(3)
    valid = motion.valid.copy()
    for name in ("knee", "ankle", "foot"):
        valid[:, CANONICAL.indices(f"left_{name}", f"right_{name}")] = False
    stage = set_stage(motion.but(valid=valid))
    assert stage.positions[0, 0, 1] == pytest.approx(0.95, abs=1e-3)


def test_time_is_linear_between_frames_and_held_at_the_ends(squat):
    stage = set_stage(squat(10, fps=10))
    x = stage.positions
    np.testing.assert_allclose(stage.at(0.25)[0], 0.5 * (x[2] + x[3]))
    np.testing.assert_allclose(stage.at(-1)[0], x[0])
    np.testing.assert_allclose(stage.at(99)[0], x[9])


def test_a_joint_between_frames_counts_where_both_have_it(squat):
    motion = squat(3, fps=10)
    valid = motion.valid.copy()
    valid[1, 4] = False
    stage = set_stage(motion.but(valid=valid))
    assert [bool(stage.at(t)[1][4]) for t in (0.0, 0.05, 0.1, 0.15, 0.2)] == [True, False, False, False, True]


def test_a_joint_without_bones_is_a_ball():
    stage = set_stage(Motion(np.full((2, 1, 3), 4.0), 30, Skeleton(("a",), (-1,))))
    assert [part.joints for part in stage.parts] == [[0]]
    assert stage.drawn(np.ones(1, bool)).all()


def test_joints_that_are_never_seen_together_have_a_stage(squat):
    """Alternating masks: joints are valid, no bone ever is."""
    motion = squat(2)
    valid = np.zeros((2, 22), bool)
    valid[0, 0] = valid[1, 4] = True
    assert not set_stage(motion.but(valid=valid)).drawn(valid).any()
