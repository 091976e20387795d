"""Which side a UI-PRMD repetition was done with, from the motion itself: neither the files nor the paper say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion import EXERCISES, Motion

Joints = Mapping[str, NDArray[np.float64]]  # joint -> (T, 3): metres to the subject's left, up, forward

_NEEDED = ("left_hip", "right_hip")


def side_margin(motion: Motion, exercise: str) -> float | None:
    """Return by how much the left side does the exercise more than the right, metres (negative: the right).

    `motion` is on the canonical skeleton. Per exercise: the leg that is lifted higher, the foot that stands in front,
    the side the pelvis sinks towards, the hand that travels further or the elbow that is held higher. None where the
    exercise has no side, or the joints that tell are never seen.

    A lunge whose front (left) ankle is 0.5 m ahead of the right one gives +0.5.
    """
    if exercise not in _MARGINS:
        return None
    names, measure = _MARGINS[exercise]
    names = tuple(dict.fromkeys((*_NEEDED, *names)))
    columns = motion.skeleton.indices(*names)
    seen = motion.valid[:, columns].all(axis=1)
    if not seen.any():
        return None
    x = _in_pelvis_frame(motion.positions[seen][:, columns].astype(np.float64))
    return float(measure({name: x[:, k] for k, name in enumerate(names)}))


def performed_side(motion: Motion, exercise: str | None) -> str | None:
    """Return 'left', 'right', or 'both' for an exercise without a side; None where it cannot be told."""
    if exercise is None or exercise not in EXERCISES:
        return None
    if not EXERCISES[exercise].sided:
        return "both"
    return side_of(side_margin(motion, exercise))


def side_of(margin: float | None) -> str | None:
    """Return the side a margin speaks for; None for 0 (one frame has no travel) and for None."""
    if not margin:
        return None
    return "left" if margin > 0 else "right"


def _in_pelvis_frame(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (T, J, 3), hips first, about the vertical so that the axes are left, up, forward of the whole clip."""
    across = np.median(x[:, 0] - x[:, 1], axis=0) * np.array([1.0, 0.0, 1.0])
    left = across / max(float(np.linalg.norm(across)), 1e-9)
    up = np.array([0.0, 1.0, 0.0])
    return x @ np.stack([left, up, np.cross(left, up)], axis=-1)


def _travel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Range over time per axis, 5th to 95th percentile so that one jump of the sensor does not decide."""
    return np.percentile(x, 95, axis=0) - np.percentile(x, 5, axis=0)


def _foot_lifted(x: Joints) -> float:
    return float(_travel(x["left_ankle"])[1] - _travel(x["right_ankle"])[1])


def _foot_in_front(x: Joints) -> float:
    return float(np.median(x["left_ankle"][:, 2] - x["right_ankle"][:, 2]))


def _sinks_towards(x: Joints) -> float:
    pelvis = 0.5 * (x["left_hip"] + x["right_hip"])
    shift = pelvis[:, 0] - 0.5 * (x["left_ankle"][:, 0] + x["right_ankle"][:, 0])
    deep = pelvis[:, 1] <= np.percentile(pelvis[:, 1], 20)
    return float(shift[deep].mean())


def _hand_raised(x: Joints) -> float:
    return float(_travel(x["left_wrist"])[1] - _travel(x["right_wrist"])[1])


def _hand_travels(x: Joints) -> float:
    # From the shoulder: the trunk sways with the arm.
    left = _travel(x["left_wrist"] - x["left_shoulder"])
    right = _travel(x["right_wrist"] - x["right_shoulder"])
    return float(np.linalg.norm(left) - np.linalg.norm(right))


def _elbow_held_high(x: Joints) -> float:
    return float(np.median(x["left_elbow"][:, 1] - x["right_elbow"][:, 1]))


_ANKLES = ("left_ankle", "right_ankle")
_WRISTS = ("left_wrist", "right_wrist")
_MARGINS: dict[str, tuple[tuple[str, ...], Callable[[Joints], float]]] = {
    "hurdle_step": (_ANKLES, _foot_lifted),
    "inline_lunge": (_ANKLES, _foot_in_front),
    "side_lunge": (_ANKLES, _sinks_towards),
    "standing_active_straight_leg_raise": (_ANKLES, _foot_lifted),
    "standing_shoulder_abduction": (_WRISTS, _hand_raised),
    "standing_shoulder_extension": ((*_WRISTS, "left_shoulder", "right_shoulder"), _hand_travels),
    "standing_shoulder_internal_external_rotation": (("left_elbow", "right_elbow"), _elbow_held_high),
    "standing_shoulder_scaption": (_WRISTS, _hand_raised),
}
