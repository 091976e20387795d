"""CSV of keypoints: spellings, times, gaps, and lines that are not what they should be."""

import gzip

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision.keypoint_csv import SPELLINGS
from rehabmotion.vision.keypoint_files import is_keypoints, read_keypoints
from rehabmotion.vision.points import NUMBER, POINTS

KNEE = NUMBER["left_knee"]


def write(folder, text: str | bytes, name: str = "a.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_points_come_back_in_their_frames(tmp_path):
    rng = np.random.default_rng(0)
    points, confidence = rng.uniform(1, 500, (5, len(POINTS), 2)), rng.uniform(0.1, 1, (5, len(POINTS)))
    header = ",".join(["time", *(f"{n}_x,{n}_y,{n}_confidence" for n in POINTS)])
    rows = [
        ",".join([f"{i / 50}", *(f"{x},{y},{c}" for (x, y), c in zip(points[i], confidence[i], strict=True))])
        for i in range(5)
    ]
    got = read_keypoints(write(tmp_path, "\n".join([header, *rows])))
    np.testing.assert_allclose([f[0].points for f in got.frames], points, rtol=1e-6)
    np.testing.assert_allclose([f[0].confidence for f in got.frames], confidence, rtol=1e-6)
    np.testing.assert_allclose(got.times, np.arange(5) / 50)
    assert got.fps == pytest.approx(50)
    assert got.notes == []
    assert got.extent == tuple((np.floor(points.max(axis=(0, 1))) + 1).astype(int).tolist())


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("left_shoulder", "left_shoulder"),
        ("LShoulder", "left_shoulder"),
        ("left shoulder", "left_shoulder"),
        ("Left_Shoulder", "left_shoulder"),
        ("l_shoulder", "left_shoulder"),
        ("LEFT-SHOULDER", "left_shoulder"),
        ("shoulder_l", "left_shoulder"),
        ("left_foot_index", "left_big_toe"),
        ("RIGHT_FOOT_INDEX", "right_big_toe"),
        ("RBigToe", "right_big_toe"),
        ("REar", "right_ear"),
        ("HeadTop", "head_top"),
        ("UpperNeck", "neck"),
        ("Nose", "nose"),
    ],
)
def test_spellings(tmp_path, spelt, name):
    got = read_keypoints(write(tmp_path, f"frame,{spelt}_x,{spelt}_y\n0,5,6\n"))
    person = got.frames[0][0]
    assert [POINTS[i] for i in np.flatnonzero(person.confidence)] == [name]
    assert person.points[NUMBER[name]].tolist() == [5, 6]


def test_every_point_has_spellings_that_mean_it_alone():
    assert set(SPELLINGS.values()) == set(POINTS)
    for name in POINTS:
        assert SPELLINGS[name.replace("_", "")] == name


@pytest.mark.parametrize("ending", ["confidence", "c", "score", "likelihood", "visibility", "Score"])
def test_endings_of_confidence(tmp_path, ending):
    got = read_keypoints(write(tmp_path, f"frame,nose_{ending},nose_y,nose_x\n0,0.25,6,5\n"))
    assert got.frames[0][0].confidence[0] == 0.25
    assert got.frames[0][0].points[0].tolist() == [5, 6]


def test_missing_cells_are_not_seen(tmp_path):
    rows = [
        "5,6,1,50,60,1",
        ",6,1,50,60,1",
        "5,,1,50,60,1",
        "5,6,,50,60,1",
        "nan,NaN,1,50,60,1",
        "0,6,1,50,60,1",
        ",,,,,",
    ]
    text = "frame,nose_x,nose_y,nose_c,left_knee_x,left_knee_y,left_knee_c\n"
    got = read_keypoints(write(tmp_path, text + "".join(f"{i},{row}\n" for i, row in enumerate(rows))))
    assert [bool(f and f[0].confidence[0]) for f in got.frames] == [True] + 6 * [False]
    assert [len(f) for f in got.frames] == 6 * [1] + [0]
    assert got.notes == []


def test_crlf_bom_quotes_blank_lines_and_gzip(tmp_path):
    text = b'\xef\xbb\xbf"Frame", nose_x ,nose_y\r\n\r\n3, 5 ,"6"\r\n4,7,8\r\n,,\r\n'
    for path in (write(tmp_path, text), write(tmp_path, gzip.compress(text), "a.csv.gz")):
        got = read_keypoints(path)
        assert [f[0].points[0].tolist() for f in got.frames] == [[5, 6], [7, 8]]
        assert (got.times, got.fps) == (None, None)


