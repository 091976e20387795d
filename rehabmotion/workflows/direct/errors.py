"""How wrong what was found of held-out clips is: a number a clip and measure, and intervals over clips and people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.metrics.intervals import bootstrap_counts, interval, mean_draws
from rehabmotion.models.direct.network import Said
from rehabmotion.models.direct.rotations import angle_between
from rehabmotion.models.direct.scales import Ties
from rehabmotion.models.direct.targets import Targets
from rehabmotion.training.direct.frames import Frames
from rehabmotion.workflows.direct.branches import Branches

MEASURES = {
    "joint_mm": "joints, mm", "marker_mm": "markers, mm", "angle_deg": "angles, deg", "turn_deg": "ball joints, deg",
    "root_deg": "root, deg",
    "scale_percent": "scales, %", "jitter_deg": "jitter, deg",
}  # fmt: skip
DRAWS = 2000
Clips = dict[str, list[float | None]]


@dataclass(frozen=True)
class Found:
    """What was found of frames: root (N, 3, 3), coordinates (N, C) rad, factors of bodies (N, B, 3), places in m."""

    root: Tensor
    coordinates: Tensor
    scales: Tensor
    joints: Tensor
    markers: Tensor


def found_of(said: Said, ties: Ties) -> Found:
    """Return what a network said."""
    e, p = said.estimate, said.places
    return Found(e.root, e.coordinates, ties.spread(e.scales), p.joints, p.markers)


def clip_errors(found: Found, truth: Frames, targets: Targets) -> Clips:
    """Return the errors of each clip: MEASURES, and `angle:NAME` of every coordinate; None where nothing is known.

    Joints leave out the root, where positions begin. Angles are read in the way nearest the truth; turn_deg is of whole
    rotations of hips, back and shoulders, whatever their angles. jitter: what an error changes by from one change to
    the next.
    """
    labels, degrees, branches = truth.labels, 180 / math.pi, Branches(targets)
    off = degrees * (branches.nearest(found.coordinates, labels.coordinates) - labels.coordinates)
    off = torch.where(labels.coordinate_mask, off, torch.nan)
    turns = [branches.rotations(q) for q in (found.coordinates, labels.coordinates)]
    frames = {
        "joint_mm": _far(found.joints, labels.joints)[:, 1:].mean(dim=1),
        "marker_mm": _far(found.markers, labels.markers).mean(dim=1),
        "angle_deg": off.abs().nanmean(dim=1),
        "turn_deg": degrees * angle_between(*turns).mean(dim=1),
        "root_deg": degrees * angle_between(found.root, labels.root),
        "scale_percent": 100 * (found.scales - labels.scales).abs().mean(dim=(1, 2)),
    } | {f"angle:{name}": off[:, i].abs() for i, name in enumerate(targets.coordinates)}
    _, counts = torch.unique_consecutive(truth.clip, return_counts=True)
    parts = counts.tolist()
    errors = {name: [_number(x.nanmean()) for x in values.split(parts)] for name, values in frames.items()}
    return {**errors, "jitter_deg": [_number(x.diff(n=2, dim=0).abs().nanmean()) for x in off.split(parts)]}


def summary(clips: Clips, people: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the mean of each measure over clips and its 95 % interval."""
    counts, _ = bootstrap_counts(list(people), DRAWS)
    return {name: _figure(_array(values), counts) for name, values in clips.items()}


def difference(one: Clips, other: Clips, people: Sequence[str], measure: str) -> dict[str, Any]:
    """Return by how much `one` is larger than `other`, clip by clip, and the 95 % interval of the mean."""
    counts, _ = bootstrap_counts(list(people), DRAWS)
    return _figure(_array(one[measure]) - _array(other[measure]), counts)


def drawn_again(people: Sequence[str]) -> str:
    """Return what the intervals stand for, in words."""
    return bootstrap_counts(list(people), 1)[1]


def _figure(values: NDArray[np.float64], counts: NDArray[np.int16]) -> dict[str, Any]:
    if np.isnan(values).all():
        return {"value": None, "ci": None}
    low, high = interval(mean_draws(values, counts))
    return {"value": round(float(np.nanmean(values)), 4), "ci": [round(low, 4), round(high, 4)]}


def _array(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values])


def _far(a: Tensor, b: Tensor) -> Tensor:
    return 1000 * torch.linalg.vector_norm(a - b, dim=-1)


def _number(x: Tensor) -> float | None:
    return round(float(x), 5) if math.isfinite(float(x)) else None
