"""HumanML3D folders: lists, captions of whole clips and of parts, persons of the index."""

from pathlib import Path

import numpy as np
import pytest

from rehabmotion.data.humanml3d import load
from rehabmotion.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "new_joints").mkdir()
    (tmp_path / "texts").mkdir()
    for name in ("000001", "M000001", "000002", "007975"):
        np.save(tmp_path / "new_joints" / f"{name}.npy", np.full((60, 22, 3), np.nan if name == "007975" else 0.5))
    (tmp_path / "index.csv").write_text(
        "source_path,start_frame,end_frame,new_name\n"
        "./pose_data/KIT/3/kick_poses.npy,0,60,000001.npy\n"
        "./pose_data/humanact12/humanact12/P11G01R02F1812T1847A0402.npy,0,-1,000002.npy\n"
    )
    (tmp_path / "train.txt").write_text("000002\n000001\n000099\n")
    (tmp_path / "val.txt").write_text("000098\n")
    texts = "a man kicks.#a/DET man/NOUN#0.0#0.0\nhe stands.#he/PRON#nan#nan\nhe lands#he/PRON#1.0#2.0\nlate#x#9#9.5\n"
    (tmp_path / "texts" / "000001.txt").write_text(texts)
    return tmp_path


def test_clips_come_sorted_with_their_persons(root: Path) -> None:
    """The mirrored copy is the same person; the clip known to hold NaN is left out."""
    motions = list(load(root))
    rows = [(m.meta["name"], m.meta["subject"], m.meta["mirrored"], m.n_frames) for m in motions]
    assert rows == [
        ("000001", "KIT/3", False, 60),
        ("000001", "KIT/3", False, 20),
        ("000002", "humanact12/P11", False, 60),
        ("M000001", "KIT/3", True, 60),
    ]


def test_captions_of_the_whole_and_of_a_part(root: Path) -> None:
    whole, part = [m for m in load(root) if m.meta["name"] == "000001"]
    assert whole.text == "a man kicks."
    assert whole.meta["captions"] == ["a man kicks.", "he stands."]
    assert (part.text, part.meta["part_s"]) == ("he lands", [1.0, 2.0])
    assert next(m for m in load(root) if m.meta["name"] == "000002").text == ""


def test_a_split_keeps_its_order_and_passes_over_what_is_not_there(root: Path) -> None:
    assert [m.meta["name"] for m in load(root, "train")] == ["000002", "000001", "000001"]
    assert {m.meta["name"]: m.meta["split"] for m in load(root)} == {
        "000001": "train",
        "000002": "train",
        "M000001": None,
    }
    with pytest.raises(UserError, match=r"val\.txt"):
        list(load(root, "val"))
    with pytest.raises(UserError, match=r"test\.txt"):
        list(load(root, "test"))


@pytest.mark.parametrize("line", ["no fields", "a#b#c#d", "a#b#-1#2", "a#b#0#inf"])
def test_a_bad_caption_line_is_named(root: Path, line: str) -> None:
    (root / "texts" / "000002.txt").write_text(f"fine#x#0#0\n{line}\n")
    with pytest.raises(UserError, match=r"000002\.txt line 2"):
        list(load(root))


def test_a_damaged_clip_is_named(root: Path) -> None:
    (root / "new_joints" / "000002.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UserError, match=r"000002\.npy"):
        list(load(root))


def test_a_bad_index_is_named(root: Path) -> None:
    (root / "index.csv").write_text("source_path,start_frame,end_frame,new_name\nx.npy,0,1,000001.npy\n")
    with pytest.raises(UserError, match=r"index\.csv line 2"):
        list(load(root))


def test_the_pair_at_hand(data_dir: Path) -> None:
    (motion,) = load(data_dir / "humanml3d", "train")
    assert (motion.n_frames, motion.text, motion.meta["subject"]) == (170, "", "Eyes_Japan_Dataset/yamaoka")
