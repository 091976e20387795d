"""MediaPipe as a detector: its landmarks are ours, times rise, its process cannot send, ends and mistakes are told."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision import mediapipe_child, mediapipe_pose
from rehabmotion.vision.detectors import DETECTORS, open_detector
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.mediapipe_pose import LANDMARKS, MediapipePose
from rehabmotion.vision.points import MIRROR, NUMBER, POINTS

BLACK = np.zeros((48, 64, 3), np.uint8)

# answers as mediapipe_child does: one person whose landmark i lies at (i / 100, mean of the image / 255), z in ms
FAKE = """
import struct, sys
import numpy as np
out, question = sys.stdout.buffer, sys.stdin.buffer
out.write(struct.pack("<i", 0)); out.flush()
while len(head := question.read(16)) == 16:
    height, width, ms = struct.unpack("<IIq", head)
    image = np.frombuffer(question.read(3 * height * width), np.uint8).reshape(height, width, 3)
    rows = np.zeros((33, 7), "<f4")
    rows[:, 0], rows[:, 1] = np.arange(33) / 100, image[:, : width // 2].mean() / 255
    rows[:, 2:4] = 0.5, 0.8
    rows[:, 4:] = np.arange(33)[:, None] + (0.1, 0.2, 0.0)
    rows[:, 6] = ms
    out.write(struct.pack("<i", 1) + rows.tobytes()); out.flush()
"""
SAYS_NO = "import struct, sys; sys.stdout.buffer.write(struct.pack('<ii', {kind}, 3) + b'why'); sys.stdout.flush()"

Fake = Callable[[str], MediapipePose]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """A function that makes a detector whose process is a program of the test's."""
    made: list[MediapipePose] = []

    def make(program: str) -> MediapipePose:
        def start(model: Path, people: int) -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        monkeypatch.setattr(mediapipe_pose, "_start", start)
        made.append(MediapipePose(Path("any.task")))
        return made[-1]

    yield make
    for detector in made:
        detector.close()


def test_every_landmark_comes_to_its_point_in_pixels_and_metres(fake: Fake) -> None:
    """In an image 200 wide and 100 high, landmark 15, the left wrist, at 0.15 of the width is at 30 pixels."""
    image = np.full((100, 200, 3), 51, np.uint8)
    (found,) = fake(FAKE).people(image, 0.5)
    assert found.points[NUMBER["left_wrist"]] == pytest.approx([30, 20])
    assert found.points[NUMBER["right_big_toe"]] == pytest.approx([64, 20])
    assert found.confidence[NUMBER["left_wrist"]] == pytest.approx(0.4)  # visible 0.5, present 0.8
    assert found.world is not None
    assert found.world[NUMBER["left_wrist"]] == pytest.approx([15.1, 15.2, 500])
    absent = {"neck", "head_top", "left_small_toe", "right_small_toe"}
    assert {name for name in POINTS if found.confidence[NUMBER[name]] == 0} == absent
    assert set(LANDMARKS) == set(POINTS) - absent


def test_the_landmarks_are_those_of_the_files_of_mediapipe() -> None:
    """The numbers by hand: eyes have three landmarks each, of which the middle one counts."""
    assert (LANDMARKS["left_eye"], LANDMARKS["right_eye"], LANDMARKS["left_ear"], LANDMARKS["right_ear"]) == (
        2,
        5,
        7,
        8,
    )
    assert (LANDMARKS["left_shoulder"], LANDMARKS["right_thumb"], LANDMARKS["left_hip"]) == (11, 22, 23)
    assert (LANDMARKS["right_heel"], LANDMARKS["left_big_toe"], LANDMARKS["right_big_toe"]) == (30, 31, 32)


@pytest.mark.slow
def test_the_landmarks_are_those_of_mediapipe() -> None:
    vision = pytest.importorskip("mediapipe.tasks.python.vision", reason="needs mediapipe")
    theirs = {landmark.name.lower().replace("foot_index", "big_toe"): int(landmark) for landmark in vision.PoseLandmark}
    assert {name: theirs[name] for name in LANDMARKS} == LANDMARKS


def test_times_rise_in_whole_ms_at_240_fps_and_where_they_are_equal(fake: Fake) -> None:
    detector = fake(FAKE)
    times = [0.0, 1 / 240, 2 / 240, 2 / 240, 2 / 240, 3 / 240, 0.0131, 0.5]
    told = [detector.people(BLACK, time)[0].world[0, 2] for time in times]  # type: ignore[index]
    assert told == [0, 4, 8, 9, 10, 12, 13, 500]


def test_times_that_do_not_rise_are_refused(fake: Fake) -> None:
    detector = fake(FAKE)
    with pytest.raises(UserError, match=r"rise from image to image, got -0.1 s\."):
        detector.people(BLACK, -0.1)
    detector.people(BLACK, 1.0)
    for time in (-0.1, math.nan, math.inf, 1e12, 0.9):
        with pytest.raises(UserError, match=r"Expected times .* rise .* after 1 s"):
            detector.people(BLACK, time)
    assert detector.people(BLACK, 1.1)[0].world[0, 2] == 1100  # type: ignore[index]


def test_rows_with_gaps_between_them_are_read_as_the_picture_they_are(fake: Fake) -> None:
    """MediaPipe ignores strides: a decoder's frame 1768 pixels wide, padded to 1776, showed it nobody."""
    padded = np.zeros((48, 80, 3), np.uint8)
    padded[:, :32] = 102
    detector = fake(FAKE)
    views = (padded[:, :64], np.asfortranarray(padded[:, :64]), padded[::-1, :64], np.ascontiguousarray(padded[:, :64]))
    for i, view in enumerate(views):
        assert detector.people(view, i)[0].points[NUMBER["nose"], 1] == pytest.approx(0.4 * 48)


def test_other_images_are_refused(fake: Fake) -> None:
    detector = fake(FAKE)
    grey, alpha, empty = (np.zeros(shape, np.uint8) for shape in ((4, 4), (4, 4, 4), (0, 4, 3)))
    images: tuple[Any, ...] = (grey, alpha, empty, np.zeros((4, 4, 3)))
    for image in images:
        with pytest.raises(UserError, match="Expected an RGB image"):
            detector.people(image, 0.0)


def test_what_its_process_refuses_is_told(fake: Fake) -> None:
    with pytest.raises(UserError, match=r"mediapipe to load, it could not \(why\)"):
        fake(SAYS_NO.format(kind=mediapipe_child.NO_LIBRARY))
    with pytest.raises(UserError, match=r"any.task: Expected .*\(why\).*rehabmotion models get pose"):
        fake(SAYS_NO.format(kind=mediapipe_child.NO_MODEL))
    with pytest.raises(UserError, match=r"any.task: Expected .*\(status 5\)"):  # it crashes on the model
        fake("import os; os._exit(5)")


def test_a_process_that_ends_in_the_middle_is_told(fake: Fake) -> None:
    """Large images: the pipe breaks while the question is still being written."""
    detector = fake("import os, struct; os.write(1, struct.pack('<i', 0)); os.read(0, 100); os._exit(7)")
    with pytest.raises(RuntimeError, match="status 7"):
        detector.people(np.zeros((1000, 1000, 3), np.uint8), 0.0)


def test_closing_ends_the_process_and_may_come_twice(fake: Fake) -> None:
    detector = fake(FAKE)
    process = detector._child
    assert process is not None
    detector.close()
    detector.close()
    assert process.poll() is not None
    with pytest.raises(RuntimeError, match="closed"):
        detector.people(BLACK, 0.0)


def test_its_process_has_no_way_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """MediaPipe's libcurl obeys these variables; it would send statistics of use to Google otherwise."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("No_Proxy", "*")
    found = {name: value for name, value in mediapipe_pose._environment().items() if "proxy" in name.lower()}
    names = ("http_proxy", "https_proxy", "all_proxy")
    assert found == {form: "http://127.0.0.1:9" for name in names for form in (name, name.upper())}


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path))
    monkeypatch.setattr(mediapipe_pose.importlib.util, "find_spec", lambda _: object())
    with pytest.raises(UserError, match=rf"{tmp_path}.*rehabmotion models get pose"):
        MediapipePose()
    with pytest.raises(UserError, match="rehabmotion models get pose"):
        MediapipePose(tmp_path)
    monkeypatch.setattr(mediapipe_pose.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[capture\]"'):
        MediapipePose()
    for people in (0, -1, 33):
        with pytest.raises(UserError, match=f"1 to 32 people .*got {people}"):
            MediapipePose(people=people)


def test_detectors_are_opened_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path | None, int]] = []
    monkeypatch.setattr("rehabmotion.vision.detectors.MediapipePose", lambda *how: asked.append(how))
    open_detector("mediapipe", 2)
    open_detector("mediapipe:C:/a.task")
    assert asked == [(None, 2), (Path("C:/a.task"), 1)]
    assert list(DETECTORS) == ["mediapipe", "rtmpose"]
    for spec in ("", "openpose", "MediaPipe", ":a.task"):
        with pytest.raises(UserError, match="mediapipe, rtmpose"):
            open_detector(spec)
    with pytest.raises(UserError, match="rtmpose:FILE"):
        open_detector("rtmpose")
    with pytest.raises(UserError, match="Use mediapipe"):
        open_detector("rtmpose:a.onnx", 2)


@pytest.mark.slow
def test_images_without_people_and_odd_ones(pose_model: Path) -> None:
    detector = MediapipePose(pose_model, people=3)
    sizes = [(1, 1), (1, 4000), (4000, 1), (48, 64), (64, 48)]
    random = np.random.default_rng(0)
    for i, (height, width) in enumerate(sizes):
        assert detector.people(random.integers(0, 255, (height, width, 3), np.uint8), i / 30) == []
    detector.close()


@pytest.mark.slow
def test_a_model_that_is_none_is_refused(pose_model: Path, tmp_path: Path) -> None:
    whole = pose_model.read_bytes()
    for name, data in {"text": b"hello", "cut": whole[:5_000_000]}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=f"{name}: Expected MediaPipe's pose model"):
            MediapipePose(tmp_path / name)


@pytest.mark.slow
def test_the_balancing_man_is_where_openpose_saw_him(pose_model: Path, data_dir: Path) -> None:
    """Left is left, pixels are pixels: his limbs lie where OpenPose saw them, within 25 px in the median."""
    av = pytest.importorskip("av", reason="needs PyAV")
    trial = data_dir / "video" / "pose2sim_single" / "S00_P00_T01_BalancingTrial"
    if not trial.is_dir():
        pytest.skip("needs the videos of Pose2Sim in the data folder")
    keypoints = sorted(trial.glob("pose-associated/*cam01*/*.json"))
    limbs = [
        name for name in LANDMARKS if name.split("_")[-1] in ("shoulder", "elbow", "wrist", "knee", "ankle", "heel")
    ]
    mine = [NUMBER[name] for name in limbs]
    order = LAYOUTS["BODY_25B"][1]
    them = [order[name] for name in limbs]
    errors, swapped = [], []
    detector = MediapipePose(pose_model)
    with av.open(str(trial / "videos" / "cam01.mp4")) as video:
        for i, frame in enumerate(video.decode(video=0)):
            if i == 20:
                break
            (found,) = detector.people(frame.to_ndarray(format="rgb24"), frame.time)
            (there,) = json.loads(keypoints[i].read_text())["people"]
            theirs = np.array(there["pose_keypoints_2d"]).reshape(-1, 3)[:, :2]
            errors.append(np.linalg.norm(found.points[mine] - theirs[them], axis=1))
            swapped.append(np.linalg.norm(found.points[[MIRROR[k] for k in mine]] - theirs[them], axis=1))
    detector.close()
    assert np.median(errors) < 25
    assert np.median(swapped) > 2 * np.median(errors)
