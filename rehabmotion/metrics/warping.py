"""Warping diversity: how far the best alignment of two clips in time leaves the diagonal.

The alignment is dynamic time warping (Sakoe & Chiba 1978), dependent: all channels together, squared Euclidean distance
of frames, no window; the diversity WPD is that of Ismail-Fawaz et al. 2025. Many pairs are aligned at once: distances
by matrix products, then anti-diagonals one after the other, each over all pairs of a chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
Clips = Array | Sequence[Array]

TIE = 1e-12  # of the squared size of the frames: alignments nearer than this are equal, the rest is rounding
CHUNK_PAIRS = 140  # fewer spend their time in calls, more outside of the cache
CHUNK_BYTES = 128_000_000
HALF_ROOT = float(np.sqrt(0.5))


def wpd(x: Array, y: Array) -> float:
    """Return the mean distance of the alignment of x (T1, ...) and y (T2, ...) from the diagonal, in frames.

    (sqrt 2 / 2) (1 / L) sum |p - q| over the L cells of the path. It grows with the length of clips; read it for equal
    lengths only. A clip with itself gives 0; (0, 0, 1) with (0, 1, 1) gives sqrt 2 / 4.
    """
    return float(wpd_pairs([x, y], np.array([[0, 1]]))[0][0])


def wpd_per_frame(x: Array, y: Array) -> float:
    """Return WPD/T of x (T1, ...) and y (T2, ...), dimensionless: the form to report.

    (sqrt 2 / 2) (1 / L) sum |p / T1 - q / T2| with p and q from 0, at most about sqrt 2 / 4. Noise without any warping
    raises it: read it beside a measure of smoothness. Lengths that differ leave up to |1 / T1 - 1 / T2| of their own.
    """
    return float(wpd_pairs([x, y], np.array([[0, 1]]))[1][0])


def wpd_pairs(clips: Clips, pairs: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return WPD (P,) and WPD/T (P,) of pairs (P, 2) of indices into clips, (N, T, ...) or N arrays (T_i, ...).

    Both are symmetric where the best path is the only one. Clips whose channels differ, that hold NaN or no frame, and
    indices out of range raise UserError.
    """
    checked = _flat(clips)
    index = np.asarray(pairs)
    if index.ndim != 2 or index.shape[1] != 2 or not np.issubdtype(index.dtype, np.integer):
        raise UserError(f"Expected pairs of indices (P, 2), got {index.dtype} {index.shape}. Use draw_pairs.")
    if index.size and not (index.min() >= 0 and index.max() < len(checked)):
        raise UserError(f"Expected indices 0..{len(checked) - 1}, got {index.min()}..{index.max()}.")
    frames, share = np.empty(len(index)), np.empty(len(index))
    for chunk in _aligned(checked, index):
        n = chunk.lengths
        frames[chunk.which] = HALF_ROOT * np.abs(chunk.p - chunk.q).sum(axis=0) / n
        share[chunk.which] = HALF_ROOT * np.abs(chunk.p / chunk.n_left - chunk.q / chunk.n_right).sum(axis=0) / n
    return frames, share


def dtw_paths(x: Clips, y: Clips) -> list[NDArray[np.intp]]:
    """Return the best path (L, 2) from the first frames to the last of each x[n] (T1, ...) with y[n] (T2, ...).

    Of equally good steps the diagonal one is taken. Sets of different size raise UserError.
    """
    if len(x) != len(y):
        raise UserError(f"Expected as many clips on both sides, got {len(x)} and {len(y)}.")
    n = len(x)
    paths: list[NDArray[np.intp]] = [np.empty((0, 2), np.intp)] * n
    for chunk in _aligned(_flat([*x, *y]), np.stack([np.arange(n), np.arange(n) + n], axis=1)):
        for column, (number, length) in enumerate(zip(chunk.which, chunk.lengths, strict=True)):
            paths[number] = np.stack([chunk.p[:length, column], chunk.q[:length, column]], axis=1)[::-1]
    return paths


