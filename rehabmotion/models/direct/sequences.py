"""Sequence networks by name. A new one is a class of `SequenceModule` in a file of its own and a line here."""

from __future__ import annotations

import torch
from torch import Tensor

from rehabmotion.models.direct.sequence_lstm import Lstm
from rehabmotion.models.direct.sequence_parts import Raw, SequenceModule, windows
from rehabmotion.models.direct.sequence_state_space import StateSpaces
from rehabmotion.models.direct.sequence_tcn import Tcn
from rehabmotion.models.direct.sequence_transformer import StridedTransformer


class Unchanged(SequenceModule):
    """No network: the frame network's estimate stands. It has no raw numbers of its own, only noughts."""

    def raw(self, x: Tensor) -> Raw:
        """Return noughts."""
        return Raw(torch.zeros(len(x), self.n_out, device=x.device), None)


SEQUENCES: dict[str, type[SequenceModule]] = {
    "strided_transformer": StridedTransformer,
    "tcn": Tcn,
    "lstm": Lstm,
    "state_space": StateSpaces,
    "none": Unchanged,
}

__all__ = ["SEQUENCES", "Unchanged", "windows"]
