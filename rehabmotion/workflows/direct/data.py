"""Labelled frames of the study: clips of UI-PRMD, or of made-up smooth movement, drawn and turned into labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.description import GROUND, Model
from rehabmotion.data.prepare import cache_folder
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.targets import TargetsConfig, targets_of
from rehabmotion.training.direct.frames import Frames
from rehabmotion.workflows.direct.branches import Branches, widened
from rehabmotion.workflows.labels import MARKERS, Take, labels
from rehabmotion.workflows.rendered import VERSION, Render, Rendered, joined, open_rendered, write_rendered

HELD_OUT = ("s06", "s08")  # UI-PRMD's, as in every study
WORST = 0.05  # m: frames a solved motion misses by more are not read as labels of angles
MARGIN = 0.03  # of a tied scale factor, beyond those of the people learnt from
FIXED = 0.001  # half the range of a scale factor that is not predicted
FPS = 100 / 3


@dataclass(frozen=True)
class People:
    """Frames and, for each of their clips, whose they are."""

    frames: Frames
    person: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """What is learnt from and what is held out; targets: with the ranges of the training people's scale factors."""

    body: Model  # as it was solved
    model: Model  # as it is learnt, see `widened`
    targets: TargetsConfig
    targets_fixed: TargetsConfig  # scale factors as good as constant: their training mean
    training: People
    held_out: People


def recorded_takes(every: int, data_dir: Path | None, say: Callable[[str], None]) -> list[Take]:
    """Return each `every`-th clip of UI-PRMD's training people, half as many of those held out."""
    takes = labels(MARKERS, data_dir, say)
    if not any(_is_out(take) for take in takes) or all(_is_out(take) for take in takes):
        raise UserError(f"Expected clips of {', '.join(HELD_OUT)} and of others, got only one of the two.")
    return [t for t in takes if not _is_out(t)][::every] + [t for t in takes if _is_out(t)][:: 2 * every]


def made_takes(clips: int, frames: int, seed: int = 0) -> list[Take]:
    """Return clips of four people, two of them held out, whose free angles wander smoothly within their ranges."""
    model = open_osim("rehab37")
    names = [c.name for c in model.coordinates]
    low, high = (np.clip([c.range[i] for c in model.coordinates], -1.2, 1.2) for i in (0, 1))
    free = [names.index(n) for n in model.free() if not n.startswith("pelvis_t")]
    rest = np.array([c.default for c in model.coordinates])
    rng = np.random.default_rng(seed)
    takes = list[Take]()
    for person in ("p01", "p02", *HELD_OUT):
        scales = np.full((len(model.bodies), 3), rng.uniform(0.95, 1.08), np.float32)
        for _ in range(clips):
            q = np.tile(rest, (frames, 1))
            q[:, free] = (low + (high - low) * _smooth(rng, frames, len(names)))[:, free]
            q[:, :6] *= np.array([0.2, 0.2, 1, 1, 1, 1])  # people stand
            meta = {"person": person, "subject": person, "exercise": "made up"}
            takes.append(Take(meta, "", q.astype(np.float32), np.zeros(frames, np.float32), FPS, scales))
    return takes


def _smooth(rng: np.random.Generator, frames: int, n: int) -> NDArray[np.float64]:
    """Return n curves (T, n) from 0 to 1, of two slow waves each."""
    t = np.arange(frames)[:, None] / FPS
    rate, phase = rng.uniform(0.1, 0.6, (2, n)), rng.uniform(0, 2 * np.pi, (2, n))
    return np.asarray(0.5 + 0.25 * sum(np.sin(2 * np.pi * r * t + p) for r, p in zip(rate, phase, strict=True)))


def drawn(takes: Sequence[Take], how: Render, folder: Path | None, say: Callable[[str], None]) -> list[Path]:
    """Return the files of drawn clips, drawn once: in the cache folder by what they show, or in a given folder."""
    if folder is None:
        digest = hashlib.sha256(json.dumps([VERSION, asdict(how)]).encode() + shipped_osim("rehab37").read_bytes())
        for take in takes:
            digest.update(str(take.meta.get("person")).encode() + take.q.tobytes() + take.scales.tobytes())
        folder = cache_folder() / "rendered" / f"study-{how.size}-{digest.hexdigest()[:16]}"
    return [path for own in write_rendered(takes, folder, how, say).values() for path in own]


def material(files: Sequence[Path]) -> Material:
    """Return what is learnt from and held out, of drawn clips."""
    drawn_ = [open_rendered(path) for path in files]
    parts = [
        joined([one for one in drawn_ if (str(one.person[0]) in HELD_OUT) == out])  # a file holds one person
        for out in (False, True)
    ]
    body = open_osim("rehab37")
    model = widened(body)
    layer = SkeletalLayer(targets_of(TargetsConfig(), model))
    tied = layer.targets.ties.gather(torch.from_numpy(parts[0].scales))
    mean, low, high = tied.mean(dim=0), tied.amin(dim=0) - MARGIN, tied.amax(dim=0) + MARGIN
    return Material(
        body,
        model,
        TargetsConfig(scale_low=_numbers(low), scale_high=_numbers(high)),
        TargetsConfig(scale_low=_numbers(mean - FIXED), scale_high=_numbers(mean + FIXED)),
        *(People(frames_of(one, layer), tuple(map(str, one.person))) for one in parts),
    )


@torch.no_grad()
def frames_of(drawn_: Rendered, layer: SkeletalLayer) -> Frames:
    """Return drawn frames as labels of what a network is asked for; places are those of its skeletal layer.

    Angles are read in one way (see `Branches`); those that cannot be told, or that were solved badly, are masked.
    """
    names = [c.name for c in layer.targets.model.coordinates]
    columns = [names.index(name) for name in layer.targets.coordinates]
    q, clip = torch.from_numpy(drawn_.q[:, columns]), torch.from_numpy(drawn_.clip)
    root, scales = torch.from_numpy(drawn_.root), torch.from_numpy(drawn_.scales)[clip]
    places = layer.places(root, q, scales)
    bodies = _bodies(layer)
    branches = Branches(layer.targets)
    q = branches.one(q)
    sure = torch.from_numpy(drawn_.rms <= WORST)[:, None] & branches.told(q)
    return Frames(
        torch.from_numpy(drawn_.images),
        Labels(
            root, scales, q, sure, places.joints, torch.from_numpy(drawn_.joint_inside[:, bodies]),
            places.markers, torch.from_numpy(drawn_.marker_inside),
        ),
        torch.from_numpy(drawn_.joint_pixels[:, bodies]),
        torch.from_numpy(drawn_.marker_pixels),
        torch.from_numpy(drawn_.focal[drawn_.clip]),
        clip,
    )  # fmt: skip


def _bodies(layer: SkeletalLayer) -> list[int]:
    """Return the number of the body behind each joint of the layer: in rehab37 its origin is the joint's centre."""
    model = layer.targets.model
    bodies = [body.name for body in model.bodies]
    child = {joint.name: joint.child.body for joint in model.joints if joint.child.body != GROUND}
    return [bodies.index(child[name]) for name in layer.joint_names]


def _is_out(take: Take) -> bool:
    return take.meta["person"] in HELD_OUT


def _numbers(x: Tensor) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in x)
