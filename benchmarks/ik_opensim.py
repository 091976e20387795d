"""Inverse kinematics beside OpenSim's tool: same markers, model and weights. python benchmarks/ik_opensim.py [--fast].

Needs REHABMOTION_DATA (opensim/, video/, uiprmd/) and the package opensim. For each recording: how far angles lie
apart, whose sum of squares is smaller, and how much faster we are, with one thread each, one after the other.
OpenSim runs at its usual accuracy 1e-5 and, unless --fast, at 1e-9. Of angles that make the same rotations both sides
take those nearest to the default: which of them a search ends in is chance. Writes docs/results/ik-opensim.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opensim
import torch
from common import commit

from rehabmotion.biomech.branches import nearest_branch
from rehabmotion.biomech.description import Model
from rehabmotion.biomech.fitting import Problem
from rehabmotion.biomech.inverse import inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.data.corpora import corpus_root, data_folder
from rehabmotion.io.ik_tasks import read_ik_tasks
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.io.osim_write import write_scaled_osim
from rehabmotion.io.storage import read_storage
from rehabmotion.io.trc import read_trc, write_trc
from rehabmotion.io.uiprmd_vicon import read_uiprmd_vicon
from rehabmotion.motion import Motion
from rehabmotion.workflows.fk import coordinates_of
from rehabmotion.workflows.ik import fit
from rehabmotion.workflows.markers import of_motion

TRIAL = "video/pose2sim_single/S00_P00_T01_BalancingTrial/pose-3d/S00_P00_T01_BalancingTrial_0-100_filt_butterworth"
MODELS = "video/pose2sim_single/OpenSim/Model_Pose2Sim"
SETUPS = "opensim/pose2sim/IK_Setup_Pose2Sim"
EVERY = 397  # of the recordings of UI-PRMD: four of them


@dataclass(frozen=True)
class Recording:
    """Markers, a model of that person's size, and weights by marker (None: 1 each)."""

    name: str
    model: Path
    trc: Path
    weights: dict[str, float] | None


def recordings(folder: Path) -> Iterator[Recording]:
    """Yield the recordings; those of UI-PRMD with rehab37 scaled by our own fit, written to `folder`."""
    root = data_folder(None)
    assert root is not None
    for name, setup, end in (("LSTM", "withHands_LSTM", "_LSTM"), ("body25b", "Body25b", "")):
        weights = read_ik_tasks(root / f"{SETUPS}_{setup}.xml").weights
        yield Recording(f"Pose2Sim {name}", root / f"{MODELS}_{name}_scaled.osim", root / f"{TRIAL}{end}.trc", weights)
    vicon = corpus_root("uiprmd-vicon")
    assert vicon is not None
    for motion in read_uiprmd_vicon(vicon / "vicon_markers_100hz.npz")[::EVERY]:
        yield _of_uiprmd(motion, folder)


def _of_uiprmd(motion: Motion, folder: Path) -> Recording:
    name = f"UI-PRMD {motion.meta['subject']} {motion.meta['exercise']}"
    path = folder / name.replace(" ", "_")
    fitted = fit(of_motion(motion, open_osim("rehab37"), False, name), open_osim("rehab37"))
    scales = dict(zip([b.name for b in fitted.model.bodies], fitted.scaled.scales.tolist(), strict=True))
    model = path.with_suffix(".osim")
    write_scaled_osim(shipped_osim("rehab37"), scales, fitted.model, "scaled", "for a benchmark", model)
    write_trc(motion, path.with_suffix(".trc"))
    return Recording(name, model, path.with_suffix(".trc"), None)


def ours(recording: Recording, model: Model) -> tuple[torch.Tensor, float, Any]:
    """Return coordinates (T, C), seconds, and what tells the cost of any coordinates."""
    (motion,) = read_trc(recording.trc)
    seen = of_motion(motion, model, False, recording.name)
    weight = torch.tensor(
        [(recording.weights or {}).get(m.name, 0.0 if recording.weights else 1.0) for m in model.markers]
    )
    kinematics = Kinematics(model)
    began = time.perf_counter()
    q = inverse_kinematics(kinematics, seen.target, seen.valid & (weight > 0), weight.double()).q
    seconds = time.perf_counter() - began

    def cost(other: torch.Tensor) -> torch.Tensor:
        far = (kinematics.markers(other) - seen.target).square().sum(dim=-1)
        return (far * weight * seen.valid).sum(dim=-1)

    return q, seconds, cost


