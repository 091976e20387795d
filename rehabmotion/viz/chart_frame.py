"""What all charts share: their size, where a share of it lies, axis, ends, unit and names; styles for one alone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT, PAD = 340, 170, 30
KINDS = ("a", "b", "c")  # style classes of the series: generated, real, other
ALONE = (  # style of a chart that stands in a file of its own
    "svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#444}.title{font-size:14px;font-weight:600;fill:#111}"
    ".end{text-anchor:end}.bar{stroke:#2f86dc;stroke-width:3}.a{fill:#2f86dc}.rule{stroke:#888;stroke-dasharray:4 3}"
)


def at_x(share: Any) -> Any:
    """Return where a share of the width, 0 to 1, a number or an array, lies in the drawing."""
    return PAD + (WIDTH - 2 * PAD) * share


def at_y(share: Any) -> Any:
    """Return where a share of the height, 0 at the bottom, lies in the drawing."""
    return HEIGHT - PAD - (HEIGHT - 2 * PAD) * share


def inside_of(title: str, inside: str, limits: tuple[float, float], unit: str, names: Sequence[str]) -> str:
    """Return what stands inside the svg element: title, what is drawn, axis with its ends and unit, names of series."""
    low, high = (f"{end:.3g}" if abs(end) < 1000 else f"{round(end):g}" for end in limits)
    y = HEIGHT - PAD + 16
    axis = f'<line class="axis" x1="{PAD}" x2="{WIDTH - PAD}" y1="{at_y(0)}" y2="{at_y(0)}"/>'
    ends = (
        f'<text x="{PAD}" y="{y}">{low}</text><text x="{WIDTH - PAD}" y="{y}" class="end">{high}</text>'
        f'<text x="{WIDTH / 2}" y="{y}" class="mid">{html.escape(unit)}</text>'
    )
    legend = "".join(
        f'<text x="{WIDTH - PAD}" y="{PAD - 4 + 14 * i}" class="end key {kind}">{html.escape(name)}</text>'
        for i, (kind, name) in enumerate(zip(KINDS, names, strict=False))
    )
    heading = f'<text x="{PAD}" y="16" class="title">{html.escape(title)}</text>'
    return f"{heading}{inside}{axis}{ends}{legend}"
