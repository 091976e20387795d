"""Damage of known size."""

import numpy as np
import pytest

from rehabmotion.data.simulator import simulate
from rehabmotion.data.spoil import HELD, spoil
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion


@pytest.fixture(scope="module")
def squat() -> Motion:
    return simulate("deep_squat", "both", 3)


@pytest.mark.parametrize("missing", [0.1, 0.3, 0.5])
def test_as_much_is_missing_as_was_asked_half_of_it_in_spans(squat: Motion, missing: float) -> None:
    gone = np.mean(
        [1 - np.delete(spoil(squat, missing, 0, np.random.default_rng(i)).valid, HELD, 1).mean() for i in range(20)]
    )
    assert gone == pytest.approx(1 - (1 - missing / 2) ** 2, abs=0.02)  # two halves that may meet


def test_noise_has_the_size_asked_for_and_what_holds_the_person_stays(squat: Motion) -> None:
    poor = spoil(squat, 0.3, 0.03, np.random.default_rng(0))
    off = (poor.positions - squat.positions)[poor.valid]
    assert off.std() == pytest.approx(0.03, rel=0.05)
    assert poor.valid[:, list(HELD)].all()


def test_no_damage_is_no_change_and_the_same_seed_the_same_damage(squat: Motion) -> None:
    assert np.array_equal(spoil(squat, 0, 0, np.random.default_rng(0)).positions, squat.positions)
    a, b = (spoil(squat, 0.3, 0.01, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a.positions, b.positions)


@pytest.mark.parametrize(("missing", "noise"), [(-0.1, 0), (1.0, 0), (float("nan"), 0), (0, -1)])
def test_impossible_damage_is_refused(squat: Motion, missing: float, noise: float) -> None:
    with pytest.raises(UserError):
        spoil(squat, missing, noise, np.random.default_rng(0))
