"""From joint positions to joint rotations, for what stores rotations: twist where the body shows it.

The rest pose is a T-pose that faces +z: legs down, arms to the sides, elbows bend forward about y, knees back about x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from rehabmotion.geometry.rotations import frame_from, normalise, shortest_arc
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]

X, Y, Z = np.eye(3)
FOOT = normalise(np.array([0.0, -0.4, 0.92]))  # from ankle to ball of a foot that stands flat
BENT = np.sin(np.radians(15.0))  # below this bend an elbow or knee does not tell the twist of the bone above it
TWIST_SMOOTHING_S = 0.1


def joint_frames(motion: Motion) -> Array:
    """Return the global rotation (T, J, 3, 3) of each joint: what carries the rest pose's axes to its own.

    Canonical skeleton: pelvis by hips then spine, thorax by spine then shoulders, the spine between them shares the
    twist, upper arm and thigh turn with the plane of elbow and knee (held and smoothed where these are straight). What
    positions cannot show, such as the twist of the forearm, is zero. Other skeletons: each bone by the smallest
    rotation.
    """
    x = motion.positions.astype(np.float64)
    if motion.skeleton == CANONICAL:
        return _canonical_frames(x, motion.fps)
    frames = np.tile(np.eye(3), (len(x), len(motion.skeleton), 1, 1))
    for joint in motion.skeleton.order:
        parent = motion.skeleton.parents[joint]
        if parent >= 0:
            frames[:, joint] = frames[:, parent]
        if motion.skeleton.parents.count(joint) == 1:
            bone = x[:, motion.skeleton.parents.index(joint)] - x[:, joint]
            frames[:, joint] = _swing(frames[:, joint], normalise(np.median(bone, axis=0)), bone)
    return frames


def _canonical_frames(x: Array, fps: float) -> Array:
    at = CANONICAL.index
    frames = np.tile(np.eye(3), (len(x), len(CANONICAL), 1, 1))

    def bone(start: str, end: str) -> Array:
        return x[:, at(end)] - x[:, at(start)]

    hips, shoulders = bone("right_hip", "left_hip"), bone("right_shoulder", "left_shoulder")
    above_hips = x[:, at("spine1")] - 0.5 * (x[:, at("left_hip")] + x[:, at("right_hip")])
    swapped = frame_from(hips, above_hips)  # gives y along the hips, x nearest to the spine: exchange the two
    frames[:, at("pelvis")] = _where_defined(np.stack([swapped[..., 1], swapped[..., 0], -swapped[..., 2]], -1))
    across = {"pelvis": normalise(hips), "thorax": normalise(shoulders)}
    for joint, child, share in (
        ("spine1", "spine2", 1 / 3),
        ("spine2", "spine3", 2 / 3),
        ("spine3", "neck", 1.0),
        ("neck", "head", 1.0),
    ):
        side = (1 - share) * across["pelvis"] + share * across["thorax"]
        below = frames[:, CANONICAL.parents[at(joint)]]
        frames[:, at(joint)] = _where_defined(frame_from(bone(joint, child), side), below)
    frames[:, at("head")] = frames[:, at("neck")]
    for side_name, out in (("left", X), ("right", -X)):
        for joint, child, rest, bend in (
            ("collar", "shoulder", out, None),
            ("shoulder", "elbow", out, Z),
            ("elbow", "wrist", out, None),
            ("hip", "knee", -Y, -Z),
            ("knee", "ankle", -Y, None),
            ("ankle", "foot", FOOT, None),
        ):
            j, end = at(f"{side_name}_{joint}"), at(f"{side_name}_{child}")
            frames[:, j] = _swing(frames[:, CANONICAL.parents[j]], rest, x[:, end] - x[:, j])
            if bend is not None:
                after = x[:, CANONICAL.parents.index(end)] - x[:, end]
                frames[:, j] = frames[:, j] @ _twist(frames[:, j], rest, bend, after, fps)
            frames[:, end] = frames[:, j]
    return frames


def _where_defined(frames: Array, otherwise: Array | None = None) -> Array:
    """Frames (T, 3, 3), those that came out flat (a bone of no length) replaced."""
    volume: Array = np.linalg.det(frames)[:, None, None]
    return np.where(volume > 0.5, frames, np.eye(3) if otherwise is None else otherwise)


def _swing(parent: Array, rest: Array, bone: Array) -> Array:
    """The parent's frames (T, 3, 3), turned the shortest way so that the rest direction points along the bone."""
    direction = normalise(bone)
    turned = shortest_arc(normalise(parent @ rest), direction) @ parent
    length: Array = np.linalg.norm(direction, axis=-1)[:, None, None]
    return np.where(length > 0, turned, parent)


def _twist(frames: Array, rest: Array, bend: Array, after: Array, fps: float) -> Array:
    """Rotations (T, 3, 3) about the rest direction that bring `bend` to the side to which the next bone bends."""
    local = np.einsum("tba,tb->ta", frames, normalise(after))
    towards, sideways = local @ bend, local @ np.cross(rest, bend)
    bent = np.hypot(towards, sideways)
    plane = np.stack([towards, sideways], axis=-1)[:, None] / np.maximum(bent, 1e-9)[:, None, None]
    if not (bent > BENT).any():
        return np.eye(3)
    plane = fill_gaps(plane, (bent > BENT)[:, None])[:, 0]
    plane = gaussian_filter1d(plane, TWIST_SMOOTHING_S * fps, axis=0, mode="nearest")
    angle = np.arctan2(plane[:, 1], plane[:, 0])
    return Rotation.from_rotvec(angle[:, None] * rest).as_matrix()
