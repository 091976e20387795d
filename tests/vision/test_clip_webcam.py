"""Webcams: what opens them, and the newest picture each time. A video stands in for the device."""

import sys
import threading
import time
from types import SimpleNamespace

import pytest
from made_videos import greys, number, write_video

from rehabmotion.errors import UserError
from rehabmotion.vision import clip_webcam
from rehabmotion.vision.clip import open_clip

av = pytest.importorskip("av", reason="needs the extra: video")


@pytest.fixture
def camera(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", greys(30))
    monkeypatch.setattr(clip_webcam, "webcam_device", lambda name: (str(path), "mov", {}))


def test_what_opens_it(monkeypatch):
    monkeypatch.setattr(clip_webcam.Path, "exists", lambda self: True)
    assert clip_webcam.webcam_device("webcam:2", "linux") == ("/dev/video2", "v4l2", {})
    assert clip_webcam.webcam_device("webcam:1", "darwin")[:2] == ("1", "avfoundation")
    devices = [
        SimpleNamespace(name="mic", description="Microphone", media_types=["audio"]),
        SimpleNamespace(name="@cam", description="Camera", media_types=["video"]),
    ]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda kind: devices, raising=False)
    assert clip_webcam.webcam_device("webcam:0", "win32") == ("video=@cam", "dshow", {})
    with pytest.raises(UserError, match=r"webcam:0 \(Camera\)"):
        clip_webcam.webcam_device("webcam:1", "win32")
    with pytest.raises(UserError, match="Linux, macOS or Windows"):
        clip_webcam.webcam_device("webcam:0", "emscripten")


@pytest.mark.parametrize("source", ["webcam:", "webcam:x", "webcam:-1", "webcam:0/../../etc", "webcam:99999"])
def test_a_wrong_number_is_refused(source):
    with pytest.raises(UserError, match="webcam:0"):
        open_clip(source)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for /dev/video99")
def test_an_absent_device_is_one_line():
    with pytest.raises(UserError, match="Expected a webcam at /dev/video99, there is none") as error:
        open_clip("webcam:99")
    assert "\n" not in str(error.value)


def test_a_device_that_cannot_be_opened_is_one_line(tmp_path, monkeypatch):
    for device in ((str(tmp_path / "gone"), "mov", {}), ("0", "no such kind", {})):
        monkeypatch.setattr(clip_webcam, "webcam_device", lambda name, device=device: device)
        with pytest.raises(UserError, match="Expected a webcam at webcam:0, could not open it"):
            open_clip("webcam:0")


def test_pictures_come_with_rising_times_and_the_end_is_said(camera):
    clip = open_clip("webcam:0", longest=32)
    frames = list(clip)
    times = [f.time for f in frames]
    assert (clip.name, clip.size, clip.image_size, clip.n_frames) == ("webcam:0", (64, 48), (32, 24), None)
    assert times[0] == 0
    assert times == sorted(set(times))
    assert number(frames[-1].image) == 29
    assert "webcam stopped" in clip.warnings[0]


def test_a_slow_reader_gets_the_newest(camera):
    """All 30 pictures pass while the first is looked at; the second to be given is the last."""
    numbers = []
    for frame in open_clip("webcam:0"):
        numbers.append(number(frame.image))
        time.sleep(0.3)
    assert numbers[-1] == 29
    assert len(numbers) <= 3


def test_stopping_early_ends_the_thread(camera):
    before = set(threading.enumerate())
    frames = iter(open_clip("webcam:0"))
    next(frames)
    frames.close()
    assert set(threading.enumerate()) == before
