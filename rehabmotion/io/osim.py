"""OpenSim models, .osim: the kinematics of document versions 40000 to 40600. Muscles and contacts are not read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rehabmotion.biomech.description import (
    GROUND,
    TYPES,
    Axis,
    Body,
    Coordinate,
    Coupler,
    Joint,
    Marker,
    Model,
    Vec3,
    X,
    Y,
    Z,
    simple_joint,
)
from rehabmotion.biomech.functions import Constant, Linear
from rehabmotion.errors import UserError
from rehabmotion.io.osim_frames import Frames
from rehabmotion.io.osim_functions import function_in, read_function
from rehabmotion.io.xml import Element, Tree, child, flag, numbers, read_xml, text, vector, where

VERSIONS = (40000, 40600)
EVERYWHERE = "-inf inf"


def read_osim(path: Path) -> Model:
    """Return the kinematics of a model file. What cannot be read as OpenSim means it raises UserError."""
    return model_of(read_xml(path), path)


def model_of(tree: Tree, path: Path) -> Model:
    """Return the kinematics of a model's XML; `path` is named in errors."""
    try:
        return _model(model_element(tree))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def model_element(tree: Tree) -> Element:
    """Return <Model> of a document of a version that is read; others raise UserError."""
    root = tree.getroot()
    if root.tag != "OpenSimDocument":
        raise UserError(f"Expected an OpenSimDocument, got <{root.tag}>.")
    version = root.get("Version", "")
    if not version.isdigit():
        raise UserError(f"Expected a document version, got {version!r}.")
    if int(version) < VERSIONS[0]:
        raise UserError(
            f"Expected document version {VERSIONS[0]} to {VERSIONS[1]}, got {version}, of OpenSim 3. "
            "Open the model in OpenSim 4 and save it again."
        )
    if int(version) > VERSIONS[1]:
        raise UserError(f"Expected document version {VERSIONS[0]} to {VERSIONS[1]}, got {version}, a later one.")
    return child(root, "Model")


def objects(model: Element, set_name: str) -> list[Element]:
    """Return the elements of a set such as JointSet; an absent set is empty."""
    found = model.find(f"{set_name}/objects")
    return [] if found is None else [part for part in found if isinstance(part.tag, str)]


def _model(element: Element) -> Model:
    bodies = objects(element, "BodySet")
    if not bodies:
        raise UserError(f"{where(element)}: Expected bodies in its BodySet, found none.")
    frames = Frames(element, bodies)
    joints = [*objects(element, "JointSet"), *_components(element, "Joint")]
    return Model(
        name=element.get("name") or "model",
        bodies=tuple(_body(body) for body in bodies),
        joints=tuple(_joint(joint, frames) for joint in joints),
        couplers=tuple(_couplers([*objects(element, "ConstraintSet"), *_components(element, "Constraint")])),
        markers=tuple(_marker(m, frames) for m in [*objects(element, "MarkerSet"), *_components(element, "Marker")]),
    )


def _components(model: Element, ending: str) -> list[Element]:
    """Return what was added to the model's list of components instead of to a set."""
    found = model.find("components")
    return [] if found is None else [p for p in found if isinstance(p.tag, str) and p.tag.endswith(ending)]


def _body(element: Element) -> Body:
    name = element.get("name") or ""
    if not name or name == GROUND:
        raise UserError(f"{where(element)}: Expected a body with a name of its own, got {name!r}.")
    return Body(name, numbers(element, "mass", 1, "0")[0], vector(element, "mass_center"))


def _joint(element: Element, frames: Frames) -> Joint:
    kind, name = str(element.tag), element.get("name") or ""
    if kind not in TYPES:
        raise UserError(
            f"{where(element)}: Expected a joint out of {', '.join(TYPES)}; joint {name} has type {kind}, which "
            "rehabmotion cannot read."
        )
    parent, offspring = (frames.of_joint(element, f"socket_{end}_frame") for end in ("parent", "child"))
    found = element.find("coordinates")
    coordinates = tuple(_coordinate(c) for c in ([] if found is None else found) if isinstance(c.tag, str))
    if kind != "CustomJoint":
        return simple_joint(kind, name, parent, offspring, coordinates)
    transform = element.find("SpatialTransform")
    rotations, translations = [], []
    for i, direction in enumerate((X, Y, Z), start=1):
        rotations.append(_axis(transform, f"rotation{i}", direction))
        translations.append(_axis(transform, f"translation{i}", direction))
    typed = tuple(replace(c, motion=_motion(c.name, rotations, translations)) for c in coordinates)
    return Joint(name, kind, parent, offspring, typed, tuple(rotations), tuple(translations))  # type: ignore[arg-type]


