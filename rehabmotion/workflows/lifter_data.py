"""What the lifter learns from: joint angles of recorded and simulated people, and pairs of two sensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.data.prepare import prepared
from rehabmotion.geometry.signal import between_frames, sample_at
from rehabmotion.models.lifter.body import Body
from rehabmotion.motion import Motion
from rehabmotion.motion.skeleton import CANONICAL
from rehabmotion.training.lifting.library import Recorded
from rehabmotion.training.lifting.pairs import ALIKE, JOINTS, Pair, aligned, bends, facing
from rehabmotion.training.lifting.truth import moved_points
from rehabmotion.workflows.labels import MARKERS, Take, labels

SENSOR = "uiprmd"
CORPORA = (MARKERS, "cmu")
HELD_OUT = ("s06", "s08")
CALIBRATION = ("s07",)  # not learnt from: the widths of the bands are set by this person
NO_PAIRS = {  # of s05, by the durations of both sensors: exercise -> qualities; s01's are other takes throughout
    "standing_shoulder_internal_external_rotation": ("uiprmd:0", "uiprmd:1"),
    "standing_shoulder_scaption": ("uiprmd:0", "uiprmd:1"),
    "standing_shoulder_abduction": ("uiprmd:0",),
}
FPS = 30.0
WORST = 0.05  # m: frames a model misses by more are no labels


@dataclass(frozen=True)
class LifterData:
    """Clips of angles and pairs of sensors, by what they are for."""

    training: list[Recorded]
    calibration: list[Recorded]
    held_out: list[Recorded]
    pairs: list[Pair]
    held_out_pairs: list[Pair]


def lifter_data(
    body: Body,
    corpora: Sequence[str] = CORPORA,
    data_dir: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> LifterData:
    """Return what there is to learn from; what was solved is kept in the cache folder."""
    found: dict[str, list[Recorded]] = {"training": [], "calibration": [], "held out": []}
    for corpus in corpora:
        for take in labels(corpus, data_dir, say):
            if float(np.median(take.rms)) < WORST and len(take.q) > 8:
                found[_role(corpus, take)].append(recorded_of(take, corpus, body))
    pairs: dict[str, list[Pair]] = {"training": [], "calibration": [], "held out": []}
    if MARKERS in corpora:
        for role, pair in sensor_pairs(body, data_dir, say):
            pairs[role].append(pair)
        say(f"{len(pairs['training'])} pairs of sensors to learn from, {len(pairs['held out'])} held out")
    return LifterData(found["training"], found["calibration"], found["held out"], pairs["training"], pairs["held out"])


def sensor_pairs(body: Body, data_dir: Path | None, say: Callable[[str], None]) -> list[tuple[str, Pair]]:
    """Return repetitions that both sensors recorded, aligned in time and direction; bad fits are left out."""
    motions = {key_of_motion(motion): motion for motion in prepared(SENSOR, data_dir)}
    order = body.points
    found = list[tuple[str, Pair]]()
    for take in labels(MARKERS, data_dir, say):
        motion = motions.get(key_of(take))
        if motion is None or not is_pair(key_of(take)) or len(take.q) < 8:
            continue
        q, tied = _at_rate(take, body), _tied(take, body)
        points, known = sensor_points(motion, body)
        places = moved_points(body, torch.from_numpy(q)[None], torch.from_numpy(tied)[None])[0][0].astype(np.float32)
        at, alike = aligned(bends(points, order), bends(places, order))
        if alike < ALIKE:
            continue
        points = facing(points, between_frames(places, at), order)
        found.append((_role(MARKERS, take), Pair(points, known, between_frames(q, at), tied)))
    return found


def sensor_points(motion: Motion, body: Body) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the sensor's joints as detector points (T, P, 3) m in ground, and which points there are (P,)."""
    names = body.points
    places = np.stack([motion.positions[..., 2], motion.positions[..., 1], -motion.positions[..., 0]], axis=-1)
    points, known = np.zeros((motion.n_frames, len(names), 3), np.float32), np.zeros(len(names), bool)
    for i, name in enumerate(names):
        if name in JOINTS:
            points[:, i], known[i] = places[:, CANONICAL.joint_names.index(JOINTS[name])], True
    return points, known


def key_of(take: Take) -> tuple[str, str, int, str]:
    """Return subject, exercise, repetition and quality."""
    m = take.meta
    return str(m.get("subject")), str(m.get("exercise")), int(m.get("repetition") or 0), take.score


def key_of_motion(motion: Motion) -> tuple[str, str, int, str]:
    """Return subject, exercise, repetition and quality."""
    m, score = motion.meta, str(motion.scores[0]) if motion.scores else ""
    return str(m.get("subject")), str(m.get("exercise")), int(m.get("repetition") or 0), score


def is_pair(key: tuple[str, str, int, str]) -> bool:
    """Return whether both sensors recorded the same movement."""
    subject, exercise, _, quality = key
    return subject != "s01" and not (subject == "s05" and quality in NO_PAIRS.get(exercise, ()))


def _role(corpus: str, take: Take) -> str:
    if corpus != MARKERS:
        return "training"
    who = str(take.meta["subject"])
    return "held out" if who in HELD_OUT else "calibration" if who in CALIBRATION else "training"


def recorded_of(take: Take, corpus: str, body: Body) -> Recorded:
    what = str(take.meta.get("exercise") or take.meta.get("source_file") or "")
    return Recorded(_at_rate(take, body), _tied(take, body), f"{what} {take.score}", corpus)


def _at_rate(take: Take, body: Body) -> NDArray[np.float32]:
    """Return coordinates at 30 frames/s; what is no part of the lifter's body is 0."""
    if take.fps == FPS:
        q = take.q.copy()
    else:
        times = np.arange(len(take.q)) / take.fps
        q = sample_at(take.q, np.arange(0, times[-1] + 1e-9, 1 / FPS), times).astype(np.float32)
    moved = set(body.turned_columns) | {body.names.index(f"pelvis_t{axis}") for axis in "xyz"}
    q[:, [i for i in range(q.shape[1]) if i not in moved]] = 0.0
    return q


def _tied(take: Take, body: Body) -> NDArray[np.float32]:
    return body.tied(torch.from_numpy(take.scales)).numpy()
