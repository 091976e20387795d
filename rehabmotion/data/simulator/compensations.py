"""The named compensations: which exercise knows which, and what each does to a pose.

reduced_range, and the weaker arm of asymmetry, act inside the exercises (scene.py); slowness acts on time
(simulate.py); the rest is here. At strength 1:

* knee_valgus: the knees of planted legs fall inwards about the line from hip to ankle, in squats until they touch; a
  straight standing leg gives way and does the same;
* trunk_lean: the trunk leaves its line by the exercise's own angle (`LEAN`): bows over a squat, leans away from a
  raised arm, sags in the push-up, rolls on all fours;
* asymmetry: hips shift by 5 cm, pelvis and trunk tilt and turn to one side, one shoulder is hiked;
* tremor: shaking at 3-5 Hz of arms, trunk and free leg;
* loss_of_balance: once, near the middle, hips and trunk sway, the arms fly out, free limbs go back to the floor.
"""

from __future__ import annotations

import numpy as np

from rehabmotion.data.simulator.phases import drift, tremor
from rehabmotion.data.simulator.pose import Array, Pose, sign
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.solve import ankle_of

_LEGS = ("reduced_range", "knee_valgus", "trunk_lean", "asymmetry", "tremor", "slowness", "loss_of_balance")
_ARMS = ("reduced_range", "trunk_lean", "asymmetry", "tremor", "slowness")
_TRUNK = ("reduced_range", "trunk_lean", "asymmetry", "tremor", "slowness", "loss_of_balance")

APPLIES = {
    "deep_squat": _LEGS,
    "hurdle_step": _LEGS,
    "inline_lunge": _LEGS,
    "side_lunge": _LEGS,
    "sit_to_stand": _LEGS,
    "standing_active_straight_leg_raise": _LEGS,
    "standing_shoulder_abduction": _ARMS,
    "standing_shoulder_extension": _ARMS,
    "standing_shoulder_internal_external_rotation": _ARMS,
    "standing_shoulder_scaption": _ARMS,
    "arm_lift": _ARMS,
    "lateral_trunk_tilt": _TRUNK,
    "trunk_rotation": _TRUNK,
    "pelvis_rotation": _TRUNK,
    "squat": _LEGS,
    "deep_squat_board": _LEGS,
    "shoulder_mobility": _ARMS,
    "active_straight_leg_raise": _ARMS,
    "trunk_stability_push_up": _ARMS,
    "rotary_stability_ipsilateral": _TRUNK,
    "rotary_stability_contralateral": _TRUNK,
}

LEAN = {  # degrees at full strength: bow, lean to the left, turn to the left (exercise done to the right)
    "deep_squat": (30, 0, 0),
    "hurdle_step": (-4, 20, 0),
    "inline_lunge": (32, 8, 0),
    "side_lunge": (26, -14, 0),
    "sit_to_stand": (30, 0, 0),
    "standing_active_straight_leg_raise": (-24, 6, 0),
    "standing_shoulder_abduction": (-3, 22, 0),
    "standing_shoulder_extension": (28, 0, -6),
    "standing_shoulder_internal_external_rotation": (8, 15, -14),
    "standing_shoulder_scaption": (-14, 16, 0),
    "arm_lift": (-24, 0, 0),
    "lateral_trunk_tilt": (32, 0, -12),
    "trunk_rotation": (24, -12, 0),
    "pelvis_rotation": (30, 0, 0),
    "squat": (32, 0, 0),
    "deep_squat_board": (32, 0, 0),
    "shoulder_mobility": (24, 10, 0),
    "active_straight_leg_raise": (38, 0, 0),
    "trunk_stability_push_up": (-34, 0, 0),
    "rotary_stability_ipsilateral": (0, 0, 0),
    "rotary_stability_contralateral": (0, 0, 0),
}


VALGUS = {  # degrees at full strength, left and right knee (exercise done to the right); squats: until the knees touch
    "inline_lunge": (4, 26),
    "side_lunge": (4, 28),
    "hurdle_step": (45, 0),
    "standing_active_straight_leg_raise": (45, 0),
}


