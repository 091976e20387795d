"""What a run of the study does: train its network, go on where it was stopped, judge it on held-out clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes, write_atomic
from rehabmotion.models.direct.keypoints import KeypointNetwork
from rehabmotion.models.direct.layer import Places, SkeletalLayer
from rehabmotion.models.direct.network import FrameNetwork, Said, SequenceNetwork
from rehabmotion.models.direct.targets import Estimate, targets_of
from rehabmotion.models.trainable import Trainable
from rehabmotion.training.direct.frames import (
    Augment,
    ClipBatches,
    FrameBatches,
    RowBatches,
    altered,
    as_floats,
    seeded,
)
from rehabmotion.training.direct.learners import FrameLearner, JointLearner, KeypointLearner, SequenceLearner
from rehabmotion.training.loop import Batches, TrainingConfig, checkpoint_path, train
from rehabmotion.workflows.direct.data import Material
from rehabmotion.workflows.direct.errors import Clips, Found, clip_errors, found_of
from rehabmotion.workflows.direct.plan import BASE, FRAME_LOSS, Run
from rehabmotion.workflows.direct.steps import solved_clip

BATCH = 64  # frames judged at a time
PASSES = 3  # of which the quickest tells the speed
HIDDEN = Augment(view=False, colours=False, occlusion=1.0)  # every picture has something in the way
WAYS = (None, Augment(view=False))  # how training frames are shown to a frame network whose rows are learnt from


class Bench:
    """The material, and what runs before left: networks and the rows they give."""

    def __init__(self, material: Material, out: Path) -> None:
        self.material, self.out = material, out
        self._rows: tuple[str, Tensor, Tensor] | None = None

    @cached_property
    def layer(self) -> SkeletalLayer:
        """The skeletal layer that truth is told in."""
        return SkeletalLayer(targets_of(self.material.targets, self.material.model))

    def carry_out(self, run: Run, progress: Callable[[int, int], None] = lambda *_: None) -> dict[str, Any]:
        """Return what a run gives, JSON-ready: weights, frames a second, the errors of each held-out clip."""
        judged = {"frame": self._frame, "keypoints": self._keypoints, "sequence": self._sequence, "joint": self._joint}
        return judged[run.kind](run, progress)

    def constant(self) -> Clips:
        """Return the errors of saying the training mean of everything."""
        labels, n = self.material.training.frames.labels, len(self.material.held_out.frames)
        u, _, vt = torch.linalg.svd(labels.root.mean(dim=0))
        sign = torch.diag(torch.stack([u.new_ones(()), u.new_ones(()), torch.det(u @ vt)]))
        root = (u @ sign @ vt).expand(n, 3, 3)
        q, scales = labels.coordinates.mean(dim=0).expand(n, -1), labels.scales.mean(dim=0).expand(n, -1, 3)
        places = self.layer.places(root, q, scales)
        return self._errors(Found(root, q, scales, places.joints, places.markers))

    # --- kinds of runs --------------------------------------------------------------------------------------------

    def _frame(self, run: Run, progress: Callable[[int, int], None]) -> dict[str, Any]:
        network = self._frame_network(run)
        learner = FrameLearner(network, run.loss)
        self._trained(run, learner, FrameBatches(self.material.training.frames, run.augment), progress)
        weights = {name: value.contiguous() for name, value in network.state_dict().items()}
        write_atomic(self.folder(run.name) / "network.safetensors", save_tensors(weights))
        images, ties = self.material.held_out.frames.images, network.targets.ties
        found = self._errors(found_of(all_said(network, shown(images)), ties))
        found["occluded_deg"] = self._errors(found_of(all_said(network, shown(images, HIDDEN)), ties))["angle_deg"]
        return {**_size(network), "fps": _speed(network, images), "clips": found}

    def _keypoints(self, run: Run, progress: Callable[[int, int], None]) -> dict[str, Any]:
        torch.manual_seed(0)
        network = KeypointNetwork(replace(run.frame, targets=self.material.targets), self.material.model)
        training, held = self.material.training.frames, self.material.held_out.frames
        network.start_at(training.labels.joints, training.labels.markers)
        self._trained(run, KeypointLearner(network, run.loss), FrameBatches(training, run.augment), progress)
        with torch.no_grad():
            parts = [network(part) for part in shown(held.images)]
        places = Places(torch.cat([p.joints for p in parts]), torch.cat([p.markers for p in parts]))
        began = time.perf_counter()
        _, counts = torch.unique_consecutive(held.clip, return_counts=True)
        found = _joined(
            [solved_clip(self.material.body, self.layer, part) for part in places.markers.split(counts.tolist())]
        )
        seconds = (time.perf_counter() - began) / len(held) + 1 / _speed(network, held.images)
        before = self._errors(Found(found.root, found.coordinates, found.scales, places.joints, places.markers))
        before = {name: before[name] for name in ("joint_mm", "marker_mm")}
        return {**_size(network), "fps": 1 / seconds, "clips": self._errors(found), "before": before}

    def _sequence(self, run: Run, progress: Callable[[int, int], None]) -> dict[str, Any]:
        torch.manual_seed(0)
        network = SequenceNetwork(replace(run.sequence, targets=self.material.targets), self.material.model)
        frame = self.kept_frame_network(run)
        training, held_out = self.rows(run)
        if not run.sequence.positions:
            training, held_out = (x[..., -network.features.width :] for x in (training, held_out))
        batches = RowBatches(training, self.material.training.frames, run.sequence.frames, run.sequence.causal)
        self._trained(run, SequenceLearner(network, run.loss), batches, progress)
        return self._judged(network, frame, held_out)

    def _joint(self, run: Run, progress: Callable[[int, int], None]) -> dict[str, Any]:
        torch.manual_seed(0)
        network = SequenceNetwork(replace(run.sequence, targets=self.material.targets), self.material.model)
        frame = self.kept_frame_network(run)
        learner = JointLearner(frame, network, FRAME_LOSS, run.loss)
        augment = replace(run.augment, view=False)
        batches = ClipBatches(self.material.training.frames, run.sequence.frames, run.sequence.causal, augment)
        self._trained(run, learner, batches, progress)
        return self._judged(network, frame, rows_of(frame, shown(self.material.held_out.frames.images)))

    # --- what they share ------------------------------------------------------------------------------------------

    def _judged(self, network: SequenceNetwork, frame: FrameNetwork, rows: Tensor) -> dict[str, Any]:
        held = self.material.held_out.frames
        _, counts = torch.unique_consecutive(held.clip, return_counts=True)
        began = time.perf_counter()
        with torch.no_grad():
            said = [found_of(network.clip(part), network.targets.ties) for part in rows.split(counts.tolist())]
        seconds = (time.perf_counter() - began) / len(held)
        seconds += 1 / _speed(frame.rows, held.images)
        weights = _size(frame)["parameters"] + _size(network)["parameters"]
        return {"parameters": weights, "fps": 1 / seconds, "clips": self._errors(_joined(said))}

    def rows(self, run: Run) -> tuple[Tensor, Tensor]:
        """Return what the frame network of a run says of training frames, shown in WAYS, and of those held out."""
        if self._rows is None or self._rows[0] != run.of:
            network, training = self.kept_frame_network(run), self.material.training.frames
            ways = torch.stack([rows_of(network, shown(training.images, way)) for way in WAYS])
            self._rows = (run.of, ways, rows_of(network, shown(self.material.held_out.frames.images)))
        return self._rows[1:]

    def kept_frame_network(self, run: Run) -> FrameNetwork:
        """Return the frame network that a run follows, as it was kept; a missing or other one raises UserError."""
        network = self._frame_network(run)
        path = self.folder(run.of or BASE) / "network.safetensors"
        if not path.exists():
            raise UserError(
                f"{path}: Expected the weights of {run.of or BASE}, they are gone. Delete {path.parent.name}.json "
                "beside that folder: the run is done again."
            )
        try:
            network.load_state_dict(load_tensors(read_bytes(path)))
        except (SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{path}: Expected weights of this study, got others ({reason}). Delete it and "
                f"{path.parent.name}.json: the run is done again."
            ) from None
        return network.eval()

    def folder(self, name: str) -> Path:
        """Return where a run keeps its training."""
        return self.out / "runs" / slug(name)

    def _frame_network(self, run: Run) -> FrameNetwork:
        torch.manual_seed(0)
        targets = self.material.targets if run.scales else self.material.targets_fixed
        return FrameNetwork(replace(run.frame, targets=targets), self.material.model)

    def _trained(self, run: Run, learner: Trainable, batches: Batches, progress: Callable[[int, int], None]) -> None:
        folder = self.folder(run.name)
        config = TrainingConfig(
            steps=run.steps, batch_size=run.batch, learning_rate=run.rate, warm_up=max(1, min(100, run.steps // 10)),
            weight_decay=1e-3, ema=0.99, validate_every=run.steps, save_every=250,
        )  # fmt: skip
        resume = checkpoint_path(folder).exists()
        train(learner, batches, None, config, folder, resume, lambda done, total, _: progress(done, total))

    def _errors(self, found: Found) -> Clips:
        return clip_errors(found, self.material.held_out.frames, self.layer.targets)


def slug(name: str) -> str:
    """Return a run's name as a file name."""
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in name)


