"""A tree of rigid bones: where rotations put its joints, and what rotations bring them to where they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating]
_DAMPING = 1e-3  # m^2, at first: a step turns no joint far for the sake of a centimetre
_ITERATIONS = 25
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
    rotations: Array, offsets: Array, root: Array, parents: Sequence[int], target: Array, weights: Array
) -> tuple[Array, Array]:
    """Return rotations (T, J, 3, 3) in the parent's axes and root (T, 3) that bring the joints nearest to `target`.

    The arguments of place_joints to start from; target (T, J, 3) metres; weights (T, J), 0 where nothing was seen.
    Levenberg-Marquardt, each frame by itself and never to a larger sum of squares: a limb stretched out for what it
    cannot reach would swing wildly under full steps. What the positions do not show (twist) has no slope and stays.
    """
    done = []
    for start in range(0, len(root), _CHUNK):
        part = slice(start, start + _CHUNK)
        tree = _Tree(offsets, tuple(parents), target[part], weights[part])
        done.append(_descend(tree, np.array(rotations[part], dtype=float), np.array(root[part], dtype=float)))
    return np.concatenate([turns for turns, _ in done]), np.concatenate([place for _, place in done])


@dataclass(frozen=True)
class _Tree:
    """What is fixed while a chunk of frames is solved; see reach."""

    offsets: Array
    parents: tuple[int, ...]
    target: Array
    weights: Array

    def error(self, x: Array) -> Array:
        """Weighted errors (T, 3 J) of positions (T, J, 3)."""
        return ((self.target - x) * self.weights[..., None]).reshape(len(x), -1)

    def slope(self, x: Array) -> Array:
        """Slopes (T, 3 J, 3 J + 3) of positions by turns and root: a turn w of j moves k below by w x (x_k - x_j)."""
        n_frames, n = x.shape[:2]
        arm = (x[:, :, None] - x[:, None, :]) * _descendants(self.parents)[..., None]  # (T, k, j, 3)
        slope = np.zeros((n_frames, n, 3, n + 1, 3))
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            slope[:, :, a, :n, b], slope[:, :, b, :n, a] = arm[..., c], -arm[..., c]
            slope[:, :, a, n, a] = 1.0
        return (slope * self.weights[:, :, None, None, None]).reshape(n_frames, 3 * n, 3 * n + 3)

    def turned(self, local: Array, turns: Array, step: Array) -> Array:
        """Local rotations after turns by `step` (T, J, 3), rotation vectors in the world."""
        after = Rotation.from_rotvec(step.reshape(-1, 3)).as_matrix().reshape(turns.shape) @ turns
        out = np.empty_like(local)
        for joint, parent in enumerate(self.parents):
            out[:, joint] = after[:, joint] if parent < 0 else np.swapaxes(turns[:, parent], 1, 2) @ after[:, joint]
        return out


def _descend(tree: _Tree, local: Array, root: Array) -> tuple[Array, Array]:
    n = len(tree.parents)
    damping = np.full(len(root), _DAMPING)
    x, turns = place_joints(local, tree.offsets, root, tree.parents)
    error = tree.error(x)
    for _ in range(_ITERATIONS):
        slope = tree.slope(x)
        across = np.swapaxes(slope, 1, 2)
        normal = across @ slope + damping[:, None, None] * np.eye(3 * n + 3)
        step = np.linalg.solve(normal, across @ error[..., None])[..., 0].reshape(-1, n + 1, 3)
        new_local, new_root = tree.turned(local, turns, step[:, :n]), root + step[:, n]
        new_x, new_turns = place_joints(new_local, tree.offsets, new_root, tree.parents)
        new_error = tree.error(new_x)
        better = (new_error**2).sum(axis=1) < (error**2).sum(axis=1)
        damping = np.clip(np.where(better, 0.3 * damping, 4.0 * damping), 1e-7, 1e2)
        for old, new in ((local, new_local), (root, new_root), (x, new_x), (turns, new_turns), (error, new_error)):
            old[better] = new[better]
    return local, root


def _descendants(parents: Sequence[int]) -> Array:
    """(J, J): 1 where the first joint hangs, at any depth, below the second."""
    below = np.zeros((len(parents), len(parents)))
    for joint, parent in enumerate(parents):
        if parent >= 0:
            below[joint] = below[parent]
            below[joint, parent] = 1.0
    return below
