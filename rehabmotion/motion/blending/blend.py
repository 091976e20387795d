"""Between two poses: how fast, along which way, and with which foot on the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion.blending.parts import PARTS
from rehabmotion.motion.blending.poses import ANKLES, HIPS, KNEES, TOES, Poses, hips_of
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]

LIFT = 0.05  # metres that a foot is lifted when it steps `LONG_STEP` or further
LONG_STEP, SHORT_STEP = 0.25, 0.015  # metres; a foot that goes less than the short one stays down
SLACK = 0.01  # metres over which a leg that would be too long pulls the pelvis down
TURNS = 150.0  # degrees from which on an arm goes by its side: straight through would be through the body


def minimum_jerk(s: Array) -> Array:
    """Return 10 s^3 - 15 s^4 + 6 s^5 for s clipped to 0..1: at rest, and without acceleration, at both ends.

    The way hands go (Flash and Hogan 1985). Its top speed is 1.875 times the mean one.
    """
    s = np.clip(s, 0.0, 1.0)
    return s**3 * (10.0 + s * (6.0 * s - 15.0))


def slerp(a: Array, b: Array, w: Array) -> Array:
    """Return unit vectors on the great circle from a to b (..., 3), the share w (...) of the way.

    Opposite ones have no single way; rounding picks one.
    """
    cosine = np.clip((a * b).sum(axis=-1), -1.0, 1.0)
    angle = np.arccos(cosine)[..., None]
    share = np.broadcast_to(w, cosine.shape)[..., None]
    sine = np.sin(angle)
    safe = np.maximum(sine, 1e-9)
    way = np.where(
        sine < 1e-6,
        (1 - share) * a + share * b,
        np.sin((1 - share) * angle) / safe * a + np.sin(share * angle) / safe * b,
    )
    return normalise(way)


def slerp_frames(a: Array, b: Array, w: Array) -> Array:
    """Return the rotations from a to b (T, 3, 3), the share w (T,) of the way about one axis."""
    first = Rotation.from_matrix(a)
    whole = (first.inv() * Rotation.from_matrix(b)).as_rotvec()
    return np.asarray((first * Rotation.from_rotvec(w[:, None] * whole)).as_matrix())


def blend_directions(a: Poses, b: Poses, w: Array, joints: list[int]) -> Array:
    """Return the directions (T, len(joints), 3) the share w (T,) of the way from a to b."""
    blended = slerp(a.directions[:, joints], b.directions[:, joints], w[:, None])
    for side, part in ((1.0, "left_arm"), (-1.0, "right_arm")):
        for column, joint in enumerate(joints):
            if joint in CANONICAL.indices(*PARTS[part]):
                aside = normalise(np.array([side, 0.0, 0.5]))  # in the trunk's frame: out and a little forwards
                blended[:, column] = _by(a.directions[:, joint], aside, b.directions[:, joint], w, blended[:, column])
    return blended


def _by(a: Array, by: Array, b: Array, w: Array, straight: Array) -> Array:
    """Return the way from a to b, drawn towards `by` as far as the two are nearly opposite."""
    angle = np.degrees(np.arccos(np.clip((a * b).sum(axis=-1), -1.0, 1.0)))
    detour = minimum_jerk((angle - TURNS) / (180.0 - TURNS) * 2)[:, None] * (12 * w * (1 - w))[:, None]
    return normalise(straight + detour * by) if detour.any() else straight


def blend_legs(a: Poses, b: Poses, w: Array, lengths: Array) -> Poses:
    """Return pelvis and legs the share w (T,) of the way from a to b, other directions those of a.

    A foot that stands in the same place in both stays there; one that has to go elsewhere is lifted on the way. The
    pelvis sinks as far as a leg would otherwise be stretched more than between a and b.
    """
    share = w[:, None, None]
    directions = a.directions.copy()
    for joints in (HIPS, TOES):
        directions[:, joints] = slerp(a.directions[:, joints], b.directions[:, joints], w[:, None])
    ankles = (1 - share) * a.ankles + share * b.ankles
    ankles[..., 1] += _lift(a, b) * (16 * w**2 * (1 - w) ** 2)[:, None]
    blended = Poses(
        (1 - share[..., 0]) * a.root + share[..., 0] * b.root,
        slerp_frames(a.pelvis, b.pelvis, w),
        ankles,
        (1 - share) * a.bends + share * b.bends,
        directions,
    )
    longest = (1 - w[:, None]) * _stretch(a, lengths) + w[:, None] * _stretch(b, lengths)
    root = blended.root.copy()
    root[:, 1] -= _sink(hips_of(blended, lengths), ankles, np.minimum(longest, _whole(lengths)))
    return Poses(root, blended.pelvis, ankles, blended.bends, directions)


def _lift(a: Poses, b: Poses) -> Array:
    """Return how high each ankle (T, 2) is lifted half way."""
    step = np.linalg.norm((b.ankles - a.ankles)[..., [0, 2]], axis=-1)
    return LIFT * minimum_jerk((step - SHORT_STEP) / (LONG_STEP - SHORT_STEP))


def _stretch(poses: Poses, lengths: Array) -> Array:
    """Return the distances (T, 2) from hip to ankle, metres."""
    return np.linalg.norm(poses.ankles - hips_of(poses, lengths), axis=-1)


def _whole(lengths: Array) -> Array:
    return lengths[KNEES] + lengths[ANKLES]


def _sink(hips: Array, ankles: Array, longest: Array) -> Array:
    """Return how far (T,) the hips (T, 2, 3) have to sink for legs of at most `longest` (T, 2); smooth where it begins.

    A foot further away sideways than the leg is long cannot be reached by sinking: the hips go as low as helps.
    """
    reach = hips - ankles
    across = (reach[..., [0, 2]] ** 2).sum(axis=-1)
    need = np.maximum(reach[..., 1] - np.sqrt(np.maximum(longest**2 - across, 0.0)), 0.0).max(axis=-1)
    return need**2 / (need + SLACK)
