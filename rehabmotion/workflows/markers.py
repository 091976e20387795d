"""What a motion says of a model's markers: markers by their names, or the canonical joints as markers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.formats import format_of, read, read_canonical
from rehabmotion.motion import CANONICAL, Motion

JOINT = "joint_"  # before the name of a canonical joint: a marker at its centre
MARKER_FILES = ("trc", "c3d")
TOP, SOLES = "top_of_head", ("sole_right", "sole_left")


@dataclass(frozen=True)
class Seen:
    """Where a model's markers were seen: target (T, M, 3) m in OpenSim's ground, valid (T, M), times (T,) s.

    joints: they are joint centres, not markers on the skin; unused: markers of the file that the model lacks.
    """

    name: str
    target: Tensor
    valid: Tensor
    times: np.ndarray
    joints: bool
    unused: tuple[str, ...]


def seen_in(path: Path, model: Model) -> Seen:
    """Return what a file shows of a model's markers. Several recordings, or no names in common, raise UserError."""
    kind = format_of(path).name
    joints = kind not in MARKER_FILES
    motions = read_canonical(path) if joints else read(path)
    if len(motions) != 1:
        raise UserError(f"{path}: Expected one recording, got {len(motions)}. Write one of them: rehabmotion convert.")
    try:
        return of_motion(motions[0], model, joints, Path(path).name.split(".")[0])
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def of_motion(motion: Motion, model: Model, joints: bool, name: str) -> Seen:
    """Return what a motion shows. Canonical joints face +z; they are turned so that forward is OpenSim's x."""
    places = motion.positions.astype(np.float64)
    names = list(motion.skeleton.joint_names)
    if joints:
        if motion.skeleton != CANONICAL:
            raise UserError("Expected the canonical 22 joints. Retarget the motion first.")
        places = np.stack([places[..., 2], places[..., 1], -places[..., 0]], axis=-1)
        names = [JOINT + joint for joint in names]
    column = {marker: i for i, marker in enumerate(names)}
    wanted = [marker.name for marker in model.markers]
    common = [marker for marker in wanted if marker in column]
    if len(common) < 3:
        shown = ", ".join(names[:4])
        raise UserError(
            f"Expected markers of {model.name} ({', '.join(wanted[:4]) or 'it has none'} ...), got {shown} ...: "
            f"{len(common)} in common. Rename them, or choose a model with these markers."
        )
    target = np.zeros((motion.n_frames, len(wanted), 3))
    valid = np.zeros((motion.n_frames, len(wanted)), bool)
    for i, marker in enumerate(wanted):
        if marker in column:
            target[:, i], valid[:, i] = places[:, column[marker]], motion.valid[:, column[marker]]
    times = float(motion.meta.get("start") or 0.0) + np.arange(motion.n_frames) / motion.fps
    unused = tuple(marker for marker in names if marker not in wanted)
    return Seen(name, torch.from_numpy(target), torch.from_numpy(valid), times, joints, unused)


def height_of(model: Model, scales: Tensor | None = None) -> float:
    """Return a model's height (m), sole to top of the head in its default pose; one without those marks: UserError.

    scales (B, 3): factors of its bodies, 1 each.
    """
    k = Kinematics(model)
    number = {marker.name: i for i, marker in enumerate(model.markers)}
    if TOP not in number or not all(sole in number for sole in SOLES):
        raise UserError(
            f"Expected a model with the markers {TOP}, {' and '.join(SOLES)} for --height, {model.name} lacks them. "
            "Leave --height out: the size is then found from the markers."
        )
    heights = k.markers(k.coupled(k.default), scales)[:, 1]
    return float(heights[number[TOP]] - torch.stack([heights[number[sole]] for sole in SOLES]).mean())
