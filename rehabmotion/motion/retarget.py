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


def with_bone_lengths(motion: Motion, lengths: NDArray[np.floating], least: float = 0.0) -> Motion:
    """Return the motion with the given bone lengths (J,), metres: directions kept, from the root outwards.

    Lengths of 0 leave that bone's own length, as do bones with an invalid end. A bone shorter than 1 mm, or than
    `least` times its length, points nowhere that can be trusted: its direction is bridged from the frames around it.
    (A sensor that throws a foot across the room leaves, once filtered, a bone that shrinks and turns on the spot.)
    """
    source = motion.positions.astype(np.float64)
    x = source.copy()
    for joint in motion.skeleton.order:
        parent = motion.skeleton.parents[joint]
        if parent < 0:
            continue
        bone = source[:, joint] - source[:, parent]
        usable = motion.valid[:, joint] & motion.valid[:, parent] & (lengths[joint] > 0)
        direction = _bridged_directions(bone, usable, max(1e-3, least * float(lengths[joint])))
        x[:, joint] = x[:, parent] + np.where(usable[:, None], lengths[joint] * direction, bone)
    return motion.but(positions=x)


def _bridged_directions(bone: NDArray[np.float64], usable: NDArray[np.bool_], least: float) -> NDArray[np.floating]:
    direction = normalise(bone)
    good = usable & (np.linalg.norm(bone, axis=-1) >= least)
    bad = usable & ~good
    if not bad.any():
        return direction
    if not good.any():
        return np.where(direction.any(axis=-1, keepdims=True), direction, np.array([0.0, -1.0, 0.0]))
    t = np.arange(len(bone))
    bridged = np.stack([np.interp(t[bad], t[good], direction[good, c]) for c in range(3)], axis=-1)
    direction[bad] = normalise(bridged)
    # two opposite ends meet in nothing half way: take the nearer end
    lost = bad & ~direction.any(axis=-1)
    nearest = np.abs(t[lost, None] - t[good]).argmin(axis=1)
    direction[lost] = direction[good][nearest]
    return direction


def keep_feet(motion: Motion, where: NDArray[np.floating]) -> Motion:
    """Return the motion shifted, frame by frame and as a whole, so that its ankles' midpoint is that of `where`.

    where (T, J, 3) metres on the same skeleton. Changing a shin must not make a standing person slide.
    """
    ankles = motion.skeleton.indices("left_ankle", "right_ankle")
    shift = (where[:, ankles] - motion.positions[:, ankles]).mean(axis=1, keepdims=True)
    return motion.but(positions=motion.positions + shift)


def to_canonical(motion: Motion, joint_map: JointMap, lengths: NDArray[np.floating] | None = None) -> Motion:
    """Return the motion on the canonical skeleton with constant bone lengths: `lengths` (22,), or its own medians."""
    mapped = map_joints(motion, joint_map)
    if lengths is None:
        lengths = bone_lengths(mapped.positions, mapped.valid)
    return with_bone_lengths(mapped, lengths)
