"""UI-PRMD through scaling and inverse kinematics: every repetition, by markers and by Kinect, with what they miss.

    python benchmarks/vicon_ik.py [--sensors vicon,kinect] [--out docs/results/vicon-ik] [--angles DIR]

rehab37 is scaled once for each person, from frames of all their exercises, by the 39 markers and by the 22 joints of
the Kinect; the coordinates of each repetition follow from every third frame of the markers (33 Hz) and each of the
Kinect (30 Hz). Where both sensors recorded a repetition, its angles are held against one
another over normalised time. --angles: where to keep a .mot for each. Half an hour on a core, once: what was solved is
kept in the cache folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import bootstrap, commit

from rehabmotion.io.osim_models import open_osim
from rehabmotion.io.storage import write_storage
from rehabmotion.workflows.ik import storage_of_coordinates
from rehabmotion.workflows.labels import MARKERS, Take, labels
from rehabmotion.workflows.lifter_data import is_pair, key_of

SENSORS = {"vicon": MARKERS, "kinect": "uiprmd"}
MODEL = open_osim("rehab37")
COLUMN = {coordinate.name: i for i, coordinate in enumerate(MODEL.coordinates)}
COMPARED = (
    "hip_flexion", "hip_adduction", "knee_angle", "ankle_angle", "arm_flex", "arm_add", "elbow_flex",
)  # fmt: skip


def normalised(take: Take, n: int = 101) -> dict[str, np.ndarray]:
    """Return compared coordinates (n,) over normalised time, degrees."""
    at, frames = np.linspace(0, len(take.q) - 1, n), np.arange(len(take.q))
    names = [f"{joint}_{side}" for joint in COMPARED for side in "rl"]
    return {name: np.interp(at, frames, np.rad2deg(np.unwrap(take.q[:, COLUMN[name]]))) for name in names}


def figures_of(takes: Sequence[Take]) -> dict[str, Any]:
    """Return root mean square errors in mm: over all repetitions, and the median of each person and exercise."""
    each = np.array([1000 * float(np.median(take.rms)) for take in takes])
    people, exercises = (np.array([key_of(take)[i] for take in takes]) for i in (0, 1))
    groups = [each[people == p].tolist() for p in np.unique(people)]
    return {
        "repetitions": len(takes),
        "frames": sum(len(take.q) for take in takes),
        "median_mm": round(float(np.median(each)), 2),
        "mean_mm": round(float(each.mean()), 2),
        "mean_ci_over_people": [round(end, 2) for end in bootstrap(groups)],
        "p95_mm": round(float(np.percentile(each, 95)), 2),
        "people": {str(p): round(float(np.median(each[people == p])), 2) for p in np.unique(people)},
        "exercises": {str(e): round(float(np.median(each[exercises == e])), 2) for e in np.unique(exercises)},
    }


def pairs_of(vicon: Sequence[Take], kinect: Sequence[Take]) -> dict[str, Any]:
    """Return how far the sensors' angles lie apart, degrees: root mean square, and without each curve's own mean."""
    other = {key_of(take): take for take in kinect}
    raw: dict[str, list[float]] = {}
    shape: dict[str, list[float]] = {}
    n = 0
    for take in vicon:
        if not is_pair(key_of(take)) or key_of(take) not in other:
            continue
        n += 1
        a, b = normalised(take), normalised(other[key_of(take)])
        for name in a:
            apart = a[name] - b[name]
            apart = apart - 360 * np.round(apart.mean() / 360)
            raw.setdefault(name[:-2], []).append(float(np.sqrt((apart**2).mean())))
            shape.setdefault(name[:-2], []).append(float(apart.std()))
    return {
        "pairs": n,
        "rms_deg": {name: round(float(np.median(v)), 1) for name, v in raw.items()},
        "rms_without_offset_deg": {name: round(float(np.median(v)), 1) for name, v in shape.items()},
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", default=",".join(SENSORS))
    parser.add_argument("--out", type=Path, default=Path("docs/results/vicon-ik"))
    parser.add_argument("--angles", type=Path, default=None)
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = arguments.sensors.split(",")
    found = {name: labels(corpus, arguments.data_dir, print) for name, corpus in SENSORS.items() if name in chosen}
    for name, takes in found.items() if arguments.angles else ():
        for take in takes:
            write_storage(
                storage_of_coordinates(MODEL, take.q, np.arange(len(take.q)) / take.fps),
                arguments.angles / name / f"{'_'.join(map(str, key_of(take)))}.mot",
            )
    figures = {
        "command": f"python benchmarks/vicon_ik.py --sensors {arguments.sensors}",
        "commit": commit(),
        **{name: figures_of(takes) for name, takes in found.items()},
    }
    if len(found) == len(SENSORS):
        figures["beside one another"] = pairs_of(found["vicon"], found["kinect"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
