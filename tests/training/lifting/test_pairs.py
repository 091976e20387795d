"""Two sensors of one repetition: the tempo and the shift between them, the turn between them, what both give."""

from __future__ import annotations

import numpy as np
import pytest

from rehabmotion.geometry.signal import back_and_forth, between_frames
from rehabmotion.models.lifter.body import N_SCALES, Body
from rehabmotion.training.lifting.pairs import (
    JOINTS,
    SHIFTS,
    TEMPI,
    Pair,
    Pairs,
    aligned,
    bends,
    facing,
)
from rehabmotion.vision.points import NUMBER, POINTS


def curves(t: np.ndarray) -> np.ndarray:
    """Return angles (T, 3) at times t, s: two that move and one that does not."""
    bump = np.exp(-((t - 2.0) ** 2) / 0.3)
    return np.stack([bump, 0.6 * np.exp(-((t - 2.4) ** 2) / 0.2), 0.01 * np.sin(40 * t)], axis=1)


@pytest.mark.parametrize("tempo", [TEMPI[2], 1.0, TEMPI[14]])
@pytest.mark.parametrize("shift", [SHIFTS[6], 0.0, SHIFTS[17]])
def test_a_known_tempo_and_shift_are_found(tempo: float, shift: float) -> None:
    t, source = np.arange(120) / 30, np.arange(130) / 30
    moments = (t - t.mean()) * tempo + source.mean() + shift
    at, alike = aligned(curves(moments), curves(source))
    assert alike > 0.99
    inside = (moments > 0) & (moments < source[-1])
    np.testing.assert_allclose(at[inside], 30 * moments[inside], atol=1e-6)


def test_curves_that_hardly_move_tell_nothing() -> None:
    still = 0.01 * np.ones((60, 8))
    assert aligned(still, curves(np.arange(60) / 30))[1] == -1.0
    assert aligned(curves(np.arange(60) / 30), curves(np.arange(3) / 30))[1] == -1.0


def test_another_movement_is_not_alike() -> None:
    t = np.arange(120) / 30
    assert aligned(curves(t), np.stack([np.sin(9 * t), np.cos(7 * t), t], axis=1))[1] < 0.7


def test_values_between_frames() -> None:
    x = np.array([[0.0], [2.0], [6.0]])
    assert between_frames(x, np.array([0, 0.5, 1.25, 2.0])).ravel() == pytest.approx([0, 1, 3, 6])


def person(turn: float = 0.0) -> np.ndarray:
    """Return points (5, P, 3) m of somebody about the origin who faces x turned about the vertical (z to x)."""
    points = np.random.default_rng(0).normal(0, 0.3, (5, len(POINTS), 3))
    for name, width in (("hip", 0.1), ("shoulder", 0.2)):
        points[:, NUMBER[f"left_{name}"], 2], points[:, NUMBER[f"right_{name}"], 2] = -width, width
    points -= points.mean(axis=(0, 1))
    c, s = np.cos(turn), np.sin(turn)
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([c * x + s * z, y, -s * x + c * z], axis=-1)


@pytest.mark.parametrize("turn", [0.0, 0.4, -1.3, 3.0])
def test_a_known_turn_is_undone_and_the_middle_put_to_the_origin(turn: float) -> None:
    found = facing(person(turn) + np.array([3.0, 1.0, -2.0]), person(), list(POINTS))
    np.testing.assert_allclose(found, person(), atol=1e-5)


def test_bends_by_hand() -> None:
    """Standing with straight legs: knees 0; a forearm across: elbow a quarter turn; arms beside the trunk: pi."""
    points = np.zeros((1, len(POINTS), 3))
    for side, z in (("left", -0.2), ("right", 0.2)):
        at = {"shoulder": 1.4, "elbow": 1.1, "hip": 0.9, "knee": 0.5, "ankle": 0.1}
        for name, y in at.items():
            points[0, NUMBER[f"{side}_{name}"]] = (0, y, z)
        points[0, NUMBER[f"{side}_wrist"]] = (0.25, 1.1, z)
    half = np.pi / 2
    assert bends(points, list(POINTS))[0] == pytest.approx([0, half, np.pi, np.pi] * 2, abs=1e-3)


def test_rows_run_back_behind_the_end() -> None:
    assert back_and_forth(np.arange(8), 4).tolist() == [0, 1, 2, 3, 2, 1, 0, 1]
    assert back_and_forth(np.arange(3), 1).tolist() == [0, 0, 0]


def test_windows_of_pairs_repeat_and_show_known_points_only(body: Body) -> None:
    known = np.array([name in JOINTS for name in POINTS])
    pairs = Pairs(
        [Pair(person().astype(np.float32), known, np.zeros((5, len(body.names)), np.float32), np.ones(N_SCALES))], 16
    )
    one, again = (pairs.draw(np.random.default_rng(1), 4, body) for _ in range(2))
    assert one.seen.rays.shape == (4, 16, len(POINTS), 2)
    assert (one.seen.rays == again.seen.rays).all()
    assert (one.seen.confidence[..., ~known] == 0).all()
    assert (one.seen.confidence[..., known] > 0).float().mean() > 0.9
    assert (one.truth.sure == 1).all()
