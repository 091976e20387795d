"""Keypoints found elsewhere, in place of a detector's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from capture_made import csv_of, points_of

from rehabmotion.errors import UserError
from rehabmotion.io.storage import read_storage
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.points import NUMBER
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one

Video = Callable[..., Path]
TIMES = np.arange(20) / 30


def never(*_: object) -> None:
    raise AssertionError("no detector is needed")


def capture(video: Path, keypoints: Path, out: Path, config: CaptureConfig) -> dict:
    return capture_one(video, out, replace(config, keypoints=keypoints), make=never)  # type: ignore[arg-type]


def write_openpose(folder: Path, n: int = 20) -> Path:
    """Write the squat as OpenPose writes BODY_25B."""
    count, numbers = LAYOUTS["BODY_25B"]
    folder.mkdir()
    for i, points in enumerate(points_of(np.arange(n) / 30, 128, 96)):
        row = np.zeros((count, 3))
        for name, k in numbers.items():
            row[k] = [*points[NUMBER[name]], 0.9]
        people = [{"pose_keypoints_2d": row.round(3).ravel().tolist()}]
        (folder / f"cam03_{i:06d}_keypoints.json").write_text(json.dumps({"people": people}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("named_times", [True, False], ids=["time", "frame"])
def test_csv(video: Video, config: CaptureConfig, tmp_path: Path, named_times: bool) -> None:
    (tmp_path / "k.csv").write_text(csv_of(TIMES, 128, 96, named_times), encoding="utf-8")
    report = capture(video(), tmp_path / "k.csv", tmp_path / "out", config)
    assert report["how"]["detector"] == str(tmp_path / "k.csv")
    assert read_storage(tmp_path / "out" / "cam03.mot").times == pytest.approx(TIMES, abs=2e-6)
    assert (tmp_path / "out" / "cam03.mp4").is_file()


def test_a_folder_of_openpose(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    report = capture(video(), write_openpose(tmp_path / "json"), tmp_path / "out", config)
    assert report["frames"] == 20
    assert report["seen"] == 1.0


def test_a_frame_more_or_less_is_no_matter(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    for n in (19, 21):
        folder = write_openpose(tmp_path / f"json{n}", n)
        capture(video(), folder, tmp_path / f"out{n}", config)
        assert len(read_storage(tmp_path / f"out{n}" / "cam03.mot").times) == n


def test_what_does_not_belong_to_the_video(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    path, out, csv = video(), tmp_path / "out", tmp_path / "k.csv"
    csv.write_text(csv_of(TIMES, 1280, 960), encoding="utf-8")
    with pytest.raises(UserError, match="inside images of 128 x 96 pixels"):
        capture(path, csv, out, config)
    csv.write_text(csv_of(np.arange(60) / 30, 128, 96, False), encoding="utf-8")
    with pytest.raises(UserError, match="keypoints for 20 frames, got 60"):
        capture(path, csv, out, config)
    csv.write_text("frame,nose_x\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"k\.csv"):
        capture(path, csv, out, config)
    with pytest.raises(UserError, match=r"none\.csv"):
        capture(path, tmp_path / "none.csv", out, config)
    assert not out.exists()


def test_times_of_another_recording_are_refused(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    """A CSV that brings its own times was taken whatever the video's: the overlay then showed other moments."""
    for times in (TIMES + 100, np.arange(90) / 30):
        (tmp_path / "k.csv").write_text(csv_of(times, 128, 96), encoding="utf-8")
        with pytest.raises(UserError, match=r"keypoints from 0 to 0\.63 s"):
            capture(video(), tmp_path / "k.csv", tmp_path / "out", config)


def test_keypoints_at_half_the_frames(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text(csv_of(np.arange(10) / 15, 128, 96), encoding="utf-8")
    capture(video(), tmp_path / "k.csv", tmp_path / "out", config)
    assert read_storage(tmp_path / "out" / "cam03.mot").times == pytest.approx(np.arange(10) / 15, abs=2e-6)
