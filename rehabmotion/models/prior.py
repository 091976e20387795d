"""What to believe of a noisy clip: the network's expectation, corrected by the input as far as that can be trusted.

A clip x0 is taken as an expectation f, which the network paints, plus a deviation of known size: two repetitions of one
person differ little, and by less the faster the frequency. Given x_t / sqrt(a) = x0 + sigma n, the best linear estimate
(Wiener 1949) is f + s^2 / (s^2 + sigma^2) (x_t / sqrt(a) - f), for each frequency and channel with its own s. Nearly
clean input so passes almost as it is, with its fine unrest, and at high noise the network alone speaks: the
preconditioning of Karras et al. 2022 (EDM, section 5) with a spectrum in place of one sigma_data.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

JITTER = 0.05  # what a network paints at random, in units of the features' deviation: filtered as noise of this size
LOOSE = 0.05  # a channel's deviation at most: slower ones are of the whole body at once, and the network's to paint
LEVELS = 3  # of a score scale: low, middle, high
CEILING = 10.0  # of the weight of nearly clean clips in the loss


def dct_matrix(n: int) -> Tensor:
    """Return the orthonormal DCT-II (n, n): row k is the cosine of k half periods."""
    k, t = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)
    rows = torch.cos(torch.pi * k * (t + 0.5) / n) * (2.0 / n) ** 0.5
    rows[0] /= 2**0.5
    return rows.float()


class SpectralPrior(nn.Module):
    """Root mean squares per DCT frequency and channel, (T, C) each: of whole clips, and of repetitions' deviations.

    Before `fit` it believes nothing of the input: the estimate is what the network painted.
    """

    dct: Tensor
    total: Tensor
    deviation: Tensor
    fitted: Tensor

    def __init__(self, n_frames: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("dct", dct_matrix(n_frames), persistent=False)
        self.register_buffer("total", torch.ones(n_frames, n_features))
        self.register_buffer("deviation", torch.zeros(n_frames, n_features))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(self, x: Tensor, group: Tensor, seen: Tensor) -> None:
        """Learn from clips x (N, T, C), normalised; group (N,) numbers of repetitions of one thing, -1 = alone.

        seen (N, C): channels measured in every frame; others are left out.
        """
        weight = seen.float()
        spectrum = self.dct @ x
        power = (spectrum.square() * weight[:, None]).sum(dim=0) / weight.sum(dim=0).clamp(min=1)
        squares, freedom = torch.zeros_like(power), torch.zeros(x.shape[2])
        for number in group[group >= 0].unique():
            rows = group == number
            w = weight[rows][:, None]
            n = w.sum(dim=0).clamp(min=1)
            mean = (spectrum[rows] * w).sum(dim=0) / n
            squares += ((spectrum[rows] - mean).square() * w).sum(dim=0)
            freedom += n[0] - 1
        if not (freedom > 0).any():
            return
        self.total.copy_(power.sqrt())
        self.deviation.copy_((squares / freedom.clamp(min=1)).sqrt().clamp(max=LOOSE))
        self.fitted.fill_(True)

    def forward(self, painted: Tensor, x_t: Tensor, signal: Tensor, noise: Tensor) -> Tensor:
        """Return the estimate of x0 (B, T, C) from what the network painted and x_t = signal x0 + noise n."""
        if not self.fitted:
            return painted
        signal, noise = signal.view(-1, 1, 1).clamp(min=1e-6), noise.view(-1, 1, 1)
        keep = self._keep((noise / signal).square())
        return self.dct.T @ ((1 - keep) * (self.dct @ self.settled(painted)) + keep / signal * (self.dct @ x_t))

    def settled(self, painted: Tensor) -> Tensor:
        """Return what a network painted (B, T, C) without the jitter that clips do not have."""
        if not self.fitted:
            return painted
        power = self.total.square()
        return self.dct.T @ (power / (power + JITTER**2) * (self.dct @ painted))

    def unrest(self, noise: Tensor) -> Tensor:
        """Return fine deviations (B, T, C) as large as those of repetitions, from unit noise of that shape."""
        return self.dct.T @ (self.deviation * noise)

    def _keep(self, variance: Tensor) -> Tensor:
        power = self.deviation.square()
        return power / (power + variance.clamp(min=1e-12))

    def loss_weight(self, signal: Tensor, noise: Tensor) -> Tensor:
        """Return the weight (B,) that makes errors of the painted part count alike at every step, up to CEILING."""
        if not self.fitted:
            return torch.ones_like(signal)
        power = self.deviation.square().mean()
        return (1 + power * (signal / noise.clamp(min=1e-6)).square()).square().clamp(max=CEILING)


class SpectralMatch(nn.Module):
    """A gain per DCT frequency and channel, (T, C), that takes what a network paints to the size it has in clips."""

    dct: Tensor
    gain: Tensor

    def __init__(self, n_frames: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("dct", dct_matrix(n_frames), persistent=False)
        self.register_buffer("gain", torch.ones(n_frames, n_features))

    @torch.no_grad()
    def fit(self, painted: Tensor, x: Tensor, seen: Tensor, beside: Tensor) -> None:
        """Learn from painted clips (N, T, C) and recorded ones x, where seen (N, C) is True in every frame.

        beside (T, C): what is added afterwards, as root mean squares. Nothing is made larger; channels never seen stay.
        """
        weight = seen.float()[:, None]
        n = weight.sum(dim=0).clamp(min=1)
        wanted, found = (((self.dct @ y).square() * weight).sum(dim=0) / n for y in (x, painted))
        gain = ((wanted - beside.square()).clamp(min=0) / found.clamp(min=1e-12)).sqrt().clamp(max=1.0)
        self.gain.copy_(torch.where(seen.any(dim=0), gain, torch.ones_like(gain)))

    def forward(self, painted: Tensor) -> Tensor:
        """Return painted clips (B, T, C), scaled."""
        return self.dct.T @ (self.gain * (self.dct @ painted))


class Calm(nn.Module):
    """How much there is of each frequency in motions of nobody in particular, by exercise, score scale and level.

    A simulated repetition without tremor has hardly anything fast in it, and what a network paints there is its own
    jitter. Root mean squares per DCT frequency and joint, (E, S, 3, T, J), levels at 0, 1/2 and 1 of the scale; cells
    without clips are left as they come.
    """

    dct: Tensor
    spectrum: Tensor
    known: Tensor

    def __init__(self, n_exercises: int, n_scales: int, n_frames: int, n_joints: int) -> None:
        super().__init__()
        self.register_buffer("dct", dct_matrix(n_frames), persistent=False)
        self.register_buffer("spectrum", torch.zeros(n_exercises, n_scales, LEVELS, n_frames, n_joints))
        self.register_buffer("known", torch.zeros(n_exercises, n_scales, LEVELS, dtype=torch.bool))

    @torch.no_grad()
    def fit(self, x: Tensor, cell: Tensor, at_least: int = 8) -> None:
        """Learn from clips x (N, T, C), normalised, whose cell (N, 3) is (exercise, scale, level)."""
        power = (self.dct @ x).square().unflatten(-1, (-1, 3)).mean(dim=-1)
        for where in cell.unique(dim=0):
            rows = (cell == where).all(dim=1)
            if int(rows.sum()) >= at_least:
                e, s, level = (int(i) for i in where)
                self.spectrum[e, s, level] = power[rows].mean(dim=0).sqrt()
                self.known[e, s, level] = True

    def forward(self, x: Tensor, exercise: Tensor, scale: Tensor, score: Tensor, someone: Tensor) -> Tensor:
        """Return x (B, T, C) filtered as noise of the size JITTER would be, where the cell is known.

        exercise and scale (B,) numbers, scale -1 = none; score (B,) on 0..1; someone (B,): a person's manner is taken.
        """
        e, s, level = exercise, scale.clamp(min=0), level_of(score)
        asked = self.known[e, s, level] & (scale >= 0) & ~someone
        power = self.spectrum[e, s, level].square().repeat_interleave(3, dim=-1)
        calm = self.dct.T @ (power / (power + JITTER**2) * (self.dct @ x))
        return torch.where(asked[:, None, None], calm, x)


def level_of(score: Tensor) -> Tensor:
    """Return the level 0, 1 or 2 nearest to a score on 0..1."""
    return (2.0 * score).round().long().clamp(0, LEVELS - 1)
