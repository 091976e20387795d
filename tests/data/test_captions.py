"""The hand-written phrasings keep their rules; the paper's wordings are the paper's."""

import re

import pytest

from rehabmotion.data.captions import (
    FAMILIES,
    HELD_OUT_FAMILIES,
    PHRASINGS_DIR,
    TRAINING_FAMILIES,
    captions,
    content_difference,
    content_words,
    numerical_grade,
    other_sentences,
    phrasings,
    quality_wording,
    render,
    textual_grade,
    too_close,
)
from rehabmotion.errors import UserError
from rehabmotion.motion import EXERCISES
from rehabmotion.motion.exercises import UIPRMD
from rehabmotion.motion.transforms import mirror_text

FILES = (*EXERCISES, "upper_limb_extension_both")


def all_of(name: str) -> list[str]:
    return [text for family in FAMILIES for text in phrasings(name)[family]]


# --- the rules ----------------------------------------------------------------------------------------------------


def test_there_is_one_file_for_each_exercise_and_two_more() -> None:
    assert {p.stem for p in PHRASINGS_DIR.glob("*.toml")} == {*FILES, "_other", "_quality"}


@pytest.mark.parametrize("name", FILES)
def test_there_are_enough_phrasings_of_every_family(name: str) -> None:
    table = phrasings(name)
    assert tuple(table) == FAMILIES
    assert min(len(table[family]) for family in FAMILIES) >= 3
    assert len(all_of(name)) >= (120 if name in UIPRMD else 40)
    if name in UIPRMD:
        assert sum(len(table[family]) for family in HELD_OUT_FAMILIES) >= 20


@pytest.mark.parametrize("name", FILES)
def test_no_two_phrasings_differ_by_fewer_than_three_content_words(name: str) -> None:
    assert too_close(all_of(name)) == []


@pytest.mark.parametrize("name", FILES)
def test_sides_are_slots_and_never_words(name: str) -> None:
    sided = name in EXERCISES and EXERCISES[name].sided
    for text in all_of(name):
        assert set(re.findall(r"\{.*?\}", text)) <= ({"{side}", "{other}"} if sided else set()), text
        assert not re.search(r"\b(left|right)\b", text, re.IGNORECASE), text
        assert text.strip() == text != ""


@pytest.mark.parametrize("exercise", [e.id for e in EXERCISES.values() if e.sided])
def test_sided_exercises_name_their_side_in_many_phrasings(exercise: str) -> None:
    with_side = [text for text in all_of(exercise) if "{side}" in text]
    assert 0.2 < len(with_side) / len(all_of(exercise)) < 0.9


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_side_of_every_exercise_has_its_captions(exercise: str) -> None:
    for side in EXERCISES[exercise].sides:
        texts = captions(exercise, side)
        assert len(texts) >= 40
        assert not any("{" in text for text in texts)


@pytest.mark.parametrize("exercise", [e.id for e in EXERCISES.values() if e.sided])
def test_the_mirrored_caption_is_the_caption_of_the_other_side(exercise: str) -> None:
    assert [mirror_text(text) for text in captions(exercise, "left")] == captions(exercise, "right")


def test_held_out_families_are_never_trained_on() -> None:
    assert set(TRAINING_FAMILIES).isdisjoint(HELD_OUT_FAMILIES)
    assert {*TRAINING_FAMILIES, *HELD_OUT_FAMILIES} == set(FAMILIES)


def test_no_phrasing_belongs_to_two_exercises_or_to_none() -> None:
    seen: dict[str, str] = {}
    for name in FILES:
        for text in all_of(name):
            assert text.lower() not in seen, (text, name, seen.get(text.lower()))
            seen[text.lower()] = name
    assert not {text.lower() for text in other_sentences()} & set(seen)


def test_there_are_wordings_of_good_and_bad_and_they_do_not_mix() -> None:
    good, bad = ({*quality_wording(q)[0], *quality_wording(q)[1]} for q in (True, False))
    assert min(len(part) for q in (True, False) for part in quality_wording(q)) >= 20
    assert good.isdisjoint(bad)
    assert not any(re.search(r"\b(left|right) (?!way)", text) for text in good | bad)


# --- the ruler ----------------------------------------------------------------------------------------------------


def test_content_words_leave_out_fillers_slots_and_endings() -> None:
    assert content_words("The person is lifting {side} arms; then lowers them") == {"lift", "arm", "lower"}
    assert content_words("please do it again") == frozenset()


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        ("lift the arm slowly", "lift the arm slowly", 0),
        ("lift the arm", "lifting an arm", 0),
        ("lift the arm", "raise the arm", 1),  # a swapped word counts once
        ("lift the arm", "raise the leg", 2),
        ("lift the arm", "lift the arm high above the head", 3),
    ],
)
def test_how_far_apart_two_phrasings_are(a: str, b: str, difference: int) -> None:
    assert content_difference(a, b) == content_difference(b, a) == difference


def test_too_close_pairs_are_told() -> None:
    texts = ["lift the arm", "raise the arm", "squat low onto both heels"]
    assert too_close(texts) == [("lift the arm", "raise the arm", 1)]


# --- rendering ----------------------------------------------------------------------------------------------------


def test_slots_are_filled_with_the_side_and_the_other() -> None:
    text = "stand on the {other} leg, lift the {side} knee"
    assert render(text, "left") == "stand on the right leg, lift the left knee"
    assert render(text, "right") == "stand on the left leg, lift the right knee"
    assert render("squat", None) == "squat"
    for side in (None, "both"):
        with pytest.raises(UserError, match="side left or right"):
            render(text, side)


def test_an_unknown_exercise_is_refused() -> None:
    with pytest.raises(UserError, match="Known: deep_squat"):
        phrasings("moonwalk")


SQUAT = "a person performs deep squat with their heels on the floor"


def test_the_wordings_of_the_paper_byte_for_byte() -> None:
    """Bikov et al. 2024, section 4: the grade as a number at the end, or as words at the beginning."""
    assert numerical_grade(SQUAT, 1) == "a person performs deep squat with their heels on the floor, FMS score 1"
    assert textual_grade(SQUAT, 1) == "an injured person performs deep squat with their heels on the floor"
    assert textual_grade(SQUAT, 2) == "a moderately fit person performs deep squat with their heels on the floor"
    assert textual_grade(SQUAT, 3) == "a very athletic person performs deep squat with their heels on the floor"


def test_other_captions_get_the_words_in_front() -> None:
    assert textual_grade("A person squats", 3) == "a very athletic person squats"
    assert textual_grade("squat low", 1) == "an injured person: squat low"
