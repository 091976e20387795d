"""Lunges: the feet are apart from the start and stay there."""

from __future__ import annotations

import numpy as np

from rehabmotion.data.simulator.chain import Array
from rehabmotion.data.simulator.pose import HANGING, Pose, standing
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.squats import BAR, CROSSED, GOAL_POSTS, hold_arms


def inline_lunge(scene: Scene) -> Pose:
    """Return an in-line lunge, right foot in front: the rear knee sinks to just above the floor and rises.

    The bottom is built from the rear foot up: ball on the floor, heel high, shin level, thigh near upright.
    """
    body, course = scene.body, scene.go()
    pose = standing(scene.n, body, 0.0, 0.0)
    down = course * scene.range
    in_line = scene.draw(0.01, 0.035)
    front, rear = pose.legs["right"], pose.legs["left"]
    heel_start, heel_end = scene.degrees(12, 28), scene.degrees(52, 62)
    rear.heel = heel_start + down * (heel_end - heel_start)
    ankle_y, ankle_z = _ankle_over_ball(scene, heel_end)
    knee_y = scene.draw(0.07, 0.10)
    knee_z = ankle_z + np.sqrt(body.shank**2 - (ankle_y - knee_y) ** 2)
    back = scene.degrees(6, 14)
    bottom = np.array([0.0, knee_y + body.thigh * np.cos(back), knee_z - body.thigh * np.sin(back)])
    front_z = bottom[2] + scene.draw(0.62, 0.78) * body.thigh
    rear.ball[:] = [in_line, 0.0, 0.0]
    front.ball[:] = [-in_line, 0.0, front_z + body.foot_length]
    start_z = 0.5 * (front_z + _ankle_over_ball(scene, heel_start)[1]) + 0.02
    pose.hips[:, 1] = _top_of_split(scene, start_z, front_z, heel_start) * (1 - down) + bottom[1] * down
    pose.hips[:, 2] = start_z + down * (bottom[2] - start_z)
    front.knee_out += scene.degrees(0, 4)
    bow = course * scene.degrees(3, 10)
    pose.tilt[:, 0], pose.spine[:, 0] = 0.5 * bow, 0.5 * bow
    hold_arms(pose, scene, (BAR, GOAL_POSTS, HANGING, BAR)[int(scene.draw(0, 4))])
    pose.effort = course
    return pose


def _ankle_over_ball(scene: Scene, heel: float) -> tuple[float, float]:
    """Return height and depth of an ankle relative to the ball of its foot, the heel raised by `heel` radians."""
    h, length = scene.body.ankle_height, scene.body.foot_length
    c, s = np.cos(heel), np.sin(heel)
    return h * c + length * s, h * s - length * c


def _top_of_split(scene: Scene, hips_z: float, front_z: float, heel: float) -> float:
    """Return how high the hips are when both legs of a split stance are nearly straight."""
    body = scene.body
    longest = 0.990 * (body.thigh + body.shank)
    rear_y, rear_z = _ankle_over_ball(scene, heel)
    wide = body.hip_half_width
    over_front = body.ankle_height + np.sqrt(longest**2 - (front_z - hips_z) ** 2 - wide**2)
    over_rear = rear_y + np.sqrt(longest**2 - (hips_z - rear_z) ** 2 - wide**2)
    return float(min(over_front, over_rear))


def side_lunge(scene: Scene) -> Pose:
    """Return a side lunge to the right: feet wide from the start, right knee bends, left leg stays straight."""
    body, course = scene.body, scene.go()
    half = scene.draw(0.225, 0.255) * body.height
    pose = standing(scene.n, body, half, scene.degrees(8, 18))
    down = course * scene.range
    pose.hips[:, 0] -= down * (half - body.hip_half_width) * scene.draw(0.72, 0.88)
    pose.hips[:, 2] -= down * scene.draw(0.085, 0.105) * body.height
    start = body.ankle_height + np.sqrt((0.992 * (body.thigh + body.shank)) ** 2 - (half - body.hip_half_width) ** 2)
    pose.hips[:, 1] = start - down * (start - scene.draw(0.315, 0.345) * body.height)
    _bow_over_knee(pose, down, scene)
    hold_arms(pose, scene, (GOAL_POSTS, CROSSED, GOAL_POSTS, HANGING)[int(scene.draw(0, 4))])
    pose.effort = course
    return pose


def _bow_over_knee(pose: Pose, down: Array, scene: Scene) -> None:
    bow = down * scene.degrees(30, 42)
    pose.tilt[:, 0], pose.spine[:, 0] = 0.65 * bow, 0.35 * bow
    pose.head[:, 0] = -0.5 * bow
    pose.tilt[:, 1] = down * scene.degrees(0, 6)
    pose.spine[:, 1] = -down * scene.degrees(0, 4)
    pose.legs["right"].knee_out += down * scene.degrees(2, 8)
