"""UI-PRMD Kinect corpus: what load yields, and sides as the set's known facts."""

import shutil
from pathlib import Path

import pytest

from rehabmotion.data.uiprmd import FOLDERS, load
from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL


def copy_part(data_dir: Path, root: Path, pattern: str) -> Path:
    for folder in FOLDERS:
        for kind in ("Positions", "Angles"):
            target = root / folder / "Kinect" / kind
            target.mkdir(parents=True)
            for file in (data_dir / "uiprmd" / folder / "Kinect" / kind).glob(pattern):
                shutil.copy(file, target)
    return root


def test_one_motion_per_episode_with_a_common_side(data_dir: Path, tmp_path: Path) -> None:
    """The third incorrect extension of s02 alone would pass for a left one: the far arm is the sensor's guess."""
    motions = list(load(copy_part(data_dir, tmp_path, "m08_s02_*")))
    assert len(motions) == 20
    assert {m.meta["side"] for m in motions} == {"right"}
    assert [m.meta["repetition"] for m in motions] == [*range(1, 11), *range(1, 11)]
    assert [m.scores[0].value for m in motions] == [1] * 10 + [0] * 10
    assert all(m.skeleton is CANONICAL and m.valid.all() and m.fps == 30 for m in motions)


def test_missing_folder_and_missing_angles_are_named(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="m01_s01_e01_positions"):
        list(load(tmp_path))
    root = copy_part(data_dir, tmp_path, "m01_s01_e0[12]_*")
    lost = root / FOLDERS[0] / "Kinect" / "Angles" / "m01_s01_e02_angles.txt.gz"
    lost.unlink()
    with pytest.raises(UserError, match=lost.name):
        list(load(root))


@pytest.mark.slow
def test_whole_set_keeps_to_known_sides(data_dir: Path) -> None:
    """s07 works with the left, s02 steps over the hurdle with it; in the lunge the left foot of s01, s02, s07 leads."""
    left = set()
    count = 0
    for motion in load(data_dir / "uiprmd"):
        count += 1
        if motion.meta["side"] == "left":
            left.add((motion.meta["exercise"], motion.meta["subject"]))
    arms_and_legs = ("hurdle_step", "side_lunge", "standing_active_straight_leg_raise", "standing_shoulder_abduction")
    more = ("extension", "internal_external_rotation", "scaption")
    expected = {(exercise, "s07") for exercise in (*arms_and_legs, *(f"standing_shoulder_{m}" for m in more))}
    expected |= {("hurdle_step", "s02"), *(("inline_lunge", s) for s in ("s01", "s02", "s07"))}
    assert left == expected
    assert count == 1600
