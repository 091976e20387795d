"""The drawn body: convex hulls of spheres hung on joints, the same for the player and for videos.

A part is the rounded hull of a few spheres; each sphere sits at a weighted sum of joints, so a part follows the motion
with no rig. For what needs a rig (mesh.py) each sphere also names the joint that carries it. Radii are those of an
adult of 1.7 m and scale with the person's own bones. Hands, toes and the crown are drawn a little beyond the last joint
along the bone that leads there: a drawing habit, not data. A head that was not measured is drawn as a ghost, for a
headless person is hard to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion import Motion, Skeleton

CENTRE, LEFT, RIGHT = 0, 1, 2
GHOST = 3  # drawn faint, with a broken outline: a place holder for what was not measured
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """Spheres as ({joint index: weight}, radius in metres), the side's colour, and the part it stands in for.

    A part with `unless` >= 0 is drawn only in frames where that part cannot be: a joint it needs is not valid there.
    Parts of one group other than 0 are shaded as one body. `carriers`: for each sphere the joint that carries it in a
    rig, so that what sits on a bone turns with the bone.
    """

    spheres: tuple[tuple[dict[int, float], float], ...]
    side: int
    unless: int = -1
    group: int = 0
    carriers: tuple[int, ...] = ()

    @property
    def joints(self) -> list[int]:
        """The joints that must be valid for the part to be drawn."""
        return sorted({joint for weights, _ in self.spheres for joint in weights})


@dataclass(frozen=True)
class _Shape:
    spheres: tuple[tuple[Weights, float], ...]
    covers: tuple[str, ...]  # the bones it hides, named by their child joint
    carriers: tuple[str, ...]  # of each sphere, or one of all
    side: int = CENTRE
    group: int = 0


def _limbs(side: str, code: int) -> tuple[_Shape, ...]:
    hip, knee, ankle, foot = (f"{side}_{name}" for name in ("hip", "knee", "ankle", "foot"))
    shoulder, elbow, wrist = (f"{side}_{name}" for name in ("shoulder", "elbow", "wrist"))
    heel = {ankle: 1.32, knee: -0.10, foot: -0.22}
    toes = {foot: 1.36, ankle: -0.36}
    return (
        _Shape((({hip: 1}, 0.083), ({hip: 0.5, knee: 0.5}, 0.076), ({knee: 1}, 0.057)), (knee,), (hip,), code),
        _Shape((({knee: 1}, 0.054), ({knee: 0.7, ankle: 0.3}, 0.057), ({ankle: 1}, 0.037)), (ankle,), (knee,), code),
        _Shape((({ankle: 1}, 0.038), (heel, 0.03), ({foot: 1}, 0.037), (toes, 0.024)), (foot,), (ankle,), code),
        _Shape((({shoulder: 1}, 0.058), ({elbow: 1}, 0.042)), (elbow,), (shoulder,), code),
        _Shape(
            (({elbow: 1}, 0.041), ({elbow: 0.72, wrist: 0.28}, 0.042), ({wrist: 1}, 0.028)), (wrist,), (elbow,), code
        ),
        _Shape((({wrist: 1.14, elbow: -0.14}, 0.037), ({wrist: 1.52, elbow: -0.52}, 0.029)), (), (wrist,), code),
    )


_SKULL = 0.095  # metres
_STICK = 0.034  # metres
_TORSO = 1
_HEAD = _Shape((({"head": 0.8, "neck": 0.2}, 0.073), ({"head": 1.34, "neck": -0.34}, _SKULL)), (), ("head",))
_GHOST_HEAD = _Shape(
    (({"neck": 1.5, "spine3": -0.5}, 0.073), ({"neck": 1.7, "spine3": -0.7}, _SKULL)), (), ("neck",), GHOST
)
_SHAPES = (
    _Shape(  # chest, broad at the armpits and the base of the neck
        (
            ({"left_shoulder": 0.84, "right_shoulder": 0.16}, 0.074),
            ({"left_shoulder": 0.16, "right_shoulder": 0.84}, 0.074),
            ({"neck": 0.75, "spine3": 0.25}, 0.07),
            ({"spine2": 1, "left_shoulder": 0.15, "right_shoulder": -0.15}, 0.1),
            ({"spine2": 1, "left_shoulder": -0.15, "right_shoulder": 0.15}, 0.1),
        ),
        ("spine3", "neck", "left_collar", "right_collar", "left_shoulder", "right_shoulder"),
        ("left_collar", "right_collar", "spine3", "spine2", "spine2"),
        group=_TORSO,
    ),
    _Shape(  # belly and pelvis
        (
            ({"spine2": 1, "left_hip": 0.36, "right_hip": -0.36}, 0.098),
            ({"spine2": 1, "left_hip": -0.36, "right_hip": 0.36}, 0.098),
            ({"pelvis": 0.4, "left_hip": 0.76, "right_hip": -0.16}, 0.11),
            ({"pelvis": 0.4, "left_hip": -0.16, "right_hip": 0.76}, 0.11),
        ),
        ("spine1", "spine2", "left_hip", "right_hip"),
        ("spine2", "spine2", "pelvis", "pelvis"),
        group=_TORSO,
    ),
    _Shape((({"neck": 1}, 0.056), ({"head": 0.75, "neck": 0.25}, 0.05)), ("head",), ("neck",)),
    _HEAD,
    *_limbs("left", LEFT),
    *_limbs("right", RIGHT),
)


def body_parts(skeleton: Skeleton, scale: float = 1.0) -> tuple[Part, ...]:
    """Return the parts for a skeleton: the shapes whose joints it has, and plain limbs for every other bone.

    A bone that a shape hides gets a plain limb too, drawn where the shape cannot be.
    """
    names = skeleton.joint_names
    parts: list[Part] = []
    hidden: dict[str, int] = {}  # bone, by its child joint -> the part that hides it
    skull = -1
    for shape in _SHAPES:
        if all(name in names for weights, _ in shape.spheres for name in weights):
            hidden.update(dict.fromkeys(shape.covers, len(parts)))
            skull = len(parts) if shape is _HEAD else skull
            parts.append(_part(skeleton, shape, scale))
    for parent, joint in skeleton.bones:
        limb = (({parent: 1.0}, _STICK * scale), ({joint: 1.0}, 0.85 * _STICK * scale))
        carriers = (parent, parent)
        parts.append(Part(limb, side_of(names[joint]), hidden.get(names[joint], -1), carriers=carriers))
    linked = {joint for bone in skeleton.bones for joint in bone}
    alone = [joint for joint in range(len(names)) if joint not in linked]
    heads = [joint for joint, name in enumerate(names) if name.lower() == "head"]
    parts += [_ball(joint, _STICK * scale, side_of(names[joint])) for joint in alone]
    parts += [_ball(joint, _SKULL * scale, CENTRE, skull) for joint in heads]
    if {"head", "neck", "spine3"} <= set(names):
        parts.append(_part(skeleton, _GHOST_HEAD, scale, unless=len(parts) - 1))
    return tuple(parts)


def _part(skeleton: Skeleton, shape: _Shape, scale: float, unless: int = -1) -> Part:
    spheres = [({skeleton.index(n): w for n, w in weights.items()}, r * scale) for weights, r in shape.spheres]
    carriers = skeleton.indices(*(shape.carriers * (len(spheres) if len(shape.carriers) == 1 else 1)))
    return Part(tuple(spheres), shape.side, unless, shape.group, tuple(carriers))


def _ball(joint: int, radius: float, side: int, unless: int = -1) -> Part:
    return Part((({joint: 1.0}, radius),), side, unless, carriers=(joint,))


def side_of(name: str) -> int:
    """Return LEFT, RIGHT or CENTRE as a joint's name tells: left_knee, LeftKnee, lKnee, L_Knee, knee_l, LKNE."""
    lower = name.lower()
    for word, code in (("left", LEFT), ("right", RIGHT)):
        letter = word[0]
        if word in lower or lower.startswith(f"{letter}_") or lower.endswith((f"_{letter}", f".{letter}")):
            return code
        if len(name) > 1 and lower[0] == letter and name[1].isupper():
            return code
    return CENTRE


