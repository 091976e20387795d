"""UI-PRMD, Vicon part: joint centres from the optical markers of the same repetitions as the Kinect part.

Origin: University of Idaho Physical Rehabilitation Movement Data. A. Vakanski, H. Jun, D. Paul, R. Baker, "A Data Set
of Human Body Movements for Physical Rehabilitation Exercises", Data 3(1):2, 2018. Licence: public domain (PDDL 1.0);
cite the paper. The subjects s01, s02 ... are the same people as in the Kinect part: never split them apart.

Worked sample: the first clip of the archive, m01 s01 e01 correct, is 191 frames of a deep squat at 100 fps: Motion of
positions (191, 22, 3), meta subject "s01", exercise "deep_squat", side "both", repetition 1, score uiprmd:1.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rehabmotion.data.uiprmd import FOLDERS, with_common_side
from rehabmotion.errors import UserError
from rehabmotion.io.uiprmd_vicon import read_uiprmd_vicon, vicon_joint_centres
from rehabmotion.motion import Motion
from rehabmotion.motion.exercises import UIPRMD

ARCHIVE = "vicon_markers_100hz.npz"
FEWEST_FRAMES = 2


def load(root: Path) -> Iterator[Motion]:
    """Yield one motion of joint centres per episode, 100 fps: by movement, subject, correct first, episode.

    Read from the archive, or without it from the native files in the folders of FOLDERS. Clips of a single frame (m10
    s05 e09 incorrect) hold no motion and are skipped; the shortest that remains is m08 s08 e10 incorrect, 0.51 s.
    Joints whose markers were not seen are masked. The side is the one most of a subject's repetitions speak for.
    """
    clips = [clip for clip in _read(Path(root)) if clip.n_frames >= FEWEST_FRAMES]
    clips.sort(key=lambda clip: (*_group(clip), -clip.scores[0].value, clip.meta["repetition"]))
    for _, group in groupby(clips, key=_group):
        yield from with_common_side([vicon_joint_centres(clip) for clip in group])


def _group(clip: Motion) -> tuple[int, str]:
    return UIPRMD.index(clip.meta["exercise"]), str(clip.meta["subject"])


def _read(root: Path) -> list[Motion]:
    if (root / ARCHIVE).is_file():
        return read_uiprmd_vicon(root / ARCHIVE)
    paths = [path for folder in FOLDERS for path in sorted((root / folder / "Vicon" / "Positions").glob("m*.txt*"))]
    clips = [clip for path in paths for clip in read_uiprmd_vicon(path) if clip.meta["exercise"]]
    if not clips:
        raise UserError(
            f'Expected UI-PRMD markers as {root / ARCHIVE} or m01_s01_e01_positions.txt[.gz] in "'
            f'{root / FOLDERS[0]}/Vicon/Positions", found none.'
        )
    return clips
