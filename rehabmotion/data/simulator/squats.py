"""Squats and sitting: both feet planted, hips down and back, trunk forward over the feet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.simulator.phases import stations
from rehabmotion.data.simulator.pose import AHEAD_M, HANGING, Arm, Pose, standing, sunk
from rehabmotion.data.simulator.scene import Scene

Array = NDArray[np.floating]

# Arm postures in degrees: elevation, plane, rotation, elbow. Seen in UI-PRMD: overhead in a wide V in the deep squat,
# upper arms level with the forearms up ("goal posts") or lower ("bar on the shoulders") elsewhere.
OVERHEAD = (139.0, 14.0, 72.0, 25.0)
GOAL_POSTS = (88.0, 2.0, 88.0, 82.0)
BAR = (48.0, -18.0, 88.0, 108.0)
FORWARD = (88.0, 80.0, 10.0, 10.0)
CROSSED = (38.0, 70.0, -62.0, 112.0)


def hold_arms(pose: Pose, scene: Scene, posture: tuple[float, ...], by: float = 5.0) -> None:
    """Hold both arms in a posture throughout, much alike on both sides."""
    both = scene.jitter(posture, by)
    for side in pose.arms:
        a, b, c, d = scene.jitter(both, 0.4 * by)
        pose.arms[side] = Arm.still(scene.n, (a, b, c, d))
        pose.arms[side].loose = posture == HANGING


def lift_arms(pose: Pose, scene: Scene, course: Array, posture: tuple[float, ...]) -> None:
    """Raise both hanging arms into a posture as `course` (T,) goes from 0 to 1; the weaker one gets less far."""
    hold_arms(pose, scene, HANGING, 4.0)
    for side, arm in pose.arms.items():
        a, b, c, d = scene.jitter(posture)
        arm.move(course * scene.arm_share(side), (a, b, c, d))


def deep_squat(scene: Scene) -> Pose:
    """Return a squat to below level thighs, heels down, arms overhead throughout."""
    pose = _squat(scene, scene.go(), depth=scene.draw(122, 137), shin=0.28, bow=scene.draw(34, 44))
    hold_arms(pose, scene, OVERHEAD)
    _sinking_arms(pose, scene)
    return pose


def deep_squat_board(scene: Scene) -> Pose:
    """Return the deep squat with the heels on a board of 5 cm: shins further forward, trunk more upright."""
    length = 1.3 * scene.body.foot_length  # ball to heel
    heel = float(np.arcsin(0.05 / length))
    pose = _squat(scene, scene.go(), depth=scene.draw(126, 140), shin=0.32, bow=scene.draw(24, 33), heel=heel)
    hold_arms(pose, scene, OVERHEAD)
    _sinking_arms(pose, scene)
    return pose


def squat(scene: Scene) -> Pose:
    """Return a squat to about level thighs, arms held forward, raised on the way down, or crossed."""
    course = scene.go()
    pose = _squat(scene, course, depth=scene.draw(92, 116), shin=0.27, bow=scene.draw(30, 44))
    way = scene.draw(0, 1)
    if way < 0.5:
        hold_arms(pose, scene, FORWARD)
    elif way < 0.85:
        lift_arms(pose, scene, course, FORWARD)
    else:
        hold_arms(pose, scene, CROSSED)
    return pose


def sit_to_stand(scene: Scene) -> Pose:
    """Return sitting down on a chair of about 45 cm that is not there, and getting up: the trunk bows on both ways."""
    s, half = scene, scene.draw(0.06, 0.10)
    sit = (s.start, s.middle - half, s.middle + half, s.end)
    course = s.go(hold=2 * half)
    body = s.body
    seat = 0.45 + 0.055 * body.height / 1.7  # the hip joints lie a hand's breadth above the seat
    shin = np.radians(s.draw(8, 14))
    # flexion that brings the hips to the seat over shins tilted by `shin`: thighs near level
    level = (seat - body.ankle_height - body.shank * np.cos(shin)) / body.thigh
    knee = shin + np.arccos(np.clip(level, -0.35, 0.5))
    pose = _squat(s, course, depth=float(np.degrees(knee)), shin=shin / knee, bow=0.0)
    ways = stations(s.u, (sit[0], 0.5 * sum(sit[:2]) + 0.06, sit[1] + 0.03), (0.0, 1.0, 0.15))
    ways += stations(s.u, (sit[2] - 0.04, 0.5 * sum(sit[2:]) - 0.08, sit[3]), (0.0, 0.85, -0.15))
    bow = ways * s.degrees(38, 50) * s.range
    pose.tilt[:, 0] += 0.6 * bow
    pose.spine[:, 0] += 0.4 * bow
    pose.head[:, 0] -= 0.4 * bow
    hold_arms(pose, s, (GOAL_POSTS, CROSSED, FORWARD, HANGING)[int(s.draw(0, 4))])
    return pose


def _squat(scene: Scene, course: Array, depth: float, shin: float, bow: float, heel: float = 0.0) -> Pose:
    """Return a squat to `depth` degrees of knee flexion with the trunk bowed by `bow` degrees at the bottom.

    shin: forward tilt of the shin per knee flexion; heel: held raised by that angle, radians.
    """
    body = scene.body
    pose = standing(scene.n, body, body.hip_half_width * scene.draw(1.3, 2.4), scene.degrees(4, 18))
    for leg in pose.legs.values():
        leg.heel += heel
        leg.knee_out += course * scene.degrees(2, 8)
    course_down = course * scene.range
    knee = np.radians(5.0) + course_down * np.radians(depth - 5.0)
    height, depth_z = sunk(body, knee, shin * knee)
    c, s = np.cos(heel), np.sin(heel)
    ankle_y = body.ankle_height * c + body.foot_length * s
    ankle_z = body.foot_length - (body.foot_length * c - body.ankle_height * s)
    pose.hips[:, 1] = ankle_y + height
    pose.hips[:, 2] = ankle_z + depth_z + AHEAD_M
    pose.hips[:, 0] += course * scene.draw(-0.008, 0.008)
    bow_now = np.radians(bow) * course_down
    pose.tilt[:, 0] = 0.62 * bow_now
    pose.spine[:, 0] = 0.38 * bow_now
    pose.head[:, 0] = -scene.draw(0.3, 0.7) * bow_now
    pose.effort = course
    return pose


def _sinking_arms(pose: Pose, scene: Scene) -> None:
    """Let raised arms come forward a little on the way down, more on the weaker side."""
    for side, arm in pose.arms.items():
        lost = scene.degrees(2, 10) + np.radians(55) * (1 - scene.arm_share(side)) / 0.45
        arm.elevation = arm.elevation - lost * pose.effort
        arm.plane = arm.plane + scene.degrees(5, 20) * pose.effort
