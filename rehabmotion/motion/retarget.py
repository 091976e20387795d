"""From any source skeleton to the canonical one, with bone lengths that do not change over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.skeleton import CANONICAL, Skeleton

# canonical joint -> {source joint: weight}; weights sum to 1; joints that are absent here are missing in the source
JointMap = Mapping[str, Mapping[str, float]]


def map_joints(motion: Motion, joint_map: JointMap) -> Motion:
    """Return the motion on the canonical 22 joints, each a weighted mean of source joints.

    A joint is valid where all its sources are; a joint the map does not name is invalid throughout, its placeholder at
    its parent. Joints that mix several sources are listed in meta["derived"].
    """
    names = CANONICAL.joint_names
    unknown = set(joint_map) - set(names)
    if unknown:
        raise UserError(f"Expected canonical joint names in the map, got {', '.join(sorted(unknown))}.")
    positions = np.zeros((motion.n_frames, len(names), 3))
    valid = np.zeros((motion.n_frames, len(names)), dtype=bool)
    for name, sources in joint_map.items():
        columns = motion.skeleton.indices(*sources)
        weights = np.array(list(sources.values()))
        positions[:, names.index(name)] = np.einsum("tjc,j->tc", motion.positions[:, columns], weights)
        valid[:, names.index(name)] = motion.valid[:, columns].all(axis=1)
    missing = [j for j, name in enumerate(names) if name not in joint_map]
    for j in CANONICAL.order:
        if j in missing and CANONICAL.parents[j] >= 0:
            positions[:, j] = positions[:, CANONICAL.parents[j]]
    derived = sorted(name for name, sources in joint_map.items() if len(sources) > 1)
    return motion.but(
        positions=positions, valid=valid, skeleton=CANONICAL, meta={"derived": derived} if derived else {}
    )


def bone_lengths(
    positions: NDArray[np.floating], valid: NDArray[np.bool_], skeleton: Skeleton = CANONICAL
) -> NDArray[np.float64]:
    """Return the median length (J,) of the bone above each joint over frames where both ends are valid, metres.

    positions (T, J, 3), valid (T, J). Roots and bones never seen get 0.
    """
    lengths = np.zeros(len(skeleton))
    for parent, joint in skeleton.bones:
        both = valid[:, parent] & valid[:, joint]
        if both.any():
            lengths[joint] = np.median(np.linalg.norm(positions[both, joint] - positions[both, parent], axis=-1))
    return lengths


def symmetric(lengths: NDArray[np.floating], skeleton: Skeleton = CANONICAL) -> NDArray[np.float64]:
    """Return bone lengths (J,) with left and right averaged, where both are known."""
    other = lengths[skeleton.mirror_order]
    return np.where((lengths > 0) & (other > 0), 0.5 * (lengths + other), lengths)


def with_bone_lengths(motion: Motion, lengths: NDArray[np.floating]) -> Motion:
    """Return the motion with the given bone lengths (J,), metres: directions kept, from the root outwards.

    Then each frame is shifted as a whole so that the mean of its valid feet (or, without feet, of all valid joints)
    stays where it was: changing a shin must not lift the person off the floor. Lengths of 0 leave that bone's own
    length, as do bones with an invalid end.
    """
    source = motion.positions.astype(np.float64)
    x = source.copy()
    for joint in motion.skeleton.order:
        parent = motion.skeleton.parents[joint]
        if parent < 0:
            continue
        bone = source[:, joint] - source[:, parent]
        usable = motion.valid[:, joint] & motion.valid[:, parent] & (lengths[joint] > 0)
        direction = normalise(bone, least=1e-3)
        for t in np.flatnonzero(usable & ~direction.any(axis=-1)):  # a bone shrunk to a point: hold its direction
            before = np.flatnonzero(usable[:t])
            direction[t] = direction[before[-1]] if len(before) else np.array([0.0, -1.0, 0.0])
        x[:, joint] = x[:, parent] + np.where(usable[:, None], lengths[joint] * direction, bone)
    anchors = [
        motion.skeleton.joint_names.index(n) for n in ("left_ankle", "right_ankle") if n in motion.skeleton.joint_names
    ]
    weight = motion.valid.astype(float)
    if anchors and motion.valid[:, anchors].all():
        weight = np.zeros_like(weight)
        weight[:, anchors] = 1.0
    total = np.maximum(weight.sum(axis=1), 1e-9)
    shift = ((source - x) * weight[..., None]).sum(axis=1) / total[:, None]
    return motion.but(positions=x + shift[:, None])


def to_canonical(motion: Motion, joint_map: JointMap, lengths: NDArray[np.floating] | None = None) -> Motion:
    """Return the motion on the canonical skeleton with constant bone lengths: `lengths` (22,), or its own medians."""
    mapped = map_joints(motion, joint_map)
    if lengths is None:
        lengths = bone_lengths(mapped.positions, mapped.valid)
    return with_bone_lengths(mapped, lengths)
