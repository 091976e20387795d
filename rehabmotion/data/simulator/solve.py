"""From a pose trajectory to joint positions: hips kept within reach of the feet, then the chain outwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.simulator.body import Body
from rehabmotion.data.simulator.chain import (
    about_x,
    about_z,
    apply,
    slerp,
    swing_from_down,
    trunk_rotation,
)
from rehabmotion.data.simulator.pose import SIDES, Arm, Leg, Pose, sign
from rehabmotion.geometry.limbs import two_bones
from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
SPINE_SHARE = (0.40, 0.30, 0.30)  # lumbar joints take a little more of a bend than thoracic ones
STRAIGHTEST = 0.9985  # of the leg's full length: about 6 degrees of knee flexion, a person at ease


def solve(pose: Pose, body: Body) -> Array:
    """Return joint positions (T, 22, 3) in metres of a pose trajectory."""
    x = np.zeros((pose.n, len(CANONICAL), 3))
    pelvis = trunk_rotation(pose.tilt)
    hips = within_reach(pose, body, pelvis) if pose.standing else on_support(pose, body, pelvis)
    place = {"pelvis": hips + body.hip_drop * pelvis[:, :, 1]}
    chest = _trunk(place, pose, body, pelvis)
    for side in SIDES:
        _leg(place, pose.legs[side], body, pelvis, pose.base, side)
        _arm(place, pose.arms[side], body, pelvis, chest, side, pose.standing)
    for j, name in enumerate(CANONICAL.joint_names):
        x[:, j] = place[name]
    return x


def ankle_of(leg: Leg, body: Body, side: str) -> Array:
    """Return where the ankle (T, 3) of a planted foot is: its heel up by `heel` about the ball."""
    return leg.ball - _foot(leg, body, side)


def _foot(leg: Leg, body: Body, side: str) -> Array:
    """Return the vector (T, 3) from the ankle to the ball of a planted foot, turned outwards, heel raised."""
    c, s = np.cos(leg.heel), np.sin(leg.heel)
    h, length = body.ankle_height, body.foot_length
    forward = h * -s + length * c
    out = sign(side) * leg.toe_out
    return np.stack([np.sin(out) * forward, -h * c - length * s, np.cos(out) * forward], axis=-1)


def within_reach(pose: Pose, body: Body, pelvis: Array) -> Array:
    """Return the hips (T, 3), lowered where a planted leg would be too short. A soft minimum: no corner in the path."""
    softness = 0.002
    wanted = pose.hips[:, 1]
    excess = [np.zeros_like(wanted)]
    for side in SIDES:
        leg = pose.legs[side]
        offset = sign(side) * body.hip_half_width * pelvis[:, :, 0]
        ankle = ankle_of(leg, body, side)
        flat = (pose.hips + offset - ankle)[:, [0, 2]]
        longest = STRAIGHTEST * (body.thigh + body.shank)
        top = ankle[:, 1] + np.sqrt(np.maximum(longest**2 - (flat**2).sum(axis=1), 0.01)) - offset[:, 1]
        excess.append(wanted - top - 0.12 * leg.swing)  # a foot in the air holds nobody back
    down = softness * np.logaddexp.reduce(np.stack(excess) / softness, axis=0)
    hips = pose.hips.copy()
    hips[:, 1] = wanted - down
    return hips


def on_support(pose: Pose, body: Body, pelvis: Array) -> Array:
    """Return the hips (T, 3) on the floor: over a kneeling knee at thigh's length, from planted feet within reach."""
    hips, longest = pose.hips.copy(), 0.9994 * (body.thigh + body.shank)
    for side in SIDES:
        leg = pose.legs[side]
        if leg.swing.any():
            continue
        offset = sign(side) * body.hip_half_width * pelvis[:, :, 0]
        if leg.knee_spot is not None:
            flat = (hips + offset - leg.knee_spot)[:, [0, 2]]
            hips[:, 1] = leg.knee_spot[1] + np.sqrt(body.thigh**2 - (flat**2).sum(axis=1)) - offset[:, 1]
        else:
            line = hips + offset - ankle_of(leg, body, side)
            distance = np.sqrt((line**2).sum(axis=1))
            hips -= (np.maximum(distance - longest, 0) / distance)[:, None] * line
    return hips


def _trunk(place: dict[str, Array], pose: Pose, body: Body, pelvis: Array) -> Array:
    """Place spine, neck, head and collars; return the chest's rotation (T, 3, 3)."""
    rotation, at = pelvis, place["pelvis"]
    for name, share in zip(("spine1", "spine2", "spine3"), SPINE_SHARE, strict=True):
        at = place[name] = at + apply(rotation, body.offset(name))
        rotation = rotation @ trunk_rotation(share * pose.spine)
    place["neck"] = at + apply(rotation, body.offset("neck"))
    place["head"] = place["neck"] + apply(rotation @ trunk_rotation(pose.head), body.offset("head"))
    for side in SIDES:
        place[f"{side}_collar"] = at + apply(rotation, body.offset(f"{side}_collar"))
    return rotation


