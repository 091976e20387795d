"""The report of a comparison: report.json, report.md and report.html, the page with charts and motions that play."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.metrics.judges import confusion
from rehabmotion.metrics.neighbours import nearest
from rehabmotion.motion import Motion
from rehabmotion.viz.charts import histogram, matrix, points, span
from rehabmotion.viz.report import report_html
from rehabmotion.workflows.convert import label
from rehabmotion.workflows.evaluation.clips import read_scores
from rehabmotion.workflows.evaluation.suite import Asked, Progress, Result, Say, compare, shown_motions
from rehabmotion.workflows.evaluation.table import METRICS
from rehabmotion.workflows.outputs import staged

FILES = ("report.html", "report.json", "report.md")
SIGNS = {"lower": "lower", "higher": "higher", "real": "as real"}
READ_FIRST = (
    "The real value is the same metric of real clips in place of generated ones: read every number beside it. The "
    "interval covers other clips or people of the same kind, as the note says, not another training of the model."
)


def evaluate(
    asked: Asked,
    out: Path | None = None,
    data_dir: Path | None = None,
    say: Say = lambda _: None,
    progress: Progress = lambda *_: None,
) -> tuple[dict[str, Any], list[Path]]:
    """Return the report of `compare`, and the paths of its three files in `out`, written together or not at all.

    A place that cannot be written is refused before any work.
    """
    if out is None:
        return compare(asked, data_dir, say, progress).report, []
    with staged(out) as stage:
        result = compare(asked, data_dir, say, progress)
        write_atomic(stage / "report.json", json_text(result.report))
        write_atomic(stage / "report.md", markdown(result.report))
        write_atomic(stage / "report.html", page(result))
    return result.report, [out / name for name in FILES]


def json_text(report: dict[str, Any]) -> str:
    """Return report.json: the same figures give the same bytes."""
    return json.dumps(report, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def markdown(report: dict[str, Any]) -> str:
    """Return the table for a document."""
    lines = [f"# {heading(report)}", "", f"`{report['command']}`", "", *_sides(report), "", READ_FIRST, ""]
    lines += [
        "| metric | value | 95 % interval | real | better | unit | n | note |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, figure in report["metrics"].items():
        cells = [name, _number(figure["value"]), _interval(figure["ci"]), _number(figure["real"])]
        cells += [SIGNS[figure["direction"]], figure["unit"], str(figure["n"]), figure["note"].replace("|", "/")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def heading(report: dict[str, Any]) -> str:
    """Return what the report is about."""
    return f"{report['data']['generated']['name']} beside {report['data']['real']['name']}"


def _sides(report: dict[str, Any]) -> list[str]:
    lines = []
    for key in ("real", "generated", "train"):
        side = report["data"][key]
        if side is not None:
            people = f", {side['subjects']} people" if side["subjects"] else ""
            lines.append(f"- {key}: {side['name']}, {side['n']} motions{people}")
    data = report["data"]
    lines.append(
        f"- evaluator: {data['evaluator']['name']} ({data['evaluator']['weights']}), {data['repeats']} repeats, "
        f"{data['bootstrap_draws']} bootstrap draws, seed {data['seed']}, rehabmotion {data['version']}"
    )
    return lines


def _number(x: float | None) -> str:
    return "-" if x is None else f"{x:.4g}"


def _interval(ci: list[float] | None) -> str:
    return "-" if ci is None else f"{ci[0]:.4g} to {ci[1]:.4g}"


# --- the page ---------------------------------------------------------------------------------------------------------


def page(result: Result) -> str:
    """Return report.html."""
    report = result.report
    facts = "".join(f"<li>{html.escape(line[2:])}</li>" for line in _sides(report))
    about = f"<p><code>{html.escape(report['command'])}</code></p><ul>{facts}</ul><p class=soft>{READ_FIRST}</p>"
    sections = [("What is compared", about), ("Figures", _table(report)), ("Distributions", _charts(result))]
    sections += [
        (title, body) for title, body in (("Exercises", _confusion(result)), ("Scores", _score_chart(result))) if body
    ]
    best, worst = shown_motions(result.generated, result.context)
    panels = [(f"near real {i + 1}: {label(m)}", m) for i, m in enumerate(_motions(result, best))]
    panels += [(f"far from real {i + 1}: {label(m)}", m) for i, m in enumerate(_motions(result, worst))]
    seen = "<p class=soft>The generated motions nearest to a real clip by their features, and those farthest.</p>"
    sections.append(("Best and worst", seen))
    return report_html(heading(report), sections, panels)


def _motions(result: Result, rows: Any) -> list[Motion]:
    return [result.generated.motions[i] for i in rows]


def _table(report: dict[str, Any]) -> str:
    names = ("metric", "", "value", "95 % interval", "", "real", "better", "n", "note")
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
    body = "".join(_table_row(name, figure) for name, figure in report["metrics"].items())
    return f'<div class="wide"><table>{head}{body}</table></div>'


def _table_row(name: str, figure: dict[str, Any]) -> str:
    value, ci, real = figure["value"], figure["ci"], figure["real"]
    drawn = span(value, ci[0], ci[1], real) if ci is not None else ""
    style = "" if ci is None or real is None else " apart" if _worse(ci, real, figure["direction"]) else " within"
    unit = f" {html.escape(figure['unit'])}" if figure["unit"] and value is not None else ""
    return (
        f"<tr><td><code>{name}</code></td><td>{html.escape(METRICS[name].title)}</td>"
        f'<td class="number{style}">{_number(value)}{unit}</td><td class=number>{_interval(ci)}</td><td>{drawn}</td>'
        f"<td class=number>{_number(real)}</td><td>{SIGNS[figure['direction']]}</td><td class=number>{figure['n']}</td>"
        f"<td class=note>{html.escape(figure['note'])}</td></tr>"
    )


def _worse(ci: list[float], real: float, direction: str) -> bool:
    """Whether the whole interval lies on the wrong side of the real value; for `real` on either."""
    below, above = ci[1] < real, ci[0] > real
    return {"lower": above, "higher": below, "real": above or below}[direction]


def _charts(result: Result) -> str:
    g, r = result.generated, result.context.real
    units = {"jerk": "m/s³", "foot_slide": "mm/frame", "penetration": "mm"}
    charts = [
        histogram({"generated": g.physical[n], "real": r.physical[n]}, METRICS[n].title, unit)
        for n, unit in units.items()
    ]
    lasts = [np.array([m.seconds for m in view.motions]) for view in (g, r)]
    charts.append(histogram({"generated": lasts[0], "real": lasts[1]}, "Duration", "s"))
    near = nearest(g.features, r.features), nearest(r.features, r.features, skip_self=True)
    charts.append(histogram({"generated": near[0], "real": near[1]}, "Distance to the nearest real clip", "features"))
    means = [np.nanmean(view.rom, axis=1) for view in (g, r)]
    charts.append(histogram({"generated": means[0], "real": means[1]}, "Range of motion, mean of angles", "degrees"))
    return f'<div class="charts">{"".join(charts)}</div>'


def _confusion(result: Result) -> str:
    try:
        judge = result.context.judge()
    except UserError:
        return ""
    g = result.generated
    known = np.isin(g.exercises, judge.classes)
    if not known.any():
        return ""
    predicted = result.context.once(("named", id(g)), lambda: judge.predict(g.directions))
    classes, table = confusion(predicted[known], np.array(g.exercises)[known])
    names = [str(name) for name in classes]
    return (
        "<p class=soft>Rows: what was asked for. Columns: what a judge of real clips sees.</p>"
        f'<div class="wide">{matrix(table, names, names, "asked")}</div>'
    )


def _score_chart(result: Result) -> str:
    try:
        _, asked, read, scale = read_scores(result.generated, result.context)
    except UserError:
        return ""
    charts = [
        points(asked, answer, f"{scale} asked for, and as {name} reads it", scale) for name, answer in read.items()
    ]
    return f'<div class="charts">{"".join(charts)}</div>'
