"""Scaled OpenSim models: the original file with frames, markers, translations and meshes of a person's size.

All else is kept as it stands; muscles, contacts and masses so are those of the original, which the file says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from lxml import etree

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.osim import model_element, model_of, objects
from rehabmotion.io.osim_frames import OFFSET, Frames
from rehabmotion.io.osim_functions import function_in
from rehabmotion.io.xml import Element, numbers, read_xml, text, where

Vector = Sequence[float]


def write_scaled_osim(source: Path, scales: Mapping[str, Vector], worn: Model, name: str, note: str, out: Path) -> None:
    """Write the model of `source` scaled by factors (x, y, z) for each body's name, under a new name.

    worn: the same model with its markers where the person wears them, unscaled. note: put into the file as a comment.
    """
    tree = read_xml(source)
    before = model_of(tree, source)
    unknown = set(scales) - {body.name for body in before.bodies}
    if unknown:
        raise UserError(f"Expected bodies of {before.name}, got {min(unknown)}. Scale those it has.")
    model = model_element(tree)
    frames = Frames(model, objects(model, "BodySet"))
    locations = {marker.name: marker.location for marker in worn.markers}
    for path, offset in list(frames.offsets.items()):
        _multiply(offset, "translation", scales.get(frames.named(path, offset).body))
    for body in objects(model, "BodySet"):
        _scale_meshes(body, scales.get(body.get("name") or ""))
    for joint, element in zip(before.joints, objects(model, "JointSet"), strict=False):
        for i, axis in enumerate(joint.translations, start=1):
            factors = scales.get(joint.parent.body)
            if factors is not None and joint.grows(axis):
                grown = float(np.abs(axis.direction) @ np.array(factors))
                _multiply_function(element, f"translation{i}", grown)
    for element in model.iter("Marker"):
        _place_marker(element, frames, scales, locations)
    model.set("name", name)
    model.insert(0, etree.Comment(f" {note.replace('--', '- -')} "))
    write_atomic(out, etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def _multiply(element: Element, tag: str, factors: Vector | None) -> None:
    found = element.find(tag)
    if factors is not None and found is not None:
        _write(found, np.array(numbers(element, tag, 3)) * factors)


def _write(element: Element, values: np.ndarray) -> None:
    element.text = " ".join(map(repr, values.tolist()))


def _scale_meshes(body: Element, factors: Vector | None) -> None:
    """Scale what is drawn on a body, and on frames inside it; frames of joints draw nothing of their own."""
    if factors is None:
        return
    for geometry in body.iter("attached_geometry"):
        if geometry.getparent().tag in (OFFSET, "Body"):
            for shape in geometry:
                if isinstance(shape.tag, str):
                    _multiply(shape, "scale_factors", factors)


def _multiply_function(joint: Element, axis: str, by: float) -> None:
    """Put a multiplier round the function of an axis, or into the one that is there."""
    found = joint.find(f"SpatialTransform/TransformAxis[@name='{axis}']")
    function = None if found is None else function_in(found)
    if function is None:
        return
    if function.tag == "MultiplierFunction":
        scale = function.find("scale")
        if scale is None:
            scale = etree.SubElement(function, "scale")
        scale.text = repr(by * float(text(function, "scale", "1") or 1))
        return
    holder, index = function.getparent(), function.getparent().index(function)
    wrapped = etree.Element("MultiplierFunction", {"name": "function"})
    wrapped.tail = function.tail
    inner = etree.SubElement(wrapped, "function")
    holder.insert(index, wrapped)
    inner.append(function)
    function.tail = None
    etree.SubElement(wrapped, "scale").text = repr(by)


def _place_marker(
    element: Element, frames: Frames, scales: Mapping[str, Vector], locations: Mapping[str, Vector]
) -> None:
    name = element.get("name") or ""
    if name not in locations:
        return
    location = element.find("location")
    if location is None:
        raise UserError(f"{where(element)}: Expected a <location>, found none.")
    body = frames.named(text(element, "socket_parent_frame"), element).body
    _write(location, np.array(locations[name]) * scales.get(body, (1.0, 1.0, 1.0)))
