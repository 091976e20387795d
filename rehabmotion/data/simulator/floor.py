"""Exercises on the floor: lying on the back, pushing up, on hands and knees.

The floor is y = 0; joints lie as far above it as the flesh below them is thick. Lying face down or on all fours the
head is at +z, on the back at -z, so that the person's left is at +x throughout.
"""

from __future__ import annotations

import math

import numpy as np

from rehabmotion.data.simulator.body import Body
from rehabmotion.data.simulator.chain import about_x
from rehabmotion.data.simulator.phases import lobe
from rehabmotion.data.simulator.pose import SIDES, Pose, sign, standing
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.motion.skeleton import CANONICAL

WRIST_HEIGHT = 0.045  # palm on the floor
KNEE_HEIGHT = 0.05


def active_straight_leg_raise(scene: Scene) -> Pose:
    """Return lying on the back, the straight right leg raised to 65-88 degrees and lowered, the left one flat."""
    body, size = scene.body, scene.body.height / 1.7
    pose = standing(scene.n, body, 0.0, 0.0)
    pose.standing, pose.base = False, about_x(np.array(-np.pi / 2))
    pose.effort = scene.go()
    hips_y, heel_y = 0.085 * size, 0.050 * size
    pose.hips[:] = [0.0, hips_y, 0.0]
    pose.tilt[:, 0] = -np.pi / 2
    pose.spine[:, 0] = np.radians(2.0)
    flat = -math.asin((hips_y - heel_y) / (body.thigh + body.shank))
    for side, leg in pose.legs.items():
        leg.swing[:] = 1.0
        leg.flex[:], leg.abduct[:] = flat, scene.degrees(3, 8)
        leg.ankle[:] = scene.degrees(-14, 6)
        if side == "right":
            raised = scene.degrees(65, 88) * scene.range
            leg.flex = flat + pose.effort * (raised - flat)
            leg.knee = pose.effort * scene.degrees(1, 7)
            leg.ankle = leg.ankle + pose.effort * scene.degrees(4, 18)
            leg.abduct = leg.abduct * (1 - 0.6 * pose.effort)
        _rest_hand(pose, scene, side)
    return pose


def _rest_hand(pose: Pose, scene: Scene, side: str) -> None:
    """Lay a hand on the floor beside the hips; it stays there when the shoulders come up."""
    body, arm, away = scene.body, pose.arms[side], scene.degrees(14, 26)
    x, up, _ = _along(body, "left_shoulder")
    far = scene.draw(0.925, 0.955) * body.arm
    arm.reach[:] = 1.0
    arm.target = np.array([sign(side) * (x + far * math.sin(away)), 0.035, far * math.cos(away) - up])
    arm.pole = np.array([sign(side) * 1.0, 0.0, 0.1])


def trunk_stability_push_up(scene: Scene) -> Pose:
    """Return a push-up from lying face down to the plank and down again, the body turning about the toes as one."""
    body, size = scene.body, scene.body.height / 1.7
    pose = standing(scene.n, body, 0.6 * body.hip_half_width, 0.0)
    pose.standing, pose.base = False, about_x(np.array(np.pi / 2))
    pose.effort = scene.go(hold=0.10)
    tucked = scene.degrees(58, 64)
    for leg in pose.legs.values():
        leg.heel[:] = tucked
    ankle = _ankle(body, tucked) + pose.legs["left"].ball[0] * [0.0, 1.0, 1.0]
    line = 0.9985 * (body.thigh + body.shank)
    low = math.asin((0.105 * size - ankle[1]) / line)
    ahead, wide = scene.draw(-0.02, 0.07) * size, scene.draw(0.03, 0.09) * size
    hand = _shoulder(body, ankle, line, low)
    hand = np.array([hand[0] + wide, WRIST_HEIGHT, hand[2] + ahead])
    high = _highest(body, ankle, line, hand)
    level = 1 - 0.15 * scene.strength("asymmetry")  # a twisted chest needs room between hands and shoulders
    angle = low + pose.effort * scene.range * level * (high - low)
    pose.hips[:, 1] = ankle[1] + line * np.sin(angle)
    pose.hips[:, 2] = ankle[2] + line * np.cos(angle)
    pose.tilt[:, 0] = np.pi / 2 - angle
    pose.head[:, 0] = -scene.degrees(8, 20)
    for side, arm in pose.arms.items():
        arm.reach[:] = 1.0
        arm.target = hand * [sign(side), 1.0, 1.0]
        arm.pole = np.array([sign(side) * 0.9, -scene.draw(0.3, 0.9), -0.75])
    return pose


def _ankle(body: Body, heel: float) -> np.ndarray:
    """Return the ankle (3,) over the ball of a foot whose heel is raised by `heel` radians."""
    c, s = math.cos(heel), math.sin(heel)
    h, length = body.ankle_height, body.foot_length
    return np.array([0.0, h * c + length * s, h * s - length * c])


def _along(body: Body, joint: str) -> np.ndarray:
    """Return a left-hand joint (3,) relative to the middle of the hips in the resting body."""
    total, j = np.array([0.0, body.hip_drop, 0.0]), CANONICAL.index(joint)
    while CANONICAL.parents[j] >= 0:
        total, j = total + body.offsets[j], CANONICAL.parents[j]
    return total