def compensate(pose: Pose, scene: Scene, exercise: str, sided: bool) -> None:
    """Change the pose by the scene's strengths, and by the slow wandering of anybody's posture."""
    _wander(pose, scene)
    side = sign(scene.weak) if not sided else 1.0
    _valgus(pose, scene, exercise)
    _lean(pose, scene, exercise)
    _uneven(pose, scene.strength("asymmetry"), side, sided, scene)
    for name, arm in pose.arms.items():
        if arm.loose:
            arm.hang(name, *(pose.tilt + pose.spine)[:, :2].T)
    _shake(pose, scene)
    _stumble(pose, scene)


def _wander(pose: Pose, scene: Scene) -> None:
    w = drift(scene.rng, scene.seconds, 16)
    degree = np.pi / 180
    if pose.standing:
        pose.hips[:, [0, 2]] += 0.003 * w[:, :2]
        pose.tilt += 0.4 * degree * w[:, 2:5]
    pose.spine += 0.5 * degree * w[:, 5:8]
    pose.head += 1.0 * degree * w[:, 8:11]
    for i, arm in enumerate(pose.arms.values()):
        arm.elevation = arm.elevation + 0.8 * degree * w[:, 11 + i]
        arm.elbow = arm.elbow + 1.0 * degree * w[:, 13 + i]


def _valgus(pose: Pose, scene: Scene, exercise: str) -> None:
    strength = scene.strength("knee_valgus")
    if not strength:
        return
    inward = strength * pose.effort
    for side, leg in pose.legs.items():
        most = np.radians(VALGUS[exercise][side == "right"]) if exercise in VALGUS else _to_touch(pose, scene, side)
        leg.knee_out = leg.knee_out - most * inward
    if any(leg.swing.any() for leg in pose.legs.values()):
        pose.hips[:, 1] -= 0.035 * inward  # a straight knee cannot fall inwards: it gives first


def _to_touch(pose: Pose, scene: Scene, side: str) -> float:
    """Return the angle, radians, by which a knee turns inwards to meet the other one at the bottom of a squat.

    The knee circles the line from hip to ankle with radius r = sqrt(thigh^2 - (d / 2)^2), d the distance of the two.
    """
    body, leg = scene.body, pose.legs[side]
    bottom = int(pose.hips[:, 1].argmin())
    hip = pose.hips[bottom] + [sign(side) * body.hip_half_width, 0.0, 0.0]
    ankle = ankle_of(leg, body, side)[bottom]
    radius = np.sqrt(max(body.thigh**2 - 0.25 * float(((hip - ankle) ** 2).sum()), 0.01))
    across = 0.5 * abs(hip[0] + ankle[0]) - 0.03  # joint centres of knees that touch are some 6 cm apart
    return float(np.clip(leg.knee_out[bottom] + np.arcsin(np.clip(across / radius, 0, 0.7)), 0.2, 0.7))


def _lean(pose: Pose, scene: Scene, exercise: str) -> None:
    strength = scene.strength("trunk_lean")
    now = strength * pose.effort[:, None] * np.radians(LEAN[exercise])
    if exercise == "trunk_stability_push_up":  # hips lag behind the chest
        pose.spine += now
        pose.tilt -= 0.35 * now
        pose.hips[:, 1] += 0.22 * now[:, 0] * scene.range
        pose.head -= 0.3 * now
    elif exercise.startswith("rotary"):
        leg, arm = _free(pose)  # pelvis and chest open towards the limbs in the air
        roll = strength * pose.effort
        pose.tilt[:, 1] += np.radians(-16) * sign(leg) * roll
        pose.spine[:, 2] += np.radians(16 * sign(arm) - 12 * sign(leg)) * roll
    elif not pose.standing:
        pose.spine += now
        pose.head += 0.5 * now
    else:
        pose.tilt += 0.4 * now
        pose.spine += 0.6 * now
        pose.head -= 0.3 * now


def _free(pose: Pose) -> tuple[str, str]:
    """Return the sides of the leg and of the arm that leave the floor."""
    leg = next(side for side, leg in pose.legs.items() if leg.swing.any())
    arm = next(side for side, arm in pose.arms.items() if (arm.reach < 1).any())
    return leg, arm


