"""Forward kinematics: a model and its coordinates over time in, bodies or markers out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.osim_models import open_osim
from rehabmotion.io.storage import Storage, coordinate_of, read_storage
from rehabmotion.io.trc import write_trc_points

CHUNK = 4096  # frames at a time
BODY_COLUMNS = ("tx", "ty", "tz", "qw", "qx", "qy", "qz")


def forward_kinematics(model: str, coordinates: Path, out: Path) -> Path:
    """Write what the coordinates of a .mot or .sto file make of a model, and return `out`.

    .csv: origin (m) and orientation (quaternion) of every body in ground; .trc: the model's markers. Coordinates that
    the file lacks stand at the model's default, driven ones follow their coupler.
    """
    kind = Path(out).suffix.lower()
    if kind not in (".csv", ".trc"):
        raise UserError(f"Expected --out FILE.csv (bodies) or FILE.trc (markers), got {out}.")
    described = open_osim(model)
    if kind == ".trc" and not described.markers:
        raise UserError(f"Expected a model with markers for {out}, {described.name} has none. Write bodies: FILE.csv.")
    table = read_storage(coordinates)
    try:
        q = coordinates_of(table, described)
    except UserError as error:
        raise UserError(f"{coordinates}: {error}") from None
    kinematics = Kinematics(described)
    if kind == ".trc":
        places = np.concatenate([kinematics.markers(part).numpy() for part in torch.from_numpy(q).split(CHUNK)])
        write_trc_points(out, [marker.name for marker in described.markers], table.times, places)
    else:
        write_atomic(out, "\n".join(_body_rows(kinematics, table.times, q)) + "\n")
    return Path(out)


def coordinates_of(table: Storage, model: Model) -> NDArray[np.float64]:
    """Return the coordinates (T, C) of a model, rad and m, that a table holds; those it lacks stand at their default.

    Rotational ones are converted where the table is in degrees; lengths and coupled ones are taken as they are. A
    table that does not say its unit, holds NaN or other columns than coordinates of the model raises UserError.
    """
    number = {coordinate.name: i for i, coordinate in enumerate(model.coordinates)}
    q = np.tile([coordinate.default for coordinate in model.coordinates], (len(table.times), 1))
    found: dict[str, str] = {}
    for label, values in zip(table.labels, table.values.T, strict=True):
        name = coordinate_of(label)
        if name is None:
            continue  # speeds, activations
        if name not in number:
            raise UserError(f"Expected coordinates of {model.name}, got the column {label[:60]!r}. Is it this model's?")
        if name in found:
            raise UserError(f"Expected one column of {name}, got {found[name]!r} and {label!r}.")
        if np.isnan(values).any():
            row = int(np.isnan(values).argmax()) + 1
            raise UserError(f"Expected a number of {name} in every row, row {row} has none. Fill the gap first.")
        found[name] = label
        turns = model.coordinates[number[name]].motion == "rotational"
        if turns and table.in_degrees is None:
            raise UserError("Expected a line inDegrees=yes or inDegrees=no in the header, found none. Add it.")
        q[:, number[name]] = np.deg2rad(values) if turns and table.in_degrees else values
    if not found:
        raise UserError(f"Expected coordinates of {model.name}, found none among {len(table.labels)} columns.")
    return q


def _body_rows(kinematics: Kinematics, times: NDArray[np.float64], q: NDArray[np.float64]) -> Iterator[str]:
    """Yield the header and a line for each frame; numbers as Python spells them, exactly."""
    names = [body.name for body in kinematics.model.bodies]
    yield ",".join(["time", *(f"{name}_{column}" for name in names for column in BODY_COLUMNS)])
    for start in range(0, len(q), CHUNK):
        pose = kinematics(torch.from_numpy(q[start : start + CHUNK]))
        shape = pose.positions.shape[:2]
        turns = Rotation.from_matrix(pose.rotations.reshape(-1, 3, 3).numpy()).as_quat(
            canonical=True, scalar_first=True
        )
        rows = np.concatenate([pose.positions.numpy(), turns.reshape(*shape, 4)], axis=2).reshape(shape[0], -1)
        for time, row in zip(times[start : start + CHUNK].tolist(), rows.tolist(), strict=True):
            yield ",".join(map(repr, [time, *row]))
