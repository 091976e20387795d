"""Read keypoints from files, whichever kind they are: a folder of OpenPose JSON, or a CSV of one person."""

from __future__ import annotations

from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.vision.keypoint_csv import read_keypoint_csv
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.keypoints import Keypoints
from rehabmotion.vision.openpose import read_openpose

__all__ = ["LAYOUTS", "Keypoints", "is_keypoints", "read_keypoints"]


def read_keypoints(path: Path | str, *, layout: str | None = None) -> Keypoints:
    """Return the people in a folder of OpenPose JSON (one file per frame) or in a .csv, also .csv.gz.

    layout: a name in LAYOUTS, for folders whose points do not show it; with a CSV, which has names, it is refused.
    What cannot be read raises UserError, which names file and line.
    """
    place = Path(path)
    if place.is_dir():
        return read_openpose(place, layout)
    if not is_keypoints(place):
        raise UserError(f"Expected a folder of OpenPose's JSON or a .csv of keypoints, got {place}. Give one of these.")
    if layout is not None:
        raise UserError(f"Expected layout only with OpenPose's JSON, got {layout!r} with {place}. Leave it out.")
    return read_keypoint_csv(place)


def is_keypoints(path: Path | str) -> bool:
    """Whether a path is keypoints by its name: a .csv, or a folder with .json files in it."""
    place = Path(path)
    if place.name.lower().endswith((".csv", ".csv.gz")):
        return True
    return place.is_dir() and any(p.suffix.lower() == ".json" and p.name[0] != "." for p in place.iterdir())
