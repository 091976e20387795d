"""Standing quietly: upright, feet on the floor and still, and yet alive."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.motion import CANONICAL
from rehabmotion.motion.blending.poses import ANKLES, HIPS, KNEES, TOES, put_together, take_apart
from rehabmotion.motion.blending.quiet import WIDTH, Quiet, spread_of, standing_pose, stands_easily
from rehabmotion.motion.retarget import bone_lengths

Array = NDArray[np.float64]


@pytest.fixture
def lengths(standing: Array) -> Array:
    return bone_lengths(standing[None], np.ones((1, 22), bool))


@pytest.fixture
def still(standing: Array, lengths: Array) -> Array:
    return put_together(standing_pose(take_apart(standing[None]), lengths), lengths)[0]


def test_the_pose_stands(still: Array, lengths: Array) -> None:
    assert still[ANKLES, 0] == pytest.approx([WIDTH / 2, -WIDTH / 2])
    assert np.abs(still[TOES, 1]).max() < 0.03
    reach = np.linalg.norm(still[ANKLES] - still[HIPS], axis=-1) / (lengths[KNEES] + lengths[ANKLES])
    assert (reach > 0.98).all()
    assert (reach < 1.0).all()
    assert (still[CANONICAL.indices("left_wrist", "right_wrist"), 1] < still[0, 1] + 0.1).all()


def test_left_and_right_are_mirror_images(still: Array) -> None:
    mirrored = still[CANONICAL.mirror_order] * np.array([-1, 1, 1])
    assert np.abs(still - mirrored).max() < 0.005


def test_feet_are_where_they_are_asked_to_be(standing: Array, lengths: Array) -> None:
    pose = standing_pose(take_apart(standing[None]), lengths, np.array([0.3, 0.05]))
    assert spread_of(pose) == pytest.approx([0.3, 0.05])
    assert spread_of(pose.placed(1.1, np.ones(3))) == pytest.approx([0.3, 0.05])
    assert stands_easily(pose)


@pytest.mark.parametrize("spread", [(0.05, 0.0), (0.6, 0.0), (0.2, 0.5)])
def test_feet_far_apart_or_crossed_do_not_stand_easily(
    standing: Array, lengths: Array, spread: tuple[float, float]
) -> None:
    assert not stands_easily(standing_pose(take_apart(standing[None]), lengths, np.array(spread)))


def test_it_sways_a_little_on_feet_that_do_not(standing: Array, lengths: Array) -> None:
    pose = standing_pose(take_apart(standing[None]), lengths)
    quiet = Quiet.draw(pose, 0.0, 60.0, np.random.default_rng(0))
    x = put_together(quiet.poses(np.arange(1800) / 30), lengths)
    feet = x[:, [*ANKLES, *TOES]]
    assert np.abs(feet - feet[0]).max() < 1e-6
    sway = x[:, 0].std(axis=0)
    assert sway[0] == pytest.approx(0.005, rel=0.2)
    assert sway[2] == pytest.approx(0.004, rel=0.2)
    speed = np.linalg.norm(np.diff(x, axis=0), axis=-1) * 30
    assert 0.002 < speed[:, 0].mean() < speed.max() < 0.12
