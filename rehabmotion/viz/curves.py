"""Curves over time as SVG: panels with bands around the lines, one alone for a page or several in a file."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.chart_frame import ALONE, HEIGHT, KINDS, PAD, WIDTH, at_x, at_y, inside_of
from rehabmotion.viz.curve_paths import band_path, line_path, ticks

Numbers = NDArray[np.floating]

ALONE_LINES = (
    ".line{fill:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}.line.a{stroke:#2f86dc}"
    ".line.b{stroke:#ea8a24}.line.c{stroke:#5b6675}.band{fill-opacity:.22}.band.a,.key.a{fill:#2f86dc}"
    ".band.b,.key.b{fill:#ea8a24}.band.c,.key.c{fill:#5b6675}.axis{stroke:#bbb}.grid{stroke:#e3e7ec}"
    ".mid{text-anchor:middle}"
)
SIDES = {"left": "a", "right": "b", "middle": "c"}


def curves(
    x: Numbers,
    panels: Mapping[str, Mapping[str, Numbers]],
    title: str,
    unit: str,
    x_unit: str,
    bands: Mapping[str, Mapping[str, Numbers]] | None = None,
) -> str:
    """Return a standalone SVG of curves over x (T,), a panel for each name, two abreast, each on a scale of its own.

    bands: for panels and their lines, half widths (T,) of a band around the line. Curves named left, right and middle
    have the colours of the sides. NaN breaks a line.
    """
    across, gap = 2, 26
    wide, high = across * WIDTH, 2 * PAD + (HEIGHT + gap) * -(-len(panels) // across)
    parts = [f'<text x="{PAD}" y="20" class="title">{html.escape(title)}, {html.escape(unit)}</text>']
    for i, (name, lines) in enumerate(panels.items()):
        left, top = WIDTH * (i % across), PAD + (HEIGHT + gap) * (i // across)
        inside = _panel(x, lines, name, x_unit, (bands or {}).get(name, {}), None)
        parts.append(f'<g transform="translate({left},{top})">{inside}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">'
        f"<style>{ALONE}{ALONE_LINES}</style>{''.join(parts)}</svg>\n"
    )


def panel(
    x: Numbers,
    lines: Mapping[str, Numbers],
    title: str,
    x_unit: str,
    bands: Mapping[str, Numbers] | None = None,
    low: float | None = None,
    note: str = "",
) -> str:
    """Return one panel of `curves` for a page; low: where its scale begins, default a little below what it shows.

    note: to beware of, written above the curves.
    """
    label = html.escape(f"{title}, {note}" if note else title, quote=True)
    inside = _panel(x, lines, title, x_unit, bands or {}, low)
    if note:
        inside += f'<text class="end doubt" x="{WIDTH - PAD}" y="{PAD - 2}">{html.escape(note)}</text>'
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{inside}</svg>'


def _panel(
    x: Numbers,
    lines: Mapping[str, Numbers],
    title: str,
    x_unit: str,
    bands: Mapping[str, Numbers],
    low: float | None,
) -> str:
    known, wide = _finite(x, lines), _finite(x, bands)
    if not wide.keys() <= known.keys():
        raise UserError(
            f"Expected bands around {', '.join(known)}, got one of {', '.join(wide.keys() - known.keys())}."
        )
    limits = _limits(known, wide, low)
    ends = (float(x[0]), float(x[-1])) if len(x) else (0.0, 0.0)
    short = title if len(title) <= 36 else title[:34] + ".."
    if limits is None:
        empty = f'<text class="mid" x="{WIDTH / 2}" y="{HEIGHT / 2}">not seen</text>'
        return inside_of(short, empty, ends, x_unit, [])
    kinds = _kinds(list(known))
    along = at_x((np.asarray(x, float) - ends[0]) / ((ends[1] - ends[0]) or 1.0))
    parts = [_grid(*limits)]
    for name, half in wide.items():
        path = band_path(along, *(_height(known[name] + sign * half, *limits) for sign in (1, -1)))
        parts.append(f'<path class="band {kinds[name]}" d="{path}"/>')
    parts += [f'<path class="line {kinds[n]}" d="{line_path(along, _height(y, *limits))}"/>' for n, y in known.items()]
    return inside_of(short, "".join(parts), ends, x_unit, []) + _legend(kinds)


def _finite(x: Numbers, lines: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Return lines (T,) with NaN for what is not finite; of another length than x raise UserError."""
    for name, values in lines.items():
        if np.shape(values) != np.shape(x):
            raise UserError(f"Expected {name} of shape {np.shape(x)}, as its times, got {np.shape(values)}.")
    return {name: np.where(np.isfinite(values), values, np.nan) for name, values in lines.items()}


def _limits(
    lines: Mapping[str, Numbers], bands: Mapping[str, Numbers], low: float | None
) -> tuple[float, float] | None:
    """Return the ends of the scale, at least two units apart; None where nothing is there.

    Of bands the outer 1 % do not count: one frame that says nothing would flatten the curves.
    """
    ends: list[float] = []
    for values in lines.values():
        ends += [float(end) for end in (np.nanmin(values), np.nanmax(values))] if np.isfinite(values).any() else []
    for name, half in bands.items():
        if (half < 0).any():
            raise UserError(f"Expected half widths >= 0 of the band of {name}, got {np.nanmin(half):g}.")
        edges = np.concatenate([lines[name] - half, lines[name] + half])
        edges = edges[np.isfinite(edges)]
        ends += np.percentile(edges, [1, 99]).tolist() if len(edges) else []
    if not ends:
        return None
    least, most = min(ends), max(ends)
    if low is not None:
        return low, max(1.05 * most, low + 1)
    middle, half_span = (least + most) / 2, max((most - least) / 2, 1.0)
    return middle - 1.05 * half_span, middle + 1.05 * half_span


def _kinds(names: Sequence[str]) -> dict[str, str]:
    """Return a style for each line: that of its side, else one after the other; a line alone is of no side."""
    if len(names) == 1 and names[0] not in SIDES:
        return {names[0]: "c"}
    return {name: SIDES.get(name, KINDS[i % len(KINDS)]) for i, name in enumerate(names)}


def _height(y: Numbers, low: float, high: float) -> Numbers:
    return np.asarray(at_y(np.clip((y - low) / (high - low), 0.0, 1.0)))


def _grid(low: float, high: float) -> str:
    parts = []
    for value in ticks(low, high):
        y = at_y((value - low) / (high - low))
        style = "rule" if value == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{at_x(0)}" x2="{at_x(1)}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="end" x="{PAD - 4}" y="{y + 4:.1f}">{value:.6g}</text>')
    return "".join(parts)


def _legend(kinds: Mapping[str, str]) -> str:
    names = [f'<tspan class="key {kind}">{html.escape(name)}</tspan>' for name, kind in kinds.items()]
    return f'<text x="{WIDTH - PAD}" y="16" class="end">{"  ".join(names)}</text>' if len(names) > 1 else ""
