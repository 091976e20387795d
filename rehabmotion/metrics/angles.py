"""Joint angles of the canonical 22 joints, their range over a clip, and how alike left and right are.

Angles between segments, so they need no joint axes: flexion 0 is a straight limb. They are not the angles of an
OpenSim model. Degrees, by the names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import CANONICAL

Array = NDArray[np.floating]
SIDES = ("left", "right")
# angle: the two segments between which it lies, each from a joint to a joint; {s} is the side
LIMBS = {
    "knee_flexion": (("{s}_hip", "{s}_knee"), ("{s}_knee", "{s}_ankle")),
    "hip_flexion": (("neck", "pelvis"), ("{s}_hip", "{s}_knee")),
    "ankle": (("{s}_knee", "{s}_ankle"), ("{s}_ankle", "{s}_foot")),
    "elbow_flexion": (("{s}_shoulder", "{s}_elbow"), ("{s}_elbow", "{s}_wrist")),
    "shoulder_elevation": (("neck", "pelvis"), ("{s}_shoulder", "{s}_elbow")),
}
TRUNK = ("trunk_inclination", "trunk_lean")
ROM_NAMES = (*(f"{side}_{name}" for name in LIMBS for side in SIDES), *TRUNK)
PAIRS = np.array([[2 * i, 2 * i + 1] for i in range(len(LIMBS))])  # columns of left and right in ROM_NAMES


def angles_deg(positions: Array, valid: NDArray[np.bool_] | None = None) -> dict[str, NDArray[np.float64]]:
    """Return each angle of ROM_NAMES over time (T,), degrees, of positions (T, 22, 3); valid (T, 22).

    Limbs: between the segments of LIMBS, 0 to 180. trunk_inclination: pelvis to neck against the vertical, 0 to 180;
    trunk_lean: from the plane that halves the body, -90 to 90, positive to the person's left as the hips show it. NaN
    in frames where a joint of the angle was not seen or a segment has no length. A knee with thigh and shank at right
    angles gives 90.
    """
    x = positions.astype(np.float64)
    if valid is not None:
        x = np.where(valid[..., None], x, np.nan)
    found = {}
    for name, segments in LIMBS.items():
        for side in SIDES:
            first, second = (_segment(x, *(joint.format(s=side) for joint in segment)) for segment in segments)
            found[f"{side}_{name}"] = _between(first, second)
    trunk = _segment(x, "pelvis", "neck")
    found["trunk_inclination"] = _between(trunk, np.array([0.0, 1.0, 0.0]))
    left = normalise(_segment(x, "right_hip", "left_hip") * [1.0, 0.0, 1.0])
    found["trunk_lean"] = 90.0 - _between(trunk, left)
    return found


def rom_vector(positions: Array, valid: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return the range of motion (A,), largest minus smallest angle over the clip, degrees, in the order of ROM_NAMES.

    Prepared clips are filtered at 6 Hz, so one shaken frame does not set the range. NaN for an angle never seen.
    """
    return np.array([_range(angle) for angle in angles_deg(positions, valid).values()])


def range_of_motion_deg(positions: Array, valid: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """Return `rom_vector` by name."""
    return dict(zip(ROM_NAMES, rom_vector(positions, valid).tolist(), strict=True))


def symmetry_index(rom: Array) -> NDArray[np.float64]:
    """Return 2 |L - R| / (L + R) of ranges (..., A): (..., P) for the limbs of LIMBS, 0 alike, 2 one side alone.

    Limbs that do not move on either side (below 1 degree together) are alike: 0.
    """
    left, right = rom[..., PAIRS[:, 0]], rom[..., PAIRS[:, 1]]
    total = left + right
    return np.where(
        total >= 1.0, 2.0 * np.abs(left - right) / np.maximum(total, 1.0), np.where(np.isnan(total), np.nan, 0.0)
    )


def _segment(x: Array, start: str, end: str) -> Array:
    return x[:, CANONICAL.index(end)] - x[:, CANONICAL.index(start)]


def _between(a: Array, b: Array) -> NDArray[np.float64]:
    """Return the angle (T,) between vectors (T, 3), degrees; exact near 0 too, where an arc cosine is not."""
    angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))
    pointless = (np.linalg.norm(a, axis=-1) == 0) | (np.linalg.norm(b, axis=-1) == 0)
    return np.where(pointless, np.nan, angle)


def _range(angle: NDArray[np.float64]) -> float:
    seen = angle[~np.isnan(angle)]
    return float(np.ptp(seen)) if len(seen) else float("nan")
