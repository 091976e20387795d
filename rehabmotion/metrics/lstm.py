"""The grade classifier of the Fitness-Aware paper: an LSTM with focal loss, fed with chunks of five frames.

The paper states LSTM(360 -> 120), ReLU, Linear, softmax, Adam 5e-4 with weight decay 1e-5 and a focal loss (Lin et al.
2017); 360 fits 5 frames x 24 joints x 3. Ours are 5 frames x 21 bone directions x 3 = 315. Not stated there: gamma (2
as in Lin et al.), the batch (32), what is read out (the last hidden state).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
CHUNK = 5  # frames a step: 100 frames are 20 steps


class GradeNetwork(nn.Module):
    """LSTM, ReLU, Linear: (N, S, n_inputs) -> logits (N, n_classes). 360 inputs and 3 classes: 231,723 parameters."""

    def __init__(self, n_inputs: int, n_classes: int, hidden: int = 120) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the state after the last step."""
        return self.head(torch.relu(self.lstm(x)[1][0][-1]))


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the mean of -(1 - p)^gamma ln p, p the probability of the true class (Lin et al. 2017, eq. 4).

    logits (N, K), labels (N,) int. gamma 0 is the cross-entropy; p = 1/2 and gamma 2 give ln 2 / 4.
    """
    log_p = logits.log_softmax(dim=-1).gather(-1, labels[:, None])[:, 0]
    return -((1 - log_p.exp()) ** gamma * log_p).mean()


class LstmJudge:
    """The paper's classifier behind the interface of the judges; the same seed gives the same judge."""

    def __init__(self, seed: int = 0, epochs: int = 64, gamma: float = 2.0, batch_size: int = 32) -> None:
        self.seed, self.epochs, self.gamma, self.batch_size = seed, epochs, gamma, batch_size
        self.classes: list[Any] = []

    def fit(self, clips: Array, labels: Sequence[Any]) -> LstmJudge:
        """Learn labels (N,) from clips (N, T, B, 3), T a multiple of 5; returns itself.

        One class alone, or another number of frames, raises UserError.
        """
        classes, codes = np.unique(np.asarray(labels), return_inverse=True)
        if len(classes) < 2:
            raise UserError("Expected labels of two classes or more to learn from, got one. Add clips of another.")
        x, y = _chunks(clips), torch.from_numpy(codes)
        self.classes = classes.tolist()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self._network = GradeNetwork(x.shape[-1], len(classes))
        optimiser = torch.optim.Adam(self._network.parameters(), lr=5e-4, weight_decay=1e-5)
        draws = torch.Generator().manual_seed(self.seed)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(x), generator=draws).split(self.batch_size):
                optimiser.zero_grad()
                focal_loss(self._network(x[rows]), y[rows], self.gamma).backward()
                optimiser.step()
        return self

    def predict(self, clips: Array) -> NDArray[Any]:
        """Return the label of each clip (N,)."""
        return np.asarray(self.classes)[self._logits(clips).argmax(dim=-1).numpy()]

    def margin(self, clips: Array) -> NDArray[np.float64]:
        """Return the logits (N, classes); for two classes their difference (N,), higher = the second."""
        logits = self._logits(clips).double().numpy()
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    @torch.no_grad()
    def _logits(self, clips: Array) -> Tensor:
        return torch.cat([self._network(part) for part in _chunks(clips).split(1024)])


def _chunks(clips: Array) -> Tensor:
    """Return clips (N, T, B, 3) as (N, T / 5, 5 x B x 3)."""
    n, t = clips.shape[:2]
    if t % CHUNK:
        raise UserError(f"Expected clips of a multiple of {CHUNK} frames, got {t}. Use direction_clip(..., 100).")
    return torch.from_numpy(np.ascontiguousarray(clips, dtype=np.float32)).reshape(n, t // CHUNK, -1)
