"""What a musculoskeletal model is made of: plain data, without any evaluation. OpenSim's words and conventions.

Ground is x forward, y up, z right; metres and radians. A body stands where its joint's frames and coordinates put it:
X_PB = X_PF(offset) X_FM(q) inverse(X_BM(offset)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rehabmotion.biomech.functions import Constant, Function, Linear
from rehabmotion.errors import UserError

Vec3 = tuple[float, float, float]
GROUND = "ground"
ZERO: Vec3 = (0.0, 0.0, 0.0)
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
TYPES = (
    "CustomJoint", "WeldJoint", "PinJoint", "UniversalJoint", "BallJoint", "GimbalJoint", "SliderJoint", "PlanarJoint",
    "FreeJoint",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """An offset: translation (m) in the frame before it, then orientation, body-fixed x-y-z angles (rad)."""

    translation: Vec3 = ZERO
    orientation: Vec3 = ZERO


@dataclass(frozen=True)
class Frame:
    """A frame fixed to a body, offset from it step by step; no step is the body's own frame."""

    body: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Coordinate:
    """A generalised coordinate. motion: rotational (rad), translational (m), or coupled, of no unit of its own."""

    name: str
    default: float = 0.0
    range: tuple[float, float] = (float("-inf"), float("inf"))
    clamped: bool = False
    locked: bool = False
    motion: str = "rotational"


@dataclass(frozen=True)
class Axis:
    """A rotation about, or translation along, a unit direction by a function of a coordinate, None = of nothing."""

    direction: Vec3
    coordinate: str | None = None
    function: Function = Constant()  # noqa: RUF009 (frozen)


@dataclass(frozen=True)
class Joint:
    """Carries the child's frame in the parent's: three rotations, one after another, and three translations."""

    name: str
    type: str
    parent: Frame
    child: Frame
    coordinates: tuple[Coordinate, ...] = ()
    rotations: tuple[Axis, Axis, Axis] = (Axis(X), Axis(Y), Axis(Z))
    translations: tuple[Axis, Axis, Axis] = (Axis(X), Axis(Y), Axis(Z))

    def grows(self, axis: Axis) -> bool:
        """Return whether a translation grows with the parent's body: functions do, a coordinate as it is does not."""
        as_it_is = axis.coordinate is not None and axis.function == Linear(1.0, 0.0)
        return self.type == "CustomJoint" and self.parent.body != GROUND and not as_it_is


@dataclass(frozen=True)
class Coupler:
    """dependent = function(independent) x scale."""

    name: str
    dependent: str
    independent: str
    function: Function
    scale: float = 1.0


@dataclass(frozen=True)
class Marker:
    """A point at `location` (m) in a frame."""

    name: str
    frame: Frame
    location: Vec3
    fixed: bool = False


@dataclass(frozen=True)
class Body:
    """A rigid body; mass (kg), centre of mass (m)."""

    name: str
    mass: float = 0.0
    mass_center: Vec3 = ZERO


@dataclass(frozen=True)
class Model:
    """A tree of bodies on joints, with couplers between coordinates, and markers. Trees that are none are refused."""

    name: str
    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    couplers: tuple[Coupler, ...] = ()
    markers: tuple[Marker, ...] = ()
    order: tuple[int, ...] = field(init=False)  # of joints, parents first

    def __post_init__(self) -> None:
        for what, things in (
            ("body", self.bodies),
            ("joint", self.joints),
            ("marker", self.markers),
            ("coordinate", self.coordinates),
        ):
            _no_repeats(what, (thing.name for thing in things))
        object.__setattr__(self, "order", _parents_first(self.bodies, self.joints))
        known = {coordinate.name for coordinate in self.coordinates}
        for joint in self.joints:
            own = {coordinate.name for coordinate in joint.coordinates}
            for axis in (*joint.rotations, *joint.translations):
                if axis.coordinate is not None and axis.coordinate not in own:
                    raise UserError(f'joint "{joint.name}": Expected a coordinate of its own, got "{axis.coordinate}".')
        for coupler in self.couplers:
            for name in (coupler.dependent, coupler.independent):
                if name not in known:
                    raise UserError(f'constraint "{coupler.name}": Expected a coordinate of the model, got "{name}".')
        self.couplers_in_order()
        places = {GROUND, *(body.name for body in self.bodies)}
        for marker in self.markers:
            if marker.frame.body not in places:
                raise UserError(f'marker "{marker.name}": Expected a body of the model, got "{marker.frame.body}".')

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """All coordinates in the order of the joints."""
        return tuple(coordinate for joint in self.joints for coordinate in joint.coordinates)

    def couplers_in_order(self) -> tuple[Coupler, ...]:
        """Return the couplers so that what one depends on is known before; circles raise UserError."""
        driven = [coupler.dependent for coupler in self.couplers]
        _no_repeats("coupled coordinate", driven)
        left, done, order = list(self.couplers), set[str](), list[Coupler]()
        while left:
            ready = [c for c in left if c.independent not in driven or c.independent in done]
            if not ready:
                raise UserError(f'constraint "{left[0].name}": Expected couplers in no circle, got one.')
            order += ready
            done |= {coupler.dependent for coupler in ready}
            left = [coupler for coupler in left if coupler not in ready]
        return tuple(order)

    def free(self) -> tuple[str, ...]:
        """Return the names of the coordinates that may be chosen: neither locked nor driven by a coupler."""
        driven = {coupler.dependent for coupler in self.couplers}
        return tuple(c.name for c in self.coordinates if not c.locked and c.name not in driven)

    def with_markers(self, markers: Iterable[Marker]) -> Model:
        """Return the model with other markers."""
        return replace(self, markers=tuple(markers))