def draw_pairs(n: int, n_pairs: int, seed: int, labels: Sequence[Any] | None = None) -> NDArray[np.intp]:
    """Return n_pairs random pairs (n_pairs, 2) of different indices below n; a pair may come again.

    With labels (n,) both are of one class: the first is any clip whose class has another, the second one of those.
    No clip is paired with itself, as the reference allows: that adds zeros, the more the fewer clips there are.
    Nothing to pair raises UserError.
    """
    if labels is not None and len(labels) != n:
        raise UserError(f"Expected a label for each of {n} clips, got {len(labels)}.")
    of = np.zeros(n, int) if labels is None else np.unique(np.asarray(labels), return_inverse=True)[1]
    order = np.argsort(of, kind="stable")  # classes side by side
    size = np.bincount(of) if n else np.zeros(0, int)
    start = np.cumsum(size) - size
    usable = np.flatnonzero(size[of[order]] > 1)  # places in order
    if not len(usable):
        raise UserError(f"Expected two clips to pair, got none of one class among {n}. Pass more clips.")
    rng = np.random.default_rng(seed)
    first = usable[rng.integers(len(usable), size=n_pairs)]
    group = of[order[first]]
    second = start[group] + rng.integers(size[group] - 1)
    second += second >= first
    return np.stack([order[first], order[second]], axis=1)


# --- many alignments at once --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chunk:
    """Paths of some pairs, from their ends backwards; beyond its length a path stays at (0, 0)."""

    which: NDArray[np.intp]  # (P,) numbers of the pairs
    p: NDArray[np.intp]  # (steps, P)
    q: NDArray[np.intp]
    lengths: NDArray[np.intp]  # (P,) cells of each path
    n_left: NDArray[np.intp]  # (P,) frames
    n_right: NDArray[np.intp]


def _flat(clips: Clips) -> list[Array]:
    """The clips as (T_i, C)."""
    arrays = [np.asarray(clip) for clip in clips]
    shapes = sorted({array.shape[1:] for array in arrays})
    if len(shapes) > 1 or not all(array.ndim and array.size for array in arrays):
        raise UserError(
            f"Expected clips (T, ...) with frames, alike but for T, got frames of {shapes}. Check the clips."
        )
    return [array.reshape(len(array), -1) for array in arrays]


