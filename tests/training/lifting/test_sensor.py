"""The detector as we model it: deviations as stated, what is lost has no confidence, what is swapped is swapped."""

from __future__ import annotations

import numpy as np
import pytest

from rehabmotion.training.lifting import sensor
from rehabmotion.training.lifting.sensor import BIAS, LACKS, LIMBS, SHARED_BIAS, biases, lost, sensed, swaps, wander
from rehabmotion.vision.points import NUMBER, POINTS

P = len(POINTS)


def places(size: int, t: int) -> np.ndarray:
    """Return people (B, T, P, 3) m, three metres away."""
    shape = np.random.default_rng(9).uniform(-0.6, 0.6, (size, 1, P, 3))
    return np.broadcast_to(shape + np.array([0, 0, 3.0]), (size, t, P, 3)).copy()


def test_the_same_generator_gives_the_same() -> None:
    one, again = (sensed(np.random.default_rng(0), places(4, 20), POINTS, 30.0) for _ in range(2))
    for name in vars(one):
        assert (getattr(one, name) == getattr(again, name)).all()


def test_shapes_and_ranges() -> None:
    found = sensed(np.random.default_rng(1), places(30, 20), POINTS, 30.0)
    assert found.rays.shape == (30, 20, P, 2)
    assert found.world.shape == (30, 20, P, 3)
    assert np.isfinite(found.rays).all()
    shown = found.confidence[found.confidence > 0]
    assert shown.min() >= 0.05
    assert shown.max() <= 1.0
    hips = found.world[:, :, [NUMBER["left_hip"], NUMBER["right_hip"]]].mean(axis=2)
    assert np.abs(hips).max() < 1e-9  # about the hips' middle


def test_what_is_lost_or_behind_the_camera_has_confidence_0(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = np.random.default_rng(3).random((6, 10, P)) < 0.3
    monkeypatch.setattr(sensor, "lost", lambda *_: gone)
    monkeypatch.setattr(sensor, "LACKS", {"all": (1.0, ())})
    at = places(6, 10)
    at[:, :, 5, 2] = -1.0
    found = sensed(np.random.default_rng(2), at, POINTS, 30.0)
    gone[:, :, 5] = True
    assert ((found.confidence == 0) == gone).all()


@pytest.mark.parametrize("name", LACKS)
def test_points_that_a_detector_lacks_have_confidence_0(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor, "LACKS", {name: (1.0, LACKS[name][1])})
    confidence = sensed(np.random.default_rng(2), places(5, 10), POINTS, 30.0).confidence
    lacking = [any(part in point for part in LACKS[name][1]) for point in POINTS]
    assert (confidence[..., lacking] == 0).all()
    assert (confidence[..., ~np.array(lacking)] > 0).mean() > 0.5


def test_detectors_come_by_shares_that_sum_to_1() -> None:
    assert sum(share for share, _ in LACKS.values()) == pytest.approx(1.0)


def test_walks_have_deviation_1_at_every_time_and_forget_slowly() -> None:
    walk = wander(np.random.default_rng(4), (4000, 40), 30.0)
    assert walk.std(axis=0) == pytest.approx(1.0, abs=0.05)
    assert walk.mean(axis=0) == pytest.approx(0.0, abs=0.07)
    # neighbours at 30/s forget 1 - exp(-1 / (30 s)) for s from 0.2 to 3 s, log uniform: 0.94 on average
    slowness = np.exp(np.linspace(np.log(0.2), np.log(3.0), 1000))
    assert (walk[:, 1:] * walk[:, :-1]).mean() == pytest.approx(np.exp(-1 / 30 / slowness).mean(), abs=0.03)


def test_offsets_have_their_deviation_and_are_alike_on_both_sides() -> None:
    """Times a uniform number from 0 to 1.4 for the clip, whose square is 1.4^2 / 3 on average."""
    offset = biases(np.random.default_rng(5), 6000, POINTS)
    expected = np.sqrt((BIAS**2 + SHARED_BIAS**2) * 1.4**2 / 3)
    assert offset.std() == pytest.approx(expected, rel=0.05)
    left, right = offset[:, NUMBER["left_knee"]], offset[:, NUMBER["right_knee"]]
    alike = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(3)]
    share = SHARED_BIAS**2 / (BIAS**2 + SHARED_BIAS**2)
    assert alike == pytest.approx([share, share, -share], abs=0.05)


def test_swaps_take_whole_limbs_of_both_sides_for_a_few_frames() -> None:
    swap = swaps(np.random.default_rng(6), 3000, 30, POINTS)
    pairs = {
        pair: [NUMBER[n] for side in ("left", "right") for n in LIMBS[f"{side} {pair}"]] for pair in ("arm", "leg")
    }
    for columns in pairs.values():
        assert (swap[..., columns].all(axis=2) == swap[..., columns].any(axis=2)).all()
        assert swap[..., columns].any(axis=(1, 2)).mean() == pytest.approx(0.08, abs=0.02)
    others = sorted(set(range(P)) - {i for columns in pairs.values() for i in columns})
    assert not swap[..., others].any()
    assert swap.any(axis=2).sum(axis=1).max() <= 16


def test_swapped_points_are_seen_where_the_other_side_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all noise away, up to the focal length that is guessed for each clip."""
    swap = np.zeros((3, 6, P), bool)
    swap[:, 2:4, [NUMBER["left_knee"], NUMBER["right_knee"]]] = True
    monkeypatch.setattr(sensor, "swaps", lambda *_: swap)
    monkeypatch.setattr(sensor, "QUICK", (1e-12, 1e-11))
    monkeypatch.setattr(sensor, "SLOW", (1e-12, 1e-11))
    at = places(3, 6)
    rays = sensed(np.random.default_rng(8), at, POINTS, 30.0).rays
    true = at[..., :2] / at[..., 2:]
    focal = np.median(rays / true, axis=(1, 2, 3))[:, None, None]
    left, right = NUMBER["left_knee"], NUMBER["right_knee"]
    for i in range(6):
        a, b = (right, left) if i in (2, 3) else (left, right)
        ways = np.linalg.norm(rays[:, i, [left, right]] - focal * true[:, i, [a, b]], axis=-1)
        assert np.median(ways) < 1e-6  # a point or two may jump


def test_single_points_and_limbs_are_lost() -> None:
    gone = lost(np.random.default_rng(7), 500, 30, POINTS)
    assert 0.02 < gone.mean() < 0.2
    assert not gone.all(axis=(1, 2)).any()
