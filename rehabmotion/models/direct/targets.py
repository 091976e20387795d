"""What a direct network is asked for, of a given model: coordinates and their ranges, tied scale factors and theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rehabmotion.biomech.description import GROUND, Coordinate, Joint, Model
from rehabmotion.errors import UserError
from rehabmotion.models.direct.scales import Ties, ties_by_hand, ties_of
from rehabmotion.models.direct.settings import Settings

TURN = 2 * math.pi


@dataclass(frozen=True)
class TargetsConfig(Settings):
    """What of a model is asked for.

    ends: markers that count as joints, where no joint follows (wrists, the top of the head); markers: the others that
    are computed, () = all; scale_groups: ties by hand, () = by rule; scale_low, scale_high: ranges of the tied factors
    in their order, one number for all or one each; take them from the training labels.
    """

    ends: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    scale_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    scale_low: tuple[float, ...] = (0.7,)
    scale_high: tuple[float, ...] = (1.3,)


@dataclass(frozen=True)
class Targets:
    """model, with the markers that are computed, ends last; coordinates (C) asked for; middles and half-ranges.

    Coordinates are the free ones but those of the root, in the model's order. Half-ranges are above 0.
    """

    model: Model
    root: Joint
    coordinates: tuple[str, ...]
    ties: Ties
    n_ends: int
    middle: tuple[float, ...]
    half: tuple[float, ...]
    scale_middle: tuple[float, ...]
    scale_half: tuple[float, ...]


@dataclass(frozen=True)
class Estimate:
    """What is said of frames: the root's rotation (..., 3, 3), tied scale factors (..., S), coordinates (..., C)."""

    root: Tensor
    scales: Tensor
    coordinates: Tensor


def targets_of(config: TargetsConfig, model: Model) -> Targets:
    """Return what is asked for; a model that does not fit (no single root, no ranges) raises UserError."""
    root = root_of(model)
    own = {c.name for c in root.coordinates}
    free = [c for c in model.coordinates if c.name in model.free() and c.name not in own]
    if not free:
        raise UserError(f'Expected a model with free coordinates beside the root\'s, "{model.name}" has none.')
    ranges = [range_of(c) for c in free]
    ties = ties_by_hand(model, config.scale_groups) if config.scale_groups else ties_of(model)
    low = _each("scale_low", config.scale_low, len(ties.names))
    high = _each("scale_high", config.scale_high, len(ties.names))
    if not all(0 < a < b < math.inf for a, b in zip(low, high, strict=True)):
        raise UserError("Expected scale_low above 0 and below scale_high, got others.")
    return Targets(
        model=_with_markers(model, config),
        root=root,
        coordinates=tuple(c.name for c in free),
        ties=ties,
        n_ends=len(config.ends),
        middle=tuple((a + b) / 2 for a, b in ranges),
        half=tuple((b - a) / 2 for a, b in ranges),
        scale_middle=tuple((a + b) / 2 for a, b in zip(low, high, strict=True)),
        scale_half=tuple((b - a) / 2 for a, b in zip(low, high, strict=True)),
    )


def root_of(model: Model) -> Joint:
    """Return the one joint that hangs on ground; none or several raise UserError."""
    roots = [joint for joint in model.joints if joint.parent.body == GROUND]
    if len(roots) != 1:
        raise UserError(f'Expected a model of one person, on one joint to ground, "{model.name}" has {len(roots)}.')
    return roots[0]


def range_of(coordinate: Coordinate) -> tuple[float, float]:
    """Return the range a network may answer in. Angles whose limits exceed a whole turn: a turn either way.

    A coordinate that is no angle needs a range; one without extent is refused too.
    """
    low, high = coordinate.range
    if coordinate.motion == "rotational" and max(-low, high) > TURN:
        return -TURN, TURN
    if not -math.inf < low < high < math.inf:
        raise UserError(
            f'coordinate "{coordinate.name}": Expected a range from less to more, got {low} to {high}. '
            "Give it one in the model, or lock it."
        )
    return low, high


def as_buffer(numbers: tuple[float, ...]) -> Tensor:
    """Return numbers as a tensor of the networks' precision."""
    return torch.tensor(numbers, dtype=torch.float32)


def _each(name: str, numbers: tuple[float, ...], n: int) -> tuple[float, ...]:
    if len(numbers) not in (1, n) or not all(isinstance(x, int | float) for x in numbers):
        raise UserError(f"Expected {name} with one number or {n}, got {len(numbers)}.")
    return numbers if len(numbers) == n else numbers * n


def _with_markers(model: Model, config: TargetsConfig) -> Model:
    """Return the model with the markers asked for, ends last."""
    known = {marker.name: marker for marker in model.markers}
    ends = list(config.ends)
    asked = list(config.markers) or [name for name in known if name not in ends]
    for name in asked + ends:
        if name not in known:
            raise UserError(f'Expected a marker of "{model.name}", got "{name}".')
        if known[name].frame.body == GROUND:
            raise UserError(f'Expected markers on bodies, "{name}" is on ground. Leave it out.')
    if len(set(asked + ends)) < len(asked + ends):
        raise UserError("Expected every marker once, among the markers or the ends, got one twice.")
    return model.with_markers(known[name] for name in asked + ends)