def theirs(recording: Recording, model: Model, accuracy: float, folder: Path) -> tuple[torch.Tensor, float]:
    """Return the coordinates (T, C) of OpenSim's tool, brought to our branch, and the seconds it took."""
    tool = opensim.InverseKinematicsTool()
    kept = opensim.Model(str(recording.model))  # the tool does not own it
    tool.setModel(kept)
    tool.setMarkerDataFileName(str(recording.trc))
    for marker in model.markers:
        weight = (recording.weights or {}).get(marker.name, 0.0 if recording.weights else 1.0)
        task = opensim.IKMarkerTask()
        task.setName(marker.name)
        task.setWeight(weight)
        task.setApply(weight > 0)
        tool.getIKTaskSet().cloneAndAppend(task)
    times = opensim.TimeSeriesTableVec3(str(recording.trc)).getIndependentColumn()
    tool.setStartTime(times[0])
    tool.setEndTime(times[-1])
    tool.set_accuracy(accuracy)
    tool.set_report_errors(False)
    tool.setResultsDir(str(folder))
    tool.setOutputMotionFileName(str(folder / "theirs.mot"))
    began = time.perf_counter()
    tool.run()
    seconds = time.perf_counter() - began
    q = torch.from_numpy(coordinates_of(read_storage(folder / "theirs.mot"), model))
    kinematics = Kinematics(model)
    nothing = torch.zeros(len(q), len(model.markers), dtype=torch.float64)
    problem = Problem(kinematics, torch.zeros(*nothing.shape, 3, dtype=torch.float64), nothing)
    return nearest_branch(problem, kinematics.coupled(q)), seconds


def compared(recording: Recording, accuracies: tuple[float, ...], folder: Path) -> dict[str, Any]:
    """Return the figures of a recording."""
    model = read_osim(recording.model)
    q, seconds, cost = ours(recording, model)
    free = [i for i, c in enumerate(model.coordinates) if c.name in model.free() and c.motion == "rotational"]
    limits = torch.tensor([model.coordinates[i].range for i in free], dtype=torch.float64)
    row: dict[str, Any] = {"frames": len(q), "free": len(free), "ours_s": round(seconds, 2)}
    for accuracy in accuracies:
        other, took = theirs(recording, model, accuracy, folder)
        apart = torch.rad2deg((q - other)[:, free])
        apart = (apart - 360 * (apart / 360).round()).abs()
        at_limit = torch.zeros_like(apart, dtype=torch.bool)
        for found in (q[:, free], other[:, free]):
            at_limit |= (found < limits[:, 0] + 1e-3) | (found > limits[:, 1] - 1e-3)
        beyond = (apart > 30) & ~at_limit
        share = cost(q) / cost(other)
        row[f"accuracy {accuracy:g}"] = {
            "theirs_s": round(took, 2),
            "times_faster": round(took / seconds, 1),
            "mean_deg": round(float(apart.mean()), 3),
            "median_deg": round(float(apart.median()), 4),
            "frames_beyond_30_deg": int(beyond.any(dim=1).sum()),
            "worst": model.coordinates[free[int(apart.amax(dim=0).argmax())]].name,
            "cost_ratio_mean": round(float(share.mean()), 5),
            "our_cost_lower": round(float((share < 1).double().mean()), 3),
        }
    return row


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="OpenSim at its usual accuracy alone.")
    parser.add_argument("--out", type=Path, default=Path("docs/results/ik-opensim.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("Off")
    accuracies = (1e-5,) if arguments.fast else (1e-5, 1e-9)
    with tempfile.TemporaryDirectory() as folder:
        rows = {}
        for recording in recordings(Path(folder)):
            rows[recording.name] = compared(recording, accuracies, Path(folder))
            print(recording.name, json.dumps(rows[recording.name]), flush=True)
    figures = {
        "command": "python benchmarks/ik_opensim.py",
        "commit": commit(),
        "opensim": opensim.GetVersion(),
        "rows": rows,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
