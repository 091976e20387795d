"""Keypoints that are read from files: people frame by frame, and which values count as seen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.track import Person

MOST_FRAMES = 1_000_000  # 4.6 hours at 60 frames/s; more is a slip in the numbering
FARTHEST = 1e6  # pixels
_UNIT = 2.0  # pixels: coordinates that are all smaller are shares of the image


@dataclass(frozen=True)
class Keypoints:
    """People frame by frame. frames: T lists of people, all seen in at least one point; an empty list: nobody found.

    times (T,) s, rising, and fps, frames/s: None where the file does not say them. extent: the smallest width and
    height, pixels, that hold all points; the true size of the images is not in such files. layout: the order the points
    were in. notes: one line for each thing that is not as it should be.
    """

    frames: list[list[Person]]
    times: NDArray[np.float64] | None
    fps: float | None
    extent: tuple[int, int]
    layout: str
    notes: list[str]


@dataclass
class Cleaner:
    """Decides which keypoints were seen, and counts what was odd on the way."""

    odd: Counter[str] = field(default_factory=Counter)

    def seen(self, keypoints: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return keypoints (..., 3), x, y, confidence, with three noughts for those not seen.

        Not seen: any of the three missing (NaN), infinite or beyond a million pixels; confidence 0 or below; x or y
        exactly 0, whatever the confidence, as detectors write that for a point they did not find.
        """
        x, y, confidence = np.moveaxis(keypoints, -1, 0)
        there = ~np.isnan(keypoints).any(axis=-1)
        far = there & ~((abs(x) <= FARTHEST) & (abs(y) <= FARTHEST) & np.isfinite(confidence))
        there &= ~far & (x != 0) & (y != 0)
        self.odd["Points taken as not seen, as infinite or beyond a million pixels"] += int(far.sum())
        self.odd["Points taken as not seen, with a confidence below 0"] += int((there & (confidence < 0)).sum())
        there &= confidence > 0
        self.odd["Confidences above 1, taken as 1"] += int((there & (confidence > 1)).sum())
        clean = np.zeros(keypoints.shape, np.float32)
        clean[there] = keypoints[there]
        np.minimum(clean[..., 2], 1, out=clean[..., 2])
        return clean

    @property
    def notes(self) -> list[str]:
        """What was odd, one line each."""
        return [f"{what}: {count}." for what, count in self.odd.items() if count]


def person_of(points: NDArray[np.float32]) -> Person | None:
    """Return keypoints (P, 3) in the order of POINTS as a person; None where nothing was seen."""
    return Person(points[:, :2].copy(), points[:, 2].copy()) if (points[:, 2] > 0).any() else None


def extent_of(frames: Iterable[list[Person]]) -> tuple[int, int]:
    """Return the smallest width and height, pixels, that hold all people. UserError: nobody, or not in pixels."""
    boxes = np.array([person.box for people in frames for person in people])
    if not len(boxes):
        raise UserError("Expected people with keypoints, got none in any frame. Give keypoints that show someone.")
    if abs(boxes).max() <= _UNIT:
        raise UserError(
            f"Expected keypoints in pixels, got numbers up to {abs(boxes).max():.3g}, so shares of the image. "
            "Write them in pixels (OpenPose: --keypoint_scale 0)."
        )
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return max(1, math.floor(right) + 1), max(1, math.floor(bottom) + 1)


def missing_note(missing: int, first: int, last: int) -> list[str]:
    """Return a note on frames that the numbering leaves out; none where it is whole."""
    if not missing:
        return []
    return [
        f"{missing} of the {last - first + 1} frames from {first} to {last} are missing; kept, with nobody in them."
    ]


def check_numbers(first: int, last: int) -> None:
    """Raise UserError where a numbering from `first` to `last` spans more frames than a clip can have."""
    if last - first >= MOST_FRAMES:
        raise UserError(
            f"Expected at most {MOST_FRAMES} frames, got numbers from {first} to {last}. Number the frames one by one."
        )
