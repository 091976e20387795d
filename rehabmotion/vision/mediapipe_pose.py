"""MediaPipe's pose landmarker (BlazePose) as a detector: points in the image, and in metres about the hips' middle."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import cache_folder
from rehabmotion.vision import mediapipe_child as child
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.points import NUMBER, POINTS
from rehabmotion.vision.track import Person

MODEL = "pose_landmarker_full.task"
MOST_PEOPLE = 32
LATEST = 1e9  # s; MediaPipe counts microseconds in 63 bits
LANDMARKS = LAYOUTS["BLAZEPOSE_33"][1]
_OURS = [NUMBER[name] for name in LANDMARKS]
_THEIRS = list(LANDMARKS.values())

NOWHERE = "http://127.0.0.1:9"  # the proxy that MediaPipe's statistics are sent through
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_EXEMPT = {"no_proxy"}


def default_model() -> Path:
    """Return where `rehabmotion models get pose` puts the model; it may not be there yet."""
    return cache_folder() / "models" / MODEL


class MediapipePose:
    """A detector of up to `people` people; where it follows one, it looks for them near their last place.

    Confidence is MediaPipe's visibility (not hidden) times its presence (inside the image): visibility alone stays high
    for a foot that is outside. Points that BlazePose lacks (small toes, neck, top of the head) have confidence 0.
    World: metres, as the network guesses them from the image; it does not know the person's true size.

    Asked for several, MediaPipe may follow one person twice, with points that nearly coincide.

    One detector for one clip. MediaPipe runs in a process of its own (`mediapipe_child`), which sends nothing anywhere.
    UserError: no mediapipe, no model, a file that is none, times that do not rise.
    """

    def __init__(self, model: Path | None = None, people: int = 1) -> None:
        if not 1 <= people <= MOST_PEOPLE:
            raise UserError(f"Expected 1 to {MOST_PEOPLE} people to look for, got {people}.")
        self._model = default_model() if model is None else Path(model)
        self._milliseconds, self._time = -1, -math.inf
        self._child: subprocess.Popen[bytes] | None = _start(self._model, people)
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def people(self, image: NDArray[np.uint8], time: float) -> list[Person]:
        """Return the people in an image (H, W, 3) RGB taken at `time` s; times rise from call to call."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise UserError(f"Expected an RGB image (H, W, 3) of bytes, got {image.dtype} of shape {image.shape}.")
        if self._child is None:
            raise RuntimeError("this detector is closed")
        assert self._child.stdin is not None
        height, width, _ = image.shape
        try:
            self._child.stdin.write(child.HEADER.pack(height, width, self._next(time)))
            self._child.stdin.write(np.ascontiguousarray(image).data)  # a decoder's rows have gaps between them
            self._child.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; its last answer says why
        return [_person(numbers, width, height) for numbers in self._answer()]

    def close(self) -> None:
        """Give back what is held; a second time does nothing."""
        if self._child is None:
            return
        process, self._child = self._child, None
        process.kill()  # it holds nothing worth a farewell, and a farewell is when it would send
        process.communicate()

    def _next(self, time: float) -> int:
        """Return a time in ms that is above the last one: of equal times, the second counts as 1 ms later."""
        if not max(self._time, 0.0) <= time <= LATEST:  # nor is NaN
            after = "" if math.isinf(self._time) else f" after {self._time:g} s"
            raise UserError(f"Expected times from 0 s on that rise from image to image, got {time:g} s{after}.")
        self._time = float(time)
        self._milliseconds = max(self._milliseconds + 1, round(1000 * self._time))
        return self._milliseconds

    def _answer(self) -> NDArray[np.float32]:
        """Return the landmarks (N, 33, 7) that the child answers; a refusal is raised."""
        (count,) = child.COUNT.unpack(self._read(child.COUNT.size))
        if count < 0:
            (length,) = child.COUNT.unpack(self._read(child.COUNT.size))
            raise self._refusal(count, self._read(length).decode("utf-8", "replace"))
        shape = count, child.LANDMARKS, child.NUMBERS
        return np.frombuffer(self._read(4 * math.prod(shape)), "<f4").reshape(shape)

    def _read(self, n: int) -> bytes:
        assert self._child is not None
        assert self._child.stdout is not None
        data = self._child.stdout.read(n)
        if len(data) == n:
            return data
        status = self._child.wait()
        if self._milliseconds < 0:
            raise self._refusal(child.NO_MODEL, f"status {status}")
        raise RuntimeError(f"MediaPipe ended at {self._time:g} s with status {status}")

    def _refusal(self, kind: int, reason: str) -> Exception:
        if kind == child.NO_LIBRARY:
            return UserError(f"Expected mediapipe to load, it could not ({reason}). Install what it lacks.")
        if kind == child.NO_MODEL:
            return UserError(
                f"{self._model}: Expected MediaPipe's pose model, could not open it ({reason}). "
                "Get one with: rehabmotion models get pose"
            )
        return RuntimeError(f"MediaPipe refused the image at {self._time:g} s: {reason}")


def _start(model: Path, people: int) -> subprocess.Popen[bytes]:
    if importlib.util.find_spec("mediapipe") is None:
        raise UserError('Finding people needs mediapipe. Install it with: pip install "rehabmotion[capture]"')
    if not model.is_file():
        raise UserError(f"Expected a pose model at {model}, got none. Get it with: rehabmotion models get pose")
    command = [sys.executable, "-P", str(Path(child.__file__)), str(model), str(people)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
    )


def _environment() -> dict[str, str]:
    """Return the child's environment variables: every way to the network leads nowhere."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in {*_PROXIES, *_EXEMPT}}
    nowhere = {form: NOWHERE for name in _PROXIES for form in (name, name.upper())}
    return kept | nowhere | {"MPLBACKEND": "agg"}  # MediaPipe imports pyplot; a notebook's backend is not for a child


def _person(numbers: NDArray[np.float32], width: int, height: int) -> Person:
    """Return a person from the landmarks (33, 7) that `mediapipe_child` describes."""
    points, confidence = np.zeros((len(POINTS), 2), np.float32), np.zeros(len(POINTS), np.float32)
    world = np.zeros((len(POINTS), 3), np.float32)
    theirs = numbers[_THEIRS]
    points[_OURS] = theirs[:, :2] * (width, height)
    confidence[_OURS] = np.clip(theirs[:, 2] * theirs[:, 3], 0.0, 1.0)
    world[_OURS] = theirs[:, 4:]
    return Person(points, confidence, world)
