"""Capture against truth: held-out people of UI-PRMD seen by drawn cameras, a real Kinect, and real video.

    python benchmarks/capture.py [projected] [kinect] [keypoints] [video] [--every 10] [--lifter NAME] [--out FILE]

projected: angles of s06 and s08 by markers, their detector points in 1080p at 0, 45 and 90 degrees, with 6 px white
noise, a walk that reaches 20 mm, 5 % drop-outs; beside inverse kinematics on the same points in space with the same
noise. kinect: the joints of the Kinect as detector, against markers. video: Pose2Sim's trial, each camera alone and
without its calibration, by OpenPose's points and from the video, against four cameras.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import SEED, bootstrap, commit

from rehabmotion.biomech.inverse import inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import fit_scales
from rehabmotion.io.storage import read_storage
from rehabmotion.io.trc import read_trc
from rehabmotion.models.lifter.body import Body, from_angles, to_angles
from rehabmotion.training.lifting.library import Recorded
from rehabmotion.training.lifting.pairs import Pair
from rehabmotion.training.lifting.scene import cameras
from rehabmotion.training.lifting.truth import moved_points
from rehabmotion.vision.points import NUMBER, POINTS
from rehabmotion.vision.track import Track
from rehabmotion.workflows.capture.lifting import Captured, captured
from rehabmotion.workflows.capture.watch import watch
from rehabmotion.workflows.labels import MARKERS, labels
from rehabmotion.workflows.lifter import open_lifter
from rehabmotion.workflows.lifter_data import HELD_OUT, sensor_pairs

VIEWS = (0, 45, 90)  # degrees: from before, from between, from the side
SIZE, FOV = (1920, 1080), 60.0
WHITE_PX, WALK, LOST = 6.0, 0.020, 0.05
BLAZEPOSE_LACKS = ("neck", "head_top", "left_small_toe", "right_small_toe")
SAGITTAL = [f"{name}_{side}" for name in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl"]
GROUPS = {
    "pelvis": ("pelvis_tilt", "pelvis_list", "pelvis_rotation"), "hip": ("hip_",), "knee": ("knee",),
    "ankle": ("ankle",), "lumbar": ("lumbar",), "shoulder": ("arm_",), "elbow": ("elbow",), "forearm": ("pro_sup",),
}  # fmt: skip
TRIPLES = [
    [f"{a}_{side}" for a in names]
    for names in (("hip_flexion", "hip_adduction", "hip_rotation"), ("arm_flex", "arm_add", "arm_rot"))
    for side in "rl"
] + [["lumbar_extension", "lumbar_bending", "lumbar_rotation"]]
TRIAL = "S00_P00_T01_BalancingTrial"
LEAST_RANGE = 5.0  # degrees: coordinates that move by less are not counted


def projected(rng: np.random.Generator, places: np.ndarray, azimuth: float) -> tuple[Track, np.ndarray]:
    """Return what a camera sees of points (T, P, 3) m in ground, and these in space with the same noise, (T, P, 3)."""
    middle = places.mean(axis=(0, 1))[None]
    focal = SIZE[0] / 2 / np.tan(np.deg2rad(FOV) / 2)
    zero = np.zeros(1)
    view = cameras(middle, np.array([azimuth]), zero + 0.05, zero, zero + 3.4, np.zeros((1, 2)))
    at = view.seen(places[None])[0]
    pixels = at[..., :2] / at[..., 2:] * focal + np.array(SIZE) / 2
    t, p = places.shape[:2]
    steps = rng.standard_normal((t, p, 3))
    walk = np.cumsum(steps, axis=0)
    walk = walk - walk.mean(axis=0)
    walk *= WALK / np.maximum(np.abs(walk).max(axis=0, keepdims=True), 1e-9)
    pixels = pixels + rng.normal(0, WHITE_PX, pixels.shape) + walk[..., :2] / at[..., 2:] * focal
    confidence = (rng.random((t, p)) >= LOST).astype(np.float32)
    confidence[:, [NUMBER[name] for name in BLAZEPOSE_LACKS]] = 0
    depth = at[..., 2:] / focal
    noisy = places + walk + rng.normal(0, 1, at.shape) * WHITE_PX * depth
    return Track(pixels.astype(np.float32), confidence, None, np.arange(t) / 30.0, SIZE), noisy


def errors_of(found: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Return mean absolute errors, degrees, of the rotational coordinates that move; the same rotations compared."""
    return {name: float(np.rad2deg(np.abs(apart).mean())) for name, apart in apart_of(found, truth, names).items()}


