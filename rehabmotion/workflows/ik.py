"""Inverse kinematics: markers or joints of a person in, a scaled model, its coordinates and what they miss out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion import __version__
from rehabmotion.biomech.description import Model
from rehabmotion.biomech.inverse import InverseConfig, Solution, inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import Scaled, fit_scales
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.ik_tasks import read_ik_tasks
from rehabmotion.io.osim_models import SHIPPED, open_osim, shipped_osim
from rehabmotion.io.osim_write import write_scaled_osim
from rehabmotion.io.storage import Storage, write_storage
from rehabmotion.viz.ik_report import ik_report
from rehabmotion.workflows.markers import Seen, height_of, seen_in
from rehabmotion.workflows.outputs import staged

HEIGHTS = (0.5, 2.5)  # m
WHAT = "frames, markers, translations of joints, meshes. Muscles, contacts and masses are those of the original."


@dataclass(frozen=True)
class Fitted:
    """A person's model, factors (B, 3) it was scaled by, what was seen, and the coordinates found."""

    scaled: Scaled
    seen: Seen
    solution: Solution

    @property
    def model(self) -> Model:
        """The model, its markers where the person wears them; bodies unscaled."""
        return self.scaled.model


def inverse_kinematics_files(
    motion: Path,
    out: Path,
    osim: str = "rehab37",
    height: float | None = None,
    tasks: Path | None = None,
    scale: bool = True,
) -> dict[str, Any]:
    """Write NAME_scaled.osim, NAME.mot, NAME_errors.csv, NAME_report.json and .html to `out`; return the report.

    height: of the person, m; tasks: OpenSim's marker weights; without `scale` the model is taken as it is.
    """
    model = open_osim(osim)
    weights, notes = _weights(model, tasks)
    fitted = fit(seen_in(motion, model), model, weights, height, scale)
    report = report_of(fitted, osim, notes)
    name = fitted.seen.name
    with staged(out) as stage:
        if scale:
            source = shipped_osim(osim) if osim in SHIPPED else Path(osim)
            factors = _named(fitted)
            note = f"Scaled by rehabmotion {__version__}: {WHAT}"
            write_scaled_osim(
                source, factors, fitted.model, f"{model.name}_{name}", note, stage / f"{name}_scaled.osim"
            )
        write_storage(storage_of(fitted), stage / f"{name}.mot")
        write_atomic(stage / f"{name}_errors.csv", _errors(fitted))
        write_atomic(stage / f"{name}_report.json", json.dumps(report, indent=1) + "\n")
        write_atomic(stage / f"{name}_report.html", page(fitted, report))
        files = sorted(path.name for path in stage.iterdir())
    return {**report, "files": [str(out / file) for file in files]}


def fit(
    seen: Seen,
    model: Model,
    weights: torch.Tensor | None = None,
    height: float | None = None,
    scale: bool = True,
    config: InverseConfig | None = None,
) -> Fitted:
    """Return a model scaled to a person and the coordinates that bring it where the person was seen."""
    check_height(height)
    if height is not None and not scale:
        raise UserError("Expected no height with a model that is taken as it is. Leave one of them out.")
    asked = seen.valid & (True if weights is None else weights > 0)
    few = (asked.sum(dim=1) < 3).nonzero()[:, 0].tolist()
    if few:
        raise UserError(
            f"Expected three markers or more in every frame, {len(few)} have fewer, the first at "
            f"{seen.times[few[0]]:.3f} s. Cut those frames or fill the gaps."
        )
    if seen.joints:  # a joint's centre is where it is: people do not wear it elsewhere
        model = model.with_markers(replace(marker, fixed=True) for marker in model.markers)
    factor = None if height is None else height / height_of(model)
    if scale:
        scaled = fit_scales(model, seen.target, asked, weights, factor)
    else:
        scaled = Scaled(torch.ones(len(model.bodies), 3, dtype=torch.float64), model)
    kinematics = Kinematics(scaled.model)
    factors = scaled.scales if scale else None
    return Fitted(scaled, seen, inverse_kinematics(kinematics, seen.target, asked, weights, factors, config=config))


def check_height(height: float | None) -> None:
    """Raise UserError for a height (m) that no person has; None is none given."""
    if height is not None and not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise UserError(f"Expected a height from {HEIGHTS[0]:g} to {HEIGHTS[1]:g} m, got {height:g}.")


def storage_of(fitted: Fitted) -> Storage:
    """Return the coordinates found as OpenSim's tool writes them."""
    return storage_of_coordinates(fitted.model, fitted.solution.q.numpy(), fitted.seen.times)


