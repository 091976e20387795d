"""Plans put together from simulated repetitions: lengths, gaps, overlays, postures, how often."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.metrics.physical import bone_length_error
from rehabmotion.models.store import Provenance
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.blending.poses import ANKLES, TOES
from rehabmotion.workflows.timeline.plan import Plan, Track
from rehabmotion.workflows.timeline.repetitions import asks, count_of, posture_of, repetitions
from rehabmotion.workflows.timeline.timeline import composed

Array = NDArray[np.float64]
FPS = 30
PROVENANCE = Provenance("m", (), (), (), {"deep_squat": {"any": (math.log(3.0), 0.1)}}, (1.3, 0.05))


def made(plan: Plan, exercises: list[str], counts: list[int] | None = None) -> Array:
    """Return positions of a plan done by simulated people, one exercise for each track."""
    reps = repetitions(plan, counts or [t.repeat or 1 for t in plan.tracks])
    clips = [simulate(exercises[rep.track], "both", i, grade=3) for i, rep in enumerate(reps)]
    return composed(plan, reps, clips, True, np.random.default_rng(0))


@pytest.mark.parametrize(("seconds", "frames"), [(2, 60), (4.5, 135), (60, 1800)])
def test_a_plan_is_as_long_as_it_says(seconds: float, frames: int) -> None:
    x = made(Plan(seconds, (Track("squat", 0.0, 2.0),)), ["deep_squat"])
    assert x.shape == (frames, 22, 3)
    assert np.isfinite(x).all()
    assert bone_length_error(x) < 1e-9


def test_people_of_different_size_become_one_body() -> None:
    plan = Plan(8.0, (Track("squat", 0.0, 8.0, repeat=4),))
    assert bone_length_error(made(plan, ["deep_squat"])) < 1e-9


def test_in_a_gap_somebody_stands_quietly() -> None:
    """Upright, arms hanging, feet still, not frozen."""
    x = made(Plan(9.0, (Track("squat", 0.0, 3.0), Track("squat", 6.0, 9.0))), ["deep_squat", "deep_squat"])
    gap = x[round(4.3 * FPS) : round(4.7 * FPS)]
    assert np.abs(gap[:, [*ANKLES, *TOES]] - gap[:1, [*ANKLES, *TOES]]).max() < 1e-6
    knee = np.linalg.norm(gap[:, ANKLES[0]] - gap[:, 1], axis=-1)
    assert (knee > 0.97 * (np.linalg.norm(x[0, 4] - x[0, 1]) + np.linalg.norm(x[0, 7] - x[0, 4]))).all()
    assert (gap[:, CANONICAL.index("left_wrist"), 1] < gap[:, CANONICAL.index("left_elbow"), 1]).all()
    speed = np.linalg.norm(np.diff(gap, axis=0), axis=-1) * FPS
    assert 0.0005 < speed[:, 15].mean() < 0.08


def test_arms_alone_are_raised_by_somebody_who_stands() -> None:
    x = made(Plan(4.0, (Track("arms up", 0.5, 3.5, "arms"),)), ["arm_lift"])
    assert np.ptp(x[:, CANONICAL.index("left_wrist"), 1]) > 0.5
    assert np.ptp(x[:, 0, 1]) < 0.01
    assert np.ptp(x[:, ANKLES], axis=0).max() < 1e-6


def test_legs_laid_over_raised_arms_bring_the_body_down() -> None:
    plan = Plan(5.0, (Track("arms up", 0.0, 5.0), Track("squat", 1.0, 4.0, "legs")))
    x = made(plan, ["arm_lift", "deep_squat"])
    assert np.ptp(x[:, 0, 1]) > 0.25
    assert np.minimum(x[:, TOES, 1], x[:, ANKLES, 1] - 0.06).min(axis=1).max() < 0.03


def test_repetitions_fill_their_track_evenly() -> None:
    plan = Plan(9.0, (Track("a", 1.0, 4.0), Track("b", 5.0, 9.0, repeat=2)))
    assert [(r.track, r.start, r.end) for r in repetitions(plan, [1, 2])] == [
        (0, 1.0, 4.0),
        (1, 5.0, 7.0),
        (1, 7.0, 9.0),
    ]


def test_one_body_and_one_side_for_a_sample() -> None:
    plan = Plan(9.0, (Track("a", 1.0, 4.0), Track("b", 5.0, 9.0, repeat=2)))
    reps = repetitions(plan, [1, 2])
    assert [ask.like for ask in asks(plan, reps, 0)] == [0, 0, 0]
    assert [ask.like for ask in asks(plan, reps, 2)] == [6, 6, 6]
    assert all(1.0 <= ask.seconds <= 10.0 for ask in asks(plan, reps, 0) if ask.seconds is not None)


@pytest.mark.parametrize(
    ("seconds", "repeat", "count"), [(9.0, None, 1), (10.0, None, 1), (12.0, None, 4), (60.0, None, 20), (12.0, 2, 2)]
)
def test_what_is_longer_than_a_model_makes_is_repeated_as_people_do(
    seconds: float, repeat: int | None, count: int
) -> None:
    """A squat usually takes 3 s."""
    assert count_of(Track("squat", 0.0, seconds, repeat=repeat), "deep_squat", PROVENANCE) == count


def test_standing_and_lying_do_not_mix() -> None:
    understood = [{"exercise": "deep_squat"}, {"exercise": "active_straight_leg_raise"}]
    with pytest.raises(UserError, match=r"track 2, text: .*lying"):
        posture_of(understood)
    assert posture_of(understood[1:]) == "lying"


def test_exercises_on_the_floor_stay_on_the_floor() -> None:
    plan = Plan(6.0, (Track("push up", 0.0, 2.5), Track("push up", 4.5, 6.0)))
    reps = repetitions(plan, [1, 1])
    clips = [simulate("trunk_stability_push_up", "both", i, grade=3) for i in (0, 1)]
    x = composed(plan, reps, clips, False, np.random.default_rng(0))
    assert x[:, CANONICAL.index("neck"), 1].max() < 1.0
    assert bone_length_error(x) < 1e-9
    assert np.linalg.norm(np.diff(x, axis=0), axis=-1).max() * FPS < 3.0
