"""OpenSim models by name: those that come with the package, and any file."""

from __future__ import annotations

from pathlib import Path

import rehabmotion.biomech
from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim

SHIPPED = {"rehab37": "rehab37.osim"}  # name: its file beside the code that evaluates it


def shipped_osim(name: str) -> Path:
    """Return the file of a model that comes with the package; unknown names raise UserError."""
    if name not in SHIPPED:
        raise UserError(f'Expected a model that comes with rehabmotion ({", ".join(SHIPPED)}), got "{name}".')
    return Path(rehabmotion.biomech.__path__[0]) / SHIPPED[name]


def open_osim(name_or_path: str | Path) -> Model:
    """Return the kinematics of a model that comes with the package, by its name, or of an `.osim` file."""
    if name_or_path in SHIPPED:
        return read_osim(shipped_osim(str(name_or_path)))
    path = Path(name_or_path)
    if not path.is_file():
        raise UserError(f'Expected an .osim file or one of {", ".join(SHIPPED)}, got "{path}". Check the path.')
    return read_osim(path)
