"""What the training loop asks of a network, whatever its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


@dataclass
class Draws:
    """The random numbers of one loss, from a seed. With `shards` processes each holds one part of a larger batch.

    Every part draws what the whole would and keeps its own: two processes see the numbers of one with twice the batch.
    """

    seed: int
    shard: int = 0
    shards: int = 1
    stream: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.stream = torch.Generator().manual_seed(self.seed)

    def uniform(self, n: int) -> Tensor:
        """Return (n,) numbers on 0..1."""
        return self._own(torch.rand(n * self.shards, generator=self.stream), n)

    def normal(self, n: int, *shape: int) -> Tensor:
        """Return (n, ...) numbers of mean 0 and deviation 1."""
        return self._own(torch.randn(n * self.shards, *shape, generator=self.stream), n)

    def _own(self, whole: Tensor, n: int) -> Tensor:
        return whole[self.shard * n : (self.shard + 1) * n]


class Trainable(nn.Module):
    """A network that is trained.

    turns: who is trained in a step, one after another; each player has an optimiser of its own (AdamW with `betas`, at
    the run's learning rate times `rate`) for the weights that `players` names.
    """

    turns: ClassVar[tuple[str, ...]] = ("model",)
    betas: ClassVar[tuple[float, float]] = (0.9, 0.99)
    rate: ClassVar[float] = 1.0

    @property
    def players(self) -> Mapping[str, list[nn.Parameter]]:
        """The weights of each player, those that are trained."""
        return {"model": [p for p in self.parameters() if p.requires_grad]}

    def loss(self, batch: Any, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch, each a scalar, `total` among them."""
        raise NotImplementedError
