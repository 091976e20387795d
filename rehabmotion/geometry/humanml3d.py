"""The HumanML3D format, 263 numbers a frame, to and from joint positions: pure arrays, 20 frames per second.

Guo et al., "Generating Diverse and Natural 3D Human Motions From Text", CVPR 2022; layout for J joints: root yaw
velocity 1 (half angle), root velocity 2, root height 1, joint places 3(J-1), rotations 6(J-1), joint velocities 3J,
contacts 4, together 12J - 1. Kept for exchange and comparison only: its heading mixes hips and shoulders and its
rotation block depends on where the person faces.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import normalise, shortest_arc, yaw_matrix

Array = NDArray[np.floating]

FPS = 20.0
N_JOINTS = 22
N_FEATURES = 12 * N_JOINTS - 1
CONTACT_M2 = 0.002  # squared step of a foot at rest, m^2 per frame: 0.89 m/s, far too lax for slow exercise
CONTACT_JOINTS = (7, 10, 8, 11)  # left ankle, left toe, right ankle, right toe
SMOOTHING_FRAMES = 20.0  # of the heading; the window reaches 80 frames to each side
L_HIP, R_HIP, L_SHOULDER, R_SHOULDER = 1, 2, 16, 17
# the arms start at spine3, yet their rotations are counted from the root: so the format has it
CHAINS = ((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20))
X, Y, Z = np.eye(3)
# direction of the bone above each joint in the reference pose
REST = np.array([0 * X, X, -X, Y, -Y, -Y, Y, -Y, -Y, Y, Z, Z, Y, X, -X, Z, -Y, -Y, -Y, -Y, -Y, -Y])
SLICES = {
    "yaw": slice(0, 1),
    "root_velocity": slice(1, 3),
    "root_height": slice(3, 4),
    "places": slice(4, 67),
    "rotations": slice(67, 193),
    "velocities": slice(193, 259),
    "contacts": slice(259, 263),
}


def heading(positions: Array, legacy_facing: bool = True) -> Array:
    """Return the forward direction (T, 3) of each frame: horizontal, of length 1 when the body axis across is level.

    The format's text says hips plus shoulders; its code, and so all published data, has the hips reversed: shoulders
    minus hips (`legacy_facing`). A trunk twisted by 30 degrees over still hips (shoulders 0.36 m, hips 0.12 m wide)
    turns the first by 22.6 and the second by 43.2 degrees.
    """
    hips = positions[:, L_HIP] - positions[:, R_HIP]
    shoulders = positions[:, L_SHOULDER] - positions[:, R_SHOULDER]
    left = shoulders - hips if legacy_facing else shoulders + hips
    return np.cross(normalise(left), Y)


def encode_humanml3d(
    positions: NDArray[np.floating], legacy_facing: bool = True, smoothing_frames: float = SMOOTHING_FRAMES
) -> Array:
    """Return the features (T-1, 263) of joint positions (T, 22, 3), metres, y up, 20 fps.

    The positions are taken as they stand; `place_humanml3d` puts them on the floor at the origin as the format does.
    One departure: the published code takes yaw as the arcsin of a quaternion's part, which changes sign in the frame
    where the heading passes 180 degrees and bends the path from there on; here that frame keeps its sign.
    Raises UserError on another shape, on fewer than two frames, or on NaN.
    """
    x = _checked(positions, (N_JOINTS, 3), "positions of shape (T, 22, 3)", least=2)
    forward = heading(x, legacy_facing)
    if smoothing_frames > 0:
        forward = gaussian_filter1d(forward, smoothing_frames, axis=0, mode="nearest")
    to_facing = shortest_arc(normalise(forward), Z)
    to_facing[0] = np.eye(3)  # the format forces it, and so has a spurious turn between frames 0 and 1
    turn = to_facing[1:] @ to_facing[:-1].transpose(0, 2, 1)
    step = np.diff(x, axis=0)
    places = x - x[:, :1] * np.array([1.0, 0.0, 1.0])
    blocks = (
        0.5 * np.arctan2(turn[:, 0, 2], turn[:, 2, 2])[:, None],
        _rotate(to_facing[1:], step[:, :1])[:, 0, [0, 2]],
        x[:-1, 0, 1:2],
        _rotate(to_facing[:-1], places[:-1, 1:]).reshape(len(step), -1),
        _rotations(x[:-1], to_facing[:-1]).reshape(len(step), -1),
        _rotate(to_facing[:-1], step).reshape(len(step), -1),
        (np.sum(step[:, CONTACT_JOINTS] ** 2, axis=-1) < CONTACT_M2).astype(float),
    )
    return np.concatenate(blocks, axis=1)


def decode_humanml3d(features: NDArray[np.floating]) -> Array:
    """Return joint positions (T, 22, 3), metres, of features (T, 263); the rotation block is not used.

    The first frame stands at the origin with heading zero. Yaw is summed up, so an error in one frame bends the rest of
    the path. Raises UserError on another shape or on NaN.
    """
    f = _checked(features, (N_FEATURES,), "features of shape (T, 263)", least=1)
    half_angle = np.concatenate([[0.0], np.cumsum(f[:-1, 0])])
    to_world = np.array([yaw_matrix(-2.0 * angle) for angle in half_angle])
    step = np.zeros((len(f), 1, 3))
    step[1:, 0, 0], step[1:, 0, 2] = f[:-1, 1], f[:-1, 2]
    root = np.cumsum(_rotate(to_world, step), axis=0)
    places = f[:, SLICES["places"]].reshape(len(f), N_JOINTS - 1, 3)
    x = np.concatenate([np.zeros((len(f), 1, 3)), _rotate(to_world, places)], axis=1) + root
    x[:, 0, 1] = f[:, 3]
    return x


def place_humanml3d(positions: NDArray[np.floating]) -> Array:
    """Return positions (T, 22, 3) placed as the format wants: lowest point at y = 0, start at the origin facing +z.

    This step uses the intended facing (hips plus shoulders) whatever the features use.
    """
    x = _checked(positions, (N_JOINTS, 3), "positions of shape (T, 22, 3)", least=1)
    x = x - np.array([x[0, 0, 0], x[..., 1].min(), x[0, 0, 2]])
    return x @ shortest_arc(normalise(heading(x[:1], legacy_facing=False)[0]), Z).T


def uniform_skeleton(positions: NDArray[np.floating], lengths: NDArray[np.floating]) -> Array:
    """Return positions (T, 22, 3) with the bone lengths (22,) of one reference body, metres, the root scaled with it.

    The scale is that of the legs: right thigh plus shank. HumanML3D takes its lengths from its clip 000021, frame 0.
    """
    x = _checked(positions, (N_JOINTS, 3), "positions of shape (T, 22, 3)", least=1)
    leg = np.linalg.norm(x[0, 5] - x[0, 2]) + np.linalg.norm(x[0, 8] - x[0, 5])
    if not leg > 0:
        raise UserError("Expected a right leg with a length, got its joints in one point.")
    y = np.empty_like(x)
    y[:, 0] = x[:, 0] * ((lengths[5] + lengths[8]) / leg)
    for chain in CHAINS:
        for parent, child in itertools.pairwise(chain):
            y[:, child] = y[:, parent] + lengths[child] * normalise(x[:, child] - x[:, parent])
    return y


def _rotations(x: Array, to_facing: Array) -> Array:
    """The 6D block (T, 21, 6): shortest arcs from the reference pose, chained from the facing rotation."""
    six = np.zeros((len(x), N_JOINTS, 6))
    for chain in CHAINS:
        above = to_facing
        for parent, child in itertools.pairwise(chain):
            arc = shortest_arc(REST[child], normalise(x[:, child] - x[:, parent]))
            local = above.transpose(0, 2, 1) @ arc
            six[:, child] = np.concatenate([local[..., 0], local[..., 1]], axis=-1)
            above = arc
    return six[:, 1:]


def _rotate(rotations: Array, vectors: Array) -> Array:
    """rotations (T, 3, 3) on vectors (T, J, 3)."""
    return np.einsum("tab,tjb->tja", rotations, vectors)


def _checked(values: NDArray[np.floating], shape: tuple[int, ...], what: str, least: int) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.ndim != 1 + len(shape) or array.shape[1:] != shape:
        raise UserError(f"Expected {what}, got {array.dtype} {array.shape}.")
    if len(array) < least:
        raise UserError(f"Expected at least {least} frame{'s' if least > 1 else ''}, got {len(array)}.")
    if not np.isfinite(array).all():
        raise UserError(f"Expected finite {what.split()[0]}, got NaN or infinity. HumanML3D cannot mask joints.")
    return array.astype(np.float64)
