"""What came out of a video: joint angles with how sure they are, ranges of motion, what was seen, what to beware of."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.ranges import outer_range, symmetry_index
from rehabmotion.motion import Motion
from rehabmotion.viz.report import report_html
from rehabmotion.viz.report_parts import by_joint, check_times, doubt, facts, joint_panels, spelled, table

Numbers = NDArray[np.floating]

ABOUT = (
    "Estimated from video and not checked against a motion laboratory for this recording. "
    "This is not a medical device: do not diagnose, treat or decide by it alone."
)


def capture_report(
    title: str,
    times: Numbers,
    angles: Mapping[str, Numbers],
    bands: Mapping[str, Numbers] | None = None,
    seen: Mapping[str, tuple[float, float]] | None = None,
    warnings: Sequence[str] = (),
    how: Mapping[str, str] | None = None,
    doubtful: Collection[str] = (),
    motions: Sequence[tuple[str, Motion]] = (),
) -> str:
    """Return the page: angles over time, ranges of motion, confidence, warnings, how the capture was done.

    times (T,) s, rising; angles (T,) degrees by name, NaN where there is none; NAME_l and NAME_r share a panel. bands
    (T,): half widths of their 90 % interval, degrees. seen: share of frames with a part of the body and its mean
    confidence there, both 0 to 1. how: what the capture used, as (camera, height, detector, model). doubtful: angles
    whose values are marked low confidence. 18,000 frames of 37 angles make 1 MB; motions, of the player at the end, add
    all of their frames.
    """
    bands = bands or {}
    for kind, names in (("bands", bands), ("doubtful angles", doubtful)):
        other = sorted(set(names) - set(angles))
        if other:
            raise UserError(f"Expected {kind} of the angles given, got {', '.join(other[:5])}.")
    check_times(times, angles)
    sections = [
        ("Read first", _warnings(warnings)),
        ("Joint angles", _angles(times, angles, bands, doubtful)),
        ("Range of motion", _ranges(angles, doubtful)),
        ("What was seen", _seen(seen or {})),
        ("How it was captured", facts(how or {}, times)),
    ]
    return report_html(title, [(heading, body) for heading, body in sections if body], motions)


def _warnings(warnings: Sequence[str]) -> str:
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in warnings)
    return (f'<ul class="warnings">{lines}</ul>' if lines else "") + f'<p class="soft">{ABOUT}</p>'


def _angles(
    times: Numbers, angles: Mapping[str, Numbers], bands: Mapping[str, Numbers], doubtful: Collection[str]
) -> str:
    shade = " The shaded band holds the true value nine times in ten, by the model's own account." if bands else ""
    note = f'<p class="soft">Degrees over seconds; left is blue, right is orange.{shade} Gaps: not seen.</p>'
    return note + joint_panels(times, angles, bands, doubtful) if angles else ""


def _ranges(angles: Mapping[str, Numbers], doubtful: Collection[str]) -> str:
    rows = []
    for stem, sides in by_joint(angles).items():
        ranges = {side: _range(angles[name]) for side, name in sides.items()}
        mark = f' <span class="doubt">{doubt(sides, doubtful)}</span>'
        cells = [_span(ranges.get("left", ranges.get("middle"))), _span(ranges.get("right"))]
        rows.append([html.escape(spelled(stem)) + mark, *cells, _symmetry(ranges.get("left"), ranges.get("right"))])
    note = (
        '<p class="soft">Degrees between the 2nd and the 98th percentile. Symmetry index: (right - left) / their mean '
        "(Robinson et al. 1987), 0 is symmetric; none where both sides move by less than 5 degrees.</p>"
    )
    return note + table(("joint", "left (or middle)", "right", "symmetry index"), rows) if rows else ""


def _range(values: Numbers) -> tuple[float, float] | None:
    there = np.asarray(values, float)[np.isfinite(values)]
    return outer_range(there) if len(there) else None


def _span(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{ends[1] - ends[0]:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


def _symmetry(left: tuple[float, float] | None, right: tuple[float, float] | None) -> str:
    if left is None or right is None:
        return "-"
    index = symmetry_index(right[1] - right[0], left[1] - left[0])
    return "-" if index is None else f"{index:.1f} %"


def _seen(seen: Mapping[str, tuple[float, float]]) -> str:
    rows = []
    for part, (share, confidence) in seen.items():
        if not 0 <= share <= 1 or not (0 <= confidence <= 1 or np.isnan(confidence)):
            raise UserError(
                f"Expected a share and a confidence from 0 to 1 of {part}, got {share:g} and {confidence:g}."
            )
        sure = "-" if np.isnan(confidence) else f"{confidence:.2f}"
        rows.append([html.escape(spelled(part)), f"{100 * share:.1f} %", sure])
    return table(("part of the body", "frames seen", "mean confidence"), rows) if rows else ""
