"""A folder of OpenPose JSON, one file per frame, as OpenPose, Pose2Sim, MMPose and AlphaPose write it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes
from rehabmotion.vision.images import natural_key
from rehabmotion.vision.keypoint_layouts import in_our_order, layout_of
from rehabmotion.vision.keypoints import Cleaner, Keypoints, check_numbers, extent_of, missing_note, person_of

_KEYS = ("pose_keypoints_2d", "pose_keypoints")  # now, and before version 1.3 of OpenPose
_MOST_DIGITS = 15
Raw = NDArray[np.float32]  # (K, 3): x, y, confidence


def read_openpose(folder: Path, layout: str | None = None) -> Keypoints:
    """Return the people of a folder of OpenPose JSON. The frame's number is the one number in which the names differ.

    Numbers left out between the first and the last become frames with nobody, and a note. Files other than .json are
    passed over, with a note. layout: a name in LAYOUTS, where the points do not show it. UserError names the file that
    is not whole or not of OpenPose, or that has another number of keypoints than the others.
    """
    paths, notes = _json_files(Path(folder))
    numbers = _frame_numbers(paths)
    cleaner = Cleaner()
    raw = {number: _read_people(path, cleaner) for number, path in sorted(zip(numbers, paths, strict=True))}
    try:
        layout = _layout(dict(zip(numbers, paths, strict=True)), raw, layout)
        first, last = min(numbers), max(numbers)
        frames = [[person_of(in_our_order(p, layout)) for p in raw.get(i, [])] for i in range(first, last + 1)]
        people = [[person for person in frame if person is not None] for frame in frames]
        extent = extent_of(people)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None
    notes += missing_note(len(frames) - len(paths), first, last) + cleaner.notes
    return Keypoints(people, None, None, extent, layout, notes)


def _json_files(folder: Path) -> tuple[list[Path], list[str]]:
    try:
        names = [path for path in folder.iterdir() if path.name[0] != "."]
        files = sorted((path for path in names if path.is_file()), key=natural_key)
    except OSError as error:
        raise UserError(f"Expected a folder that can be read, got {folder} ({error.strerror}).") from None
    found = [path for path in files if path.suffix.lower() == ".json"]
    if not found:
        inside = "" if len(names) == len(files) else " itself, not in folders inside it"
        raise UserError(
            f"Expected OpenPose's .json files in {folder}{inside}, got none. Give the folder of one camera."
        )
    others = len(files) - len(found)
    return found, [f"Files that are not .json, passed over: {others}."] if others else []


def _frame_numbers(paths: Sequence[Path]) -> list[int]:
    """Return the frame's number of each name. UserError: names that differ in more than one number, or in none."""
    parts = [re.split(r"([0-9]+)", path.stem) for path in paths]
    words = parts[0][::2]
    for path, part in zip(paths, parts, strict=True):
        if part[::2] != words:
            raise UserError(
                f"Expected names that differ in the frame's number only, got {paths[0].name} and {path.name} in "
                f"{path.parent}. Give the folder of one camera, with nothing else in it."
            )
        if any(len(digits) > _MOST_DIGITS and int(digits[:-_MOST_DIGITS]) for digits in part[1::2]):
            raise UserError(f"{path}: Expected a frame's number of at most {_MOST_DIGITS} digits in the name.")
    columns = list(zip(*([int(digits) for digits in part[1::2]] for part in parts), strict=True))
    differing = [column for column in columns if len(set(column)) > 1] or columns[-1:] or [(0,)]
    if len(differing) > 1 or len(set(differing[0])) < len(paths):
        raise UserError(
            f"Expected names that differ in one number, the frame's, got {paths[0].name} to {paths[-1].name} in "
            f"{paths[0].parent}. Give the folder of one camera."
        )
    check_numbers(min(differing[0]), max(differing[0]))
    return list(differing[0])


def _read_people(path: Path, cleaner: Cleaner) -> list[Raw]:
    """Return the keypoints of each person in a file who has any."""
    if not path.stat().st_size:
        raise UserError(f"{path}: Expected OpenPose's JSON, got an empty file. Copy it again or remove it.")
    try:
        content: Any = json.loads(read_bytes(path))
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path} line {error.lineno}: Expected whole JSON, got {error.msg}. Copy it again or remove it."
        ) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: Expected OpenPose's JSON, could not read it ({str(error)[:80]}).") from None
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise UserError(f'{path}: Expected OpenPose\'s JSON with a list "people", got other JSON. Remove it.')
    found = [_keypoints(path, person) for person in people]
    return [cleaner.seen(keypoints) for keypoints in found if len(keypoints)]


def _keypoints(path: Path, person: Any) -> NDArray[np.float64]:
    numbers = next((person[key] for key in _KEYS if key in person), None) if isinstance(person, dict) else None
    plain = isinstance(numbers, list) and {type(number) for number in numbers} <= {int, float}  # no bool
    if not isinstance(numbers, list) or not plain or len(numbers) % 3:
        raise UserError(
            f"{path}: Expected {_KEYS[0]} as a list of x, y, confidence for each keypoint, got other content."
        )
    try:
        return np.array(numbers, np.float64).reshape(-1, 3)
    except OverflowError:
        raise UserError(f"{path}: Expected pixels, got a number of more than 300 digits.") from None


def _layout(paths: dict[int, Path], raw: dict[int, list[Raw]], wanted: str | None) -> str:
    everyone = [(number, person) for number, people in raw.items() for person in people]
    if not everyone:
        raise UserError("Expected people with keypoints, got none in any frame. Give keypoints that show someone.")
    count = len(everyone[0][1])
    for number, person in everyone:
        if len(person) != count:
            raise UserError(
                f"{paths[number].name}: Expected {count} keypoints as in {paths[everyone[0][0]].name}, "
                f"got {len(person)}. Give keypoints of one kind."
            )
    return layout_of((person for _, person in everyone), wanted)
