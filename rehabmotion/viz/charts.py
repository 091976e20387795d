"""Small charts as inline SVG, without a library and without a script: histograms, points, intervals, shaded tables."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.viz.chart_frame import ALONE, HEIGHT, KINDS, PAD, WIDTH, at_x, at_y, inside_of
from rehabmotion.viz.curves import curves

__all__ = ["curves", "histogram", "intervals", "matrix", "points", "span"]

Numbers = NDArray[np.floating]


def histogram(series: Mapping[str, Numbers], title: str, unit: str = "", bins: int = 24) -> str:
    """Return a chart of the shares of several sets of numbers over common bins; outer 1 % are put into the end bins."""
    known = {name: np.asarray(v, float)[np.isfinite(v)] for name, v in series.items()}
    known = {name: v for name, v in known.items() if len(v)}
    if not known:
        return ""
    together = np.concatenate(list(known.values()))
    low, high = np.percentile(together, [0.5, 99.5])
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    shares = {name: np.histogram(np.clip(v, low, high), edges)[0] / len(v) for name, v in known.items()}
    top = max(float(share.max()) for share in shares.values())
    lines = []
    for kind, (name, share) in zip(KINDS, shares.items(), strict=False):
        points = _steps(edges, share / top)
        lines.append(f'<polygon class="area {kind}" points="{points}"><title>{html.escape(name)}</title></polygon>')
    return _frame(title, "".join(lines), (low, high), unit, list(shares))


def points(x: Numbers, y: Numbers, title: str, unit: str = "") -> str:
    """Return a chart of y over x on one common scale, with the line on which both are equal."""
    both = np.isfinite(x) & np.isfinite(y)
    if not both.any():
        return ""
    low, high = float(min(x[both].min(), y[both].min())), float(max(x[both].max(), y[both].max()))
    span = (high - low) or 1.0
    jitter = np.random.default_rng(0).uniform(-0.012, 0.012, len(x))  # equal scores would hide one another
    at = [
        (at_x((a - low) / span + shift), at_y((b - low) / span))
        for a, b, shift in zip(x[both], y[both], jitter[both], strict=True)
    ]
    dots = "".join(f'<circle class="a" cx="{a:.1f}" cy="{b:.1f}" r="2"/>' for a, b in at)
    line = f'<line class="rule" x1="{at_x(0)}" y1="{at_y(0)}" x2="{at_x(1)}" y2="{at_y(1)}"/>'
    return _frame(title, line + dots, (low, high), unit, [])


def matrix(table: NDArray[np.integer], rows: Sequence[str], columns: Sequence[str], corner: str) -> str:
    """Return an HTML table of counts, each cell shaded by its share of the row."""
    total = np.maximum(table.sum(axis=1, keepdims=True), 1)
    share = table / total
    head = "".join(f"<th scope=col><span>{html.escape(name)}</span></th>" for name in columns)
    body = []
    for i, name in enumerate(rows):
        cells = "".join(
            f'<td class="s{round(10 * float(share[i, j]))}">{int(table[i, j]) or ""}</td>' for j in range(len(columns))
        )
        body.append(f"<tr><th scope=row>{html.escape(name)}</th>{cells}</tr>")
    return f'<table class="matrix"><tr><th>{html.escape(corner)}</th>{head}</tr>{"".join(body)}</table>'


def span(value: float, low: float, high: float, real: float | None) -> str:
    """Return a small bar of an interval with its value and, as a mark, the real value."""
    ends = [low, high, value, *([real] if real is not None else [])]
    least, most = min(ends), max(ends)
    width = (most - least) or 1.0

    def at(x: float) -> float:
        return 4 + 112 * (x - least) / width

    mark = "" if real is None else f'<line class="real" x1="{at(real):.1f}" x2="{at(real):.1f}" y1="1" y2="13"/>'
    bar = f'<line class="bar" x1="{at(low):.1f}" x2="{at(high):.1f}" y1="7" y2="7"/>'
    dot = f'<circle class="a" cx="{at(value):.1f}" cy="7" r="3"/>'
    return f'<svg class="span" viewBox="0 0 120 14" role="img" aria-label="interval">{bar}{mark}{dot}</svg>'


def intervals(
    rows: Mapping[str, tuple[float, float, float]], title: str, unit: str, reference: str | None = None
) -> str:
    """Return a standalone SVG of values with their ends (value, low, high), one line a row; a rule at the reference."""
    if not rows:
        return ""
    least, most = min(row[1] for row in rows.values()), max(row[2] for row in rows.values())
    wide, left, step = 2 * WIDTH, 150, 18
    height = 2 * PAD + step * len(rows) + 10

    def at(value: float) -> float:
        return left + (wide - left - PAD) * (value - least) / ((most - least) or 1.0)

    lines = []
    if reference is not None and reference in rows:
        x = at(rows[reference][0])
        lines.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{PAD}" y2="{height - PAD}"/>')
    for i, (name, (value, low, high)) in enumerate(rows.items()):
        y = PAD + step * (i + 0.5)
        lines.append(f'<text x="{left - 8}" y="{y + 4:.1f}" class="end">{html.escape(name)}</text>')
        lines.append(f'<line class="bar" x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<circle class="a" cx="{at(value):.1f}" cy="{y:.1f}" r="4"/>')
    bottom = height - PAD + 16
    ends = (
        f'<text x="{left}" y="{bottom}">{least:.3g}</text>'
        f'<text x="{wide - PAD}" y="{bottom}" class="end">{most:.3g}</text>'
    )
    heading = f'<text x="{left}" y="18" class="title">{html.escape(title)}, {html.escape(unit)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {height}" width="{wide}" height="{height}">'
        f"<style>{ALONE}</style>{heading}{''.join(lines)}{ends}</svg>\n"
    )


def _steps(edges: Numbers, heights: Numbers) -> str:
    at = [(at_x(0), at_y(0))]
    width = len(heights)
    for i, height in enumerate(heights):
        at += [(at_x(i / width), at_y(float(height))), (at_x((i + 1) / width), at_y(float(height)))]
    at.append((at_x(1), at_y(0)))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in at)


def _frame(title: str, inside: str, limits: tuple[float, float], unit: str, names: Sequence[str]) -> str:
    label = html.escape(title, quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{inside_of(title, inside, limits, unit, names)}</svg>"
    )
