"""The FMS folder: front view only, episodes with too many empty frames dropped."""

import json
from pathlib import Path

import numpy as np
import pytest

from rehabmotion.data.fms import load
from rehabmotion.errors import UserError
from rehabmotion.io.fms import FMS_PAPER_MAP
from rehabmotion.motion import CANONICAL


def write_episode(path: Path, n: int = 20, n_empty: int = 0) -> None:
    joints = np.random.default_rng(0).normal(0, 500, (32, 3)).tolist()
    full = {"num_bodies": 1, "bodies": [{"joint_positions": joints}]}
    frames = [{"num_bodies": 0, "bodies": []}] * n_empty + [full] * (n - n_empty)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"total_frames": n, "frames": frames}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    front, side = tmp_path / "Skeleton data" / "Front", tmp_path / "Skeleton data" / "Side"
    write_episode(front / "front_s02_m15_e1.json")
    write_episode(front / "front_s01_m03_e2.json", n_empty=1)  # 95 %
    write_episode(front / "front_s01_m03_e3.json", n_empty=2)  # 90 %: dropped
    write_episode(side / "side_s01_m03_e1.json")
    (tmp_path / "experts_score.json").write_text(json.dumps({"s01": {"m03": {"e2": [2, 2, 3]}}}))
    return tmp_path


def test_front_episodes_in_order(root: Path) -> None:
    motions = list(load(root))
    rows = [(m.meta["subject"], m.meta["exercise"], m.meta["side"], m.meta["repetition"]) for m in motions]
    assert rows == [("s01", "hurdle_step", "left", 2), ("s02", "rotary_stability_contralateral", "right", 1)]
    assert all(m.skeleton is CANONICAL and m.fps == 30 for m in motions)
    assert [[str(s) for s in m.scores] for m in motions] == [["fms:2"], []]
    assert motions[0].valid.all(axis=1).tolist() == [False] + [True] * 19


def test_the_mapping_of_the_paper_may_be_chosen(root: Path) -> None:
    ours, paper = next(load(root)), next(load(root, FMS_PAPER_MAP))
    assert not np.allclose(ours.joint("head"), paper.joint("head"))
    assert np.allclose(ours.joint("left_knee"), paper.joint("left_knee"))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="front_s01_m03_e2"):
        list(load(tmp_path))


def test_a_damaged_episode_is_named(root: Path) -> None:
    (root / "Skeleton data" / "Front" / "front_s01_m01_e1.json").write_text("{")
    with pytest.raises(UserError, match="front_s01_m01_e1"):
        list(load(root))


def test_a_front_file_of_another_name_is_refused(root: Path) -> None:
    write_episode(root / "Skeleton data" / "Front" / "front_notes.json")
    with pytest.raises(UserError, match="front_notes"):
        list(load(root))