def apart_of(found: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return differences (T,), rad, of the rotational coordinates whose true range exceeds LEAST_RANGE.

    Both pelves are turned about the vertical to face x on the whole: no picture tells where ground's x lies, and tilt
    and list change places with it. Of the two triples of angles that make one rotation of a ball joint, and of whole
    turns, the nearer to the truth counts.
    """
    found, truth = ahead(found, names), ahead(truth, names)
    apart = found - truth
    apart -= 2 * np.pi * np.round(apart / (2 * np.pi))
    for triple in TRIPLES:
        columns = [names.index(name) for name in triple]
        twin = np.pi + found[:, columns] * np.array([1.0, -1.0, 1.0]) - truth[:, columns]
        twin -= 2 * np.pi * np.round(twin / (2 * np.pi))
        nearer = np.abs(twin).sum(axis=1) < np.abs(apart[:, columns]).sum(axis=1)
        apart[:, columns] = np.where(nearer[:, None], twin, apart[:, columns])
    moving = [i for i, name in enumerate(names) if not name.startswith(("pelvis_tx", "pelvis_ty", "pelvis_tz"))]
    return {names[i]: apart[:, i] for i in moving if np.ptp(truth[:, i]) >= np.deg2rad(LEAST_RANGE)}


def ahead(q: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return coordinates (T, C) with ground turned about the vertical so that the pelvis faces x on the whole."""
    columns = [names.index(f"pelvis_{name}") for name in ("tilt", "list", "rotation")]
    pelvis = from_angles(torch.from_numpy(q[:, columns]).double())
    forward = pelvis[:, :, 0].mean(dim=0)
    yaw = torch.atan2(-forward[2], forward[0])
    about_y = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64) * -yaw
    out = q.astype(np.float64).copy()
    out[:, columns] = to_angles(from_angles(about_y) @ pelvis).numpy()
    return out