def shown(images: Tensor, way: Augment | None = None) -> Iterator[Tensor]:
    """Yield bytes (N, 3, S, S) as pictures of 0 to 1, some at a time, altered in a way; always alike."""
    for number, part in enumerate(images.split(BATCH)):
        plain = as_floats(part)
        yield plain if way is None else altered(plain, way, seeded(1, number))


@torch.no_grad()
def all_said(network: FrameNetwork, parts: Iterable[Tensor]) -> Said:
    """Return what a network says of pictures, which come some at a time."""
    said = [network(part) for part in parts]
    estimates = zip(*((s.estimate.root, s.estimate.scales, s.estimate.coordinates) for s in said), strict=True)
    places = zip(*((s.places.joints, s.places.markers) for s in said), strict=True)
    return Said(Estimate(*map(torch.cat, estimates)), Places(*map(torch.cat, places)))


@torch.no_grad()
def rows_of(network: FrameNetwork, parts: Iterable[Tensor]) -> Tensor:
    """Return the rows (N, F) that a network gives for pictures, which come some at a time."""
    return torch.cat([network.rows(part) for part in parts])


def _joined(found: list[Found]) -> Found:
    return Found(*(torch.cat([getattr(f, name) for f in found]) for name in Found.__dataclass_fields__))


def _size(network: nn.Module) -> dict[str, Any]:
    return {"parameters": sum(p.numel() for p in network.parameters())}


@torch.no_grad()
def _speed(answer: Callable[[Tensor], Any], images: Tensor) -> float:
    """Return frames (N, 3, S, S) a second, in batches of 64 or what there are; the quickest of a few."""
    part, times = as_floats(images[:BATCH]), list[float]()
    for _ in range(PASSES):
        began = time.perf_counter()
        answer(part)
        times.append(time.perf_counter() - began)
    return len(part) / min(times)


def settings_of(run: Run) -> dict[str, Any]:
    """Return what a run is, JSON-ready."""
    return asdict(run)
