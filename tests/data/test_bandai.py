"""Bandai-Namco: captions in plain words, windows of at most 10 s that know their clip."""

from pathlib import Path

import numpy as np
import pytest

from rehabmotion.data.bandai import ACTIONS, ARCHIVE, PEOPLE, caption, load
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion


def test_captions_read_as_sentences():
    assert caption("walk", "exhausted") == "an exhausted person walks forward"
    assert caption("raise-up-left-hand", "normal") == "a person raises the left hand"
    assert caption("fly", "normal") == ""
    for style, person in PEOPLE.items():
        article = "an " if person.split()[1][0] in "aeiou" else "a "
        assert person.startswith(article), style
    assert len(set(ACTIONS.values())) == len(ACTIONS) - 1  # dance-long and dance-short share one


def test_a_missing_archive_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=ARCHIVE):
        next(load(tmp_path))


@pytest.fixture(scope="module")
def motions(data_dir: Path) -> list[Motion]:
    return list(load(data_dir / "bandai"))


def test_real_windows(motions: list[Motion]):
    assert len(motions) == 2797
    assert max(m.seconds for m in motions) <= 10
    assert {m.meta["index"] for m in motions} == set(range(2759))
    assert sum(m.n_frames for m in motions) == 363_014
    assert all(m.text and m.valid.all() and m.meta["subject"] is None for m in motions)


def test_real_captions_name_the_hand_that_waves(motions: list[Motion]):
    for motion in motions[::5]:
        left, right = (motion.joint(f"{s}_wrist")[:, 1].max() for s in ("left", "right"))
        if motion.text.endswith("raises the left hand"):
            assert left > right + 0.2
        if motion.text.endswith("raises the right hand"):
            assert right > left + 0.2
        if motion.text.endswith("both hands"):
            assert abs(left - right) < 0.45


def test_real_turns_go_to_the_side_named(motions: list[Motion]):
    for motion in motions[::5]:
        if "turns to the" not in motion.text:
            continue
        across = (motion.joint("left_hip") - motion.joint("right_hip"))[[0, -1]] * [1, 0, 1]
        turn = np.cross(across[0], across[1])[1]  # positive about +y: to the left
        assert (turn > 0) == motion.text.endswith("left")
