"""The losses of Bittner et al. 2023, each with a weight; 0 switches it off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.direct.layer import Places
from rehabmotion.models.direct.rotations import angle_between
from rehabmotion.models.direct.settings import Settings, in_range
from rehabmotion.models.direct.targets import Estimate, Targets, as_buffer

DEGREES = 180 / math.pi
NORMS = ("l1", "l2")


@dataclass(frozen=True)
class LossConfig(Settings):
    """Weights. norm: of position errors, l1 for single frames, l2 for sequences in the paper.

    quadratic: the part of the full range within which errors of angles and scales count squared, the paper's H. angle:
    its configuration says 0.01, its results are of 0.06. root, the angle of the root's rotation, and symmetry, left
    scales being right ones, are not the paper's defaults: without positions nothing else tells the root.
    """

    marker: float = 2.0
    joint: float = 1.0
    scale: float = 0.1
    angle: float = 0.06
    root: float = 0.0
    symmetry: float = 0.0
    quadratic: float = 0.1
    norm: str = "l1"

    def check(self) -> None:
        """Refuse negative weights."""
        for name in ("marker", "joint", "scale", "angle", "root", "symmetry"):
            in_range(name, getattr(self, name), 0.0, math.inf)
        in_range("quadratic", self.quadratic, 1e-6, 1.0)
        if self.norm not in NORMS:
            raise UserError(f'Expected norm {" or ".join(NORMS)}, got "{self.norm}".')


@dataclass(frozen=True)
class Labels:
    """The truth of frames. Masks True = known, and for joints and markers inside the picture; the rest is never read.

    root (..., 3, 3); scales of bodies (..., B, 3); coordinates, coordinate_mask (..., C); joints (..., J, 3), markers
    (..., M, 3): m, relative to the root as SkeletalLayer gives them; joint_mask (..., J), marker_mask (..., M).
    """

    root: Tensor
    scales: Tensor
    coordinates: Tensor
    coordinate_mask: Tensor
    joints: Tensor
    joint_mask: Tensor
    markers: Tensor
    marker_mask: Tensor


class DirectLoss(nn.Module):
    """An estimate and its places against labels -> losses by name, `total` among them.

    L = marker L_marker + joint L_joint + scale L_scale + angle L_angle. Positions are in metres, angles in degrees (a
    coordinate that is a length counts like an angle: a metre is 57). marker_weights (M), () = 1 each: the paper has a
    tenth of the weights of inverse kinematics, 2.0 for bony landmarks.
    """

    def __init__(self, config: LossConfig, targets: Targets, marker_weights: Sequence[float] = ()) -> None:
        super().__init__()
        self.config = config
        self.ties = targets.ties
        n_markers = len(targets.model.markers) - targets.n_ends
        weights = tuple(marker_weights) or (1.0,) * n_markers
        if len(weights) != n_markers or not all(0 <= w < math.inf for w in weights):
            raise UserError(f"Expected {n_markers} marker weights of 0 or more, got {len(weights)}.")
        scale_half = as_buffer(targets.scale_half)
        pairs = targets.ties.pairs([body.name for body in targets.model.bodies])
        for name, value in {
            "marker_weights": as_buffer(weights),
            "reach": as_buffer(targets.half),
            "share": range_weights(as_buffer(targets.half)),
            "scale_half": targets.ties.spread(scale_half),
            "sides": torch.tensor(pairs, dtype=torch.long).reshape(-1, 2),
        }.items():
            self.register_buffer(name, value, persistent=False)

    reach: Tensor
    share: Tensor
    scale_half: Tensor
    marker_weights: Tensor
    sides: Tensor

    def forward(self, estimate: Estimate, places: Places, labels: Labels) -> dict[str, Tensor]:
        """Return the losses that have a weight, unweighted, and their weighted sum `total`."""
        c = self.config
        made = {
            "marker": lambda: self._positions(places.markers, labels.markers, labels.marker_mask, self.marker_weights),
            "joint": lambda: self._positions(places.joints, labels.joints, labels.joint_mask),
            "scale": lambda: self._scales(estimate, labels),
            "angle": lambda: self._angles(estimate, labels),
            "root": lambda: DEGREES * angle_between(estimate.root, labels.root).mean(),
            "symmetry": lambda: self._symmetry(estimate),
        }
        parts = {name: make() for name, make in made.items() if getattr(c, name) > 0}
        nothing = estimate.coordinates.new_zeros(())
        return parts | {"total": sum((getattr(c, name) * part for name, part in parts.items()), nothing)}

    def _positions(self, made: Tensor, true: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
        error = made - torch.where(mask[..., None], true, made.detach())  # a NaN outside the mask would spoil slopes
        far = error.abs().sum(dim=-1) if self.config.norm == "l1" else torch.linalg.vector_norm(error, dim=-1)
        return mean_of_seen(far if weights is None else weights * far, mask)

    def _scales(self, estimate: Estimate, labels: Labels) -> Tensor:
        error = self.ties.spread(estimate.scales) - labels.scales
        return bounded_error(error, self.scale_half, self.config.quadratic).sum(dim=-1).mean()

    def _angles(self, estimate: Estimate, labels: Labels) -> Tensor:
        made = estimate.coordinates
        error = made - torch.where(labels.coordinate_mask, labels.coordinates, made.detach())
        each = self.share * bounded_error(error, self.reach, self.config.quadratic)
        return DEGREES * mean_of_seen(each, labels.coordinate_mask)

    def _symmetry(self, estimate: Estimate) -> Tensor:
        if not len(self.sides):
            return estimate.scales.new_zeros(())
        return (estimate.scales[..., self.sides[:, 0]] - estimate.scales[..., self.sides[:, 1]]).abs().mean()


def bounded_error(error: Tensor, half: Tensor, quadratic: float) -> Tensor:
    """Return e^2 / (4 h H) where |e| < 2 h H, |e| - h H beyond: h the half-range, H the quadratic part of the range.

    The authors write a smooth L1 loss with a threshold beta on errors rescaled to it, divided back: beta cancels.
    Worked number: half-range 1 rad, H = 0.1: an error of 0.1 counts 0.025, one of 0.5 counts 0.4.
    """
    size = error.abs()
    return torch.where(size < 2 * half * quadratic, error**2 / (4 * half * quadratic), size - half * quadratic)


def range_weights(half: Tensor) -> Tensor:
    """Return weights (C,): 1 for the smallest half-range, 2 for the largest, geometric between; equal ranges: 1."""
    spread = (half.max() - half.min()).clamp(min=1e-12)
    return torch.exp(math.log(2.0) * (half - half.min()) / spread)


def mean_of_seen(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over frames of the mean over what is seen in each; a frame with nothing seen counts 0."""
    seen = mask.to(values.dtype)
    return ((values * seen).sum(dim=-1) / seen.sum(dim=-1).clamp(min=1.0)).mean()
