"""Networks in the loop: what is scored, where slopes reach, and a few steps of descent."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from person_made import small_person

from rehabmotion.models.direct.keypoints import KeypointNetwork
from rehabmotion.models.direct.losses import Labels, LossConfig
from rehabmotion.models.direct.network import FrameConfig, FrameNetwork, SequenceConfig, SequenceNetwork
from rehabmotion.models.trainable import Draws, Trainable
from rehabmotion.training.direct.frames import Augment, ClipBatches, FrameBatches, Frames, RowBatches, as_floats
from rehabmotion.training.direct.learners import (
    FrameLearner,
    JointLearner,
    KeypointLearner,
    SequenceLearner,
    flattened,
)
from rehabmotion.training.loop import TrainingConfig, train

torch.set_num_threads(1)
TINY = FrameConfig(backbone="resnet18", width=0.125, depth=0.1, image=64)
SHORT = SequenceConfig(width=0.0625, depth=0.1, frames=9)
PERSON = small_person()
PLAIN = Augment(view=False, colours=False, occlusion=0.0)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


def networks(sequence: str = "strided_transformer") -> tuple[FrameNetwork, SequenceNetwork]:
    torch.manual_seed(0)
    return FrameNetwork(TINY, PERSON), SequenceNetwork(replace(SHORT, sequence=sequence), PERSON)


def frames(n: int = 12) -> Frames:
    """Return frames of two clips whose brightness is how far all joints are bent."""
    network, _ = networks()
    share = torch.linspace(0.1, 0.9, n)
    middle, half = (torch.tensor(x) for x in (network.targets.middle, network.targets.half))
    q = middle + half * (2 * share[:, None] - 1) * 0.5
    root = torch.eye(3).expand(n, 3, 3)
    scales = torch.ones(n, len(PERSON.bodies), 3)
    with torch.no_grad():
        places = network.layer.places(root, q, scales)
    yes = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (q, places.joints, places.markers)]
    labels = Labels(root, scales, q, yes[0], places.joints, yes[1], places.markers, yes[2])
    images = (255 * share).to(torch.uint8)[:, None, None, None].expand(n, 3, 64, 64).contiguous()
    pixels = [torch.full((*x.shape[:2], 2), 32.0) for x in (places.joints, places.markers)]
    return Frames(images, labels, *pixels, torch.full((n,), 60.0), torch.arange(n) // 6)


def rows(network: FrameNetwork, of: Frames) -> torch.Tensor:
    with torch.no_grad():
        return network.eval().rows(as_floats(of.images))[None]


def test_every_learner_loses_less_after_some_steps(tmp_path: Path) -> None:
    material = frames()
    frame, sequence = networks()
    learners: dict[str, tuple[Trainable, object]] = {
        "frame": (FrameLearner(frame, LossConfig()), FrameBatches(material, PLAIN)),
        "keypoints": (KeypointLearner(KeypointNetwork(TINY, PERSON), LossConfig()), FrameBatches(material, PLAIN)),
        "sequence": (SequenceLearner(sequence, LossConfig(norm="l2")), RowBatches(rows(frame, material), material, 9)),
    }
    for name, (learner, batches) in learners.items():
        config = TrainingConfig(steps=15, batch_size=8, learning_rate=5e-3, warm_up=3, ema=0.5, validate_every=15)
        batch = batches.fixed(None, torch.arange(12).numpy(), 0)  # type: ignore[attr-defined]
        before = float(learner.loss(batch, Draws(0))["total"].detach())
        train(learner, batches, None, config, tmp_path / name)  # type: ignore[arg-type]
        assert float(learner.loss(batch, Draws(0))["total"].detach()) < 0.8 * before, name


@pytest.mark.parametrize("name", ["strided_transformer", "tcn"])
def test_a_sequence_is_scored_at_its_target_and_on_all_frames_where_it_says_them(name: str) -> None:
    material = frames()
    frame, network = networks(name)
    learner = SequenceLearner(network, LossConfig()).eval()
    batch = RowBatches(rows(frame, material), material, 9).fixed(None, torch.arange(4).numpy(), 0)
    losses = learner.loss(batch, Draws(0))
    parts = [losses[k] * getattr(learner.measure.config, k) for k in ("marker", "joint", "scale", "angle")]
    every = losses.get("every")
    assert (every is None) == (name == "tcn")
    torch.testing.assert_close(losses["total"], sum(parts) + (0 if every is None else every))
    assert flattened(batch.labels).joints.shape == (36, *batch.labels.joints.shape[2:])


def test_together_slopes_reach_the_backbone_whose_norms_stay() -> None:
    material = frames()
    frame, sequence = networks()
    learner = JointLearner(frame, sequence, LossConfig(), LossConfig(norm="l2"))
    learner.train()
    norms = {name: value.clone() for name, value in frame.named_buffers() if "running" in name}
    batch = ClipBatches(material, 9).draw(learner, 0, 2)
    losses = learner.loss(batch, Draws(0))
    (losses["total"] - losses["frame"]).backward()
    first = next(frame.backbone.parameters()).grad
    assert first is not None
    assert first.abs().max() > 0
    assert norms
    assert all(torch.equal(value, norms[name]) for name, value in frame.named_buffers() if "running" in name)
    assert sequence.training
    assert not frame.training
