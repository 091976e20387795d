"""What reports of motions are put together from: panels of joints, tables, lists of facts."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.curves import panel

Numbers = NDArray[np.floating]

SIDES = {"_l": "left", "_r": "right"}


def check_times(times: Numbers, series: Mapping[str, Numbers]) -> None:
    """Raise UserError unless times (T,) s rise and each of the series has a value for each of them."""
    times = np.asarray(times)
    if times.ndim != 1 or not len(times) or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise UserError(f"Expected times (T,) s that rise from frame to frame, got {_short(times)}.")
    for name, values in series.items():
        if np.shape(values) != times.shape:
            raise UserError(f"Expected {name} of shape {times.shape}, as its times, got {np.shape(values)}.")


def _short(times: Numbers) -> str:
    return f"shape {times.shape}" if times.ndim != 1 or not len(times) else f"{times[0]:g} .. {times[-1]:g} s"


def joint_panels(
    times: Numbers,
    series: Mapping[str, Numbers],
    bands: Mapping[str, Numbers] | None = None,
    doubtful: Collection[str] = (),
) -> str:
    """Return a panel for each joint, NAME_l and NAME_r together: series (T,) over times (T,) s.

    bands: half widths (T,) around some of the series; doubtful: names that are marked as of low confidence.
    """
    charts = []
    for stem, sides in by_joint(series).items():
        lines = {side: series[name] for side, name in sides.items()}
        wide = {side: bands[name] for side, name in sides.items() if bands and name in bands}
        charts.append(panel(times, lines, spelled(stem), "s", wide, note=doubt(sides, doubtful)))
    return f'<div class="charts">{"".join(charts)}</div>'


def doubt(sides: Mapping[str, str], doubtful: Collection[str]) -> str:
    """Return what is said of a joint's sides (side: name) that are among the doubtful names, nothing if none is."""
    unsure = [side for side, name in sides.items() if name in doubtful]
    if not unsure:
        return ""
    return "low confidence" if len(unsure) == len(sides) else f"{unsure[0]}: low confidence"


def by_joint(names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return names of angles by joint and side, in the order given: {"knee_angle": {"left": "knee_angle_l", ...}}."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        stem, side = (name[:-2], SIDES[name[-2:]]) if name[-2:] in SIDES and len(name) > 2 else (name, "middle")
        found.setdefault(stem, {})[side] = name
    return {stem: {s: sides[s] for s in ("left", "right", "middle") if s in sides} for stem, sides in found.items()}


def spelled(name: str) -> str:
    """Return a name of a coordinate as words."""
    return name.replace("_", " ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int = 1) -> str:
    """Return an HTML table of cells that are safe as they are; columns from `numbers_from` on hold numbers."""
    styles = [" class=number" if i >= numbers_from else "" for i in range(len(head))]
    top = "".join(f"<th scope=col{style}>{name}</th>" for style, name in zip(styles, head, strict=True))
    body = ""
    for row in rows:
        body += f"<tr>{''.join(f'<td{style}>{cell}</td>' for style, cell in zip(styles, row, strict=True))}</tr>"
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def facts(how: Mapping[str, str], times: Numbers) -> str:
    """Return a list of what is known of a recording, its length last."""
    length = {"frames": f"{len(times)} in {times[-1] - times[0]:.1f} s"}
    rows = [[html.escape(name), html.escape(str(value))] for name, value in {**how, **length}.items()]
    return "<ul>" + "".join(f"<li>{name}: {value}</li>" for name, value in rows) + "</ul>"
