"""Joint angles by the recommendations of the International Society of Biomechanics, from the rotations of bodies.

Axes of a segment: x forward, y up, z to the right, as the body stands in the model's zero pose, taken as the anatomical
position. Hip, knee, ankle: the joint coordinate system of Grood & Suntay (1983), z-x-y (Wu et al. 2002); shoulder: the
humerus in the thorax, y-x-y (Wu et al. 2005), and x-z-y, which is not singular with the arm at the side (Senk & Cheze
2006). Left sides are mirrored first, so that a number means the same on both.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.kinematics import Kinematics

Array = NDArray[np.float64]
MIRROR = np.diag([1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Joint:
    """A joint between two bodies, the distal one by the first name a model has; sequence as scipy spells it.

    angles: name and sign of the three, in the sequence's order; {side} is r or l.
    """

    proximal: str
    distal: tuple[str, ...]
    sequence: str
    angles: tuple[tuple[str, float], tuple[str, float], tuple[str, float]]


JOINTS = (
    Joint("pelvis", ("femur_{side}",), "ZXY", (("hip_flexion", 1), ("hip_adduction", 1), ("hip_internal_rotation", 1))),
    Joint(
        "femur_{side}", ("tibia_{side}",), "ZXY",
        (("knee_flexion", -1), ("knee_adduction", 1), ("knee_internal_rotation", 1)),
    ),
    Joint(
        "tibia_{side}", ("calcn_{side}", "talus_{side}"), "ZXY",
        (("ankle_dorsiflexion", 1), ("ankle_inversion", 1), ("ankle_internal_rotation", 1)),
    ),
    Joint(
        "torso", ("humerus_{side}",), "YXY",
        (("shoulder_plane_of_elevation", 1), ("shoulder_elevation", -1), ("shoulder_axial_rotation", 1)),
    ),
    Joint(
        "torso", ("humerus_{side}",), "XZY",
        (("shoulder_xzy_abduction", -1), ("shoulder_xzy_flexion", 1), ("shoulder_xzy_internal_rotation", 1)),
    ),
)  # fmt: skip


def isb_angles(kinematics: Kinematics, q: torch.Tensor) -> dict[str, Array]:
    """Return angles (T,), rad, by name, right (_r) before left (_l), of the joints whose bodies the model has.

    q (T, C) rad and m. Positive: flexion, adduction, internal rotation, dorsiflexion, inversion, elevation; the plane
    of elevation is 0 in abduction and 90 degrees in front, and means nothing with the arm at the side. Angles run on
    over half a turn where frames follow one another.
    """
    bodies = {body.name: i for i, body in enumerate(kinematics.model.bodies)}
    with torch.no_grad():
        posed = kinematics(q).rotations.numpy()
        zero = kinematics(torch.zeros_like(q[:1])).rotations.numpy()
    turned = posed @ np.swapaxes(zero, -1, -2)
    found: dict[str, Array] = {}
    for joint in JOINTS:
        for side in "rl":
            proximal = joint.proximal.format(side=side)
            distal = next((name for d in joint.distal if (name := d.format(side=side)) in bodies), None)
            if proximal not in bodies or distal is None:
                continue
            relative = np.swapaxes(turned[:, bodies[proximal]], 1, 2) @ turned[:, bodies[distal]]
            if side == "l":
                relative = MIRROR @ relative @ MIRROR
            for (name, sign), angle in zip(joint.angles, _angles(relative, joint.sequence), strict=True):
                found[f"{name}_{side}"] = sign * angle
    return found


def _angles(rotations: Array, sequence: str) -> Array:
    """Return the three angles (3, T); elevation of y-x-y is negative as Wu et al. have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an arm at the side is a singular pose of y-x-y: no news, and said above
        angles = Rotation.from_matrix(rotations).as_euler(sequence)
    if sequence == "YXY":  # scipy takes the middle one from 0 to 180 degrees
        angles = angles * [1, -1, 1] + [np.pi, 0, np.pi]
    return np.unwrap(np.where(angles > np.pi, angles - 2 * np.pi, angles), axis=0).T
