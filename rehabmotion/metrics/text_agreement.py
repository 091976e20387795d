"""Text agreement: whether a motion lies nearer to its own words than to those of other clips, and the reverse.

Texts and motions are embeddings of one space, row i of both belonging together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import comb

from rehabmotion.errors import UserError
from rehabmotion.metrics.intervals import label_codes
from rehabmotion.metrics.neighbours import feature_sets

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]
Direction = Literal["text_to_motion", "motion_to_text"]
MIN_CLIPS = 4


@dataclass(frozen=True)
class RPrecision:
    """R-Precision by k, with what is needed to read it."""

    values: dict[int, float]  # share of hits, mean over repeats
    chance: dict[int, float]  # what blind ranking would give in the very pools that were drawn
    hits: dict[int, NDArray[np.float64]]  # (N,) each clip's own share over its pools, NaN if it was in none
    repeats: dict[int, NDArray[np.float64]]  # (R,) the value of each repeat
    pool: int  # clips ranked at a time: what was asked for, or all clips where there are fewer


def r_precision(
    texts: Array,
    motions: Array,
    ids: Iterable[Hashable],
    k: Sequence[int] = (1, 2, 3),
    pool: int = 32,
    seed: int = 0,
    repeats: int = 20,
    direction: Direction = "text_to_motion",
    multi_positive: bool = True,
) -> RPrecision:
    """Return how often one of the right answers is among the k nearest of a pool; texts, motions (N, d), ids (N,).

    Guo et al. 2022. Each repeat shuffles the clips, cuts them into whole pools and leaves out the rest. With
    `multi_positive` every clip of the same id is a right answer, else the clip's own alone: where clips share words,
    that asks for the impossible. `direction` says what is asked for: motions of a text (as the reference code does),
    or texts of a motion (as the papers say). UserError for fewer than 4 clips, or lengths that differ.
    """
    texts, motions = feature_sets(texts, motions, at_least=MIN_CLIPS)
    codes = label_codes(ids)
    if not len(texts) == len(motions) == len(codes):
        sizes = f"{len(texts)}, {len(motions)} and {len(codes)}"
        raise UserError(f"Expected as many texts, motions and ids, got {sizes}. Pass one of each a clip.")
    if direction not in ("text_to_motion", "motion_to_text"):
        raise UserError(f'Expected direction "text_to_motion" or "motion_to_text", got "{direction}".')
    asked, answers = (texts, motions) if direction == "text_to_motion" else (motions, texts)
    pools = _pools(len(texts), pool, repeats, seed)  # (R, P, B)
    right = codes[pools][..., :, None] == codes[pools][..., None, :]
    if not multi_positive:
        right = np.broadcast_to(np.eye(pools.shape[-1], dtype=bool), right.shape)
    rank = np.array([ranks(distances(asked[p], answers[p]), r) for p, r in _each_pool(pools, right)])
    return _summary(rank.reshape(pools.shape), right, pools, k, len(texts))


def distances(texts: Array, motions: Array) -> NDArray[np.float64]:
    """Return the Euclidean distances (N, M) of texts (N, d) to motions (M, d).

    Taken from differences: sqrt(‖t‖² + ‖m‖² - 2 t·m) would have to clip rounding errors below 0, and would let them
    decide between equal motions, as a collapsed model makes them.
    """
    return cdist(texts, motions)


def ranks(distance: Array, right: Bools) -> NDArray[np.float64]:
    """Return the rank (N,), from 1, of the nearest right answer in each row of distance (N, M); right (N, M).

    1 + the wrong answers nearer + half of those as near: so equal answers neither win nor lose by their order.
    """
    nearest = np.where(right, distance, np.inf).min(axis=1, keepdims=True)
    nearer, tied = ((~right & compared).sum(axis=1) for compared in (distance < nearest, distance == nearest))
    return np.asarray(1.0 + nearer + 0.5 * tied, np.float64)


def chance(pool: int, positives: int | NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """Return how often blind ranking of `pool` answers, `positives` of them right, has one among the first k.

    1 - C(B - K, k) / C(B, k): 1/2 for 4 answers, 2 of them right, and k = 1.
    """
    k = min(k, pool)
    return np.asarray(1.0 - comb(pool - np.asarray(positives), k) / comb(pool, k), np.float64)


def mm_dist(texts: Array, motions: Array) -> NDArray[np.float64]:
    """Return the distance (N,) of each text (N, d) to its own motion (N, d); the mean is MM-Dist, lower is better."""
    texts, motions = feature_sets(texts, motions)
    if len(texts) != len(motions):
        raise UserError(f"Expected as many texts as motions, got {len(texts)} and {len(motions)}. Pass them in pairs.")
    return np.linalg.norm(texts - motions, axis=1)


def _pools(n: int, pool: int, repeats: int, seed: int) -> NDArray[np.int64]:
    """Return (R, P, B) clips: for each repeat, P whole pools of B clips."""
    if pool < 2 or repeats < 1:
        raise UserError(f"Expected a pool of at least 2 and 1 repeat, got {pool} and {repeats}. Usual are 32 and 20.")
    size, rng = min(pool, n), np.random.default_rng(seed)
    return np.stack([rng.permutation(n)[: n // size * size].reshape(-1, size) for _ in range(repeats)])


def _each_pool(pools: NDArray[np.int64], right: Bools) -> Iterable[tuple[NDArray[np.int64], Bools]]:
    size = pools.shape[-1]
    return zip(pools.reshape(-1, size), right.reshape(-1, size, size), strict=True)


def _summary(rank: Array, right: Bools, pools: NDArray[np.int64], k: Sequence[int], n: int) -> RPrecision:
    """Count the hits: rank and pools (R, P, B), right (R, P, B, B)."""
    size, positives, seen = pools.shape[-1], right.sum(axis=-1), np.bincount(pools.ravel(), minlength=n)
    hit = {each: (rank <= each).astype(np.float64) for each in k}
    summed = {each: np.bincount(pools.ravel(), hit[each].ravel(), minlength=n) for each in k}
    return RPrecision(
        values={each: float(hit[each].mean()) for each in k},
        chance={each: float(chance(size, positives, each).mean()) for each in k},
        hits={each: np.where(seen > 0, summed[each] / np.maximum(seen, 1), np.nan) for each in k},
        repeats={each: hit[each].mean(axis=(1, 2)) for each in k},
        pool=size,
    )