def _aligned(clips: list[Array], pairs: NDArray[np.integer]) -> Iterator[_Chunk]:
    """Align the pairs chunk by chunk, those of like lengths together."""
    if not len(pairs):
        return
    lengths = np.array([len(clip) for clip in clips])
    n_left, n_right = lengths[pairs[:, 0]], lengths[pairs[:, 1]]
    most = int(n_left.max()), int(n_right.max())
    size = int(np.clip(CHUNK_BYTES // (12 * (sum(most) + 1) * (most[0] + 1)), 1, CHUNK_PAIRS))
    used = np.unique(pairs)
    centre = np.asarray([clips[i][0] for i in used], np.float64).mean(axis=0)  # near the frames: rounding stays small
    memory = _Memory(), _Memory()
    for which in np.array_split(np.lexsort((n_right, n_left))[::-1], -(-len(pairs) // size)):
        left, right = n_left[which], n_right[which]
        rows, columns = int(left.max()), int(right.max())
        costs = memory[0].array(len(which), rows, columns)
        ties = _distances(costs, clips, pairs[which], centre)
        if not np.isfinite(ties).all():
            bad = [i for i in used.tolist() if not np.isfinite(clips[i]).all()]
            raise UserError(f"Expected finite frames, got NaN in clip {bad[0]}. Fill what is missing or leave it out.")
        sums = memory[1].array(rows + columns + 1, rows + 1, len(which))
        _skew(costs, sums)
        _accumulate(sums)
        p, q = _backtrack(sums, ties, left, right)
        yield _Chunk(which, p, q, (p + q > 0).sum(axis=0) + 1, left, right)


class _Memory:
    """Memory used again by every chunk: fresh pages cost as much as the work."""

    def __init__(self) -> None:
        self._flat = np.zeros(0)

    def array(self, *shape: int) -> NDArray[np.float64]:
        size = int(np.prod(shape))
        if self._flat.size < size:
            self._flat = np.zeros(size)
        return self._flat[:size].reshape(shape)


def _distances(
    costs: NDArray[np.float64], clips: list[Array], pairs: NDArray[np.integer], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Write half the squared distances of frames to costs (P, T1, T2), and return what counts as a tie (P,).

    |x|^2 / 2 + |y|^2 / 2 - x y is one matrix product: two channels more carry the squares.
    """
    size, rows, columns = costs.shape
    n = centre.size
    x, y = np.full((rows, n + 2), 0.5), np.full((columns, n + 2), 0.5)
    squares = np.zeros((2, size, max(rows, columns)))
    for number, (i, j) in enumerate(pairs.tolist()):
        left, right = x[: len(clips[i])], y[: len(clips[j])]
        np.subtract(centre, clips[i], out=left[:, :n])
        np.subtract(clips[j], centre, out=right[:, :n])
        left[:, n] = squares[0, number, : len(left)] = np.vecdot(left[:, :n], left[:, :n])
        right[:, n + 1] = squares[1, number, : len(right)] = np.vecdot(right[:, :n], right[:, :n])
        np.matmul(left, right.T, out=costs[number, : len(left), : len(right)])
    return TIE * squares.max(axis=2).sum(axis=0)


def _skew(costs: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Write costs of frames p and q to sums[p + q + 2, p + 1, P], so that an anti-diagonal is one block of memory.

    What lies before the first frames is infinite.
    """
    size, rows, columns = costs.shape
    first = np.arange(rows + 1)
    sums[:2] = sums[:, 0] = sums[first, first] = np.inf
    step = sums.itemsize * size
    cells = as_strided(sums[2:, 1:], (rows, columns, size), ((rows + 2) * step, (rows + 1) * step, sums.itemsize))
    np.copyto(cells, costs.transpose(1, 2, 0))


def _accumulate(sums: NDArray[np.float64]) -> None:
    """Add to every cell the least of its three neighbours before, one anti-diagonal after the other."""
    rows = sums.shape[1] - 1
    columns = sums.shape[0] - 1 - rows
    best = np.empty((rows, sums.shape[2]))
    for k in range(3, rows + columns + 1):
        low, high = max(1, k - columns), min(rows, k - 1) + 1
        least = best[: high - low]
        np.minimum(sums[k - 1, low - 1 : high - 1], sums[k - 1, low:high], out=least)
        np.minimum(sums[k - 2, low - 1 : high - 1], least, out=least)
        now = sums[k, low:high]
        np.add(now, least, out=now)


def _backtrack(
    sums: NDArray[np.float64], ties: NDArray[np.float64], n_left: NDArray[np.intp], n_right: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frames p and q (steps, P) of each path from its end backwards."""
    n_diagonals, rows, size = sums.shape
    pair = np.arange(size)
    steps = -size * np.array([2 * rows + 1, rows + 1, rows])  # diagonal, p alone, q alone: the first of equals is taken
    start = (2 * rows + 1) * size + pair
    cells = np.empty((n_diagonals, size), np.intp)
    cells[0] = ((n_left + n_right) * rows + n_left) * size + pair
    flat, around, values = sums.reshape(-1), np.empty((size, 3), np.intp), np.empty((size, 3))
    n = 0
    while (cells[n] > start).any():
        np.add(cells[n][:, None], steps, out=around)
        flat.take(around, out=values, mode="clip")
        values[:, 0] -= ties
        n += 1
        np.add(cells[n - 1], steps[values.argmin(axis=1)], out=cells[n])
        np.maximum(cells[n], start, out=cells[n])  # stays where it has arrived
    anti_diagonal, p = np.divmod(cells[: n + 1] // size, rows)
    return p - 1, anti_diagonal - p - 1
