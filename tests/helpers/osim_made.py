"""OpenSim models written by hand for tests: any joints, functions and couplers, as XML."""

from __future__ import annotations

from pathlib import Path

FUNCTIONS = {
    "constant": "<Constant><value>0.3</value></Constant>",
    "linear": "<LinearFunction><coefficients> -0.7 0.2</coefficients></LinearFunction>",
    "slope one": "<LinearFunction><coefficients> 1 0</coefficients></LinearFunction>",
    "polynomial": "<PolynomialFunction><coefficients>0.3 -0.2 0.5 0.1</coefficients></PolynomialFunction>",
    "spline": "<SimmSpline><x>-1 -0.4 0.1 0.8 1.5</x><y>0.2 -0.1 0.3 0.25 -0.2</y></SimmSpline>",
    "spline 2": "<SimmSpline><x>-1 0.5</x><y>0.2 -0.1</y></SimmSpline>",
    "spline 3": "<SimmSpline><x>-1 0.5 0.9</x><y>0.2 -0.1 0.4</y></SimmSpline>",
    "spline 4": "<SimmSpline><x>-1 -0.5 0.6 0.9</x><y>0.2 -0.1 0.4 0.1</y></SimmSpline>",
    "pieces": "<PiecewiseLinearFunction><x>-1 0 0.5 1</x><y>0.1 0.3 -0.2 0.4</y></PiecewiseLinearFunction>",
    "multiplied": "<MultiplierFunction><function><SimmSpline><x>-1 -0.4 0.1 0.8 1.5</x><y>0.2 -0.1 0.3 0.25 -0.2</y>"
    "</SimmSpline></function><scale>1.7</scale></MultiplierFunction>",
}


def coordinate(name: str, default: float = 0.0, more: str = "") -> str:
    """Return a coordinate from -2 to 2."""
    return f'<Coordinate name="{name}"><default_value>{default}</default_value><range>-2 2</range>{more}</Coordinate>'


def axis(name: str, direction: str, coordinates: str = "", function: str = "") -> str:
    """Return an axis of a CustomJoint."""
    return (
        f'<TransformAxis name="{name}"><coordinates>{coordinates}</coordinates><axis>{direction}</axis>'
        f"{function}</TransformAxis>"
    )


def offset(name: str, parent: str, translation: str = "0 0 0", orientation: str = "0 0 0") -> str:
    """Return an offset frame."""
    return (
        f'<PhysicalOffsetFrame name="{name}"><socket_parent>{parent}</socket_parent><translation>{translation}'
        f"</translation><orientation>{orientation}</orientation></PhysicalOffsetFrame>"
    )


def joint(kind: str, name: str, parent: str, child: str, coordinates: str = "", transform: str = "") -> str:
    """Return a joint between offset frames that stand askew in both bodies."""
    at = "/ground" if parent == "ground" else f"/bodyset/{parent}"
    frames = offset("before", at, "0.1 -0.2 0.05", "0.3 -0.5 0.7") + offset(
        "behind", f"/bodyset/{child}", "0.02 0.3 -0.1", "-0.2 0.4 0.1"
    )
    spatial = f"<SpatialTransform>{transform}</SpatialTransform>" if transform else ""
    return (
        f'<{kind} name="{name}"><socket_parent_frame>before</socket_parent_frame><socket_child_frame>behind'
        f"</socket_child_frame><coordinates>{coordinates}</coordinates><frames>{frames}</frames>{spatial}</{kind}>"
    )


def marker(name: str, body: str, location: str) -> str:
    """Return a marker."""
    return (
        f'<Marker name="{name}"><socket_parent_frame>/bodyset/{body}</socket_parent_frame><location>{location}'
        "</location></Marker>"
    )


def coupler(name: str, dependent: str, independent: str, function: str, more: str = "") -> str:
    """Return a coordinate coupler."""
    return (
        f'<CoordinateCouplerConstraint name="{name}"><coupled_coordinates_function>{function}'
        f"</coupled_coordinates_function><independent_coordinate_names>{independent}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{dependent}</dependent_coordinate_name>{more}</CoordinateCouplerConstraint>"
    )


def document(
    bodies: list[str], joints: str, markers: str = "", constraints: str = "", version: str = "40000", head: str = ""
) -> str:
    """Return a model document; every body weighs 1 kg."""
    body = "".join(
        f'<Body name="{name}"><mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia></Body>'
        for name in bodies
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>{head}<OpenSimDocument Version="{version}"><Model name="made">'
        f'<BodySet name="bodyset"><objects>{body}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{constraints}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet></Model></OpenSimDocument>'
    )


def written(path: Path, text: str) -> Path:
    """Return the path of a model written there."""
    path.write_text(text, encoding="utf-8")
    return path


SIMPLE = {
    "WeldJoint": 0, "PinJoint": 1, "UniversalJoint": 2, "BallJoint": 3, "GimbalJoint": 3, "SliderJoint": 1,
    "PlanarJoint": 3, "FreeJoint": 6,
}  # fmt: skip


def every_joint() -> str:
    """Return a chain of one joint of each type, with a marker on each body."""
    joints, bodies = "", ["ground"]
    for kind, n in SIMPLE.items():
        bodies.append(f"b_{kind}")
        coordinates = "".join(coordinate(f"q_{kind}_{i}", 0.1 * i) for i in range(n))
        joints += joint(kind, kind.lower(), bodies[-2], bodies[-1], coordinates)
    markers = "".join(marker(f"m_{b}", b, f"0.{i} 0.1 -0.0{i}") for i, b in enumerate(bodies[1:], start=1))
    return document(bodies[1:], joints, markers)


def every_function(direction: str = "0 1 0") -> str:
    """Return a chain of CustomJoints: each function turns about one askew axis and slides along `direction`."""
    joints, bodies = "", ["ground"]
    for i, function in enumerate(FUNCTIONS.values()):
        bodies.append(f"b{i}")
        own, other = f"q{i}", f"r{i}"
        transform = (
            axis("rotation1", "0.6 0 0.8", own, FUNCTIONS["slope one"])
            + axis("rotation2", "0 1 0", own if "Constant" not in function[:9] else "", function)
            + axis("rotation3", "0.48 -0.6 0.64", other, FUNCTIONS["slope one"])
            + axis("translation1", "1 0 0", own if "Constant" not in function[:9] else "", function)
            + axis("translation2", direction, other, function)
            + axis("translation3", "0 0 1")
        )
        joints += joint("CustomJoint", f"j{i}", bodies[-2], bodies[-1], coordinate(own) + coordinate(other), transform)
    markers = "".join(marker(f"m_{b}", b, f"0.{i} 0.1 -0.0{i}") for i, b in enumerate(bodies[1:], start=1))
    return document(bodies[1:], joints, markers)
