"""Marker weights in OpenSim's set-up of inverse kinematics: IK_Setup.xml, or a file with its IKTaskSet alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.io.xml import flag, numbers, read_xml, where


@dataclass(frozen=True)
class Tasks:
    """weights: of markers that are asked for, above 0; coordinates: tasks of coordinates that are asked for."""

    weights: dict[str, float]
    coordinates: tuple[str, ...]


def read_ik_tasks(path: Path) -> Tasks:
    """Return the tasks that apply. None of markers, negative weights and a marker named twice raise UserError."""
    try:
        weights: dict[str, float] = {}
        coordinates = []
        for element in read_xml(path).getroot().iter("IKMarkerTask", "IKCoordinateTask"):
            name, weight = element.get("name") or "", numbers(element, "weight", 1, "1")[0]
            if weight < 0:
                raise UserError(f"{where(element)}: Expected a weight of 0 or more, got {weight:g}.")
            if not flag(element, "apply", True) or weight == 0:
                continue
            if element.tag == "IKCoordinateTask":
                coordinates.append(name)
            elif name in weights:
                raise UserError(f'{where(element)}: Expected each marker once, got "{name}" twice.')
            else:
                weights[name] = weight
        if not weights:
            raise UserError("Expected IKMarkerTask elements that apply, found none.")
    except UserError as error:
        text = str(error)
        raise UserError(text if str(path) in text else f"{path}: {text}") from None
    return Tasks(weights, tuple(coordinates))
