"""HDM05: every action has its sentence, and the sentences are true of the real clips."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rehabmotion.data.hdm05 import ARCHIVE, TEXTS, load
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion


def test_a_missing_and_a_broken_archive_are_named(tmp_path: Path):
    with pytest.raises(UserError, match=ARCHIVE):
        next(load(tmp_path))
    (tmp_path / ARCHIVE).write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UserError, match=ARCHIVE):
        next(load(tmp_path))


def test_other_bones_are_refused(tmp_path: Path):
    np.savez(
        tmp_path / ARCHIVE,
        pos_d=np.zeros((3, 4), np.int16),
        start=np.array([0]),
        length=np.array([4]),
        name=np.array(["HDM_bd_squat1Reps_001_120"]),
        actor=np.array(["bd"]),
        action=np.array(["squat1Reps"]),
        joints=np.array(["root"]),
        parents=np.array([-1]),
        fps=np.float32(120),
        unit_mm=np.float32(0.1),
    )
    with pytest.raises(UserError, match="Expected the bones of HDM05"):
        next(load(tmp_path))


@pytest.fixture(scope="module")
def motions(data_dir: Path) -> list[Motion]:
    return list(load(data_dir / "hdm05"))


def test_real_counts(motions: list[Motion]):
    assert len(motions) == 243
    assert Counter(m.meta["subject"] for m in motions) == {"bd": 62, "bk": 65, "dg": 61, "tr": 55}
    assert Counter(m.meta["action"] for m in motions)["squat1Reps"] == 48
    assert {m.text for m in motions} == set(TEXTS.values())
    assert all(m.valid.all() and m.fps == 120 for m in motions)


def test_only_squats_are_an_exercise(motions: list[Motion]):
    for motion in motions:
        squat = motion.meta["action"] == "squat1Reps"
        assert motion.meta["exercise"] == ("squat" if squat else None)
        assert motion.meta["side"] == ("both" if squat else None)
        assert motion.text == TEXTS[motion.meta["action"]]


def test_sentences_name_the_side_that_moves(motions: list[Motion]):
    for motion in motions:
        action = motion.meta["action"]
        if action == "kickLFront1Reps":
            assert np.ptp(motion.joint("left_foot")[:, 1]) > 2 * np.ptp(motion.joint("right_foot")[:, 1])
        if action == "grabHighR":
            assert motion.joint("right_wrist")[:, 1].max() > motion.joint("left_wrist")[:, 1].max() + 0.3
        if action == "depositFloorR":
            assert motion.joint("right_wrist")[:, 1].min() < motion.joint("left_wrist")[:, 1].min()
        if action == "elbowToKnee1RepsLelbowStart":
            a = np.linalg.norm(motion.joint("left_elbow") - motion.joint("right_knee"), axis=-1).min()
            b = np.linalg.norm(motion.joint("right_elbow") - motion.joint("left_knee"), axis=-1).min()
            assert a < 0.35 < b
