"""Exercises of the arms, standing: one shoulder (the right), or both."""

from __future__ import annotations

import numpy as np

from rehabmotion.data.simulator.phases import lobe
from rehabmotion.data.simulator.pose import HANGING, Pose, standing
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.squats import hold_arms


def _at_ease(scene: Scene) -> Pose:
    pose = standing(scene.n, scene.body, scene.body.hip_half_width * scene.draw(0.9, 1.6), scene.degrees(3, 14))
    hold_arms(pose, scene, HANGING, 4.0)
    pose.effort = scene.go()
    return pose


def _raised(scene: Scene, top: float, plane: float, rotation: float) -> Pose:
    """Return the right arm raised to `top` degrees in a plane, nearly straight, and lowered."""
    pose = _at_ease(scene)
    arm = pose.arms["right"]
    turn = 1 - (1 - pose.effort) ** 3  # the plane is chosen early, while the arm still hangs
    arm.move(turn, (np.degrees(arm.elevation[0]), plane, rotation, scene.draw(4, 14)))
    arm.elevation = arm.elevation + (np.radians(top) - arm.elevation) * pose.effort * scene.range
    pose.spine[:, 1] += pose.effort * scene.degrees(0, 3)
    pose.head[:, 0] -= pose.effort * scene.degrees(0, 5)
    return pose


def standing_shoulder_abduction(scene: Scene) -> Pose:
    """Return the right arm raised sideways to beside the ear and lowered."""
    return _raised(scene, scene.draw(155, 174), scene.draw(-4, 8), scene.draw(15, 50))


def standing_shoulder_scaption(scene: Scene) -> Pose:
    """Return the right arm raised 30 to 45 degrees in front of sideways, to 95-145 degrees, thumb up."""
    return _raised(scene, scene.draw(95, 145), scene.draw(32, 48), scene.draw(10, 40))


def standing_shoulder_extension(scene: Scene) -> Pose:
    """Return the straight right arm moved backwards by 40 to 55 degrees and back."""
    pose = _at_ease(scene)
    arm = pose.arms["right"]
    arm.loose = False
    arm.elevation[:] = -np.radians(scene.draw(-1, 3))
    arm.plane[:] = np.radians(scene.draw(96, 114))  # a little outwards, past the hip
    arm.rotation[:] = np.radians(scene.draw(-20, 10))
    arm.elevation -= pose.effort * scene.degrees(42, 56) * scene.range
    arm.elbow = arm.elbow + pose.effort * (scene.degrees(2, 10) - arm.elbow)
    pose.spine[:, 0] += pose.effort * scene.degrees(0, 4)
    return pose


def standing_shoulder_internal_external_rotation(scene: Scene) -> Pose:
    """Return the right upper arm held level sideways while the forearm turns from up to forward and up again."""
    pose = _at_ease(scene)
    arm = pose.arms["right"]
    high, plane, up, bend = scene.draw(82, 96), scene.draw(-4, 10), scene.draw(84, 98), scene.draw(84, 96)
    arm.move(np.ones(scene.n), (high, plane, up, bend))
    arm.rotation = arm.rotation - pose.effort * np.radians(up - scene.draw(-16, 8)) * scene.range
    arm.elevation = arm.elevation - pose.effort * scene.degrees(-3, 5)
    return pose


def arm_lift(scene: Scene) -> Pose:
    """Return both arms lifted forward to overhead and lowered, elbows nearly straight."""
    pose = _at_ease(scene)
    top, plane = scene.draw(155, 174), scene.draw(72, 86)
    for side, arm in pose.arms.items():
        share = scene.range * scene.arm_share(side)
        low = float(np.degrees(arm.elevation[0]))
        arm.move(1 - (1 - pose.effort) ** 3, (low, plane, scene.draw(0, 20), scene.draw(4, 14)))
        arm.elevation = arm.elevation + (np.radians(top) - arm.elevation) * pose.effort * share
    pose.spine[:, 0] -= pose.effort * scene.degrees(1, 6)
    pose.head[:, 0] -= pose.effort * scene.degrees(0, 12)
    return pose


def shoulder_mobility(scene: Scene) -> Pose:
    """Return both hands led behind the back, the right one over the shoulder, the left one from below, and back.

    The wrists are drawn to spots behind the spine; a reduced range leaves them further apart.
    """
    pose = _at_ease(scene)
    size, apart = scene.body.height / 1.7, 1 - scene.range
    s = scene
    course, behind = lobe(s.u, s.start, 0.43, 0.57, s.end), lobe(s.u, 0.20, 0.46, 0.54, 0.80)
    over, under = pose.arms["right"], pose.arms["left"]
    over.move(lobe(s.u, s.start, 0.38, 0.62, s.end), (158.0, 8.0, 128.0, 128.0))
    over.target = size * (np.array([-0.035, 0.10, -0.135]) + apart * np.array([-0.11, 0.16, 0.09]))
    over.pole = np.array([-0.35, 1.0, 0.1])
    under.elevation[:], under.plane[:], under.rotation[:] = np.radians([-8.0, 150.0, -25.0])[:, None]
    under.move(lobe(s.u, s.start, 0.32, 0.68, s.end), (-36.0, 122.0, -45.0, 20.0))
    under.move(lobe(s.u, 0.14, 0.44, 0.56, 0.86), (-34.0, 125.0, -105.0, 95.0))
    under.target = size * (np.array([0.035, -0.12, -0.145]) + apart * np.array([0.10, -0.22, 0.0]))
    under.pole = np.array([1.0, -0.6, -0.5])
    for arm in (over, under):
        arm.frame, arm.reach = "chest", behind
    pose.spine[:, 0] -= course * scene.degrees(0, 6)
    pose.head[:, 0] += course * scene.degrees(0, 10)
    pose.effort = course
    return pose
