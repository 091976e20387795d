"""CMU: the list of descriptions, cutting, and the real clips."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.data.cmu import descriptions, load, unbroken
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion

LIST = (
    '"Motion Capture Database – full file listing",,\r\n'
    ',"CMU says: “Start with\nhigher numbers.”",\r\n'
    "MOTION,DESCRIPTION from CMU web database,SUBJECT from CMU web database\r\n"
    ",,\r\n"
    '01_01,"playground -  forward jumps, turn around","Subject #1 (climb, swing)"\r\n'
    "01_02,Unknown,Subject #1\r\n"
    ",,\r\n"
    "02_01,walk,Subject #2\r\n"
)


def test_descriptions_come_from_the_rows_with_an_id(tmp_path: Path):
    (tmp_path / "x.csv").write_bytes(LIST.encode())
    assert descriptions(tmp_path / "x.csv") == {
        "01_01": "playground - forward jumps, turn around",
        "01_02": "",
        "02_01": "walk",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("01_01,walk,x\n", "line MOTION,DESCRIPTION"),
        (LIST[: LIST.index("01_01")], "cut off"),
        (LIST + "02_01,run,x\r\n", "02_01 with none or twice"),
        (LIST + "02_02\r\n", "02_02 with none or twice"),
        ("", "empty file"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, words: str):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        descriptions(tmp_path / "x.csv")
    assert "x.csv" in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, len(LIST.encode())))
def test_garbage_in_the_list_raises_only_user_errors(tmp_path: Path, data: bytes, cut: int):
    path = tmp_path / "x.csv"
    for content in (data, LIST.encode()[:cut] + data, b"MOTION\n" + data):
        path.write_bytes(content)
        try:
            assert descriptions(path)
        except UserError:
            continue


def test_a_clip_is_parted_where_a_joint_jumps():
    positions = np.zeros((100, 22, 3))
    positions[:, 0, 0] = np.arange(100) * 0.1  # 12 m/s at 120 fps: fast but possible
    positions[40:, 5, 1] += 0.5  # 60 m/s: not
    assert unbroken(Motion(positions, 120.0)) == [(0, 40), (40, 100)]
    assert unbroken(Motion(positions[:1], 120.0)) == [(0, 1)]


def test_missing_parts_are_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"cmu-mocap-index\.csv"):
        next(load(tmp_path))
    (tmp_path / "cmu-mocap-index.csv").write_text(LIST)
    with pytest.raises(UserError, match="found none"):
        next(load(tmp_path))


def test_another_skeleton_is_refused_by_name(tmp_path: Path):
    (tmp_path / "cmu-mocap-index.csv").write_text(LIST)
    folder = tmp_path / "subjects" / "02"
    folder.mkdir(parents=True)
    (folder / "02.asf").write_text(
        ":units\nlength 0.45\nangle deg\n:root\norder TX TY TZ RX RY RZ\n"
        ":bonedata\nbegin\nname tail\ndirection 0 1 0\nlength 1\nend\n:hierarchy\nbegin\nroot tail\nend\n"
    )
    (folder / "02_01.amc").write_text("1\nroot 0 0 0 0 0 0\n")
    with pytest.raises(UserError, match=r"02_01\.amc: Expected a joint of this skeleton"):
        next(load(tmp_path))


def test_the_real_list_has_2435_clips(data_dir: Path):
    texts = descriptions(data_dir / "cmu" / "cmu-mocap-index.csv")
    assert len(texts) == 2435
    assert sum(text == "" for text in texts.values()) == 88
    assert texts["02_07"] == "swordplay"


def test_real_clips_give_52_windows_of_2_to_5_seconds(data_dir: Path):
    motions = list(load(data_dir / "cmu"))
    assert len(motions) == 52
    assert {m.meta["subject"] for m in motions} == {"01", "02", "03"}
    for motion in motions:
        assert 2 <= motion.seconds <= 5
        assert motion.text
        assert motion.meta["exercise"] is None
        assert unbroken(motion) == [(0, motion.n_frames)]
    jumps = [m for m in motions if m.meta["clip"] == "03_02"]
    assert [m.meta["start_frame"] for m in jumps] == [50]  # its first 50 frames hold a false pose