def _uneven(pose: Pose, strength: float, side: float, sided: bool, scene: Scene) -> None:
    now = strength * pose.effort * side
    if (pose.legs["left"].swing == 1).all():  # on the back: the leg that should lie still comes along
        pose.legs["left"].flex = pose.legs["left"].flex + np.radians(16) * now
        pose.legs["left"].knee = pose.legs["left"].knee + np.radians(28) * now
        return
    if not pose.standing:
        now = now * min(1.0, scene.range)  # near the floor there is no room to twist
        pose.spine[:, 1] += np.radians(12) * now
        pose.spine[:, 2] += np.radians(-8) * now
        return
    pose.hips[:, 0] += 0.05 * now
    pose.tilt[:, 1] += np.radians(-4) * now
    pose.tilt[:, 2] += np.radians(9) * now
    pose.spine[:, 1] += np.radians(11) * now
    pose.spine[:, 2] += np.radians(5) * now
    raised = "right" if sided else scene.weak
    pose.arms[raised].shrug = pose.arms[raised].shrug + np.radians(16) * strength * pose.effort


def _shake(pose: Pose, scene: Scene) -> None:
    w = tremor(scene.rng, scene.seconds, 16) * scene.strength("tremor")
    degree = np.pi / 180
    if pose.standing:
        pose.hips[:, [0, 2]] += 0.004 * w[:, :2]
    elif not any(leg.swing.any() for leg in pose.legs.values()):  # the push-up
        across = 0.006 * w[:, 0] * pose.effort  # across the legs: along them they would have to stretch
        pose.hips[:, 1] += across * np.sin(pose.tilt[:, 0])
        pose.hips[:, 2] -= across * np.cos(pose.tilt[:, 0])
    pose.spine += 0.9 * degree * w[:, 2:5]
    pose.head += 1.0 * degree * w[:, 5:8]
    for i, arm in enumerate(pose.arms.values()):
        arm.elevation = arm.elevation + 2.2 * degree * w[:, 8 + i]
        arm.plane = arm.plane + 2.0 * degree * w[:, 10 + i]
        arm.elbow = arm.elbow + 2.2 * degree * w[:, 12 + i]
    for i, leg in enumerate(pose.legs.values()):
        leg.flex = leg.flex + 1.5 * degree * w[:, 14 + i] * pose.effort


def _stumble(pose: Pose, scene: Scene) -> None:
    centre, hz, phase = scene.draw(0.46, 0.60), scene.draw(0.7, 1.1), scene.draw(-0.6, 0.6)
    toward = -1.0 if scene.draw(0, 1) < 0.5 else 1.0
    strength = scene.strength("loss_of_balance")
    if not strength:
        return
    middle = centre * scene.seconds[-1]
    window = np.exp(-(((scene.u - centre) / 0.15) ** 2)) * np.clip(6 * scene.u, 0, 1) * np.clip(6 * (1 - scene.u), 0, 1)
    sway: Array = strength * toward * window * np.cos(2 * np.pi * hz * (scene.seconds - middle) + phase)
    fall = strength * window
    pose.spine[:, 1] += np.radians(-24) * sway
    if pose.standing:
        pose.hips[:, 0] += 0.075 * sway
        pose.hips[:, 2] += 0.02 * fall
        pose.tilt[:, 1] += np.radians(-6) * sway
    else:
        pose.spine[:, 2] += np.radians(8) * sway
        pose.spine[:, 0] += np.radians(10) * fall
    for leg in pose.legs.values():
        leg.swing = leg.swing * (1 - 0.9 * fall)
    for arm in pose.arms.values():
        if pose.standing:
            arm.elevation = arm.elevation + fall * (np.radians(70) - arm.elevation) * 0.75
            arm.plane = arm.plane * (1 - 0.8 * fall)
            arm.reach = arm.reach * (1 - 0.9 * fall)
        else:
            arm.reach = 1 - (1 - arm.reach) * (1 - 0.9 * fall)
