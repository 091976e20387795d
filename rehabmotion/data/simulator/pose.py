"""What an exercise sets: a trajectory of the hips, angles of trunk and arms, feet that are planted or swing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.simulator.body import Body

Array = NDArray[np.floating]
SIDES = ("left", "right")


def sign(side: str) -> float:
    """Return +1 for the left side, which lies at +x, -1 for the right."""
    return 1.0 if side == "left" else -1.0


@dataclass
class Arm:
    """One arm over time; angles (T,) radians, relative to the chest.

    elevation: 0 hanging, pi overhead, in the vertical plane that `plane` names (0 sideways, pi/2 forward); negative
    elevation with a forward plane is extension. rotation: of the humerus, positive external; at 0 the bending elbow
    brings the forearm forward of a hanging or sidewards arm. shrug lifts the shoulder. `reach` (T,) in 0..1 draws the
    wrist from these angles to `target` (T, 3) or (3,), given in `frame`, with the elbow towards `pole` (chest frame).
    """

    elevation: Array
    plane: Array
    rotation: Array
    elbow: Array
    shrug: Array
    reach: Array
    target: Array = field(default_factory=lambda: np.zeros(3))
    pole: Array = field(default_factory=lambda: np.array([0.0, 0.0, -1.0]))
    frame: str = "world"
    loose: bool = False  # hangs by its weight, whatever the trunk does

    @classmethod
    def still(cls, n: int, degrees: tuple[float, float, float, float]) -> Arm:
        """Return an arm held at (elevation, plane, rotation, elbow) for n frames."""
        elevation, plane, rotation, elbow = (np.full(n, np.radians(a)) for a in degrees)
        return cls(elevation, plane, rotation, elbow, np.zeros(n), np.zeros(n))

    def move(self, weight: Array, degrees: tuple[float, float, float, float]) -> None:
        """Carry (elevation, plane, rotation, elbow) a fraction `weight` (T,) of the way to the given posture."""
        self.loose = False
        for name, angle in zip(("elevation", "plane", "rotation", "elbow"), degrees, strict=True):
            now = getattr(self, name)
            setattr(self, name, now + weight * (np.radians(angle) - now))

    def hang(self, side: str, bow: Array, lean: Array) -> None:
        """Turn the arm back towards the plumb line under a chest that bows (T,) and leans to the left (T,), radians.

        The two small angles of a hanging arm, outwards and forwards, add like vectors.
        """
        outward = self.elevation * np.cos(self.plane) + 0.85 * sign(side) * lean
        forward = self.elevation * np.sin(self.plane) + 0.85 * bow
        self.elevation, self.plane = np.hypot(outward, forward), np.arctan2(forward, outward)


@dataclass
class Leg:
    """One leg over time: planted by its ball (or its knee, when kneeling), or swinging by angles where `swing` > 0.

    ball (T, 3) metres; toe_out radians; heel (T,) radians, the heel's rise about the ball; knee_out (T,) radians, the
    knee's outward turn about the line from hip to ankle. The swing angles flex, abduct, knee, ankle (T,) are relative
    to the pelvis: hip flexion, abduction, knee flexion, lifting of the toes. knee_spot (3,), where given, is the
    point on which this knee kneels; shin and sole (3,) are then the directions of shank and foot.
    """

    ball: Array
    toe_out: float
    heel: Array
    knee_out: Array
    swing: Array
    flex: Array
    abduct: Array
    knee: Array
    ankle: Array
    knee_spot: Array | None = None
    shin: Array = field(default_factory=lambda: np.array([0.0, -1.0, 0.0]))
    sole: Array = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))

    @classmethod
    def planted(cls, n: int, ball: Array, toe_out: float = 0.0) -> Leg:
        """Return a leg whose foot stands flat, its ball at a point (3,), for n frames."""
        zeros = [np.zeros(n) for _ in range(6)]
        return cls(np.tile(ball, (n, 1)), toe_out, zeros[0], np.full(n, toe_out), *zeros[1:])


@dataclass
class Pose:
    """A whole trajectory of n frames.

    hips (T, 3): middle of the hip joints, metres, before the legs limit its height; tilt (T, 3): pelvis angles (bow,
    lean to the left, turn to the left), radians; spine (T, 3): the same, spread over the three spine joints, on top of
    the pelvis; head (T, 3): the neck's. base (3, 3): the posture's own frame, identity when standing. effort (T,) in
    0..1: how far into the exercise the person is; compensations grow with it.
    """

    hips: Array
    tilt: Array
    spine: Array
    head: Array
    arms: dict[str, Arm]
    legs: dict[str, Leg]
    effort: Array
    base: Array = field(default_factory=lambda: np.eye(3))
    standing: bool = True

    @property
    def n(self) -> int:
        """Number of frames."""
        return len(self.hips)


AHEAD_M = 0.04  # the hips stand over the middle of the foot rather than over the ankle
HANGING = (9.0, 25.0, -20.0, 14.0)


def standing(
    n: int, body: Body, half_width: float, toe_out: float, arms: tuple[float, float, float, float] = HANGING
) -> Pose:
    """Return a person standing still: ankles `half_width` metres left and right of the middle, hips above them."""
    legs = {}
    for side in SIDES:
        ankle = np.array([sign(side) * half_width, body.ankle_height, 0.0])
        out = sign(side) * toe_out
        ball = ankle + body.foot_length * np.array([np.sin(out), 0.0, np.cos(out)]) - [0.0, body.ankle_height, 0.0]
        legs[side] = Leg.planted(n, ball, toe_out)
    height = body.ankle_height + 0.997 * (body.thigh + body.shank)
    return Pose(
        hips=np.tile([0.0, height, AHEAD_M], (n, 1)),
        tilt=np.zeros((n, 3)),
        spine=np.zeros((n, 3)),
        head=np.zeros((n, 3)),
        arms={side: Arm.still(n, arms) for side in SIDES},
        legs=legs,
        effort=np.zeros(n),
    )


def sunk(body: Body, knee: Array, shin: Array) -> tuple[Array, Array]:
    """Return height and depth (T,) of the hips relative to the ankles, metres, for knee flexion and forward shin tilt.

    Planar: a knee of 90 degrees over an upright shin puts the hips one thigh behind the ankle at knee height.
    """
    return (
        body.shank * np.cos(shin) + body.thigh * np.cos(knee - shin),
        body.shank * np.sin(shin) - body.thigh * np.sin(knee - shin),
    )
