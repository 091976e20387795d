"""Standing on one leg: the hurdle step and the straight leg raised forward."""

from __future__ import annotations

import numpy as np

from rehabmotion.data.simulator.phases import lobe
from rehabmotion.data.simulator.pose import AHEAD_M, HANGING, Pose, standing
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.squats import BAR, CROSSED, GOAL_POSTS, hold_arms


def hurdle_step(scene: Scene) -> Pose:
    """Return a step of the right leg over a hurdle at knee height, the heel set down beyond it, and back.

    While the foot is in the air its spot is moved to the far side, so that it lands there and later at home.
    """
    body, u, r = scene.body, scene.u, scene.range
    t = (0.09, 0.28, 0.33, 0.46, 0.53, 0.66, 0.71, 0.91)  # off, up, beyond, heel down, heel off, up, this side, home
    pose = _one_leg(scene, t[0], t[-1])
    leg = pose.legs["right"]
    far = scene.draw(0.17, 0.21) * body.height * r
    beyond = lobe(u, t[1], t[2], t[5], t[6])
    toes_up = scene.degrees(14, 22)
    leg.ball[:, 2] += far * beyond
    leg.heel = -toes_up * beyond
    leg.ball[:, 1] += beyond * (body.ankle_height * (1 - np.cos(toes_up)) + body.foot_length * np.sin(toes_up))
    leg.swing = lobe(u, t[0], t[1], t[2], t[3]) + lobe(u, t[4], t[5], t[6], t[7])
    top = scene.draw(95, 112)
    leg.flex[:] = np.radians(top) * r
    leg.knee[:] = scene.degrees(86, 98) * (0.55 + 0.45 * r)
    leg.ankle[:] = toes_up
    # the standing knee gives while the heel reaches down in front
    leg_length = 0.995 * (body.thigh + body.shank)
    drop = leg_length - np.sqrt(leg_length**2 - far**2) + 0.01
    pose.hips[:, 1] -= drop * lobe(u, t[2] - 0.04, t[3] - 0.02, t[4] + 0.02, t[5] + 0.04)
    pose.hips[:, 2] += 0.25 * far * lobe(u, t[2], t[3], t[4], t[5])
    hold_arms(pose, scene, (BAR, BAR, GOAL_POSTS, HANGING)[int(scene.draw(0, 4))])
    return pose


def standing_active_straight_leg_raise(scene: Scene) -> Pose:
    """Return the straight right leg raised forward from standing, held and lowered."""
    t = (0.14, scene.middle, scene.middle + scene.hold + 0.02, 0.88)
    pose = _one_leg(scene, t[0], t[-1])
    leg = pose.legs["right"]
    course = lobe(scene.u, *t)
    leg.swing = course
    leg.flex[:] = scene.degrees(62, 84) * scene.range
    leg.knee[:] = scene.degrees(2, 9)
    leg.ankle[:] = scene.degrees(0, 14)
    back = course * scene.degrees(2, 7)
    pose.tilt[:, 0] -= back
    pose.spine[:, 0] += 0.6 * back
    hold_arms(pose, scene, (GOAL_POSTS, BAR, CROSSED, HANGING)[int(scene.draw(0, 4))])
    pose.effort = course
    return pose


def _one_leg(scene: Scene, off: float, home: float) -> Pose:
    """Return a person who shifts onto the left foot before the right one leaves the floor at `off`."""
    body = scene.body
    half = body.hip_half_width * scene.draw(0.85, 1.25)
    pose = standing(scene.n, body, half, scene.degrees(2, 10))
    on_one = lobe(scene.u, 0.0, off + 0.05, home - 0.05, 1.0)
    over = half * scene.draw(0.65, 0.85)
    pose.hips[:, 0] += on_one * over
    # the height at which the far foot can just be reached: the hips then neither sink nor rise as it comes and goes
    far = np.hypot(over + abs(half - body.hip_half_width), AHEAD_M)
    pose.hips[:, 1] = body.ankle_height + np.sqrt((0.998 * (body.thigh + body.shank)) ** 2 - far**2) - 0.003
    pose.tilt[:, 1] += on_one * scene.degrees(1, 4)
    pose.spine[:, 1] -= on_one * scene.degrees(0, 3)
    pose.effort = on_one
    return pose
