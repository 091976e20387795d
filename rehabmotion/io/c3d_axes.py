"""Axes of C3D files: which way is up in the laboratory, and the rotation between it and y up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

SIDEWAYS = {"+X": "-Y", "-X": "+Y"}  # by the axis that is up: the one that becomes x, as the shortest turn has it


def axes_of(point: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return which axes of the file become x, y and z, from the parameters X_SCREEN and Y_SCREEN of the group POINT.

    {"x": "+X", "y": "+Z", "z": "-Y", "stated": True}: our y is the file's z. Y_SCREEN is the axis that points up where
    the file is drawn, X_SCREEN the one that points right (c3d.org, POINT:X_SCREEN). Without Y_SCREEN, z is taken to be
    up, as in most laboratories, and `stated` is False. Without X_SCREEN the file is turned as little as may be. Words
    that are no axis, and two that are not at right angles, raise UserError.
    """
    up, right = _axis(point, "Y_SCREEN"), _axis(point, "X_SCREEN")
    y = up or "+Z"
    x = right or SIDEWAYS.get(y, "+X")
    if x[1] == y[1]:
        raise UserError(
            f"Expected X_SCREEN and Y_SCREEN at right angles, got {right} and"
            f" {up or 'none, which means +Z'}. Correct the parameters of the file."
        )
    across = np.cross(_unit(x), _unit(y))
    z = ("+" if across.sum() > 0 else "-") + "XYZ"[int(np.abs(across).argmax())]
    return {"x": x, "y": y, "z": z, "stated": up is not None}


def rotation_of(axes: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) that takes a column of file coordinates to x right, y up, z towards the viewer."""
    return np.array([_unit(axes[name]) for name in "xyz"])


def _axis(point: Mapping[str, Sequence[Any]], name: str) -> str | None:
    """An axis with its sign, None where the file has none or a blank one."""
    values = [str(value).strip().upper() for value in point.get(name, ())]
    text = values[0] if values else ""
    if not text:
        return None
    signed = text if len(text) == 2 else f"+{text}"
    if signed[0] not in "+-" or signed[1:] not in ("X", "Y", "Z"):
        raise UserError(f"Expected an axis such as +Z in {name}, got {text[:20]!r}. Correct the parameter of the file.")
    return signed


def _unit(axis: str) -> NDArray[np.float64]:
    return (1.0 if axis[0] == "+" else -1.0) * np.eye(3)["XYZ".index(axis[1])]
