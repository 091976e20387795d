"""The direct networks as what the training loop asks for: a loss of a batch."""

from __future__ import annotations

from dataclasses import fields
from typing import Self

from torch import Tensor

from rehabmotion.models.direct.keypoints import KeypointNetwork
from rehabmotion.models.direct.losses import DirectLoss, Labels, LossConfig, mean_of_seen
from rehabmotion.models.direct.network import FrameNetwork, SequenceNetwork
from rehabmotion.models.trainable import Draws, Trainable
from rehabmotion.training.direct.frames import FrameBatch, RowBatch


class FrameLearner(Trainable):
    """A frame network with the losses of the paper."""

    def __init__(self, network: FrameNetwork, config: LossConfig) -> None:
        super().__init__()
        self.network = network
        self.measure = DirectLoss(config, network.targets)

    def loss(self, batch: FrameBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of pictures (B, ...)."""
        said = self.network(batch.images)
        return self.measure(said.estimate, said.places, batch.labels)


class KeypointLearner(Trainable):
    """A keypoint network with the losses of the paper that are about places."""

    def __init__(self, network: KeypointNetwork, config: LossConfig) -> None:
        super().__init__()
        self.network, self.config = network, config

    def loss(self, batch: FrameBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of pictures (B, ...)."""
        places, labels = self.network(batch.images), batch.labels
        joint = mean_of_seen((places.joints - labels.joints).abs().sum(dim=-1), labels.joint_mask)
        marker = mean_of_seen((places.markers - labels.markers).abs().sum(dim=-1), labels.marker_mask)
        return {"joint": joint, "marker": marker, "total": self.config.joint * joint + self.config.marker * marker}


class SequenceLearner(Trainable):
    """A sequence network on rows: the target is scored, and equally the mean over all frames where it says them."""

    def __init__(self, network: SequenceNetwork, config: LossConfig) -> None:
        super().__init__()
        self.network = network
        self.measure = DirectLoss(config, network.targets)

    def loss(self, batch: RowBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of windows (B, T, ...)."""
        return sequence_losses(self.network, self.measure, batch)


class JointLearner(Trainable):
    """Both networks on windows of pictures, the slopes of the second reaching into the first.

    The frame network keeps the norms it was trained with: frames of a few windows are too alike to make new ones.
    """

    def __init__(
        self, frame: FrameNetwork, sequence: SequenceNetwork, of_frame: LossConfig, of_all: LossConfig
    ) -> None:
        super().__init__()
        self.frame, self.sequence = frame, sequence
        self.of_frame = DirectLoss(of_frame, frame.targets)
        self.of_all = DirectLoss(of_all, sequence.targets)

    def train(self, mode: bool = True) -> Self:
        """Set what training sets, but for the frame network's norms."""
        super().train(mode)
        self.frame.eval()
        return self

    def loss(self, batch: FrameBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of windows of pictures (B, T, ...), of both networks."""
        b, t = batch.images.shape[:2]
        said = self.frame(batch.images.flatten(0, 1))
        alone = self.of_frame(said.estimate, said.places, flattened(batch.labels))["total"]
        rows = self.sequence.features.join(said.estimate, said.places).unflatten(0, (b, t))
        losses = sequence_losses(self.sequence, self.of_all, RowBatch(rows, batch.labels))
        return {**losses, "frame": alone, "total": losses["total"] + alone}


def sequence_losses(network: SequenceNetwork, measure: DirectLoss, batch: RowBatch) -> dict[str, Tensor]:
    """Return the losses of windows: of the targets, plus `every`, of all frames, where the network says them."""
    said = network(batch.rows)
    labels, target = batch.labels, network.sequence.target
    losses = measure(said.target.estimate, said.target.places, Labels(*(x[:, target] for x in _parts(labels))))
    if said.every is None:
        return losses
    every = measure(said.every.estimate, said.every.places, labels)["total"]
    return {**losses, "every": every, "total": losses["total"] + every}


def flattened(labels: Labels) -> Labels:
    """Return labels (B, T, ...) as (B T, ...)."""
    return Labels(*(x.flatten(0, 1) for x in _parts(labels)))


def _parts(labels: Labels) -> list[Tensor]:
    return [getattr(labels, f.name) for f in fields(Labels)]