def body_scale(motion: Motion) -> float:
    """Return the person's size relative to the 1.7 m adult whose radii are kept here, from legs, else the trunk."""
    scales = []
    for chain, adult in (
        (("left_hip", "left_knee", "left_ankle"), 0.80),
        (("right_hip", "right_knee", "right_ankle"), 0.80),
        (("pelvis", "spine2", "neck"), 0.50),
        (("left_shoulder", "left_elbow", "left_wrist"), 0.52),
        (("right_shoulder", "right_elbow", "right_wrist"), 0.52),
    ):
        if all(name in motion.skeleton.joint_names for name in chain):
            columns = motion.skeleton.indices(*chain)
            good = motion.valid[:, columns].all(axis=1)
            if good.any():
                bones = np.diff(motion.positions[good][:, columns], axis=1)
                scales.append(float(np.median(np.linalg.norm(bones, axis=-1).sum(axis=1))) / adult)
    if not scales:
        return 1.0
    scale = float(np.median(scales))
    return scale if scale > 0.05 else 1.0


def sphere_weights(parts: tuple[Part, ...], n_joints: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (weights (S, J), radii (S,)) of all spheres, part after part: centres = weights @ positions."""
    spheres = [sphere for part in parts for sphere in part.spheres]
    weights = np.zeros((len(spheres), n_joints))
    for row, (by_joint, _) in enumerate(spheres):
        weights[row, list(by_joint)] = list(by_joint.values())
    return weights, np.array([radius for _, radius in spheres])
