"""What a user may hand to `rehabmotion capture`: one line, exit code 2, nothing written."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from capture_made import Squatter, csv_of
from made_videos import greys, write_image, write_sound

from rehabmotion.app.cli import run
from rehabmotion.vision.clip import Clip, Frame
from rehabmotion.workflows.capture import watch as watching
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one

Video = Callable[..., Path]


@pytest.fixture
def refused(tmp_path: Path, lifter: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """A function that checks that a source and options are refused with these words."""

    def check(source: object, words: str, *options: str) -> None:
        capsys.readouterr()
        out = tmp_path / "out"
        chosen = options if "--lifter" in options else (*options, "--lifter", str(lifter))
        assert run(["capture", str(source), "--out", str(out), *chosen]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("error: ")
        assert told.err.count("\n") == 1, told.err
        assert words in told.err
        assert not out.exists()
        assert not list(tmp_path.glob(".rehabmotion-*"))

    return check


def test_files_that_are_no_video(tmp_path: Path, refused: Callable[..., None]) -> None:
    refused(tmp_path / "none.mp4", "existing video")
    refused("webcam", "existing video")
    refused("webcam:x", "webcam's number")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", "empty file")
    (tmp_path / "text.mp4").write_text("dear reader,\n" * 400, encoding="utf-8")
    refused(tmp_path / "text.mp4", "could not read text.mp4")
    refused(write_sound(tmp_path / "song.m4a"), "sound only")
    refused(write_sound(tmp_path / "song.mp4"), "sound only")


def test_folders(tmp_path: Path, video: Video, refused: Callable[..., None]) -> None:
    (tmp_path / "nothing").mkdir()
    refused(tmp_path / "nothing", "got neither")
    path = video(5)
    write_image(path.parent / "a.png", greys(1)[0], "png", "rgb24")
    refused(path.parent, "1 images and 1 videos")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--height", "172"), "height from 0.5 to 2.5 m, got 172"),
        (("--height", "nan"), "height from"),
        (("--height", "-1.7"), "height from"),
        (("--height", "tall"), "--height"),
        (("--fov", "0"), "field of view from 5 to 150"),
        (("--fov", "400"), "field of view from 5 to 150"),
        (("--fov", "wide"), "--fov"),
        (("--person", "tallest"), "--person"),
        (("--person", "-1"), "--person"),
        (("--detector", "kinect"), "mediapipe, rtmpose"),
        (("--detector", "rtmpose"), "rtmpose:FILE.onnx"),
        (("--detector", "rtmpose:none.onnx"), "none.onnx"),
        (("--osim", "none.osim"), "none.osim"),
        (("--lifter", "none"), '"none"'),
        (("--keypoints", "none.csv"), "none.csv"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else "",
)
def test_options(options: tuple[str, ...], words: str, video: Video, refused: Callable[..., None]) -> None:
    refused(video(5), words, *options)


def test_a_place_that_cannot_be_written(
    video: Video, lifter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        assert run(["capture", str(video(5)), "--out", str(out), "--lifter", str(lifter)]) == 2
        assert "folder that can be written" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("address", ["auto", "127.0.0.1:9", "nowhere.invalid:1", "127.0.0.1:x", "no address"])
def test_a_cluster_that_is_not_there(address: str, video: Video, refused: Callable[..., None]) -> None:
    """Ray tried an address where nothing listens for over six minutes."""
    pytest.importorskip("ray", reason='needs Ray: pip install "rehabmotion[ray]"')
    refused(video(5), "Ray cluster", "--ray", address)


def test_a_person_who_is_not_there(tmp_path: Path, video: Video, refused: Callable[..., None]) -> None:
    (tmp_path / "k.csv").write_text(csv_of(np.arange(20) / 30, 128, 96), encoding="utf-8")
    refused(video(), "1 person was found", "--keypoints", str(tmp_path / "k.csv"), "--person", "9")


def test_no_pose_model(
    tmp_path: Path, video: Video, refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mediapipe", reason='needs mediapipe: pip install "rehabmotion[capture]"')
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "cache"))
    refused(video(5), "rehabmotion models get pose")
    refused(video(5), "none.task", "--detector", f"mediapipe:{tmp_path / 'none.task'}")


def test_a_lifter_that_is_another_model_or_broken(
    tmp_path: Path, lifter: Path, video: Video, refused: Callable[..., None]
) -> None:
    path = video(5)
    refused(path, "lifter's configuration", "--lifter", "open")
    broken = tmp_path / "broken"
    broken.mkdir()
    refused(path, "has no", "--lifter", str(broken))
    for file in lifter.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes((lifter / "model.safetensors").read_bytes()[:500])
    refused(path, "weights of a lifter", "--lifter", str(broken))
    (broken / "config.json").write_text("[1]", encoding="utf-8")
    refused(path, "lifter's configuration", "--lifter", str(broken))


def test_a_webcam_ends_at_ctrl_c_and_is_captured(
    tmp_path: Path, config: CaptureConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no end: Ctrl-C threw everything away. The detector's process ends at Ctrl-C as well."""

    def endless(_: object):
        i = 0
        while True:
            yield Frame(np.zeros((96, 128, 3), np.uint8), i / 30)
            i += 1

    class Ended(Squatter):
        def people(self, image: np.ndarray, time: float) -> list:
            if time > 1.0:
                os.kill(os.getpid(), signal.SIGINT)
                raise RuntimeError("MediaPipe ended")
            return super().people(image, time)

    clip = Clip("webcam:0", (128, 96), (128, 96), 30.0, None, endless)
    monkeypatch.setattr(watching, "open_clip", lambda *_, **__: clip)
    before = signal.getsignal(signal.SIGINT)
    report = capture_one(Path("webcam:0"), tmp_path / "out", replace(config), make=lambda *_: Ended())
    assert signal.getsignal(signal.SIGINT) is before
    assert report["frames"] == 31
    assert (tmp_path / "out" / "webcam0.mot").is_file()
    assert not (tmp_path / "out" / "webcam0.mp4").exists()
    assert any("No overlay" in line for line in report["warnings"])
