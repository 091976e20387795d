"""The two networks: one looks at single frames, the other at what the first says of many."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.features import FrameFeatures
from rehabmotion.models.direct.heads import HEADS, ROOTS
from rehabmotion.models.direct.layer import Places, SkeletalLayer
from rehabmotion.models.direct.sequences import SEQUENCES, Unchanged, windows
from rehabmotion.models.direct.settings import Settings, chosen, in_range
from rehabmotion.models.direct.targets import Estimate, TargetsConfig, targets_of

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, red, green, blue


@dataclass(frozen=True)
class FrameConfig(Settings):
    """The paper's by default. image: side of the pictures, pixels; width, depth: factors of the published backbone's.

    root: how its rotation is said, sixd or euler; centre: whether the backbone's last stride samples the middle.
    """

    targets: TargetsConfig = TargetsConfig()  # noqa: RUF009 (frozen)
    backbone: str = "resnext50"
    width: float = 1.0
    depth: float = 1.0
    centre: bool = True
    head: str = "bounded"
    root: str = "sixd"
    image: int = 256

    def check(self) -> None:
        """Refuse names that are none and sizes that make no network."""
        chosen(BACKBONES, self.backbone, "backbone")
        chosen(HEADS, self.head, "head")
        chosen(ROOTS, self.root, "root")
        in_range("width", self.width, 0.05, 4.0)
        in_range("depth", self.depth, 0.05, 4.0)
        stride = BACKBONES[self.backbone].stride
        in_range("image", self.image, 2 * stride, 1024)
        if self.image % stride:
            raise UserError(f"Expected image as a multiple of {stride}, got {self.image}.")


@dataclass(frozen=True)
class SequenceConfig(Settings):
    """The paper's by default. frames: of a window; causal: the target is its last frame, not the middle.

    positions: whether joints and markers are among the numbers of a frame; width, depth: factors of the paper's.
    """

    targets: TargetsConfig = TargetsConfig()  # noqa: RUF009 (frozen)
    sequence: str = "strided_transformer"
    width: float = 1.0
    depth: float = 1.0
    head: str = "bounded"
    root: str = "sixd"
    frames: int = 243
    causal: bool = False
    positions: bool = True

    def check(self) -> None:
        """Refuse names that are none and sizes that make no network."""
        chosen(SEQUENCES, self.sequence, "sequence network")
        chosen(HEADS, self.head, "head")
        chosen(ROOTS, self.root, "root")
        in_range("width", self.width, 0.05, 4.0)
        in_range("depth", self.depth, 0.05, 4.0)
        in_range("frames", self.frames, 1, 2187)


@dataclass(frozen=True)
class Said:
    """What a network says of frames, and where that puts joints and markers."""

    estimate: Estimate
    places: Places


@dataclass(frozen=True)
class Refined:
    """What the sequence network says of the target frames (B, ...), and of all frames (B, T, ...) if it does."""

    target: Said
    every: Said | None


class FrameNetwork(nn.Module):
    """Pictures (B, 3, H, W), red, green, blue from 0 to 1 -> what each shows. Rotations are the camera's."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: FrameConfig, model: Model) -> None:
        super().__init__()
        self.config = config
        self.targets = targets_of(config.targets, model)
        self.layer = SkeletalLayer(self.targets)
        self.features = FrameFeatures(self.layer)
        self.backbone = BACKBONES[config.backbone](config.width, config.depth, config.centre)
        self.head = HEADS[config.head](self.targets, config.root)
        self.out = nn.Conv2d(self.backbone.channels, self.head.n_out, 1)
        for name, numbers in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(numbers)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Said:
        """Return what the pictures show; other sizes than the configuration's raise UserError."""
        size = self.config.image
        if images.dim() != 4 or images.shape[1:] != (3, size, size) or not images.is_floating_point():
            raise UserError(
                f"Expected images (B, 3, {size}, {size}) of floats from 0 to 1, got {tuple(images.shape)} of "
                f"{images.dtype}."
            )
        maps = self.out(self.backbone((images - self.mean) / self.deviation))
        estimate = self.head(maps.flatten(2))
        return Said(estimate, self.layer(estimate))

    def rows(self, images: Tensor) -> Tensor:
        """Return the numbers of each frame for the sequence network, (B, features.width)."""
        said = self(images)
        return self.features.join(said.estimate, said.places)


class SequenceNetwork(nn.Module):
    """Windows of rows (B, frames, features.width) -> what is so of their targets."""

    def __init__(self, config: SequenceConfig, model: Model) -> None:
        super().__init__()
        self.config = config
        self.targets = targets_of(config.targets, model)
        self.layer = SkeletalLayer(self.targets)
        self.features = FrameFeatures(self.layer, config.positions)
        self.head = HEADS[config.head](self.targets, config.root)
        make = SEQUENCES[config.sequence]
        self.sequence = make(
            self.features.width, self.head.n_out, config.frames, config.causal, config.width, config.depth
        )

    def forward(self, rows: Tensor) -> Refined:
        """Return what is said of the targets; for training, of every frame too."""
        raw = self.sequence(rows)
        if isinstance(self.sequence, Unchanged):
            return Refined(self._said(self.features.split(rows[:, self.sequence.target])), None)
        every = None if raw.every is None else self._said(self.head(raw.every[..., None]))
        return Refined(self._said(self.head(raw.target[..., None])), every)

    def clip(self, rows: Tensor, batch: int = 128) -> Said:
        """Return what is said of every frame of a clip (T, features.width), edge frames repeated at the ends."""
        each = windows(rows, self.config.frames, self.config.causal).split(batch)
        said = [self(part).target for part in each]

        def joined(parts: list[Tensor]) -> Tensor:
            return torch.cat(parts)

        estimate = Estimate(
            joined([s.estimate.root for s in said]),
            joined([s.estimate.scales for s in said]),
            joined([s.estimate.coordinates for s in said]),
        )
        places = Places(joined([s.places.joints for s in said]), joined([s.places.markers for s in said]))
        return Said(estimate, places)

    def _said(self, estimate: Estimate) -> Said:
        return Said(estimate, self.layer(estimate))