def by_ik(body: Body, clip: Recorded, noisy: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return coordinates (T, C) by scaling and inverse kinematics of points in space (T, P, 3)."""
    model = body.model.with_markers(body.model.markers[: len(POINTS)])
    target, seen = torch.from_numpy(noisy), torch.from_numpy(valid)
    scaled = fit_scales(model, target, seen)
    found = inverse_kinematics(Kinematics(scaled.model), target, seen, scales=scaled.scales)
    return found.q.numpy()


def summary(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return means over clips: sagittal angles of the legs, all that move, groups; intervals over clips."""
    rows = list(rows)
    legs = [float(np.mean([r["errors"][n] for n in SAGITTAL if n in r["errors"]])) for r in rows
            if any(n in r["errors"] for n in SAGITTAL)]  # fmt: skip
    every = [float(np.mean(list(r["errors"].values()))) for r in rows if r["errors"]]
    people = sorted({r["subject"] for r in rows})
    groups = {
        group: round(float(np.mean([v for r in rows for n, v in r["errors"].items() if n.startswith(starts)])), 2)
        for group, starts in GROUPS.items()
        if any(n.startswith(starts) for r in rows for n in r["errors"])
    }
    return {
        "clips": len(rows),
        "people": people,
        "sagittal_legs_deg": round(float(np.mean(legs)), 2),
        "sagittal_ci": [round(x, 2) for x in bootstrap([[v] for v in legs])],
        "rotational_deg": round(float(np.mean(every)), 2),
        "rotational_ci": [round(x, 2) for x in bootstrap([[v] for v in every])],
        "groups_deg": groups,
    }


def measure_projected(lifter: Any, about: Any, every: int, with_ik: bool) -> dict[str, Any]:
    """Return figures of held-out people seen by drawn cameras."""
    from rehabmotion.workflows import lifter_data

    body = lifter.body
    takes = [t for t in labels(MARKERS) if t.meta["subject"] in HELD_OUT and len(t.q) > 15]
    takes = takes[::every]
    rows: dict[str, list[dict[str, Any]]] = {**{f"{v} degrees": [] for v in VIEWS}, "inverse kinematics": []}
    inside: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    names = list(body.names)
    for number, take in enumerate(takes):
        clip = lifter_data.recorded_of(take, MARKERS, body)
        q, tied = torch.from_numpy(clip.q)[None], torch.from_numpy(clip.tied)[None]
        places = moved_points(body, q, tied)[0][0]
        for view in VIEWS:
            rng = np.random.default_rng([SEED, number, view])
            facing = float(np.median(clip.q[:, names.index("pelvis_rotation")]))
            track, noisy = projected(rng, places, np.deg2rad(view) - facing)
            got = captured(track, lifter, about, fov=FOV)
            found = {"subject": take.meta["subject"], "exercise": take.meta["exercise"],
                     "errors": errors_of(got.q, clip.q, names)}  # fmt: skip
            rows[f"{view} degrees"].append(found)
            _bands(got, clip.q, names, inside, widths)
            if view == 45 and with_ik:
                ik = by_ik(body, clip, noisy, track.confidence > 0)
                rows["inverse kinematics"].append({**found, "errors": errors_of(ik, clip.q, names)})
        if number % 10 == 0:
            print(f"{number + 1} of {len(takes)} clips", flush=True)
    figures: dict[str, Any] = {name: summary(r) for name, r in rows.items() if r}
    figures["all views"] = summary([r for v in VIEWS for r in rows[f"{v} degrees"]])
    figures["bands"] = {
        group: {
            "inside": round(float(np.mean(inside[group])), 3),
            "half_width_deg": round(float(np.mean(widths[group])), 1),
        }
        for group in inside
    }
    return figures


def _bands(
    got: Captured,
    truth: np.ndarray,
    names: Sequence[str],
    inside: dict[str, list[bool]],
    widths: dict[str, list[float]],
) -> None:
    """Count whether the truth lies inside the bands, group by group."""
    for name, apart in apart_of(got.q, truth, names).items():
        i = names.index(name)
        group = next((g for g, starts in GROUPS.items() if name.startswith(starts)), None)
        if group is not None and got.band[:, i].any():
            inside.setdefault(group, []).extend((np.abs(apart) <= got.band[:, i]).tolist())
            widths.setdefault(group, []).extend(np.rad2deg(got.band[:, i]).tolist())


def measure_kinect(lifter: Any, about: Any, every: int, with_ik: bool) -> dict[str, Any]:
    """Return figures of what a Kinect saw of held-out people, lifted, beside inverse kinematics of its joints."""
    body, names = lifter.body, list(lifter.body.names)
    pairs = [pair for role, pair in sensor_pairs(body, None, print) if role == "held out"][::every]
    rows: dict[str, list[dict[str, Any]]] = {"lifted": [], "inverse kinematics": []}
    for number, pair in enumerate(pairs):
        got = captured(_kinect_track(pair), lifter, about, fov=FOV)
        own = {"subject": "s06, s08", "exercise": ""}
        rows["lifted"].append({**own, "errors": errors_of(got.q, pair.q, names)})
        if with_ik:
            clip = Recorded(pair.q, pair.tied, "", MARKERS)
            valid = np.broadcast_to(pair.known, pair.points.shape[:2])
            ik = by_ik(body, clip, pair.points.astype(np.float64), valid.copy())
            rows["inverse kinematics"].append({**own, "errors": errors_of(ik, pair.q, names)})
        if number % 10 == 0:
            print(f"{number + 1} of {len(pairs)} pairs", flush=True)
    return {name: summary(r) for name, r in rows.items() if r}


def _kinect_track(pair: Pair) -> Track:
    """Return the Kinect's joints as it saw them: from before, 2.5 m away, its own 3D beside."""
    focal = SIZE[0] / 2 / np.tan(np.deg2rad(FOV) / 2)
    zero = np.zeros(1)
    places = pair.points.astype(np.float64)
    middle = places[:, pair.known].mean(axis=(0, 1))[None]
    right = places[:, NUMBER["right_hip"]] - places[:, NUMBER["left_hip"]]
    facing = float(np.arctan2(right[:, 0].mean(), right[:, 2].mean()))
    view = cameras(middle, np.array([-facing]), zero, zero, zero + 2.5, np.zeros((1, 2)))
    at = view.seen(places[None])[0]
    pixels = at[..., :2] / np.maximum(at[..., 2:], 0.3) * focal + np.array(SIZE) / 2
    hips = at[:, [NUMBER["left_hip"], NUMBER["right_hip"]]].mean(axis=1, keepdims=True)
    confidence = np.broadcast_to(pair.known, at.shape[:2]).astype(np.float32)
    return Track(pixels.astype(np.float32), confidence, (at - hips).astype(np.float32), np.arange(len(at)) / 30.0, SIZE)


def reference(folder: Path) -> dict[str, np.ndarray]:
    """Return flexions of Pose2Sim's trial by four cameras, (100,) degrees: legs from the .mot, elbows by points."""
    mot = read_storage(next((folder / "OpenSim").glob("*LSTM*.mot")))
    angles = {name: mot.values[:, mot.labels.index(name)] for name in SAGITTAL}
    (points,) = read_trc(next((folder / TRIAL / "pose-3d").glob("*filt_butterworth.trc")))
    for side in ("R", "L"):
        shoulder, elbow, wrist = (
            points.joint(f"{side}{name}").astype(float) for name in ("Shoulder", "Elbow", "Wrist")
        )
        a, b = elbow - shoulder, wrist - elbow
        cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
        angles[f"elbow_flex_{side.lower()}"] = np.rad2deg(np.arccos(cosine))
    return angles


def measure_video(lifter: Any, about: Any, detector: str | None) -> dict[str, Any]:
    """Return figures of Pose2Sim's trial, each camera alone: by OpenPose's keypoints, or by a detector."""
    folder = corpus_folder() / "pose2sim_single"
    truth = reference(folder)
    out = {}
    for camera in ("cam01", "cam02"):
        video = folder / TRIAL / "videos" / f"{camera}.mp4"
        if detector is None:
            watched = watch(video, keypoints=folder / TRIAL / "pose" / f"{camera}_json")
        else:
            watched = watch(video, detector)
        got = captured(watched.choice.track, lifter, about)
        names = list(lifter.body.names)
        each = {}
        for name, values in truth.items():
            mine = np.rad2deg(got.q[:, names.index(name)])
            n = min(len(mine), len(values))
            each[name] = (float(np.abs(mine[:n] - values[:n]).mean()), float(np.corrcoef(mine[:n], values[:n])[0, 1]))
        out[camera] = {
            "error_deg": round(float(np.mean([e for e, _ in each.values()])), 2),
            "correlation": round(float(np.mean([r for _, r in each.values()])), 3),
            "each": {name: [round(e, 1), round(r, 2)] for name, (e, r) in each.items()},
        }
    return out


def corpus_folder() -> Path:
    """Return the folder of videos."""
    return Path(os.environ["REHABMOTION_DATA"]) / "video"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["projected", "kinect"])
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--no-ik", action="store_true")
    parser.add_argument("--lifter", default="lifter")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lifter, about = open_lifter(arguments.lifter)
    figures: dict[str, Any] = {"commit": commit(), "every": arguments.every}
    if "projected" in arguments.what:
        figures["projected"] = measure_projected(lifter, about, arguments.every, not arguments.no_ik)
    if "kinect" in arguments.what:
        figures["kinect"] = measure_kinect(lifter, about, arguments.every, not arguments.no_ik)
    if "keypoints" in arguments.what:
        figures["pose2sim, OpenPose"] = measure_video(lifter, about, None)
    if "video" in arguments.what:
        figures["pose2sim, video"] = measure_video(lifter, about, "mediapipe")
    print(json.dumps(figures, indent=1))
    if arguments.out is not None:
        arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
