"""Exercises of the trunk, standing: tilting sideways, turning, circling the hips."""

from __future__ import annotations

import numpy as np

from rehabmotion.data.simulator.phases import lobe, rise
from rehabmotion.data.simulator.pose import Pose, sign, standing
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.squats import FORWARD, hold_arms


def _wide(scene: Scene) -> Pose:
    pose = standing(scene.n, scene.body, scene.body.hip_half_width * scene.draw(1.2, 2.1), scene.degrees(3, 14))
    pose.effort = scene.go()
    return pose


def lateral_trunk_tilt(scene: Scene) -> Pose:
    """Return the trunk tilted to the right and back, arms stretched overhead."""
    pose = _wide(scene)
    course = pose.effort * scene.range
    pose.tilt[:, 1] -= course * scene.degrees(3, 8)
    pose.spine[:, 1] -= course * scene.degrees(30, 40)
    pose.head[:, 1] -= course * scene.degrees(0, 10)
    pose.hips[:, 0] += course * scene.draw(0.01, 0.045)
    hold_arms(pose, scene, (150.0, 42.0, 40.0, 16.0), 8.0)
    for side, arm in pose.arms.items():  # the lower arm sinks outwards, the upper one comes over the head
        arm.elevation = arm.elevation - sign(side) * -1 * course * scene.degrees(4, 12)
    return pose


def trunk_rotation(scene: Scene) -> Pose:
    """Return the trunk turned to the right and back, arms stretched forward and taken along."""
    pose = _wide(scene)
    course = pose.effort * scene.range
    pose.tilt[:, 2] -= course * scene.degrees(4, 14)
    pose.spine[:, 2] -= course * scene.degrees(36, 52)
    pose.head[:, 2] -= course * scene.degrees(5, 22)
    hold_arms(pose, scene, FORWARD)
    pose.arms["right"].plane = pose.arms["right"].plane - course * scene.degrees(20, 50)
    pose.arms["left"].plane = pose.arms["left"].plane + course * scene.degrees(5, 25)
    return pose


def pelvis_rotation(scene: Scene) -> Pose:
    """Return one circle of the hips, hands on the waist, head nearly still.

    The hips leave the middle along a spiral and come back to it; the trunk leans against their way.
    """
    pose = _wide(scene)
    s = scene
    radius = s.draw(0.055, 0.075) * s.body.height * s.range * lobe(s.u, s.start, s.start + 0.2, s.end - 0.2, s.end)
    direction = 1.0 if s.draw(0, 1) < 0.5 else -1.0
    turn = np.pi * s.draw(0.3, 0.7) + direction * 2 * np.pi * (0.85 * s.u + 0.15 * rise(s.u, 0.0, 1.0))
    across, along = radius * np.cos(turn), 0.85 * radius * np.sin(turn)
    lost, soft = 0.75 * s.strength("asymmetry"), 0.01  # the circle loses one of its sides, without a corner
    toward = sign(s.weak) * across
    across = sign(s.weak) * (toward - 0.5 * lost * (toward + np.sqrt(toward**2 + soft**2) - soft))
    pose.hips[:, 0] += across
    pose.hips[:, 2] += along
    lean = 1.0 / (0.50 * s.body.height / 1.7)  # radians of trunk per metre of hips: keeps the head over the feet
    pose.tilt[:, 1] -= 0.45 * lean * across
    pose.spine[:, 1] -= 0.55 * lean * across
    pose.tilt[:, 0] -= 0.60 * lean * along
    pose.spine[:, 0] -= 0.30 * lean * along
    hold_arms(pose, s, (35.0, -20.0, -10.0, 85.0), 3.0)
    for side, arm in pose.arms.items():
        arm.reach[:] = 1.0
        arm.frame = "pelvis"
        arm.target = (
            s.body.height / 1.7 * np.array([sign(side) * s.draw(0.155, 0.175), s.draw(0.06, 0.10), s.draw(-0.01, 0.04)])
        )
        arm.pole = np.array([sign(side) * 1.0, 0.1, -s.draw(0.35, 0.7)])
    pose.effort = lobe(s.u, s.start, s.start + 0.2, s.end - 0.2, s.end)
    return pose
