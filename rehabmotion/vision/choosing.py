"""Pick one of the people who were followed through a clip, and put them into a track of all its images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.points import MIRROR
from rehabmotion.vision.track import Track
from rehabmotion.vision.tracking import Trail, Trails

LARGEST = "largest"
_FLICKER_S = 0.25  # s; who is seen for less is no one, unless the clip itself is short
_CLEARLY = 0.5  # sides are swapped where that takes this share off the way from image to image


@dataclass(frozen=True)
class Choice:
    """track: the person taken, over all images. person: their number out of `people`, from 1, as `in_order` has them.

    share: of the images that show them. swapped: the numbers of images where left and right are swapped, as detectors
    do for an instant; left as they are. notes: the same in words, one line each.
    """

    track: Track
    person: int
    people: int
    share: float
    swapped: list[int]
    notes: list[str]


def choose(trails: Trails, which: str | int = LARGEST, *, times: NDArray[np.float64], size: tuple[int, int]) -> Choice:
    """Return one person of a clip: "largest", or a number from 1 in the order of `in_order`.

    largest: the median height of the box times the number of images that show the person. times (T,) s and size (width,
    height, pixels) are those of the clip. UserError: nobody there, or no such person; it says how many were found.
    """
    if len(times) != trails.n_frames:
        raise ValueError(f"Expected {trails.n_frames} times, one for each image, got {len(times)}.")
    people = in_order(trails)
    if not people:
        raise UserError("Expected a person in the video, found none. Show the whole body, in good light.")
    number = _number(people, which)
    trail = people[number - 1]
    made = _track(trail, np.asarray(times, np.float64), size)
    swapped = swapped_sides(made)
    share = len(trail.frames) / trails.n_frames
    notes = _notes(trails, people, number, share, swapped)
    return Choice(made, number, len(people), share, swapped, notes)


def in_order(trails: Trails) -> list[Trail]:
    """Return the people by first appearance, those there from the start from left to right.

    A detector may need a few images to find someone: who appears in the first 0.25 s was there from the start. Trails
    shorter than 0.25 s, or than half of a clip shorter than 0.5 s, are flickers of the detector and left out.
    """
    short = _FLICKER_S * trails.fps
    people = [trail for trail in trails.trails if len(trail.frames) >= min(short, trails.n_frames / 2)]

    def appearance(trail: Trail) -> tuple[int, float]:
        left, _, right, _ = trail.people[0].box
        return (trail.frames[0] if trail.frames[0] >= short else 0), (left + right) / 2

    return sorted(people, key=appearance)


def swapped_sides(track: Track) -> list[int]:
    """Return the numbers of images in which left and right are swapped as against the images before and after.

    There, exchanging all left and right points takes half or more off the median way of the points to both neighbours.
    """
    points, seen = track.points.astype(float), track.confidence > 0
    mirrored, there = points[:, MIRROR], seen[:, MIRROR]
    sides = np.array(MIRROR) != np.arange(len(MIRROR))

    def way(i: int, other: int, swap: bool) -> float:
        mine, shown = (mirrored, there) if swap else (points, seen)
        both = shown[i] & seen[other] & sides & seen[i] & there[i]
        return (
            float(np.median(np.linalg.norm(mine[i, both] - points[other, both], axis=-1))) if both.sum() >= 6 else 0.0
        )

    found = []
    for i in range(1, len(points) - 1):
        if all(way(i, j, True) < _CLEARLY * way(i, j, False) for j in (i - 1, i + 1)):
            found.append(i)
    return found


def _number(people: list[Trail], which: str | int) -> int:
    """Return the number, from 1, that `which` means."""
    text = str(which).strip()
    if text == LARGEST:
        largest = max(people, key=lambda trail: trail.height * len(trail.frames))
        return 1 + next(i for i, trail in enumerate(people) if trail is largest)
    if not text.isascii() or not text.removeprefix("-").isdecimal():
        raise UserError(f'Expected "largest" or the number of a person, got {which!r}.')
    if not 1 <= int(text[:9]) <= len(people):
        found = "1 person was found" if len(people) == 1 else f"{len(people)} people were found"
        raise UserError(f"Expected a person from 1 to {len(people)}, got {text[:9]}: {found} in the video.")
    return int(text)


def _track(trail: Trail, times: NDArray[np.float64], size: tuple[int, int]) -> Track:
    n_points = len(trail.people[0].points)
    points = np.zeros((len(times), n_points, 2), np.float32)
    confidence = np.zeros((len(times), n_points), np.float32)
    points[trail.frames] = [person.points for person in trail.people]
    confidence[trail.frames] = [person.confidence for person in trail.people]
    world = None
    if any(person.world is not None for person in trail.people):
        world = np.zeros((len(times), n_points, 3), np.float32)
        for frame, person in zip(trail.frames, trail.people, strict=True):
            world[frame] = 0 if person.world is None else person.world
    return Track(points, confidence, world, times, size)


def _notes(trails: Trails, people: list[Trail], number: int, share: float, swapped: list[int]) -> list[str]:
    percent = math.floor(100 * share)  # 100 only where all images show the person
    counted = "One person was" if len(people) == 1 else f"{len(people)} people were"
    notes = [f"{counted} found; person {number}, seen in {percent} % of the images, was taken."]
    if len(people) < len(trails.trails):
        short = len(trails.trails) - len(people)
        notes.append(f"Findings seen for less than {_FLICKER_S} s, left out: {short}.")
    if trails.doubles:
        notes.append(f"Findings of someone found twice in one image, left out: {trails.doubles}.")
    if trails.pieces:
        notes.append(f"Findings of a part of a body, added to the rest of it: {trails.pieces}.")
    if swapped:
        notes.append(f"Images in which left and right seem swapped: {len(swapped)}, the first is {swapped[0]}.")
    return notes