def storage_of_coordinates(model: Model, q: NDArray[np.floating], times: NDArray[np.float64]) -> Storage:
    """Return coordinates (T, C), rad and m, at times (T,) s: degrees, but lengths in m and coupled ones as they are."""
    values = q.astype(np.float64)
    for i, coordinate in enumerate(model.coordinates):
        if coordinate.motion == "rotational":
            values[:, i] = np.rad2deg(values[:, i])
    return Storage("Coordinates", times, tuple(coordinate.name for coordinate in model.coordinates), values, True)


def report_of(fitted: Fitted, osim: str, notes: list[str]) -> dict[str, Any]:
    """Return what was found, JSON-ready: errors in mm, factors, coordinates that stand at a limit."""
    errors = 1000 * fitted.solution.errors.numpy()
    rms = 1000 * fitted.solution.rms.numpy()
    each = {
        marker.name: round(float(np.sqrt(np.nanmean(errors[:, i] ** 2))), 2)
        for i, marker in enumerate(fitted.model.markers)
        if not np.isnan(errors[:, i]).all()
    }
    limited = fitted.solution.limited.double().mean(dim=0).tolist()
    held = {c.name: round(s, 4) for c, s in zip(fitted.model.coordinates, limited, strict=True) if s > 0}
    if fitted.seen.unused:
        notes = [*notes, f"not in the model, left out: {', '.join(fitted.seen.unused)}"]
    return {
        "model": osim,
        "version": __version__,
        "frames": len(rms),
        "rms_mm": {"median": _rounded(np.median(rms)), "mean": _rounded(rms.mean()), "max": _rounded(rms.max())},
        "marker_rms_mm": each,
        "scales": {name: [round(x, 4) for x in factors] for name, factors in _named(fitted).items()},
        "at_a_limit": held,
        "notes": notes,
    }


def page(fitted: Fitted, report: dict[str, Any]) -> str:
    """Return the report as a page with the free coordinates and the markers' errors over time."""
    model, free = fitted.model, set(fitted.model.free())
    values = dict(zip((c.name for c in model.coordinates), storage_of(fitted).values.T, strict=True))
    kinds = {c.name: c.motion for c in model.coordinates if c.name in free}
    errors = 1000 * fitted.solution.errors.numpy()
    return ik_report(
        fitted.seen.name,
        fitted.seen.times,
        {name: values[name] for name, kind in kinds.items() if kind == "rotational"},
        {name: values[name] for name, kind in kinds.items() if kind == "translational"},
        {marker.name: errors[:, i] for i, marker in enumerate(model.markers)},
        report,
    )


def _rounded(x: float) -> float:
    return round(float(x), 2)


def _named(fitted: Fitted) -> dict[str, list[float]]:
    return {b.name: row for b, row in zip(fitted.model.bodies, fitted.scaled.scales.tolist(), strict=True)}


def _weights(model: Model, tasks: Path | None) -> tuple[torch.Tensor | None, list[str]]:
    """Return a weight for each marker of the model, and what of the tasks was left out."""
    if tasks is None:
        return None, []
    read = read_ik_tasks(tasks)
    names = [marker.name for marker in model.markers]
    absent = sorted(set(read.weights) - set(names))
    if len(absent) == len(read.weights):
        raise UserError(f"{tasks}: Expected tasks of markers of {model.name}, got {', '.join(absent[:4])} ...")
    notes = [f"tasks of markers the model lacks: {', '.join(absent)}"] * bool(absent)
    if read.coordinates:
        notes.append(f"tasks of coordinates are not followed: {', '.join(read.coordinates)}")
    return torch.tensor([read.weights.get(name, 0.0) for name in names], dtype=torch.float64), notes


def _errors(fitted: Fitted) -> str:
    """Return a table: time, root mean square and largest error of each frame, each marker's error; mm."""
    errors = 1000 * fitted.solution.errors.numpy()
    kept = [i for i in range(errors.shape[1]) if not np.isnan(errors[:, i]).all()]
    lines = [",".join(["time", "rms_mm", "max_mm", *(f"{fitted.model.markers[i].name}_mm" for i in kept)])]
    for time, rms, row in zip(fitted.seen.times, 1000 * fitted.solution.rms.numpy(), errors[:, kept], strict=True):
        cells = ["" if np.isnan(x) else f"{x:.3f}" for x in row]
        lines.append(",".join([f"{time:.6f}", f"{rms:.3f}", f"{np.nanmax(row):.3f}", *cells]))
    return "\n".join(lines) + "\n"
