"""A tree of rigid bones: where rotations put its joints, and what rotations bring them to where they were seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating]
_DAMPING = 1e-4  # m^2 a radian: a step turns no joint far for the sake of a centimetre
_CHUNK = 256  # frames solved at a time: a system of (3 J + 3)^2 numbers each


def place_joints(rotations: Array, offsets: Array, root: Array, parents: Sequence[int]) -> tuple[Array, Array]:
    """Return positions (T, J, 3) and world rotations (T, J, 3, 3) by forward kinematics.

    rotations (T, J, 3, 3) in the parent's axes; offsets (J, 3) from the parent, the root's unread; root (T, 3) metres;
    parents (J,), each before its children, -1 for the one root.
    """
    turns, x = np.array(rotations, dtype=float), np.zeros(rotations.shape[:3])
    for joint, parent in enumerate(parents):
        if parent < 0:
            x[:, joint] = root
            continue
        x[:, joint] = x[:, parent] + turns[:, parent] @ offsets[joint]
        turns[:, joint] = turns[:, parent] @ rotations[:, joint]
    return x, turns


def reach(
    rotations: Array,
    offsets: Array,
    root: Array,
    parents: Sequence[int],
    target: Array,
    weights: Array,
    iterations: int = 12,
) -> tuple[Array, Array]:
    """Return rotations (T, J, 3, 3) in the parent's axes and root (T, 3) that bring the joints nearest to `target`.

    The arguments of place_joints to start from; target (T, J, 3) metres; weights (T, J), 0 where nothing was seen.
    Levenberg-Marquardt with constant damping, frame by frame: J_kj = -[x_k - x_j]_x for joint k below joint j. What
    the positions do not show (twist) has no slope and stays as it was given.
    """
    below = _descendants(parents)
    done = [
        _reach(rotations[part], offsets, root[part], parents, target[part], weights[part], below, iterations)
        for part in (slice(start, start + _CHUNK) for start in range(0, len(root), _CHUNK))
    ]
    return np.concatenate([turns for turns, _ in done]), np.concatenate([place for _, place in done])


def _reach(
    rotations: Array,
    offsets: Array,
    root: Array,
    parents: Sequence[int],
    target: Array,
    weights: Array,
    below: Array,
    iterations: int,
) -> tuple[Array, Array]:
    n_frames, n = target.shape[:2]
    local, root = np.array(rotations, dtype=float), np.array(root, dtype=float)
    for _ in range(iterations):
        x, turns = place_joints(local, offsets, root, parents)
        arm = (x[:, :, None] - x[:, None, :]) * below[..., None]  # (T, k, j, 3)
        slope = np.zeros((n_frames, n, 3, n + 1, 3))
        for row, column, axis, sign in (
            (0, 1, 2, 1),
            (1, 2, 0, 1),
            (2, 0, 1, 1),
            (1, 0, 2, -1),
            (2, 1, 0, -1),
            (0, 2, 1, -1),
        ):
            slope[:, :, row, :n, column] = sign * arm[..., axis]  # omega x arm = -[arm]_x omega
        slope[:, :, [0, 1, 2], n, [0, 1, 2]] = 1.0
        slope = (slope * weights[:, :, None, None, None]).reshape(n_frames, 3 * n, 3 * n + 3)
        error = ((target - x) * weights[..., None]).reshape(n_frames, 3 * n, 1)
        damped = np.swapaxes(slope, 1, 2) @ slope + _DAMPING * np.eye(3 * n + 3)
        step = np.linalg.solve(damped, np.swapaxes(slope, 1, 2) @ error)[..., 0].reshape(n_frames, n + 1, 3)
        turned = Rotation.from_rotvec(step[:, :n].reshape(-1, 3)).as_matrix().reshape(n_frames, n, 3, 3) @ turns
        for joint, parent in enumerate(parents):
            local[:, joint] = turned[:, joint] if parent < 0 else np.swapaxes(turns[:, parent], 1, 2) @ turned[:, joint]
        root += step[:, n]
    return local, root


def _descendants(parents: Sequence[int]) -> Array:
    """(J, J): 1 where the first joint hangs, at any depth, below the second."""
    below = np.zeros((len(parents), len(parents)))
    for joint, parent in enumerate(parents):
        if parent >= 0:
            below[joint] = below[parent]
            below[joint, parent] = 1.0
    return below