def _no_repeats(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f'Expected names that differ, got the {what} "{name}" twice.')
        seen.add(name)


def _parents_first(bodies: tuple[Body, ...], joints: tuple[Joint, ...]) -> tuple[int, ...]:
    """Return the joints' numbers, level by level from ground; what is no tree over all bodies raises UserError."""
    names = {body.name for body in bodies}
    carried: dict[str, str] = {}
    for joint in joints:
        for end in (joint.parent.body, joint.child.body):
            if end != GROUND and end not in names:
                raise UserError(f'joint "{joint.name}": Expected a body of the model, got "{end}".')
        if joint.child.body == GROUND:
            raise UserError(f'joint "{joint.name}": Expected ground as parent, got it as child. Turn the joint round.')
        if joint.child.body in carried:
            raise UserError(
                f'joint "{joint.name}": Expected a tree, but "{joint.child.body}" hangs on '
                f'"{carried[joint.child.body]}" already.'
            )
        carried[joint.child.body] = joint.name
    loose = [body.name for body in bodies if body.name not in carried]
    if loose:
        raise UserError(f'body "{loose[0]}": Expected a joint that carries it, found none.')
    placed, order = {GROUND}, list[int]()
    while len(order) < len(joints):
        level = [i for i, j in enumerate(joints) if i not in order and j.parent.body in placed]
        if not level:
            left = next(j for i, j in enumerate(joints) if i not in order)
            raise UserError(f'joint "{left.name}": Expected a tree that hangs on ground, got a circle of joints.')
        order += level
        placed |= {joints[i].child.body for i in level}
    return tuple(order)


def simple_joint(type: str, name: str, parent: Frame, child: Frame, coordinates: tuple[Coordinate, ...]) -> Joint:
    """Return a joint of any type but CustomJoint: its coordinates turn or slide as the type says.

    Weld none; Pin turns about z; Universal about x, y; Ball and Gimbal about x, y, z; Slider slides along x; Planar
    turns about z and slides along x, y; Free turns about x, y, z and slides along them. A wrong number of coordinates
    raises UserError.
    """
    turning, sliding = _OF_TYPE[type]
    if len(coordinates) != len(turning) + len(sliding):
        raise UserError(
            f'joint "{name}": Expected {len(turning) + len(sliding)} coordinates of a {type}, got {len(coordinates)}.'
        )
    names = [coordinate.name for coordinate in coordinates]
    turns = [Axis(d, c, Linear()) for d, c in zip(turning, names[: len(turning)], strict=True)]
    slides = [Axis(d, c, Linear()) for d, c in zip(sliding, names[len(turning) :], strict=True)]
    motions = ["rotational"] * len(turns) + ["translational"] * len(slides)
    return Joint(
        name,
        type,
        parent,
        child,
        tuple(replace(c, motion=motion) for c, motion in zip(coordinates, motions, strict=True)),
        _three(turns),
        _three(slides),
    )


def _three(axes: list[Axis]) -> tuple[Axis, Axis, Axis]:
    a, b, c = (*axes, *(Axis(X) for _ in range(3 - len(axes))))
    return a, b, c


_OF_TYPE: dict[str, tuple[tuple[Vec3, ...], tuple[Vec3, ...]]] = {
    "WeldJoint": ((), ()),
    "PinJoint": ((Z,), ()),
    "UniversalJoint": ((X, Y), ()),
    "BallJoint": ((X, Y, Z), ()),
    "GimbalJoint": ((X, Y, Z), ()),
    "SliderJoint": ((), (X,)),
    "PlanarJoint": ((Z,), (X, Y)),
    "FreeJoint": ((X, Y, Z), (X, Y, Z)),
}
