"""A webcam as a clip: always the newest picture, so that a slow reader lags no more than one."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_av import PATIENCE, Losses, decoded, pyav
from rehabmotion.vision.clip_frames import Clip, Frame, Warn
from rehabmotion.vision.clip_times import RisingTimes
from rehabmotion.vision.clip_upright import Turn, Upright, image_size, shown_size
from rehabmotion.vision.clip_video import ASSUMED_FPS, declared_fps

Device = tuple[str, str, dict[str, str]]  # what av.open takes: file, format, options


def is_webcam(source: Path | str) -> bool:
    """Whether a source names a webcam."""
    return str(source).lower().startswith("webcam:")


def webcam_device(source: str, platform: str = sys.platform) -> Device:
    """Return what opens a webcam, by its number from 0. UserError: no number, no such device, another platform."""
    found = re.fullmatch(r"webcam:([0-9]{1,3})", source.lower())
    if not found:
        raise UserError(f"Expected a webcam's number as in webcam:0, got {source}.")
    number = int(found[1])
    if platform.startswith("linux"):
        return _linux_device(number), "v4l2", {}
    if platform == "darwin":
        return str(number), "avfoundation", {"framerate": "30"}  # it offers no default rate that works everywhere
    if platform == "win32":
        return _windows_device(number), "dshow", {}
    raise UserError(f"Expected Linux, macOS or Windows for a webcam, got {platform}. Record a video and give that.")


def _linux_device(number: int) -> str:
    device = Path(f"/dev/video{number}")
    if not device.exists():
        there = ", ".join(sorted(f"webcam:{p.name[5:]}" for p in Path("/dev").glob("video[0-9]*"))) or "none"
        raise UserError(f"Expected a webcam at {device}, there is none. Plugged in: {there}.")
    return str(device)


def _windows_device(number: int) -> str:
    """Return the name by which DirectShow knows its webcam of this number."""
    av = pyav()
    if not hasattr(av, "enumerate_input_devices"):
        raise UserError('Webcams on Windows need a newer PyAV. Update it with: pip install -U "rehabmotion[video]"')
    devices = [d for d in av.enumerate_input_devices("dshow") if "video" in list(getattr(d, "media_types", ["video"]))]
    if number >= len(devices):
        there = ", ".join(f"webcam:{i} ({d.description})" for i, d in enumerate(devices)) or "none"
        raise UserError(f"Expected a webcam of number {number}, there is none. Plugged in: {there}.")
    return f"video={devices[number].name}"


def _open(device: Device, name: str) -> tuple[Any, Any]:
    """Return a webcam's container and its stream; the caller closes the container."""
    av = pyav()
    file, kind, options = device
    try:
        container = av.open(file, format=kind, options=options)
    except (av.FFmpegError, ValueError, OSError) as error:  # ValueError: built without this kind of device
        why = getattr(error, "strerror", None) or error
        raise UserError(
            f"Expected a webcam at {name}, could not open it ({why}). Plug it in, close other programs that use it, "
            "and allow this one to."
        ) from None
    if not container.streams.video:
        container.close()
        raise UserError(f"Expected a webcam at {name}, the device gives no pictures. Give another number.")
    return container, container.streams.video[0]


@dataclass
class _Newest:
    """The newest picture of a stream that a thread reads, and when it came, s. A slow reader misses some."""

    container: Any
    stream: Any
    ready: Condition = field(default_factory=Condition)
    picture: tuple[Any, float] | None = None
    ended: bool = False
    losses: Losses = field(default_factory=Losses)

    def read(self) -> None:
        """Keep the newest picture until `ended`. Runs in the thread, which closes what it alone reads."""
        with self.container:
            for picture in decoded(self.container, self.stream, self.losses):
                with self.ready:
                    if self.ended:
                        return
                    self.picture = picture, time.monotonic()
                    self.ready.notify()
        self.end()

    def end(self) -> None:
        """Let both sides stop."""
        with self.ready:
            self.ended = True
            self.ready.notify()

    def pictures(self) -> Iterator[tuple[Any, float]]:
        """Yield the newest picture each time, none twice, until the device ends or gives none for a while."""
        while True:
            with self.ready:
                self.ready.wait_for(lambda: self.picture or self.ended, timeout=PATIENCE)
                picture, self.picture = self.picture, None
            if picture is None:
                return
            yield picture


@dataclass(frozen=True)
class _Webcam:
    device: Device
    name: str
    image_size: tuple[int, int]
    fps: float

    def frames(self, warn: Warn) -> Iterator[Frame]:
        """Yield the newest picture each time it is asked; times are those of arrival."""
        upright, times = Upright(Turn(), self.image_size), RisingTimes(1 / self.fps)
        newest = _Newest(*_open(self.device, self.name))
        thread = Thread(target=newest.read, daemon=True)
        thread.start()
        try:
            for picture, arrival in newest.pictures():
                moment = times.place(arrival)
                if moment is not None:
                    yield Frame(upright.image(picture), moment)
            warn(f"The webcam stopped after {times.last or 0.0:.1f} s ({newest.losses.broke or 'no picture came'}).")
        finally:
            newest.end()
            thread.join(PATIENCE)  # so that the device is free when this returns


def open_webcam(source: str, longest: int | None) -> Clip:
    """Return webcam:N as a clip without an end. Each iteration opens the device anew. UserError where it is absent."""
    name = source.lower()
    device = webcam_device(name)
    container, stream = _open(device, name)
    with container:
        first = next(decoded(container, stream, Losses()), None)
        if first is None:
            raise UserError(f"Expected pictures from {name}, none came. Close other programs that use it.")
        size, fps = shown_size(first, Turn()), declared_fps(stream) or ASSUMED_FPS
    images = image_size(size, longest)
    return Clip(name, size, images, fps, None, _Webcam(device, name, images, fps).frames)
