"""UI-PRMD, Kinect part: ten rehabilitation exercises done well and deliberately badly by healthy people.

Origin: University of Idaho Physical Rehabilitation Movement Data. A. Vakanski, H. Jun, D. Paul, R. Baker, "A Data Set
of Human Body Movements for Physical Rehabilitation Exercises", Data 3(1):2, 2018. Licence: public domain (PDDL 1.0);
cite the paper.

Worked sample: `Segmented Movements/Kinect/Positions/m01_s01_e01_positions.txt.gz` is 73 frames of a deep squat at
30 fps: Motion of positions (73, 22, 3), meta subject "s01", exercise "deep_squat", side "both", repetition 1, score
uiprmd:1. Its twin under `Incorrect Segmented Movements`, named `..._inc`, scores uiprmd:0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.io.uiprmd import UIPRMD_KINECT_MAP, read_uiprmd_kinect
from rehabmotion.io.uiprmd_side import side_margin, side_of
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.motion.retarget import map_joints

FOLDERS = ("Segmented Movements", "Incorrect Segmented Movements")
_NAME = re.compile(r"(m\d{2}_s\d{2})_e\d{2}_positions(?:_inc)?\.txt(?:\.gz)?")


def load(root: Path) -> Iterator[Motion]:
    """Yield one motion per episode on the canonical skeleton, 30 fps: by movement, subject, correct first, episode.

    `root` holds the folders of FOLDERS. The side is the one most of a subject's repetitions of the exercise speak
    for: everyone kept to one side, and the sensor guesses limbs it cannot see.
    """
    for files in _files(Path(root)).values():
        yield from with_common_side([map_joints(read_uiprmd_kinect(path)[0], UIPRMD_KINECT_MAP) for path in files])


def with_common_side(motions: list[Motion]) -> list[Motion]:
    """Return one subject's repetitions of one exercise with the side of their median margin."""
    exercise = str(motions[0].meta["exercise"])
    if not EXERCISES[exercise].sided:
        return motions
    margins = [margin for motion in motions if (margin := side_margin(motion, exercise)) is not None]
    side = side_of(float(np.median(margins))) if margins else None
    return [motion.but(meta={"side": side}) for motion in motions]


def _files(root: Path) -> dict[str, list[Path]]:
    """Return the positions files by movement and subject, in order."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((root / folder / "Kinect" / "Positions").glob("*")):
            if match := _NAME.fullmatch(path.name):
                groups[match[1]].append(path)
    if not groups:
        raise UserError(
            f'Expected UI-PRMD Kinect files m01_s01_e01_positions.txt[.gz] in "{root / FOLDERS[0]}/Kinect/Positions", '
            "found none. Give the folder that holds the two folders of segmented movements."
        )
    return dict(sorted(groups.items()))