def _leg(place: dict[str, Array], leg: Leg, body: Body, pelvis: Array, base: Array, side: str) -> None:
    hip = place[f"{side}_hip"] = place["pelvis"] + apply(pelvis, body.offset(f"{side}_hip"))
    thigh, shank, foot = _planted(leg, body, hip, base, side)
    if leg.swing.any():
        swung = _swung(leg, body, pelvis, side)
        thigh, shank, foot = (slerp(a, b, leg.swing) for a, b in zip((thigh, shank, foot), swung, strict=True))
    knee = place[f"{side}_knee"] = hip + body.thigh * thigh
    ankle = place[f"{side}_ankle"] = knee + body.shank * shank
    length = body.length(f"{side}_foot")
    if leg.swing.any():
        foot = slerp(foot, _above_floor(foot, ankle, length), np.clip(10 * leg.swing, 0, 1))
    place[f"{side}_foot"] = ankle + length * foot


def _above_floor(direction: Array, start: Array, length: float) -> Array:
    """Return directions (T, 3) turned up, where needed, so that a bone does not end below the floor. No corner."""
    least = -start[:, 1] / length
    soft = 0.015
    up = np.minimum(least + soft * np.logaddexp(0.0, (direction[:, 1] - least) / soft), 1.0)
    flat = np.sqrt((1 - up**2) / np.maximum(1 - direction[:, 1] ** 2, 1e-9))
    return np.stack([flat * direction[:, 0], up, flat * direction[:, 2]], axis=-1)


def _planted(leg: Leg, body: Body, hip: Array, base: Array, side: str) -> tuple[Array, Array, Array]:
    """Return directions (T, 3) of thigh, shank and foot that keep the foot (or the kneeling knee) where it is."""
    if leg.knee_spot is not None:
        ones = np.ones((len(hip), 1))
        return normalise(leg.knee_spot - hip), ones * leg.shin, ones * leg.sole
    foot = _foot(leg, body, side)
    ankle = leg.ball - foot
    out = sign(side) * leg.knee_out
    forward = np.stack([np.sin(out), np.zeros_like(out), np.cos(out)], axis=-1)
    axis = normalise(ankle - hip) @ base
    pole = swing_from_down(axis, forward) @ base.T
    thigh, shank = two_bones(hip, ankle, body.thigh, body.shank, pole)
    return thigh, shank, normalise(foot)


def _swung(leg: Leg, body: Body, pelvis: Array, side: str) -> tuple[Array, Array, Array]:
    """Return directions (T, 3) of thigh, shank and foot from the joint angles."""
    thigh = pelvis @ about_x(-leg.flex) @ about_z(sign(side) * leg.abduct)
    shank = thigh @ about_x(leg.knee)
    foot = apply(shank @ about_x(-leg.ankle), normalise(body.offset(f"{side}_foot")))
    return -thigh[:, :, 1], -shank[:, :, 1], foot


def _arm(place: dict[str, Array], arm: Arm, body: Body, pelvis: Array, chest: Array, side: str, standing: bool) -> None:
    collar = place[f"{side}_collar"]
    s = sign(side)
    # the shoulder blade follows the raised arm: about a third of the elevation (scapulohumeral rhythm)
    lift = arm.shrug + 0.22 * arm.elevation * np.sin(0.5 * arm.elevation) ** 2
    shoulder = collar + apply(chest @ about_z(s * lift), body.offset(f"{side}_shoulder"))
    upper, fore = _arm_angles(arm, chest, s)
    if arm.reach.any():
        target = np.zeros_like(shoulder) + arm.target
        if arm.frame == "pelvis":
            target = place["pelvis"] + apply(pelvis, arm.target)
        elif arm.frame == "chest":
            target = place["spine3"] + apply(chest, arm.target)
        lengths = body.length(f"{side}_elbow"), body.length(f"{side}_wrist")
        reached = two_bones(shoulder, target, *lengths, apply(chest, arm.pole))
        upper, fore = slerp(upper, reached[0], arm.reach), slerp(fore, reached[1], arm.reach)
    place[f"{side}_shoulder"] = shoulder
    elbow = place[f"{side}_elbow"] = shoulder + body.length(f"{side}_elbow") * upper
    length = body.length(f"{side}_wrist")
    if not standing:
        fore = _above_floor(fore, elbow, length)
    place[f"{side}_wrist"] = elbow + length * fore


def _arm_angles(arm: Arm, chest: Array, s: float) -> tuple[Array, Array]:
    """Return directions (T, 3) of upper arm and forearm from the joint angles.

    With outward direction h = (s cos plane, 0, sin plane), the raised arm is u = -cos(e) y + sin(e) h, and the elbow
    bends towards the image under that same rotation of the level direction (s sin r, 0, cos r).
    """
    ce, se = np.cos(arm.elevation), np.sin(arm.elevation)
    hx, hz = s * np.cos(arm.plane), np.sin(arm.plane)
    bx, bz = s * np.sin(arm.rotation), np.cos(arm.rotation)
    along = bx * hx + bz * hz  # the part of the bend in the plane of elevation; the rest stays as it is
    upper = np.stack([se * hx, -ce, se * hz], axis=-1)
    bend = np.stack([bx + along * (ce - 1) * hx, along * se, bz + along * (ce - 1) * hz], axis=-1)
    fore = np.cos(arm.elbow)[:, None] * upper + np.sin(arm.elbow)[:, None] * bend
    return apply(chest, upper), apply(chest, fore)
