"""UI-PRMD through scaling and inverse kinematics: every repetition, by markers and by Kinect, with what they miss.

    python benchmarks/vicon_ik.py [--every 3] [--out docs/results/vicon-ik] [--angles DIR]

rehab37 is scaled once for each person, from frames of all their exercises, by the 39 markers and by the 22 joints of
the Kinect; the coordinates of each repetition follow from every third frame of the markers (33 Hz) and each of the
Kinect (30 Hz). Where both sensors recorded a repetition (NO_PAIRS are other takes), its angles are held against one
another over normalised time. --angles: where to keep a .mot for each. Some twenty minutes on a core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import bootstrap, commit

from rehabmotion.biomech.inverse import Solution, inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import Scaled, fit_scales
from rehabmotion.data.corpora import corpus_root
from rehabmotion.data.prepare import prepared
from rehabmotion.io.osim_models import open_osim
from rehabmotion.io.storage import write_storage
from rehabmotion.io.uiprmd_vicon import read_uiprmd_vicon
from rehabmotion.motion import Motion
from rehabmotion.workflows.ik import Fitted, storage_of
from rehabmotion.workflows.markers import Seen, of_motion

LOOKED_AT = 4  # frames of each repetition from which a person's size is found
FEWEST = 12  # markers in a frame that is solved
NO_PAIRS = {  # of s05, by the durations of both sensors: exercise -> qualities; s01's are other takes throughout
    "standing_shoulder_internal_external_rotation": ("uiprmd:0", "uiprmd:1"),
    "standing_shoulder_scaption": ("uiprmd:0", "uiprmd:1"),
    "standing_shoulder_abduction": ("uiprmd:0",),
}
COMPARED = (
    "hip_flexion", "hip_adduction", "knee_angle", "ankle_angle", "arm_flex", "arm_add", "elbow_flex",
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    """A repetition: who, what, and what was found."""

    key: tuple[str, str, int, str]
    fitted: Fitted


def key_of(motion: Motion) -> tuple[str, str, int, str]:
    """Return subject, exercise, repetition and quality."""
    m = motion.meta
    return str(m["subject"]), str(m["exercise"]), int(m["repetition"]), str(motion.scores[0])


def solved(motions: Sequence[Motion], joints: bool, every: int) -> list[Done]:
    """Return the repetitions of one person."""
    model = open_osim("rehab37")
    if joints:
        model = model.with_markers(type(m)(m.name, m.frame, m.location, True) for m in model.markers)
    seen = [(key_of(m), _cut(of_motion(m, model, joints, "x"), every)) for m in motions]
    seen = [(key, s) for key, s in seen if len(s.times) > 3]
    looked = [_cut(s, max(1, len(s.times) // LOOKED_AT)) for _, s in seen]
    target, valid = (torch.cat([getattr(s, part) for s in looked]) for part in ("target", "valid"))
    scaled = fit_scales(model, target, valid)
    return [Done(key, Fitted(scaled, s, _solve(scaled, s))) for key, s in seen]


def _cut(seen: Seen, every: int) -> Seen:
    rows = [i for i in range(0, len(seen.times), every) if int(seen.valid[i].sum()) >= FEWEST]
    return Seen(seen.name, seen.target[rows], seen.valid[rows], seen.times[rows], seen.joints, seen.unused)


def _solve(scaled: Scaled, seen: Seen) -> Solution:
    return inverse_kinematics(Kinematics(scaled.model), seen.target, seen.valid, scales=scaled.scales)


def normalised(done: Done, n: int = 101) -> dict[str, np.ndarray]:
    """Return compared coordinates (n,) over normalised time, degrees."""
    q, names = done.fitted.solution.q.numpy(), [c.name for c in done.fitted.model.coordinates]
    at = np.linspace(0, len(q) - 1, n)
    found = {}
    for joint in COMPARED:
        for side in "rl":
            values = np.rad2deg(np.unwrap(q[:, names.index(f"{joint}_{side}")]))
            found[f"{joint}_{side}"] = np.interp(at, np.arange(len(q)), values)
    return found


def figures_of(done: Sequence[Done]) -> dict[str, Any]:
    """Return root mean square errors in mm: over all repetitions, and the median of each person and exercise."""
    each = np.array([1000 * float(d.fitted.solution.rms.median()) for d in done])
    people, exercises = np.array([d.key[0] for d in done]), np.array([d.key[1] for d in done])
    groups = [each[people == p].tolist() for p in np.unique(people)]
    return {
        "repetitions": len(done),
        "frames": int(sum(len(d.fitted.seen.times) for d in done)),
        "median_mm": round(float(np.median(each)), 2),
        "mean_mm": round(float(each.mean()), 2),
        "mean_ci_over_people": [round(end, 2) for end in bootstrap(groups)],
        "p95_mm": round(float(np.percentile(each, 95)), 2),
        "people": {str(p): round(float(np.median(each[people == p])), 2) for p in np.unique(people)},
        "exercises": {str(e): round(float(np.median(each[exercises == e])), 2) for e in np.unique(exercises)},
    }


def pairs_of(vicon: Sequence[Done], kinect: Sequence[Done]) -> dict[str, Any]:
    """Return how far the sensors' angles lie apart, degrees: root mean square, and without each curve's own mean."""
    other = {d.key: d for d in kinect}
    raw: dict[str, list[float]] = {}
    shape: dict[str, list[float]] = {}
    n = 0
    for done in vicon:
        subject, exercise, _, quality = done.key
        other_take = subject == "s01" or (subject == "s05" and quality in NO_PAIRS.get(exercise, ()))
        if other_take or done.key not in other:
            continue
        n += 1
        a, b = normalised(done), normalised(other[done.key])
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
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs/results/vicon-ik"))
    parser.add_argument("--each", type=int, default=None, help="Repetitions of a person, exercise, quality; all.")
    parser.add_argument("--angles", type=Path, default=None)
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    root = corpus_root("uiprmd-vicon", arguments.data_dir)
    assert root is not None
    markers = read_uiprmd_vicon(root / "vicon_markers_100hz.npz")
    kinect = [m for part in ("train", "val") for m in prepared(f"uiprmd:{part}", arguments.data_dir)]
    found: dict[str, list[Done]] = {"vicon": [], "kinect": []}
    for subject in sorted({str(m.meta["subject"]) for m in markers}):
        for name, motions, every in (("vicon", markers, arguments.every), ("kinect", kinect, 1)):
            own = [m for m in motions if m.meta["subject"] == subject]
            own = [m for m in own if arguments.each is None or int(m.meta["repetition"]) <= arguments.each]
            found[name] += solved(own, name == "kinect", every) if own else []
            print(subject, name, len(own), flush=True)
    for name, done in found.items() if arguments.angles else ():
        for d in done:
            write_storage(storage_of(d.fitted), arguments.angles / name / f"{'_'.join(map(str, d.key))}.mot")
    figures = {
        "command": f"python benchmarks/vicon_ik.py --every {arguments.every}"
        + (f" --each {arguments.each}" if arguments.each else ""),
        "commit": commit(),
        **{name: figures_of(done) for name, done in found.items() if done},
        "beside one another": pairs_of(found["vicon"], found["kinect"]),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
