"""MARS: ten rehabilitation movements, Kinect v2, cut into single repetitions.

Origin: github.com/SizheAn/MARS; S. An, U. Y. Ogras, "MARS: mmWave-based Assistive Rehabilitation System for Smart
Healthcare", ACM TECS 20(5s), 2021. Licence: MIT.

Worked sample: frames 2124 to 2656 of subject 3's train file are the left front lunge; the pelvis sinks and rises 25
times there; 24 of these are whole: motions of about 2 s at 10 frames per second, exercise "front_lunge", side "left",
no score.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import low_pass
from rehabmotion.io.mars import MARS_MAP, read_mars
from rehabmotion.motion import Motion
from rehabmotion.motion.exercises import MARS
from rehabmotion.motion.retarget import map_joints

# First frames of the ten movements, then the number of frames. The files carry no labels; the authors joined parts of
# ten recordings, and the joints show as jumps of the pose in most files. Read off once, by eye and by those jumps.
BOUNDARIES = {
    ("1", "validate"): (0, 197, 431, 673, 934, 1128, 1393, 1633, 1847, 2100, 2365),
    ("1", "test"): (0, 195, 428, 668, 927, 1120, 1384, 1623, 1835, 2086, 2350),
    ("2", "train"): (0, 602, 1329, 2065, 2860, 3655, 4446, 5241, 5827, 6423, 7007),
    ("2", "validate"): (0, 201, 440, 689, 954, 1219, 1483, 1748, 1944, 2143, 2338),
    ("2", "test"): (0, 199, 438, 685, 950, 1215, 1477, 1742, 1936, 2133, 2326),
    ("3", "train"): (0, 530, 1058, 1587, 2124, 2657, 3194, 3728, 4263, 4800, 5335),
    ("3", "validate"): (0, 177, 353, 530, 709, 887, 1066, 1244, 1423, 1602, 1781),
    ("3", "test"): (0, 175, 351, 526, 705, 881, 1059, 1236, 1413, 1592, 1769),
}
SHORTEST_S, LONGEST_S = 1.0, 8.0
REST_POSE_M = 0.10  # mean distance of the joints from the usual rest pose at which a repetition is not at rest


def load(root: Path) -> Iterator[Motion]:
    """Yield one motion per repetition, in the order of the files and of time.

    meta: subject ("1" to "3"), exercise, side, repetition (from 1, counted within the movement), part (train, validate
    or test: parts of the same recording, so split by subject), start_frame in the file. What lies between repetitions,
    and the incomplete ones at the ends of each movement, are left out.
    """
    for (subject, part), edges in BOUNDARIES.items():
        motion = _read(Path(root), subject, part)
        if motion.n_frames != edges[-1]:
            raise UserError(
                f"MARS subject {subject} {part}: Expected {edges[-1]} frames (wooutlier), got {motion.n_frames}. The"
                " boundaries between its movements are known for that file only; fetch it again or correct BOUNDARIES."
            )
        for (exercise, side), (first, last) in zip(MARS, pairwise(edges), strict=True):
            yield from _repetitions(motion, exercise, side, first, last)


def _read(root: Path, subject: str, part: str) -> Motion:
    folder = root / "synced_data" / "wooutlier" / f"subject{subject}" / "timesplit"
    packed, plain = folder / f"kinect_data_{part}.csv.gz", folder / f"kinect_data_{part}.csv"
    motion = map_joints(read_mars(plain if plain.exists() and not packed.exists() else packed)[0], MARS_MAP)
    return motion.but(meta={"subject": subject, "part": part})


def _repetitions(motion: Motion, exercise: str, side: str, first: int, last: int) -> Iterator[Motion]:
    whole = motion.but(positions=motion.positions[first:last], valid=motion.valid[first:last])
    cuts = at_rest(whole.positions, find_repetitions(effort(whole, exercise, side), whole.fps))
    for number, (start, end) in enumerate(cuts, start=1):
        meta = {"exercise": exercise, "side": side, "repetition": number, "start_frame": first + start}
        yield whole.but(positions=whole.positions[start:end], valid=whole.valid[start:end], meta=meta)


def effort(motion: Motion, exercise: str, side: str) -> NDArray[np.float64]:
    """Return the exercise's main signal (T,), metres: low at rest, high in the middle of a repetition.

    Arms: height of the moving wrist (the mean of both) above the pelvis. Lunges and squats: how far the pelvis sinks.
    """
    pelvis = motion.joint("pelvis")[:, 1].astype(np.float64)
    if exercise in ("upper_limb_extension", "limb_extension"):
        sides = ("left", "right") if side == "both" else (side,)
        return np.mean([motion.joint(f"{s}_wrist")[:, 1] for s in sides], axis=0) - pelvis
    return -pelvis


def find_repetitions(signal: NDArray[np.float64], fps: float) -> list[tuple[int, int]]:
    """Return (first, one past last) frames of each repetition of a signal (T,) that is low at rest.

    An effort is a stretch that rises above 60 % of the signal's range (5th to 95th percentile); between two efforts
    lies a rest. A repetition runs from the last frame below 15 % before its effort to the first one after it, and
    0.3 s further into the rest on both sides, but not past the middle of the rest. Efforts without a rest on both sides
    (cut off at the ends), and repetitions outside 1 to 8 s, are left out.
    """
    smooth = low_pass(signal, fps, cutoff_hz=2.0)
    low, high = np.percentile(smooth, [5, 95])
    level = (smooth - low) / max(high - low, 1e-9)
    high_frames = np.flatnonzero(level > 0.6)
    if len(high_frames) == 0:
        return []
    groups = np.split(high_frames, np.flatnonzero(np.diff(high_frames) > 1) + 1)
    efforts = _joined([(int(g[0]), int(g[-1]) + 1) for g in groups], level)
    ends = [0, *(e for _, e in efforts)], [*(s for s, _ in efforts), len(level)]
    rests = [_rest(level, a, b, round(0.3 * fps)) for a, b in zip(*ends, strict=True)]
    cuts = [(before[1], after[0]) for before, after in pairwise(rests) if before and after]
    return [(a, b) for a, b in cuts if SHORTEST_S * fps <= b - a <= LONGEST_S * fps]


def _joined(efforts: list[tuple[int, int]], level: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Two peaks with no rest between them are one effort: arms pause half-way on the way up and down."""
    joined = efforts[:1]
    for start, end in efforts[1:]:
        if level[joined[-1][1] : start].min() > 0.3:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _rest(level: NDArray[np.float64], start: int, end: int, margin: int) -> tuple[int, int] | None:
    """Return (end of the repetition before, first frame of the one after) within the rest [start, end), or None."""
    low = start + np.flatnonzero(level[start:end] < 0.15)
    if len(low) == 0:
        if start == 0 or end == len(level):
            return None  # the recording begins or ends within an effort
        low = np.array([start + int(np.argmin(level[start:end]))])  # a rest too short to be reached
    middle = (int(low[0]) + int(low[-1])) // 2
    return min(int(low[0]) + margin, middle) + 1, max(int(low[-1]) - margin, middle)


def at_rest(positions: NDArray[np.floating], cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the repetitions that start and end in the usual rest pose: positions (T, J, 3), cuts in frames.

    The first after a change of place, with the arms still on their way, is not one of them.
    """
    if not cuts:
        return []
    ends = np.array([[positions[a], positions[b - 1]] for a, b in cuts])
    distance = np.linalg.norm(ends - np.median(ends, axis=(0, 1)), axis=-1).mean(axis=-1)
    return [cut for cut, far in zip(cuts, distance.max(axis=1), strict=True) if far < REST_POSE_M]
