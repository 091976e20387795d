"""BVH, the animation format of Blender and motion-capture suites: read any, write the canonical joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.bvh_parse import MAX_JOINTS, BvhText, parse_bvh
from rehabmotion.io.bvh_rotations import ARM_ORDER, BODY_ORDER, euler_degrees
from rehabmotion.io.files import read_text, write_atomic
from rehabmotion.io.rates import rate_of_step
from rehabmotion.motion import Motion, Skeleton
from rehabmotion.motion.retarget import bone_lengths
from rehabmotion.motion.rig import Rig, rig

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "cmu": 0.0254 / 0.45}  # cmu: the scaled inches of its recordings


def read_bvh(path: Path, unit: str | None = None) -> list[Motion]:
    """Return the one motion of a BVH file on its own joints, metres; y is taken to be up, +z forward.

    Position channels replace the OFFSET of their joint, as in Blender; rotation channels apply in file order. BVH
    states no unit: without `unit` (m, cm, mm or cmu) it is told from the length of a leg or an arm, and kept in
    meta["unit"]. Use `bvh_joint_map` to get to the canonical joints.
    """
    try:
        bvh = parse_bvh(read_text(path))
        skeleton = Skeleton(tuple(bvh.names), tuple(bvh.parents))
        positions = joint_positions(bvh)
        unit = unit or _unit(positions, skeleton)
        if unit not in UNITS_M:
            raise UserError(f'Expected a unit out of {", ".join(UNITS_M)}, got "{unit}".')
        return [
            Motion(
                positions=(positions * UNITS_M[unit]).astype(np.float32),
                fps=rate_of_step(bvh.frame_time),
                skeleton=skeleton,
                meta={"source": "bvh", "name": Path(path).name.split(".")[0], "unit": unit},
            )
        ]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def joint_positions(bvh: BvhText) -> NDArray[np.float64]:
    """Return joint positions (T, J, 3) in file units by forward kinematics: G_j = G_parent R_j, x_j = x_p + G_p t_j."""
    n_frames, n_joints = len(bvh.values), len(bvh.names)
    positions = np.zeros((n_frames, n_joints, 3))
    frames: list[Rotation] = []
    column = 0
    for joint, (parent, channels) in enumerate(zip(bvh.parents, bvh.channels, strict=True)):
        values = bvh.values[:, column : column + len(channels)]
        column += len(channels)
        offset = np.tile(bvh.offsets[joint], (n_frames, 1))
        for axis, name in enumerate(("Xposition", "Yposition", "Zposition")):
            if name in channels:
                offset[:, axis] = values[:, channels.index(name)]
        turns = [i for i, name in enumerate(channels) if name.endswith("rotation")]
        order = "".join(channels[i][0] for i in turns)  # capitals: about the axes carried along
        local = Rotation.from_euler(order, values[:, turns], degrees=True) if turns else Rotation.identity(n_frames)
        positions[:, joint] = offset if parent < 0 else positions[:, parent] + frames[parent].apply(offset)
        frames.append(local if parent < 0 else frames[parent] * local)
    return positions


def _unit(positions: NDArray[np.float64], skeleton: Skeleton) -> str:
    """The unit by which the longest limb is a person's: 0.4 to 2 m. A limb counts from the first joint that branches.

    What is above it is often no bone at all: a root left at the origin while the person walks away.
    """
    lengths = bone_lengths(positions, np.ones(positions.shape[:2], dtype=bool), skeleton)
    reach = np.zeros(len(skeleton))
    for joint in reversed(skeleton.order):
        parent = skeleton.parents[joint]
        if parent >= 0:
            reach[parent] = max(reach[parent], reach[joint] + lengths[joint])
    branching = [joint for joint in skeleton.order if skeleton.parents.count(joint) > 1]
    limb = reach[branching[0]] if branching else reach.max()
    if not limb > 0:
        raise UserError("Expected bones with a length, got all joints in one point (position channels of zero?).")
    if "LHipJoint" in skeleton.joint_names and 10 < limb < 30:
        return "cmu"
    return "mm" if limb > 300 else "cm" if limb > 10 else "m"


def write_bvh(motion: Motion, path: Path) -> None:
    """Write a motion as BVH: centimetres, y up, the rest pose facing +z; Blender opens it upright, seen from the front.

    Joint centres are exact to 0.1 mm. Each OFFSET is the median bone in its parent's frame. A joint that leaves it by
    more than 0.1 mm (the hips and collars of captured data, or bones that change length) gets position channels,
    which replace the OFFSET; all others, and all of a motion with rigid bones and rigid pelvis, have rotations only.
    End Sites are for display. BVH has no mask: missing joints are written at their placeholders, so look at
    `motion.valid` first. More than one root, or names that BVH cannot hold, raise UserError.
    """
    if motion.skeleton.parents.count(-1) != 1:
        raise UserError(
            f"Expected one tree of joints for BVH, got {motion.skeleton.parents.count(-1)} roots."
            " Map the motion to the canonical joints first."
        )
    if len(motion.skeleton) > MAX_JOINTS:
        raise UserError(f"Expected at most {MAX_JOINTS} joints for BVH, got {len(motion.skeleton)}.")
    for name in motion.skeleton.joint_names:
        if name != " ".join(name.split()) or not name or "{" in name or "}" in name:
            raise UserError(f"Expected joint names of plain words for BVH, got {name!r}.")
    rigged = rig(motion)
    lines = ["HIERARCHY"]
    order = _write_joint(rigged, motion.skeleton.parents.index(-1), 0, lines)
    table = np.concatenate([_channels(rigged, joint) for joint in order], axis=1) + 0.0  # no -0.0
    rows = [" ".join(f"{value:.6f}" for value in row) for row in table]
    lines += ["MOTION", f"Frames: {motion.n_frames}", f"Frame Time: {1.0 / motion.fps!r}", *rows]
    write_atomic(path, "\n".join(lines) + "\n")


def _channels(rigged: Rig, joint: int) -> NDArray[np.floating]:
    """A joint's channel values (T, 3), degrees; (T, 6) with centimetres before them where its place changes."""
    angles = euler_degrees(rigged.rotations[:, joint], _order(rigged.skeleton.joint_names[joint]))
    if rigged.rigid[joint]:
        return angles
    return np.concatenate([100.0 * rigged.places[:, joint], angles], axis=1)


