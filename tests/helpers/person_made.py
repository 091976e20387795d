"""Small people made by hand: one that is quick, and one with the numbers of Bittner et al. 2023."""

from __future__ import annotations

import math

from rehabmotion.biomech.description import (
    GROUND,
    Axis,
    Body,
    Coordinate,
    Coupler,
    Frame,
    Joint,
    Marker,
    Model,
    Step,
    Vec3,
    X,
    Y,
    Z,
    simple_joint,
)
from rehabmotion.biomech.functions import Linear


def angle(name: str, low: float = -1.0, high: float = 2.0, locked: bool = False) -> Coordinate:
    """Return an angle with a range, rad."""
    return Coordinate(name, range=(low, high), locked=locked)


def hinge(name: str, parent: str, child: str, place: Vec3, *coordinates: Coordinate, sign: float = 1.0) -> Joint:
    """Return a joint at a place of the parent, about z, then x, then y; x and y with a sign, for left sides."""
    axes = [Axis(Z), Axis(X), Axis(Y)]
    for i, coordinate in enumerate(coordinates):
        direction = axes[i].direction if i == 0 else tuple(sign * d for d in axes[i].direction)
        axes[i] = Axis((direction[0], direction[1], direction[2]), coordinate.name, Linear())
    start = Frame(parent, (Step(place),))
    return Joint(name, "CustomJoint", start, Frame(child), coordinates, (axes[0], axes[1], axes[2]))


def root(child: str = "pelvis") -> Joint:
    """Return a joint of six coordinates on ground."""
    names = [f"{child}_{c}" for c in ("rx", "ry", "rz", "tx", "ty", "tz")]
    return simple_joint("FreeJoint", "root", Frame(GROUND), Frame(child), tuple(Coordinate(n) for n in names))


def small_person(couplers: bool = False) -> Model:
    """Return pelvis, torso, thighs, shanks, welded feet, symmetric: 11 free coordinates beside the root's, 9 markers.

    With couplers, the left knee follows the right one, half as far.
    """
    bodies = [Body("pelvis"), Body("torso", 1.0, (0.0, 0.2, 0.0))]
    joints = [root(), hinge("back", "pelvis", "torso", (-0.1, 0.1, 0.0), *map(angle, ("extend", "bend", "turn")))]
    markers = [Marker("head", Frame("torso"), (0.0, 0.6, 0.0)), Marker("belly", Frame("pelvis"), (0.1, 0.0, 0.0))]
    for side, s in (("r", 1.0), ("l", -1.0)):
        bodies += [Body(f"{part}_{side}") for part in ("thigh", "shank", "foot")]
        hip = [angle(f"hip_{c}_{side}") for c in ("flex", "add", "rot")]
        joints += [
            hinge(f"hip_{side}", "pelvis", f"thigh_{side}", (0.0, -0.07, s * 0.08), *hip, sign=s),
            hinge(f"knee_{side}", f"thigh_{side}", f"shank_{side}", (0.0, -0.4, 0.0), angle(f"knee_{side}", -2.5, 0.2)),
            hinge(f"ankle_{side}", f"shank_{side}", f"foot_{side}", (0.0, -0.4, 0.0)),
        ]
        markers += [
            Marker(f"knee_{side}", Frame(f"thigh_{side}"), (0.0, -0.4, s * 0.05)),
            Marker(f"shin_{side}", Frame(f"shank_{side}"), (0.05, -0.2, s * 0.01)),
            Marker(f"toe_{side}", Frame(f"foot_{side}"), (0.2, -0.05, s * 0.02)),
        ]
    markers.append(Marker("scapula", Frame("torso"), (-0.1, 0.3, 0.08)))  # on one side only, as in some sets
    tie = (Coupler("knees", "knee_l", "knee_r", Linear(0.5, 0.0)),) if couplers else ()
    return Model("small person", tuple(bodies), tuple(joints), tie, tuple(markers))


def papers_person() -> Model:
    """Return a chain with the paper's numbers: 48 bodies, 69 coordinates beside the root's, 65 markers and 2 ends."""
    bodies = [Body("b0", 1.0, (0.0, 0.1, 0.0))]
    joints = [root("b0")]
    for i in range(1, 48):
        bodies.append(Body(f"b{i}"))
        own = [angle(f"q{i}_{c}", -1.0 - i / 50, 1.5) for c in "abc"] if i <= 23 else []
        joints.append(hinge(f"j{i}", f"b{(i - 1) // 2}", f"b{i}", (0.02, 0.1, 0.05 * (-1) ** i), *own))
    markers = [Marker(f"m{i}", Frame(f"b{i % 48}"), (0.01, 0.05, 0.0)) for i in range(65)]
    markers += [Marker(f"end{i}", Frame(f"b{46 + i}"), (0.0, 0.1, 0.0)) for i in range(2)]
    return Model("paper's numbers", tuple(bodies), tuple(joints), (), tuple(markers))


def papers_groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return 51 groups of the 144 axes of `papers_person`'s bodies."""
    cells = [f"b{i}.{axis}" for i in range(48) for axis in "xyz"]
    return tuple((f"s{k}", tuple(cells[k::51])) for k in range(51))


def far_angle() -> Coordinate:
    """Return a coordinate whose limits exceed a whole turn: two turns either way."""
    return Coordinate("far", range=(-4 * math.pi, 4 * math.pi))
