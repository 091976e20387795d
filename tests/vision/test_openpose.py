"""Folders of OpenPose JSON: the orders of points, gaps, and files that are not what they should be."""

import json
from pathlib import Path

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision.keypoint_files import LAYOUTS, read_keypoints
from rehabmotion.vision.keypoint_layouts import in_our_order, layout_of
from rehabmotion.vision.points import NUMBER, POINTS

TRIAL = "video/pose2sim_single/S00_P00_T01_BalancingTrial"
# of a person from the front, pixels: what both orders of 25 points have
BODY = {
    "nose": (200, 100), "eye": (8, 92), "ear": (16, 96), "shoulder": (45, 160), "elbow": (60, 230), "wrist": (65, 295),
    "hip": (28, 300), "knee": (30, 400), "ankle": (32, 495), "heel": (30, 510), "big_toe": (40, 515),
    "small_toe": (46, 512), "head_top": (200, 70), "neck": (200, 150),
}  # fmt: skip


def body(layout: str) -> np.ndarray:
    """The person in the order of a layout, (K, 3); each point's confidence tells its name's number."""
    count, numbers = LAYOUTS[layout]
    points = np.zeros((count, 3))
    for name, i in numbers.items():
        side, _, part = name.partition("_")
        if side not in ("left", "right"):
            x, y = BODY[name]
        else:
            x, y = BODY[part if part not in ("index", "pinky", "thumb") else "wrist"]
            x = 200 + x * (1 if side == "left" else -1)
        points[i] = x, y, 0.5 + 0.01 * NUMBER[name]
    return points


def write(folder: Path, number: int, *people, key: str = "pose_keypoints_2d", name: str = "cam1_{:03}.json") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name.format(number)
    content = {"version": 1.3, "people": [{key: np.ravel(p).tolist()} for p in people]}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_point_lands_under_its_name(tmp_path, layout):
    for i in range(3):
        write(tmp_path, i, body(layout))
    got = read_keypoints(tmp_path)
    assert (got.layout, got.times, got.fps, got.notes, len(got.frames)) == (layout, None, None, [], 3)
    person = got.frames[1][0]
    for name, i in NUMBER.items():
        if name in LAYOUTS[layout][1]:
            assert person.confidence[i] == pytest.approx(0.5 + 0.01 * i)
        else:
            assert person.confidence[i] == 0
    assert got.extent[1] == (516 if "left_big_toe" in LAYOUTS[layout][1] else 496)
    assert person.points[NUMBER["left_knee"]].tolist() == [230, 400]


def test_orders_spelt_out():
    """By hand, from the publications, against a slip in the tables."""
    numbers = {name: LAYOUTS[name][1] for name in LAYOUTS}
    assert [numbers["BODY_25"][n] for n in ("right_wrist", "left_wrist", "right_hip", "left_ankle", "right_eye")] == [
        4, 7, 9, 14, 15,
    ]  # fmt: skip
    assert not any("neck" in numbers[name] for name in ("BODY_25", "COCO_18"))
    assert [numbers["BODY_25B"][n] for n in ("neck", "head_top", "left_big_toe", "left_heel", "right_heel")] == [
        17, 18, 19, 21, 24,
    ]  # fmt: skip
    assert [numbers["HALPE_26"][n] for n in ("head_top", "neck", "left_big_toe", "right_big_toe", "right_heel")] == [
        17, 18, 20, 21, 25,
    ]  # fmt: skip
    assert [numbers["COCO_18"][n] for n in ("right_shoulder", "left_hip", "left_ear")] == [2, 11, 17]
    assert [numbers["BLAZEPOSE_33"][n] for n in ("right_eye", "left_thumb", "left_hip", "right_big_toe")] == [
        5, 21, 23, 32,
    ]  # fmt: skip
    assert [numbers["COCO_17"][n] for n in ("left_shoulder", "right_ankle")] == [5, 16]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("layout", ["BODY_25", "BODY_25B"])
def test_25_points_are_told_apart_whichever_way_up(layout, turn):
    points = body(layout)
    for _ in range(turn):
        points[:, :2] = np.stack([600 - points[:, 1], points[:, 0]], axis=1)
    assert layout_of([points.astype(np.float32)]) == layout


def test_25_points_that_show_too_little_need_to_be_told(tmp_path):
    points = body("BODY_25B")
    points[5:] = 0  # the face alone
    write(tmp_path, 0, points)
    with pytest.raises(UserError, match=r"BODY_25 or BODY_25B.*layout="):
        read_keypoints(tmp_path)
    assert read_keypoints(tmp_path, layout="body_25b").frames[0][0].confidence[NUMBER["left_ear"]] > 0
    for wrong, message in (("HALPE_26", "26 keypoints"), ("MPII", "out of COCO_17")):
        with pytest.raises(UserError, match=message):
            read_keypoints(tmp_path, layout=wrong)