def _coordinate(element: Element) -> Coordinate:
    if flag(element, "prescribed", False) and function_in(child(element, "prescribed_function")) is not None:
        raise UserError(
            f"{where(element)}: Expected no prescribed coordinates, this one follows a function of time. Set "
            "<prescribed> to false."
        )
    low, high = _range(element)
    return Coordinate(
        element.get("name") or "",
        numbers(element, "default_value", 1, "0")[0],
        (low, high),
        flag(element, "clamped", False),
        flag(element, "locked", False),
    )


def _range(element: Element) -> tuple[float, float]:
    words = text(element, "range", EVERYWHERE).split()
    try:
        low, high = (float(word) for word in words)
    except ValueError:
        raise UserError(f"{where(element)}: Expected two numbers in <range>, got {' '.join(words)[:40]!r}.") from None
    if not low <= high:
        raise UserError(f"{where(element)}: Expected a range from low to high, got {low:g} to {high:g}.")
    return low, high


def _axis(transform: Element | None, tag: str, direction: Vec3) -> Axis:
    """Return an axis of a CustomJoint; where the file says nothing, it does not move."""
    element = (
        None
        if transform is None
        else next((part for part in transform.findall("TransformAxis") if part.get("name") == tag), None)
    )
    if element is None:
        return Axis(direction)
    names = text(element, "coordinates", "").split()
    if len(names) > 1:
        raise UserError(f"{where(element)}: Expected at most one coordinate of an axis, got {' '.join(names)}.")
    a, b, c = numbers(element, "axis", 3, " ".join(map(str, direction)))
    found = function_in(element)
    function = Constant(0.0) if found is None else read_function(found)
    if names and found is None:
        function = Linear()  # what OpenSim takes for an axis with a coordinate and no function
    return Axis((a, b, c), names[0] if names else None, function)


def _motion(name: str, rotations: list[Axis], translations: list[Axis]) -> str:
    """Return the motion type as OpenSim tells it from the axes whose function is a straight line of the coordinate."""

    def lines(axes: list[Axis]) -> list[Linear]:
        return [a.function for a in axes if a.coordinate == name and isinstance(a.function, Linear)]

    if Linear(1.0, 0.0) in lines(translations):
        return "translational"
    return "rotational" if any(abs(line.a) == 1 for line in lines(rotations)) else "coupled"


def _couplers(constraints: list[Element]) -> list[Coupler]:
    """Return the enforced couplers; other constraints are refused by name unless they are switched off."""
    found = []
    for element in constraints:
        if not flag(element, "isEnforced", True):
            continue
        if element.tag != "CoordinateCouplerConstraint":
            raise UserError(
                f"{where(element)}: Expected no constraints but CoordinateCouplerConstraint, got an enforced "
                f"{element.tag}. Set its <isEnforced> to false if it may be left out."
            )
        names = text(element, "independent_coordinate_names").split()
        if len(names) != 1:
            raise UserError(f"{where(element)}: Expected one independent coordinate, got {len(names)}.")
        function = function_in(child(element, "coupled_coordinates_function"))
        if function is None:
            raise UserError(f"{where(element)}: Expected a function in <coupled_coordinates_function>, found none.")
        scale = numbers(element, "scale_factor", 1, "1")[0]
        dependent = text(element, "dependent_coordinate_name")
        found.append(Coupler(element.get("name") or "", dependent, names[0], read_function(function), scale))
    return found


def _marker(element: Element, frames: Frames) -> Marker:
    name = element.get("name") or ""
    frame = frames.named(text(element, "socket_parent_frame"), element)
    return Marker(name, frame, vector(element, "location"), flag(element, "fixed", False))
