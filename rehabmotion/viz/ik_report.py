"""What inverse kinematics found, as a page: coordinates over time, what markers are off by, scale factors, limits."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.viz.curves import panel
from rehabmotion.viz.report import report_html
from rehabmotion.viz.report_parts import check_times, facts, joint_panels, spelled, table

Numbers = NDArray[np.floating]


def ik_report(
    name: str,
    times: Numbers,
    angles: Mapping[str, Numbers],
    lengths: Mapping[str, Numbers],
    errors: Mapping[str, Numbers],
    report: Mapping[str, Any],
) -> str:
    """Return the page about a recording of that name.

    times (T,) s; angles (T,) degrees and lengths (T,) m of the coordinates that were free; errors (T,) mm of each
    marker, NaN where it was not seen; report: that of workflows/ik.py, as in NAME_report.json.
    """
    check_times(times, {**angles, **lengths, **errors})
    centimetres = {coordinate: 100 * np.asarray(values) for coordinate, values in lengths.items()}
    sections = [
        ("What was fitted", _about(report, times) + _notes(report["notes"])),
        ("Angles, degrees", joint_panels(times, angles) if angles else ""),
        ("Lengths, centimetres", joint_panels(times, centimetres) if lengths else ""),
        ("Marker errors, millimetres", _errors(times, errors)),
        ("Coordinates at a limit", _limits(report["at_a_limit"])),
        ("Scale factors", _scales(report["scales"])),
    ]
    return report_html(f"Inverse kinematics of {name}", [(heading, body) for heading, body in sections if body])


def _about(report: Mapping[str, Any], times: Numbers) -> str:
    rms = report["rms_mm"]
    how = {
        "model": report["model"],
        "marker error": f"{rms['median']:g} mm median, {rms['mean']:g} mean, {rms['max']:g} largest, "
        "root mean square of each frame",
        "made with": f"rehabmotion {report['version']}",
    }
    return facts(how, times)


def _notes(notes: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def _errors(times: Numbers, errors: Mapping[str, Numbers]) -> str:
    """Return charts of all markers, a table by marker, the worst first, and each marker over time."""
    known = {marker: np.asarray(values, float) for marker, values in errors.items() if np.isfinite(values).any()}
    if not known:
        return ""
    together = np.ma.masked_invalid(np.stack(list(known.values())))
    frames = {
        "largest": together.max(axis=0).filled(np.nan),
        "root mean square": np.ma.sqrt((together**2).mean(axis=0)).filled(np.nan),
    }
    rows = sorted((_marker(marker, values) for marker, values in known.items()), reverse=True)
    cells = [[html.escape(m), f"{rms:.1f}", f"{most:.1f}", f"{100 * seen:.0f} %"] for rms, most, seen, m in rows]
    each = "".join(panel(times, {marker: known[marker]}, marker, "s", low=0.0) for *_, marker in rows)
    return (
        f'<div class="charts">{panel(times, frames, "all markers", "s", low=0.0)}</div>'
        + table(("marker", "root mean square", "largest", "frames seen"), cells)
        + f'<details><summary>Each marker over time</summary><div class="charts">{each}</div></details>'
    )


def _marker(name: str, errors: Numbers) -> tuple[float, float, float, str]:
    there = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(there**2))), float(there.max()), len(there) / len(errors), name


def _limits(shares: Mapping[str, float]) -> str:
    if not shares:
        return "<p>None stands at the end of its range.</p>"
    rows = sorted(shares.items(), key=lambda row: -row[1])
    note = '<p class="soft">An angle that presses against its range for long may be wrong, or the range too narrow.</p>'
    return note + table(
        ("coordinate", "frames at a limit"),
        [[html.escape(spelled(name)), f"{100 * share:.1f} %"] for name, share in rows],
    )


def _scales(scales: Mapping[str, list[float]]) -> str:
    if all(factor == 1 for factors in scales.values() for factor in factors):
        return "<p>The model was taken as it is.</p>"
    rows = [[html.escape(body), *(f"{factor:.3f}" for factor in factors)] for body, factors in scales.items()]
    return table(("body", "x", "y", "z"), rows)
