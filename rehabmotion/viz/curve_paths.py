"""Lines and bands of a chart as SVG paths, thinned to what can be seen, broken where values are missing; ticks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]
STEPS = 420  # parts of the width in which no more is told apart; a chart is 280 units wide inside


def line_path(x: Numbers, y: Numbers) -> str:
    """Return the path of points (N,) in units of the drawing, a new beginning after each NaN of y; x rises.

    Of many points those stay that one sees: in each part of the width the first, lowest, highest and last.
    """
    kept, broken = _thinned(x, y)
    parts = []
    for i, (a, b, new) in enumerate(zip(x[kept].tolist(), y[kept].tolist(), broken.tolist(), strict=True)):
        alone = new and (i + 1 == len(kept) or broken[i + 1])
        parts.append(f"{'M' if new else 'L'}{a:.1f},{b:.1f}{'h0' if alone else ''}")  # h0: a round end shows as a dot
    return "".join(parts)


def band_path(x: Numbers, low: Numbers, high: Numbers) -> str:
    """Return the path of areas between two curves (N,), one for each stretch in which both are there."""
    there = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(there, low, np.nan), np.where(there, high, np.nan)
    ends = _parts(x)
    areas: list[list[tuple[float, float, float]]] = []
    after = -2
    for first, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        seen = first + np.flatnonzero(there[first:end])
        if not len(seen):
            continue
        if not areas or not there[after + 1 : seen[0]].all():
            areas.append([])
        areas[-1].append((float(x[seen[0]]), float(low[seen].min()), float(high[seen].max())))
        after = int(seen[-1])
    return "".join(_area(area) for area in areas)


def _area(points: list[tuple[float, float, float]]) -> str:
    there = [f"{x:.1f},{high:.1f}" for x, _, high in points]
    back = [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(points)]
    return f"M{'L'.join(there + back)}Z"


def _parts(x: Numbers) -> NDArray[np.intp]:
    """Return where each part of the width begins (K + 1,), the last one's end too; few points: each is a part."""
    if len(x) <= 2 * STEPS or not x[-1] > x[0]:
        return np.arange(len(x) + 1)
    part = np.minimum((STEPS * (x - x[0]) / (x[-1] - x[0])).astype(int), STEPS - 1)
    return np.concatenate([[0], 1 + np.flatnonzero(np.diff(part)), [len(x)]])


def _thinned(x: Numbers, y: Numbers) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the numbers of points that stay (K,), and whether the line begins anew at each (K,)."""
    there = np.isfinite(y)
    ends = _parts(x)
    kept: list[int] = []
    broken: list[bool] = []
    for first, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        seen = first + np.flatnonzero(there[first:end])
        if not len(seen):
            continue
        values = y[seen]
        four = sorted({int(seen[0]), int(seen[values.argmin()]), int(seen[values.argmax()]), int(seen[-1])})
        # gaps inside a part are narrower than can be seen
        broken += [not kept or not there[kept[-1] : four[0]].all(), *[False] * (len(four) - 1)]
        kept += four
    return np.array(kept, dtype=np.intp), np.array(broken, dtype=bool)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers, 1, 2 or 5 times a power of ten apart, from low to high: as many as may be up to `most`."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (power * k for k in (1, 2, 5, 10, 20)):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            break
    return [step * k for k in range(first, last + 1)]