def test_gaps_of_frames_with_times_between(tmp_path):
    got = read_keypoints(write(tmp_path, "frame,time,nose_x,nose_y\n10,1.0,5,6\n11,1.1,5,6\n14,1.4,5,6\n"))
    assert [len(f) for f in got.frames] == [1, 1, 0, 0, 1]
    np.testing.assert_allclose(got.times, [1.0, 1.1, 1.2, 1.3, 1.4])
    assert got.fps == pytest.approx(10)
    assert got.notes == ["2 of the 5 frames from 10 to 14 are missing; kept, with nobody in them."]


def test_times_rounded_to_ms_and_with_a_gap_give_the_true_rate(tmp_path):
    times = [round(i / 30, 3) for i in [*range(20), *range(40, 61)]]
    got = read_keypoints(write(tmp_path, "time,nose_x,nose_y\n" + "".join(f"{t},5,6\n" for t in times)))
    assert got.fps == pytest.approx(30, rel=1e-3)


def test_what_is_odd_is_noted(tmp_path):
    got = read_keypoints(
        write(tmp_path, "frame,nose_x,nose_y,nose_c,tail_x,tail_y,comment\n0,5,6,3,1,1,hm\n1,inf,6,1,1,1,\n")
    )
    assert got.notes == [
        "Points taken as not seen, as infinite or beyond a million pixels: 1.",
        "Confidences above 1, taken as 1: 1.",
        "Columns that are no point we know, left out: tail_x, tail_y, comment.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "line 1.*Expected a header"),
        ("frame,nose_x,nose_y\n", "at least one frame"),
        ("nose_x,nose_y\n1,2\n", "line 1.*Expected a header"),
        ("frame;nose_x;nose_y\n1;2;3\n", "line 1.*Expected a header"),
        ("frame,a,b\n1,2,3\n", "line 1.*columns like"),
        ("frame,nose_x\n1,2\n", "line 1.*nose_y"),
        ("frame,nose_c,nose_x\n1,2,3\n", "line 1.*nose_y"),
        ("frame,nose_x,nose_y,Nose_X\n1,2,3,4\n", "line 1.*one x of nose, got nose_x and Nose_X"),
        ("frame,Frame,nose_x,nose_y\n1,2,3,4\n", "line 1.*one column frame"),
        ("frame,nose_x,nose_y\n1,2,3\n2,3\n", "line 3.*3 cells"),
        ("frame,nose_x,nose_y\n1,2,3\n2,1,5,3,5\n", "line 3.*3 cells"),
        ("frame,nose_x,nose_y\n1,2,x\n", "line 2 column 3.*'x'"),
        ("frame,nose_x,nose_y\n1,2,3\n1,2,3\n", "line 3.*above 1"),
        ("frame,nose_x,nose_y\n1.5,2,3\n", "line 2.*whole frame number"),
        ("frame,nose_x,nose_y\n,2,3\n", "line 2.*whole frame number"),
        ("frame,nose_x,nose_y\ninf,2,3\n", "line 2.*whole frame number"),
        ("frame,nose_x,nose_y\n0,2,3\n999999999,2,3\n", "at most 1000000 frames"),
        ("time,nose_x,nose_y\n0,2,3\n0,2,3\n", "line 3.*above 0 s"),
        ("time,nose_x,nose_y\nnan,2,3\n", "line 2.*time in seconds"),
        ("time,nose_x,nose_y\n0,2,3\n33,2,3\n67,2,3\n", "milliseconds"),
        ("frame,nose_x,nose_y\n0,0.2,0.3\n1,0.2,0.3\n", "in pixels"),
        ("frame,nose_x,nose_y\n0,,\n", "none in any frame"),
        ('frame,nose_x,nose_y\n0,"2,3\n', "line"),
        ("frame,nose_x,nose_y\n0,2,\x003\n", "line 2"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, message):
    with pytest.raises(UserError, match=f"a.csv: .*{message}"):
        read_keypoints(write(tmp_path, text))


def test_other_paths_are_refused(tmp_path):
    for path, message in (
        (tmp_path / "none.csv", "existing file"),
        (tmp_path / "a.json", "a folder of OpenPose's JSON"),
        (tmp_path, "got none"),
        (write(tmp_path, "", "empty.csv"), "empty file"),
    ):
        with pytest.raises(UserError, match=message):
            read_keypoints(path)
    with pytest.raises(UserError, match="layout only with"):
        read_keypoints(write(tmp_path, "frame,nose_x,nose_y\n0,5,6\n"), layout="COCO_17")


def test_keypoints_are_known_by_their_name(tmp_path):
    assert not is_keypoints(tmp_path)
    assert [is_keypoints(name) for name in ("a.CSV", "a.csv.gz", "a.mp4")] == [True, True, False]
    write(tmp_path, "{}", "a_0.json")
    assert is_keypoints(tmp_path)
