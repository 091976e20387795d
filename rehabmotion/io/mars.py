"""MARS: Kinect v2 joints of rehabilitation movements, one table per recording (An and Ogras, ACM TECS 20(5s), 2021).

A header line, then 75 columns per frame: 25 x, then 25 y, then 25 z. Source axes: x to the subject's left, y away from
the sensor (the subject faces it, so forward is -y), z up; metres; about 10 frames per second, the rate of their radar.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_table, read_text
from rehabmotion.motion import Motion, Skeleton
from rehabmotion.motion.retarget import JointMap

FPS = 10.0

# fmt: off
SKELETON = Skeleton(  # Kinect for Windows SDK 2.0, enumeration JointType
    ("SpineBase", "SpineMid", "Neck", "Head", "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft", "ShoulderRight",
     "ElbowRight", "WristRight", "HandRight", "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft", "HipRight", "KneeRight",
     "AnkleRight", "FootRight", "SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"),
    (-1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 7, 11, 11),
)
# fmt: on

# Heights above the hips' midpoint of people about 1.65 m tall: SpineMid .32, SpineShoulder .55, Neck .63, Head .78 m;
# SpineBase lies level with the hips and 4 cm behind them, so the pelvis is taken from the hips.
MARS_MAP: JointMap = {
    "pelvis": {"HipLeft": 0.45, "HipRight": 0.45, "SpineMid": 0.1},
    "left_hip": {"HipLeft": 1.0},
    "right_hip": {"HipRight": 1.0},
    "spine1": {"SpineBase": 0.65, "SpineMid": 0.35},
    "left_knee": {"KneeLeft": 1.0},
    "right_knee": {"KneeRight": 1.0},
    "spine2": {"SpineBase": 0.2, "SpineMid": 0.8},
    "left_ankle": {"AnkleLeft": 1.0},
    "right_ankle": {"AnkleRight": 1.0},
    "spine3": {"SpineMid": 1.0},
    "left_foot": {"FootLeft": 1.0},
    "right_foot": {"FootRight": 1.0},
    "neck": {"SpineMid": 0.15, "SpineShoulder": 0.85},
    "left_collar": {"ShoulderLeft": 0.4, "SpineShoulder": 0.24, "SpineMid": 0.36},
    "right_collar": {"ShoulderRight": 0.4, "SpineShoulder": 0.24, "SpineMid": 0.36},
    "head": {"Neck": 0.8, "Head": 0.2},
    "left_shoulder": {"ShoulderLeft": 1.0},
    "right_shoulder": {"ShoulderRight": 1.0},
    "left_elbow": {"ElbowLeft": 1.0},
    "right_elbow": {"ElbowRight": 1.0},
    "left_wrist": {"WristLeft": 1.0},
    "right_wrist": {"WristRight": 1.0},
}


def read_mars(path: Path) -> list[Motion]:
    """Return the whole recording, ten movements one after the other, as one motion on the 25 Kinect joints.

    meta["subject"] is the number in the name of its folder (subject2: "2"), meta["part"] the word in the file name.
    """
    path = Path(path)
    _check_header(path)
    table = read_table(path, skip_rows=1, n_columns=3 * len(SKELETON))
    x, away, up = (table[:, 25 * axis : 25 * (axis + 1)] for axis in range(3))
    try:
        motion = Motion(np.stack([x, up, -away], axis=-1), FPS, SKELETON, meta={"source": "mars", **_named(path)})
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return [motion]


def _check_header(path: Path) -> None:
    """The order of the columns is the whole format: a file with others must not be read as if it had it."""
    header = read_text(path).split("\n", 1)[0].strip().split(",")
    expected = [f"{name}_{axis}" for axis in "XYZ" for name in SKELETON.joint_names]
    for column, (want, got) in enumerate(zip(expected, header, strict=False), start=1):
        if want != got:
            raise UserError(f"{path} line 1: Expected column {column} to be {want} (MARS), got {got[:40]!r}.")
    if len(header) != len(expected):
        raise UserError(f"{path} line 1: Expected {len(expected)} column names, got {len(header)}.")


def _named(path: Path) -> dict[str, str]:
    folders = [match[1] for part in path.parts[:-1] if (match := re.fullmatch(r"subject(\d+)", part))]
    name = re.fullmatch(r"kinect_data_(\w+)\.csv(\.gz)?", path.name)
    return {**({"subject": folders[-1]} if folders else {}), **({"part": name[1]} if name else {})}
