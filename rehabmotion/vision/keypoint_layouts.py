"""Which keypoint of a file is which of POINTS: the orders of the usual detectors, and how to tell them apart.

Orders: OpenPose's output.md (BODY_25, COCO) and its experimental models (BODY_25B, BODY_135, which begins with it),
Halpe-FullBody, COCO-WholeBody, MediaPipe. Left out: a neck that is the middle of the shoulders (BODY_25, COCO_18), as
POINTS has the neck above it, and what has no place in POINTS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.points import NUMBER, SIDES

_HEAD = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"]
_LIMBS = ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
_COCO = _HEAD + [f"{side}_{part}" for part in _LIMBS for side in SIDES]
_FEET = [f"{side}_{part}" for side in SIDES for part in ("big_toe", "small_toe", "heel")]
_ARMS_FIRST = [f"{side}_{part}" for side in reversed(SIDES) for part in _LIMBS[:3]]
_LEGS = [f"{side}_{part}" for side in reversed(SIDES) for part in _LIMBS[3:]]
_TOES_FIRST = [f"{side}_{part}" for part in ("big_toe", "small_toe", "heel") for side in SIDES]
_EYES_EARS = ["right_eye", "left_eye", "right_ear", "left_ear"]
_BLAZEPOSE = [
    "nose", "", "left_eye", "", "", "right_eye", "", "left_ear", "right_ear", "", "",
    *(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb") for side in SIDES),
    *(f"{side}_{part}" for part in ("hip", "knee", "ankle", "heel", "big_toe") for side in SIDES),
]  # fmt: skip


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(names) if name}


# layout: how many keypoints it has, and the number of each that has a place in POINTS
LAYOUTS: dict[str, tuple[int, dict[str, int]]] = {
    "COCO_17": (17, _numbered(_COCO)),
    "COCO_18": (18, _numbered(["nose", "", *_ARMS_FIRST, *_LEGS, *_EYES_EARS])),
    "BODY_25": (25, _numbered(["nose", "", *_ARMS_FIRST, "", *_LEGS, *_EYES_EARS, *_FEET])),
    "BODY_25B": (25, _numbered([*_COCO, "neck", "head_top", *_FEET])),
    "HALPE_26": (26, _numbered([*_COCO, "head_top", "neck", "", *_TOES_FIRST])),
    "BLAZEPOSE_33": (33, _numbered(_BLAZEPOSE)),
    # hands begin at 91 and 112; their 5 and 17 are the first knuckles, as BlazePose's index and pinky are
    "COCO_133": (
        133,
        _numbered([*_COCO, *_FEET])
        | {"left_index": 96, "left_pinky": 108, "right_index": 117, "right_pinky": 129},
    ),
}  # fmt: skip
LAYOUTS["BODY_135"] = (135, LAYOUTS["BODY_25B"][1])
LAYOUTS["HALPE_136"] = (136, LAYOUTS["HALPE_26"][1])

# short bones, and bones of limbs: a wrong reading draws them across the body
_BONES = [
    *((f"{side}_eye", "nose") for side in SIDES),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in SIDES
        for a, b in (
            ("eye", "ear"), ("ear", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"),
            ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "big_toe"),
        )
    ),
]  # fmt: skip
_FEWEST_BONES = 4
_CLEAR = 1.25  # times as long must the other reading's bones be: of whole bodies they are 1.6 to 3.7 times


def layout_of(people: Iterable[NDArray[np.float32]], wanted: str | None = None) -> str:
    """Return the name in LAYOUTS that fits people's keypoints (K, 3): x, y, confidence 0 where not seen; all of one K.

    Where two layouts have K keypoints, the one whose bones are shorter over the people; it does not matter which way up
    they are. `wanted` is only checked. UserError: no layout of K, an unknown or wrong `wanted`, no clear difference.
    """
    people = list(people)
    count = len(people[0])
    fitting = [name for name, (n, _) in LAYOUTS.items() if n == count]
    if wanted is not None:
        return _wanted(wanted, count)
    if not fitting:
        known = ", ".join(f"{n} ({name})" for name, (n, _) in LAYOUTS.items())
        raise UserError(f"Expected keypoints of a known number, got {count}. Known: {known}.")
    if len(fitting) == 1:
        return fitting[0]
    return _shorter_bones(people, fitting[0], fitting[1])


def in_our_order(keypoints: NDArray[np.float32], layout: str) -> NDArray[np.float32]:
    """Return keypoints (..., K, 3) of a layout as (..., P, 3) in the order of POINTS; noughts for those it lacks."""
    numbers = LAYOUTS[layout][1]
    ours = np.zeros((*keypoints.shape[:-2], len(NUMBER), 3), np.float32)
    ours[..., [NUMBER[name] for name in numbers], :] = keypoints[..., list(numbers.values()), :]
    return ours


def _wanted(wanted: str, count: int) -> str:
    name = wanted.upper()
    if name not in LAYOUTS:
        raise UserError(f"Expected a layout of keypoints out of {', '.join(LAYOUTS)}, got {wanted!r}.")
    if LAYOUTS[name][0] != count:
        raise UserError(f"Expected {LAYOUTS[name][0]} keypoints of {name}, got {count}. Give another layout.")
    return name


def _shorter_bones(people: Sequence[NDArray[np.float32]], one: str, other: str) -> str:
    lengths = [(_bone_length(person, one), _bone_length(person, other)) for person in people]
    ratios = [a / b for a, b in lengths if a and b]
    ratio = median(ratios) if ratios else 1.0
    if max(ratio, 1 / ratio) < _CLEAR:
        raise UserError(
            f"Expected to see whether the keypoints are {one} or {other}, the people show too little of themselves. "
            f'Say it: layout="{one}" or layout="{other}".'
        )
    return one if ratio < 1 else other


def _bone_length(person: NDArray[np.float32], layout: str) -> float:
    """Return the mean length, pixels, of the bones of which both ends were seen; 0 where they are too few."""
    numbers = LAYOUTS[layout][1]
    ends = np.array([[numbers[a], numbers[b]] for a, b in _BONES])
    seen = (person[ends, 2] > 0).all(axis=1)
    a, b = person[ends[seen, 0], :2], person[ends[seen, 1], :2]
    return float(np.hypot(*(a - b).T).mean()) if seen.sum() >= _FEWEST_BONES else 0.0
