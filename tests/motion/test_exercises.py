"""The exercises by word, and the data sets' own lists of them."""

import pytest

from rehabmotion.motion import EXERCISES
from rehabmotion.motion.exercises import FMS, KIMORE, MARS, UIPRMD


def test_the_lists_are_as_long_as_the_sets_say_and_name_known_exercises() -> None:
    assert (len(UIPRMD), len(KIMORE), len(MARS), len(FMS)) == (10, 5, 10, 15)
    assert {*UIPRMD, *KIMORE, *(e for e, _ in MARS), *(e for e, _ in FMS)} == set(EXERCISES)


@pytest.mark.parametrize("listed", [FMS, MARS])
def test_a_listed_side_is_one_that_can_be_asked_for(listed: tuple[tuple[str, str], ...]) -> None:
    assert all(side in EXERCISES[exercise].sides for exercise, side in listed)
    assert len(set(listed)) == len(listed)


def test_mirroring_exchanges_the_movements_of_the_fms_as_it_should() -> None:
    other = {"left": "right", "right": "left", "both": "both"}
    mirrored = [1 + FMS.index((exercise, other[side])) for exercise, side in FMS]
    assert mirrored == [1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 11, 13, 12, 15, 14]
    assert [mirrored[m - 1] for m in mirrored] == list(range(1, 16))


def test_sides_and_postures() -> None:
    assert EXERCISES["deep_squat"].sides == ("both",)
    assert EXERCISES["hurdle_step"].sides == ("left", "right")
    assert EXERCISES["upper_limb_extension"].sides == ("left", "right", "both")
    assert {e.posture for e in EXERCISES.values()} == {"standing", "lying", "floor"}
    assert all(key == exercise.id for key, exercise in EXERCISES.items())