def _shoulder(body: Body, ankle: np.ndarray, line: float, angle: float) -> np.ndarray:
    """Return the left shoulder (3,) of a straight body that rises from the ankles at `angle`, face down."""
    x, up, front = _along(body, "left_shoulder")
    c, s = math.cos(angle), math.sin(angle)
    along = line + up
    return np.array([x, ankle[1] + along * s - front * c, ankle[2] + along * c + front * s])


def _highest(body: Body, ankle: np.ndarray, line: float, hand: np.ndarray) -> float:
    """Return the angle of the plank at which the arms are nearly straight (bisection; height rises with the angle)."""
    low, high = 0.0, 0.7
    for _ in range(30):
        middle = 0.5 * (low + high)
        far = math.dist(_shoulder(body, ankle, line, middle), hand) > 0.975 * body.arm
        low, high = (low, middle) if far else (middle, high)
    return low


def rotary_stability_ipsilateral(scene: Scene) -> Pose:
    """Return, on hands and knees, the right arm and right leg stretched, elbow and knee together, stretched, home."""
    return _rotary(scene, arm_side="right", leg_side="right")


def rotary_stability_contralateral(scene: Scene) -> Pose:
    """Return, on hands and knees, the right arm and left leg stretched, elbow and knee together, stretched, home."""
    return _rotary(scene, arm_side="right", leg_side="left")


def _rotary(scene: Scene, arm_side: str, leg_side: str) -> Pose:
    pose = _all_fours(scene)
    u, r = scene.u, scene.range
    free = lobe(u, 0.03, 0.23, 0.79, 0.98)
    folded = lobe(u, 0.28, 0.48, 0.54, 0.74) * r
    leg, arm = pose.legs[leg_side], pose.arms[arm_side]
    lifted = 0.35 + 0.65 * min(r, 1.0)
    leg.swing = free * lifted
    slope = np.pi / 2 - pose.tilt[0, 0]
    level = scene.degrees(-4, 10) - 0.8 * slope  # the thigh in line with the floor rather than with the trunk
    leg.flex = level + folded * (scene.degrees(118, 126) - level)
    bent = lobe(u, 0.25, 0.45, 0.57, 0.77) * r  # the knee bends first and stretches last, so that the foot stays clear
    leg.knee = scene.degrees(2, 14) + bent * scene.degrees(122, 130)
    leg.ankle[:] = scene.degrees(-42, -30)
    reach = (scene.draw(164, 174), scene.draw(55, 75), scene.draw(10, 50), scene.draw(4, 14))
    arm.reach = 1 - free * lifted
    arm.move(np.ones(scene.n), reach)
    cross = arm_side != leg_side
    arm.move(folded, (96.0, 114.0, -15.0, 124.0) if cross else (94.0, 92.0, 5.0, 120.0))
    pose.spine[:, 0] += folded * scene.degrees(38, 46)
    pose.head[:, 0] += folded * scene.degrees(5, 15) - free * scene.degrees(5, 15)
    toward = sign(leg_side) if cross else 0.0
    pose.spine[:, 2] += folded * toward * scene.degrees(8, 14)
    leg.abduct = -folded * scene.degrees(8, 14) if cross else folded * scene.degrees(0, 6)
    shift = free * scene.draw(0.25, 0.55) * scene.body.hip_half_width
    pose.hips[:, 0] -= sign(leg_side) * shift * (1.0 if cross else 1.4)
    pose.hips[:, 2] -= folded * scene.draw(0.0, 0.02)
    pose.effort = free
    return pose


def _all_fours(scene: Scene) -> Pose:
    """Return hands and knees on the floor: thighs upright, arms nearly so, the trunk sloping between them."""
    body = scene.body
    pose = standing(scene.n, body, body.hip_half_width, 0.0)
    pose.standing, pose.base = False, about_x(np.array(np.pi / 2))
    pose.hips[:] = [0.0, KNEE_HEIGHT + body.thigh, 0.0]
    x, up, front = _along(body, "left_shoulder")
    top = WRIST_HEIGHT + 0.955 * body.arm
    # up * sin(slope) - front * cos(slope) = how much higher the shoulders are than the hips
    slope = math.asin((top - pose.hips[0, 1]) / math.hypot(up, front)) + math.atan2(front, up)
    pose.tilt[:, 0] = np.pi / 2 - slope
    shoulder_z = up * math.cos(slope) + front * math.sin(slope)
    ankle_y = 0.045
    for side in SIDES:
        leg, arm, s = pose.legs[side], pose.arms[side], sign(side)
        leg.knee_spot = np.array([s * body.hip_half_width, KNEE_HEIGHT, 0.0])
        fall = (KNEE_HEIGHT - ankle_y) / body.shank
        leg.shin = np.array([0.0, -fall, -math.sqrt(1 - fall**2)])
        down = (ankle_y - 0.015) / body.length("left_foot")
        leg.sole = np.array([0.0, -down, -math.sqrt(1 - down**2)])
        arm.reach[:] = 1.0
        arm.target = np.array([s * (x + 0.01), WRIST_HEIGHT, shoulder_z + 0.01])
        arm.pole = np.array([s * 0.5, -1.0, 0.0])
    return pose
