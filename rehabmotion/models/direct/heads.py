"""Heads: from raw numbers per cell of a feature map to an estimate within the ranges of the model.

Raw numbers come in the order root, scales, coordinates. A sequence network has a single cell.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.direct.balls import BallJoints
from rehabmotion.models.direct.rotations import SIX_OF_NO_TURN, matrix_of_euler, matrix_of_six
from rehabmotion.models.direct.settings import chosen
from rehabmotion.models.direct.targets import Estimate, Targets, as_buffer

BINS = 16  # of soft_argmax


def root_of_six(raw: Tensor) -> Tensor:
    """Return rotations of (..., 6, K): the mean over the cells, no activation; nothing said is no turn."""
    return matrix_of_six(raw.mean(dim=-1) + raw.new_tensor(SIX_OF_NO_TURN))


def root_of_euler(raw: Tensor) -> Tensor:
    """Return rotations of (..., 3, K): x-y-z angles from -pi to pi, bounded in every cell."""
    return matrix_of_euler(math.pi * (2 * raw.sigmoid() - 1).mean(dim=-1))


ROOTS = {"sixd": (6, root_of_six), "euler": (3, root_of_euler)}  # euler: for ablations, it jumps at half a turn


class Head(nn.Module, ABC):
    """Raw numbers (..., n_out, K cells) -> Estimate."""

    middle: Tensor
    reach: Tensor

    def __init__(self, targets: Targets, root: str = "sixd") -> None:
        super().__init__()
        self.n_root, self.root = chosen(ROOTS, root, "root")
        self.n_scales, self.n_coordinates = len(targets.scale_half), len(targets.half)
        self.register_buffer("middle", as_buffer(targets.scale_middle + targets.middle), persistent=False)
        self.register_buffer("reach", as_buffer(targets.scale_half + targets.half), persistent=False)

    @property
    def n_values(self) -> int:
        """How many bounded numbers there are, scales and coordinates."""
        return self.n_scales + self.n_coordinates

    @property
    def n_raw(self) -> int:
        """How many raw numbers the values take."""
        return self.n_values

    @property
    def n_out(self) -> int:
        """How many raw numbers a cell has."""
        return self.n_root + self.n_raw

    def forward(self, raw: Tensor) -> Estimate:
        """Return the estimate for raw numbers (..., n_out, K)."""
        if raw.dim() < 2 or raw.shape[-2] != self.n_out:
            raise UserError(f"Expected raw numbers (..., {self.n_out}, cells), got {tuple(raw.shape)}.")
        raw = raw.float()  # half precision would round angles to a tenth of a degree
        root, rest = raw.split([self.n_root, self.n_raw], dim=-2)
        scales, coordinates = self.values(rest).split([self.n_scales, self.n_coordinates], dim=-1)
        return Estimate(self.root(root), scales, coordinates)

    @abstractmethod
    def values(self, raw: Tensor) -> Tensor:
        """Return scales and coordinates (..., S + C), within their ranges, for raw numbers (..., n_raw, K)."""


class Bounded(Head):
    """The paper's: 2 sigmoid(x) - 1 in every cell, the mean over cells, stretched over the range."""

    def values(self, raw: Tensor) -> Tensor:
        """Return middle + reach (2 sigmoid(x) - 1)."""
        return self.middle + self.reach * (2 * raw.sigmoid() - 1).mean(dim=-1)


class Tanh(Head):
    """tanh in every cell: twice as steep as `bounded`, as 2 sigmoid(x) - 1 = tanh(x / 2)."""

    def values(self, raw: Tensor) -> Tensor:
        """Return middle + reach tanh(x)."""
        return self.middle + self.reach * raw.tanh().mean(dim=-1)


class SoftArgmax(Head):
    """A distribution of every value over 16 bins of its range and all cells; its mean (Sun et al. 2018).

    Sure cells count more than others, which a plain mean over cells cannot do.
    """

    @property
    def n_raw(self) -> int:
        """A number for each bin."""
        return BINS * self.n_values

    def values(self, raw: Tensor) -> Tensor:
        """Return the means of the distributions."""
        share = raw.unflatten(-2, (self.n_values, BINS)).flatten(-2).softmax(dim=-1).unflatten(-1, (BINS, -1))
        bins = torch.linspace(-1.0, 1.0, BINS, device=raw.device)
        return self.middle + self.reach * (share.sum(dim=-1) * bins).sum(dim=-1)


class SixD(Head):
    """Rotations instead of angles: six numbers for joints that turn freely, sine and cosine for other angles.

    Joints whose three free angles turn about axes at right angles give a rotation, which is read as coordinates; other
    angles are read off a circle around the middle of their range. Both are continuous where angles wrap. What comes out
    beyond a range is put on its edge, and the slope is kept, so that it finds back. More than half a turn away from
    the middle cannot be told. Scales, and coordinates that are no angles, are bounded as in the paper.
    """

    def __init__(self, targets: Targets, root: str = "sixd") -> None:
        super().__init__(targets, root)
        self.balls = BallJoints(targets)
        rotational = {c.name for c in targets.model.coordinates if c.motion == "rotational"}
        angles = [i for i, name in enumerate(targets.coordinates) if name in rotational]
        self.circles = [i for i in angles if i not in self.balls.coordinates]
        self.plain = [i for i in range(self.n_coordinates) if i not in angles]

    @property
    def n_raw(self) -> int:
        """6 for a ball joint, 2 for another angle, 1 for the rest."""
        return self.n_scales + 6 * len(self.balls) + 2 * len(self.circles) + len(self.plain)

    def values(self, raw: Tensor) -> Tensor:
        """Return scales, and coordinates read from rotations."""
        n_plain = self.n_scales + len(self.plain)
        plain, balls, circles = raw.split([n_plain, 6 * len(self.balls), 2 * len(self.circles)], dim=-2)
        where = [*range(self.n_scales), *(self.n_scales + i for i in self.plain)]
        values = self.middle.expand(*raw.shape[:-2], -1).clone()
        values[..., where] = self.middle[where] + self.reach[where] * (2 * plain.sigmoid() - 1).mean(dim=-1)
        around = circles.mean(dim=-1).unflatten(-1, (len(self.circles), 2))
        where = [self.n_scales + i for i in self.circles]
        values[..., where] = self.middle[where] + torch.atan2(around[..., 0], 1 + around[..., 1])
        where = [self.n_scales + i for i in self.balls.coordinates]
        values[..., where] = self.balls(balls.mean(dim=-1).unflatten(-1, (len(self.balls), 6))).flatten(-2)
        inside = torch.minimum(torch.maximum(values, self.middle - self.reach), self.middle + self.reach)
        return values + (inside - values).detach()


HEADS: dict[str, type[Head]] = {"bounded": Bounded, "tanh": Tanh, "soft_argmax": SoftArgmax, "sixd": SixD}
