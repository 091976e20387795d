"""Joint angles of a motion: OpenSim coordinates and ISB angles over time, ranges of motion, symmetry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.isb import isb_angles
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.files import write_atomic
from rehabmotion.geometry.ranges import outer_range, symmetry_index
from rehabmotion.io.osim_models import open_osim
from rehabmotion.viz.charts import curves
from rehabmotion.workflows.ik import fit
from rehabmotion.workflows.markers import seen_in
from rehabmotion.workflows.outputs import staged

Array = NDArray[np.float64]
PLOTTED = (
    "hip_flexion", "hip_adduction", "knee_flexion", "ankle_dorsiflexion", "shoulder_elevation",
    "shoulder_plane_of_elevation", "lumbar_extension", "pelvis_tilt",
)  # fmt: skip


def joint_angles(motion: Path, out: Path | None = None) -> dict[str, Any]:
    """Return ranges of motion and symmetry of a motion, degrees, JSON-ready.

    With `out`, NAME_angles.csv (every angle over time), NAME_angles.json and NAME_angles.svg are written there.
    """
    model = open_osim("rehab37")
    fitted = fit(seen_in(motion, model), model)
    angles = angles_of(fitted.model, fitted.solution.q)
    result = {
        "name": fitted.seen.name,
        "frames": len(fitted.seen.times),
        "rms_mm": round(1000 * float(fitted.solution.rms.median()), 2),
        "range_deg": {name: range_of(values) for name, values in angles.items()},
        "symmetry_percent": symmetry_of(angles),
        "files": [],
    }
    if out is not None:
        name = fitted.seen.name
        with staged(out) as stage:
            write_atomic(stage / f"{name}_angles.csv", angle_table(fitted.seen.times, angles))
            write_atomic(stage / f"{name}_angles.json", json.dumps(result, indent=1) + "\n")
            write_atomic(stage / f"{name}_angles.svg", _plot(fitted.seen.times, angles, name))
            result["files"] = [str(out / path.name) for path in sorted(stage.iterdir())]
    return result


def angles_of(model: Model, q: Tensor) -> dict[str, Array]:
    """Return all angles (T,) in degrees: rotational coordinates (T, C) of rehab37, then ISB's, named isb_."""
    rotational = [i for i, c in enumerate(model.coordinates) if c.motion == "rotational" and not c.locked]
    angles = {model.coordinates[i].name: np.rad2deg(q[:, i].numpy()) for i in rotational}
    isb = isb_angles(Kinematics(model), q)
    return angles | {f"isb_{name}": np.rad2deg(values) for name, values in isb.items()}


def range_of(values: Array) -> dict[str, float]:
    """Return low and high end of the range of motion, and its width, of one angle (T,)."""
    low, high = outer_range(values)
    return {"low": round(low, 1), "high": round(high, 1), "range": round(high - low, 1)}


def symmetry_of(angles: dict[str, Array]) -> dict[str, float | None]:
    """Return the symmetry index of the ranges of angles that both sides have, percent; None where both hardly move."""
    ranges = {name: range_of(values)["range"] for name, values in angles.items()}
    found: dict[str, float | None] = {}
    for name, right in ranges.items():
        left = ranges.get(name[:-2] + "_l") if name.endswith("_r") else None
        if left is not None:
            index = symmetry_index(right, left)
            found[name[:-2]] = None if index is None else round(index, 1)
    return found


def angle_table(times: Array, angles: dict[str, Array]) -> str:
    """Return angles over time as CSV."""
    lines = [",".join(["time", *(f"{name}_deg" for name in angles)])]
    for time, row in zip(times, np.stack(list(angles.values()), axis=1), strict=True):
        lines.append(",".join([f"{time:.6f}", *(f"{value:.4f}" for value in row)]))
    return "\n".join(lines) + "\n"


def _plot(times: Array, angles: dict[str, Array], name: str) -> str:
    panels: dict[str, dict[str, Array]] = {}
    for wanted in PLOTTED:
        sides = {s: angles.get(f"isb_{wanted}_{s[0]}") for s in ("right", "left")}
        found = {side: values for side, values in sides.items() if values is not None}
        alone = {} if found else {wanted: angles[wanted]} if wanted in angles else {}
        if found or alone:
            panels[wanted.replace("_", " ")] = found or alone
    return curves(times, panels, name, "degrees", "seconds")
