"""Watches a clip: who is seen where, by a detector or by keypoints found elsewhere; one person is taken."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.vision.choosing import Choice, choose
from rehabmotion.vision.clip import Clip, open_clip
from rehabmotion.vision.clip_webcam import is_webcam
from rehabmotion.vision.detectors import open_detector
from rehabmotion.vision.keypoint_files import read_keypoints
from rehabmotion.vision.track import Detector, Person
from rehabmotion.vision.tracking import track

LONGEST = 1280  # pixels: larger images are scaled down before they are looked at
PEOPLE = 2  # that a detector looks for; more of them take more time
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Watched:
    """A clip, the person who was taken, and what there is to say. clip None: a webcam, whose images are gone."""

    clip: Clip | None
    choice: Choice
    notes: tuple[str, ...]


def watch(
    source: Path,
    detector: str = "mediapipe",
    person: str = "largest",
    keypoints: Path | None = None,
    progress: Progress = lambda *_: None,
    make: Callable[[str, int], Detector] = open_detector,
) -> Watched:
    """Return who is seen in a video or a folder of images. keypoints: taken in place of a detector's.

    A webcam is watched until Ctrl-C.
    """
    clip = open_clip(source, longest=LONGEST)
    if keypoints is not None:
        if is_webcam(source):
            raise UserError("Expected a video with --keypoints, got a webcam. Record it first.")
        return _by_keypoints(clip, keypoints, person)
    finder = make(detector, 1 if detector.startswith("rtmpose") else PEOPLE)
    times: list[float] = []
    try:
        with _until_stopped(is_webcam(source)) as stopped:
            trails = track(_found(clip, finder, times, progress, stopped), fps=clip.fps)
    finally:
        finder.close()
    if not times:
        raise UserError(f"Expected frames in {source}, got none.")
    choice = choose(trails, person, times=np.array(times), size=clip.size)
    if is_webcam(source):
        note = "No overlay is drawn: a webcam's images are not kept."
        return Watched(None, choice, (*clip.warnings, *choice.notes, note))
    return Watched(clip, choice, (*clip.warnings, *choice.notes))


def _found(
    clip: Clip, finder: Detector, times: list[float], progress: Progress, stopped: list[int]
) -> Iterator[list[Person]]:
    """Yield the people of each frame in pixels of the clip as shown, until it is `stopped`; times are kept."""
    scale = np.array(clip.scale, np.float32)
    for frame in clip:
        try:
            found = finder.people(frame.image, frame.time)
        except RuntimeError:
            if stopped:  # Ctrl-C reaches the process of the detector as well
                return
            raise
        times.append(frame.time)
        yield [Person(p.points / scale, p.confidence, p.world) for p in found]
        progress(len(times), clip.n_frames)
        if stopped:
            return


@contextmanager
def _until_stopped(webcam: bool) -> Iterator[list[int]]:
    """Yield a list that the first Ctrl-C fills, which then ends a webcam and not the capture; a second one does that.

    In a thread other than the main one, and for videos, Ctrl-C means what it always does.
    """
    stopped: list[int] = []
    if not webcam:
        yield stopped
        return

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not the main thread
        yield stopped
        return
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _by_keypoints(clip: Clip, path: Path, person: str) -> Watched:
    """Return who is seen in keypoints that belong to a clip frame by frame."""
    read = read_keypoints(path)
    times = _times(clip, len(read.frames)) if read.times is None else _own_times(clip, read.times)
    width, height = read.extent
    if width > 1.5 * clip.size[0] or height > 1.5 * clip.size[1]:
        raise UserError(
            f"Expected keypoints inside images of {clip.size[0]} x {clip.size[1]} pixels, got some at {width}, "
            f"{height}. Are they of another video, or of its full size?"
        )
    choice = choose(track(read.frames, fps=read.fps or clip.fps), person, times=times, size=clip.size)
    return Watched(clip, choice, (*clip.warnings, *read.notes, *choice.notes))


def _times(clip: Clip, n: int) -> np.ndarray:
    """Return the times of the clip's frames for n frames of keypoints; numbers that differ by much raise UserError."""
    times = np.array([frame.time for frame in clip])
    if abs(len(times) - n) > max(2, 0.02 * n):
        raise UserError(
            f"Expected keypoints for {len(times)} frames, got {n}. Are they of another video, or of a part of it?"
        )
    more = times[-1] + np.arange(1, n - len(times) + 1) / clip.fps if n > len(times) else np.zeros(0)
    return np.concatenate([times, more])[:n]


def _own_times(clip: Clip, times: np.ndarray) -> np.ndarray:
    """Return times that keypoints bring, s; such as lie outside the clip by more than half a second raise UserError."""
    *_, last = (frame.time for frame in clip)
    if times[0] < -0.5 or times[-1] > last + 0.5:
        raise UserError(
            f"Expected keypoints from 0 to {last:.2f} s, got some from {times[0]:.2f} to {times[-1]:.2f} s. "
            "Are they of another video? Times count from its first frame."
        )
    return times