def _order(joint: str) -> str:
    return ARM_ORDER if joint.endswith(("collar", "shoulder", "elbow", "wrist")) else BODY_ORDER


def _write_joint(rigged: Rig, joint: int, depth: int, lines: list[str]) -> list[int]:
    """Append the joint's block and those of its children; return the joints in the order of the channels."""
    skeleton, offset = rigged.skeleton, 100.0 * rigged.offsets[joint]
    pad = "\t" * depth
    name, children = skeleton.joint_names[joint], [j for j, p in enumerate(skeleton.parents) if p == joint]
    channels = [f"{axis}rotation" for axis in _order(name)]
    if not rigged.rigid[joint]:
        channels = ["Xposition", "Yposition", "Zposition", *channels]
    lines += [f"{pad}{'JOINT' if depth else 'ROOT'} {name}", f"{pad}{{"]
    lines += [f"{pad}\tOFFSET {_triple(offset)}", f"{pad}\tCHANNELS {len(channels)} {' '.join(channels)}"]
    order = [joint]
    for child in children:
        order += _write_joint(rigged, child, depth + 1, lines)
    if not children:  # a tip to show: a third of the bone before it
        tip = _triple(offset / 3.0)
        lines += [f"{pad}\tEnd Site", f"{pad}\t{{", f"{pad}\t\tOFFSET {tip}", f"{pad}\t}}"]
    lines.append(f"{pad}}}")
    return order


def _triple(vector: NDArray[np.floating]) -> str:
    return " ".join(f"{value:.6f}" for value in vector + 0.0)