def test_what_counts_as_seen(tmp_path):
    points = body("COCO_17")
    points[1] = 0, 0, 0
    points[2] = 0, 90, 0.9
    points[3] = 90, 0, 0.9
    points[4] = np.nan, 90, 0.9
    points[5] = 90, np.inf, 0.9
    points[6, 2] = -0.1
    points[7, 2] = 1.2
    points[8] = 1e30, 5, 0.9
    write(tmp_path, 0, points)
    got = read_keypoints(tmp_path)
    confidence = in_our_order(np.arange(51, dtype=np.float32).reshape(17, 3), "COCO_17")[:, 2]
    seen = got.frames[0][0].confidence
    unseen = [POINTS[i] for i in range(len(POINTS)) if confidence[i] and not seen[i]]
    assert sorted(unseen) == sorted(
        ["left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "right_elbow"]
    )
    assert seen.max() == 1
    assert (got.frames[0][0].points[seen == 0] == 0).all()
    assert [note.rsplit(": ")[1] for note in got.notes] == ["2.", "1.", "1."]


def test_gaps_become_frames_with_nobody_and_a_note(tmp_path):
    for i in (7, 8, 12):
        write(tmp_path, i, body("HALPE_26"))
    got = read_keypoints(tmp_path)
    assert [len(frame) for frame in got.frames] == [1, 1, 0, 0, 0, 1]
    assert got.notes == ["3 of the 6 frames from 7 to 12 are missing; kept, with nobody in them."]


def test_numbers_sort_as_numbers_and_may_stand_before_other_words(tmp_path):
    for i in (2, 10, 1):
        points = body("COCO_17")
        points[:, 0] += i
        write(tmp_path, i, points, name="walk2_{}_keypoints.json")
    got = read_keypoints(tmp_path)
    assert [frame[0].points[0, 0] for frame in got.frames if frame] == [201, 202, 210]


def test_people_without_points_and_frames_without_people(tmp_path):
    write(tmp_path, 0)
    write(tmp_path, 1, [], np.zeros((17, 3)), body("COCO_17"))
    assert [len(frame) for frame in read_keypoints(tmp_path).frames] == [0, 1]


def test_older_key_bom_and_other_files(tmp_path):
    path = write(tmp_path, 0, body("COCO_18"), key="pose_keypoints")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b",", b",\r\n"))
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / ".hidden.json").write_text("{")
    got = read_keypoints(tmp_path)
    assert got.layout == "COCO_18"
    assert got.notes == ["Files that are not .json, passed over: 1."]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b'{"version": 1.3,\n"people": [{"pose_key', "line 2.*whole JSON"),
        (b"\xff\xd8\xff\xe0 a picture", "could not read|whole JSON"),
        (b"[1, 2]", 'a list "people"'),
        (b'{"people": {}}', 'a list "people"'),
        (b'{"people": [3]}', "x, y, confidence"),
        (b'{"people": [{"face": []}]}', "x, y, confidence"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2]}]}', "x, y, confidence"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, "a"]}]}', "x, y, confidence"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, true]}]}', "x, y, confidence"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, 1' + b"0" * 400 + b"]}]}", "300 digits"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, 1' + b"0" * 5000 + b"]}]}", "could not read"),
        (b'{"people": ' + b"[" * 100_000, "could not read|whole JSON"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, 1]}]}', "Expected 17 keypoints as in cam1_000.json, got 1"),
    ],
    ids=range(14),
)
def test_a_file_that_is_not_whole_is_named(tmp_path, content, message):
    write(tmp_path, 0, body("COCO_17"))
    (tmp_path / "cam1_001.json").write_bytes(content)
    with pytest.raises(UserError, match=f"(?s)cam1_001.json.*({message})"):
        read_keypoints(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "got none"),
        (["cam1_0.json", "cam2_0.json", "cam1_1.json"], "one number"),
        (["cam1_0.json", "cam2_1.json"], "one number"),
        (["a_1.json", "a_01.json"], "one number"),
        (["a_1.json", "b_2.json"], "differ in the frame's number only"),
        (["a_1.json", "settings.json"], "differ in the frame's number only"),
        (["a_1.json", "a_99999999.json"], "at most 1000000 frames"),
        (["a_1.json", f"a_{'9' * 40}.json"], "15 digits"),
    ],
)
def test_names_that_give_no_order_are_refused(tmp_path, names, message):
    for name in names:
        write(tmp_path, 0, body("COCO_17"), name=name)
    with pytest.raises(UserError, match=message):
        read_keypoints(tmp_path)


def test_a_folder_of_folders_says_where_to_look(tmp_path):
    write(tmp_path / "cam1", 0, body("COCO_17"))
    with pytest.raises(UserError, match="not in folders inside it"):
        read_keypoints(tmp_path)


def test_one_file_without_a_number_is_a_clip_of_one_frame(tmp_path):
    write(tmp_path, 0, body("COCO_17"), name="shot.json")
    assert len(read_keypoints(tmp_path).frames) == 1


def test_nobody_shares_of_the_image_and_unknown_numbers_are_refused(tmp_path):
    write(tmp_path / "nobody", 0)
    write(tmp_path / "shares", 0, body("COCO_17") * [0.001, 0.001, 1])
    write(tmp_path / "seven", 0, np.ones((7, 3)))
    for name, message in (("nobody", "none in any frame"), ("shares", "in pixels"), ("seven", "known number, got 7")):
        with pytest.raises(UserError, match=f"{name}.*{message}"):
            read_keypoints(tmp_path / name)


@pytest.mark.parametrize("camera", ["cam01", "cam02"])
def test_a_real_folder(data_dir, camera):
    got = read_keypoints(data_dir / TRIAL / "pose" / f"{camera}_json")
    assert (got.layout, len(got.frames), got.notes) == ("BODY_25B", 100, [])
    assert {len(frame) for frame in got.frames} <= {2, 3}
    points = np.array([p.points for frame in got.frames for p in frame])
    seen = np.array([p.confidence for frame in got.frames for p in frame]) > 0
    assert (points[seen] > 0).all()
    upright = seen[:, NUMBER["head_top"]] & seen[:, NUMBER["left_hip"]]
    assert (points[upright, NUMBER["head_top"], 1] < points[upright, NUMBER["left_hip"], 1]).all()
