"""Watches a clip: who is seen where, by a detector or by keypoints found elsewhere; one person is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.vision.choosing import Choice, choose
from rehabmotion.vision.clip import Clip, open_clip
from rehabmotion.vision.detectors import open_detector
from rehabmotion.vision.keypoint_files import read_keypoints
from rehabmotion.vision.track import Detector, Person
from rehabmotion.vision.tracking import track

LONGEST = 1280  # pixels: larger images are scaled down before they are looked at
PEOPLE = 2  # that a detector looks for; more of them take more time
FPS = 30.0  # of images and keypoints that do not say theirs
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Watched:
    """A clip, the person who was taken, and what there is to say. clip None: keypoints without their images."""

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
    """Return who is seen in a video or a folder of images. keypoints: taken in place of a detector's."""
    clip = open_clip(source, longest=LONGEST)
    if keypoints is not None:
        return _by_keypoints(clip, keypoints, person)
    finder = make(detector, 1 if detector.startswith("rtmpose") else PEOPLE)
    times: list[float] = []
    try:
        trails = track(_found(clip, finder, times, progress), fps=clip.fps)
    finally:
        finder.close()
    if not times:
        raise UserError(f"Expected frames in {source}, got none.")
    choice = choose(trails, person, times=np.array(times), size=clip.size)
    return Watched(clip, choice, (*clip.warnings, *choice.notes))


def _found(clip: Clip, finder: Detector, times: list[float], progress: Progress) -> Iterator[list[Person]]:
    """Yield the people of each frame in pixels of the clip as shown; times are kept."""
    scale = np.array(clip.scale, np.float32)
    for frame in clip:
        times.append(frame.time)
        found = finder.people(frame.image, frame.time)
        yield [Person(p.points / scale, p.confidence, p.world) for p in found]
        progress(len(times), clip.n_frames)


def _by_keypoints(clip: Clip, path: Path, person: str) -> Watched:
    """Return who is seen in keypoints that belong to a clip frame by frame."""
    read = read_keypoints(path)
    times = read.times if read.times is not None else _times(clip, len(read.frames))
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
