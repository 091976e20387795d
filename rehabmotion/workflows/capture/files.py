"""What a capture leaves: motion, markers, a scaled model with its coordinates, angles, overlay, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion import __version__
from rehabmotion.biomech.description import Model
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io.bvh import write_bvh
from rehabmotion.io.npz import write_npz
from rehabmotion.io.osim_models import SHIPPED, open_osim, shipped_osim
from rehabmotion.io.osim_write import write_scaled_osim
from rehabmotion.io.storage import write_storage
from rehabmotion.io.trc import write_trc
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import bone_lengths, symmetric, with_bone_lengths
from rehabmotion.motion.skeleton import Skeleton
from rehabmotion.viz.capture_report import capture_report
from rehabmotion.workflows.angles import angle_table, angles_of, range_of, symmetry_of
from rehabmotion.workflows.capture.lifting import Captured
from rehabmotion.workflows.capture.resample import at_times
from rehabmotion.workflows.ik import WHAT, fit, storage_of_coordinates
from rehabmotion.workflows.lifter import OSIM
from rehabmotion.workflows.markers import JOINT, of_motion

Array = NDArray[np.float64]
DENSE = "_study"


@dataclass(frozen=True)
class Told:
    """What is said about a capture: warnings, how it was done, coordinates in doubt, parts seen and how surely."""

    warnings: Sequence[str]
    how: Mapping[str, str]
    doubtful: Sequence[str]
    seen: Mapping[str, tuple[float, float]]


def check_model(osim: str) -> None:
    """Raise UserError unless captured markers can be fitted to a model: three or more of them are its own."""
    other = open_osim(osim)
    if osim == OSIM:
        return
    common = set(marker_names(open_osim(OSIM))) & {marker.name for marker in other.markers}
    if len(common) < 3:
        raise UserError(
            f"Expected a model with markers that a capture has (r_knee_study, joint_left_knee ...), {other.name} has "
            f"{len(common)} of them. Add them to the model, or leave --osim out."
        )


def marker_names(model: Model) -> list[str]:
    """Return the markers that a capture writes: the 43 dense ones and the joints."""
    return [m.name for m in model.markers if DENSE in m.name or m.name.startswith(JOINT)]


def write_capture(found: Captured, name: str, osim: str, told: Told, stage: Path) -> dict[str, Any]:
    """Write the files of one person into a folder and return ranges of motion and symmetry, JSON-ready."""
    model = open_osim(OSIM)
    motion = canonical_motion(found, model)
    write_npz(motion, stage / f"{name}.npz")
    write_bvh(motion, stage / f"{name}.bvh")
    markers = marker_motion(found, model)
    write_trc(markers, stage / f"{name}.trc")
    errors = _model_files(found, markers, name, osim, stage)
    angles = angles_of(model, torch.from_numpy(found.q))
    write_atomic(stage / f"{name}.csv", angle_table(found.times, angles))
    shown = {key: np.where(found.seen, values, np.nan) for key, values in angles.items() if not key.startswith("isb_")}
    names = [c.name for c in model.coordinates]
    bands = {key: np.rad2deg(found.band[:, names.index(key)]) for key in shown if found.band[:, names.index(key)].any()}
    page = capture_report(
        name, found.times, shown, bands, told.seen, told.warnings, told.how, told.doubtful, [(name, motion)]
    )
    write_atomic(stage / f"{name}_report.html", page)
    return {
        "range_deg": {key: range_of(values[found.seen]) for key, values in angles.items()},
        "symmetry_percent": symmetry_of({key: values[found.seen] for key, values in angles.items()}),
        "mean_band_deg": {key: round(float(values.mean()), 1) for key, values in bands.items()},
        **errors,
    }


def even(times: Array, values: Array) -> tuple[Array, float]:
    """Return values (T, ...) at even times and their rate; frames that are even already stay as they are."""
    if len(times) < 2:
        return values, 30.0
    fps = (len(times) - 1) / float(times[-1] - times[0])
    if np.abs(np.diff(times) * fps - 1).max() < 0.02:
        return values, fps
    return at_times(values, times, times[0] + np.arange(len(times)) / fps), fps


def placed(found: Captured, model: Model, names: Sequence[str]) -> Array:
    """Return where markers of the model stand in ground, (T, M, 3) m."""
    number = {m.name: m for m in model.markers}
    k = Kinematics(model.with_markers([number[name] for name in names]))
    with torch.no_grad():
        return k.markers(torch.from_numpy(found.q), torch.from_numpy(found.scales)).numpy()


def canonical_motion(found: Captured, model: Model) -> Motion:
    """Return the 22 joints, facing +z where ground's x is forward; frames without the person are masked."""
    joints = placed(found, model, [JOINT + name for name in CANONICAL.joint_names])
    places, fps = even(found.times, np.stack([-joints[..., 2], joints[..., 1], joints[..., 0]], axis=-1))
    seen = even(found.times, found.seen.astype(float))[0] > 0.5
    valid = np.broadcast_to(seen[:, None], places.shape[:2]).copy()
    motion = Motion(places.astype(np.float32), fps, valid=valid, meta={"source": "capture", "version": __version__})
    lengths = symmetric(bone_lengths(motion.positions, np.ones_like(valid)))
    return with_bone_lengths(motion.but(valid=np.ones_like(valid)), lengths).but(valid=valid)


def marker_motion(found: Captured, model: Model) -> Motion:
    """Return the 43 dense markers and the joints as markers, in ground; frames without the person are masked."""
    names = marker_names(model)
    places, fps = even(found.times, placed(found, model, names))
    seen = even(found.times, found.seen.astype(float))[0] > 0.5
    skeleton = Skeleton(tuple(names), (-1,) * len(names))
    return Motion(places.astype(np.float32), fps, skeleton, np.broadcast_to(seen[:, None], places.shape[:2]).copy())


def _model_files(found: Captured, markers: Motion, name: str, osim: str, stage: Path) -> dict[str, Any]:
    """Write the scaled model and its coordinates; those of another model by inverse kinematics of the markers."""
    note = f"Scaled by rehabmotion {__version__}: {WHAT}"
    if osim == OSIM:
        model = open_osim(OSIM)
        factors = {b.name: row for b, row in zip(model.bodies, found.scales.tolist(), strict=True)}
        write_scaled_osim(shipped_osim(OSIM), factors, model, f"{model.name}_{name}", note, stage / f"{name}.osim")
        write_storage(storage_of_coordinates(model, found.q, found.times), stage / f"{name}.mot")
        return {}
    other = open_osim(osim)
    fitted = fit(of_motion(markers.but(valid=np.ones_like(markers.valid)), other, False, name), other)
    factors = {b.name: row for b, row in zip(other.bodies, fitted.scaled.scales.tolist(), strict=True)}
    source = shipped_osim(osim) if osim in SHIPPED else Path(osim)
    write_scaled_osim(source, factors, fitted.model, f"{other.name}_{name}", note, stage / f"{name}.osim")
    q = at_times(fitted.solution.q.numpy(), fitted.seen.times, found.times - found.times[0])
    write_storage(storage_of_coordinates(fitted.model, q, found.times), stage / f"{name}.mot")
    return {"model_rms_mm": round(1000 * float(fitted.solution.rms.median()), 1)}
