"""Joint angles from pictures: frame by frame, by sequences, in several steps; parts and settings of the networks.

After Bittner et al. 2023 (Sensors 23(1):341), on drawn clips of UI-PRMD's angles.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.viz.charts import intervals
from rehabmotion.workflows.direct.data import drawn, made_takes, material, recorded_takes
from rehabmotion.workflows.direct.errors import drawn_again
from rehabmotion.workflows.direct.plan import FULL, SMOKE, Run, Sizes, as_rows, fitting, plan
from rehabmotion.workflows.direct.report import SECTIONS, page, parts_of, verdicts
from rehabmotion.workflows.direct.runs import Bench, settings_of, slug
from rehabmotion.workflows.labels import MARKERS
from rehabmotion.workflows.rendered import Render
from rehabmotion.workflows.studies.study import Figures, Report, Say, is_present, kept

TITLE = "Joint angles from pictures: one frame, a sequence, several steps"
SIZES = {"smoke": SMOKE, "full": FULL}
MADE = (2, 16)  # clips of a made-up person, frames of each
CHARTS = {"angle_deg": "angles, mean absolute error", "marker_mm": "markers, mean distance"}
UNITS = {"angle_deg": "deg", "marker_mm": "mm"}


def run(size: str, out: Path, data_dir: Path | None, say: Say, progress: Report) -> tuple[dict[str, Any], Figures]:
    """Return the errors of every run, JSON-ready, and charts. Frames are drawn once, runs that are done are kept."""
    sizes = SIZES[size]
    runs, cut = fitting(plan(sizes), sizes.budget)
    bench = _bench(sizes, out, data_dir, say)
    done: dict[str, dict[str, Any]] = {}
    total = sum(run.steps for run in runs)
    before = 0
    for one in runs:
        progress(before, total, one.name)
        done[one.name] = _kept(bench, one, out, partial(_told, progress, before, total, one))
        before += one.steps
    progress(total, total, "done")
    people = list(bench.material.held_out.person)
    constant = bench.constant()
    lines = [f"{r.name}: no time ({r.minutes:.1f} min)" for r in cut]
    parts = parts_of(runs, done, constant, people)
    result = {
        "settings": asdict(sizes),
        "plan": as_rows(runs),
        "cut": [*sizes.cut, *lines],
        "absent": [],
        "frames": {"training": len(bench.material.training.frames), "held out": len(bench.material.held_out.frames)},
        "intervals": drawn_again(people),
        "parts": parts,
        "verdicts": verdicts(runs, done, constant, people),
    }
    return result, _charts(parts)


def markdown(result: dict[str, Any]) -> str:
    """Return what holds, in words, and the tables."""
    return page(result)


def _bench(sizes: Sizes, out: Path, data_dir: Path | None, say: Say) -> Bench:
    how = Render(size=sizes.image, every=sizes.every_frame)
    if not sizes.every:
        return Bench(material(drawn(made_takes(*MADE), how, out / "frames", say)), out)
    if not is_present(MARKERS, data_dir):
        raise UserError("Expected the markers of UI-PRMD in the data folder. Set REHABMOTION_DATA, or --size smoke.")
    return Bench(material(drawn(recorded_takes(sizes.every, data_dir, say), how, None, say)), out)


def _kept(bench: Bench, run: Run, out: Path, told: Any) -> dict[str, Any]:
    """Return a run's result; one that is kept of other settings raises UserError."""
    path = out / "runs" / f"{slug(run.name)}.json"
    settings = settings_of(run)
    try:
        found = kept(path, lambda: {"run": settings, **bench.carry_out(run, told)})
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: Expected the result of a run, could not read it ({error}). Delete it.") from None
    if not isinstance(found, dict) or found.get("run") != _as_kept(settings):
        raise UserError(f"{path}: Expected the run {run.name} of this plan, got another. Choose another --out.")
    return found


def _as_kept(value: Any) -> Any:
    """Return settings as JSON gives them back: lists for tuples."""
    if isinstance(value, dict):
        return {key: _as_kept(each) for key, each in value.items()}
    return [_as_kept(each) for each in value] if isinstance(value, list | tuple) else value


def _told(progress: Report, before: int, total: int, run: Run, done: int, steps: int) -> None:
    progress(before + done, total, run.name)


def _charts(parts: dict[str, Any]) -> Figures:
    charts: Figures = {}
    for section in SECTIONS:
        for measure, title in CHARTS.items():
            found = {name: row["errors"].get(measure) for name, row in parts.get(section, {}).items()}
            rows = {name: (one["value"], *one["ci"]) for name, one in found.items() if one and one["ci"]}
            if len(rows) > 1:
                name = f"{slug(section)}-{measure.split('_')[0]}.svg"
                charts[name] = intervals(rows, f"{section}: {title}", UNITS[measure], next(iter(rows)))
    return {name: svg for name, svg in charts.items() if svg}
