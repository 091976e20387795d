"""The study in tables and words: what holds and what does not is said from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehabmotion.workflows.direct.errors import MEASURES, Clips, difference, summary
from rehabmotion.workflows.direct.plan import BASE, STEPWISE, Run

SECTIONS = {
    "main": "One frame, a sequence, several steps",
    "backbones": "Backbones",
    "sequences": "Sequence networks",
    "grid": "Backbones with sequence networks",
    "ablations": "Ablations of the frame network",
    "sequence ablations": "Ablations of the sequence network",
    "joint": "Both networks at once, beside the second alone",
    "sensitivity": "Hyperparameters of the frame network",
}
SHARED = {"backbones": (BASE,), "sequences": ("sequence",), "ablations": (BASE,), "sensitivity": (BASE,),
          "sequence ablations": ("sequence",), "grid": ("sequence",)}  # fmt: skip  # rows that stand atop
CONSTANT, BEFORE = "training mean", "its markers, before inverse kinematics"
PUBLISHED = {"published, one network": 3.54, "published, several steps": 5.44}
SOURCE = "Bittner et al. 2023, BML-MoVi: other people, other pictures, other coordinates; not to be compared"
Results = Mapping[str, dict[str, Any]]


def parts_of(runs: Sequence[Run], done: Results, constant: Clips, people: Sequence[str]) -> dict[str, Any]:
    """Return rows by section, JSON-ready: errors with intervals, weights, frames a second, and what beside what."""
    parts: dict[str, Any] = {"main": {CONSTANT: {"errors": summary(constant, people)}}}
    for run in runs:
        part = parts.setdefault(run.section, {})
        for name in SHARED.get(run.section, ()):
            if name in done and name not in part:
                part[name] = _row(next(r for r in runs if r.name == name), done, people)
        part[run.name] = _row(run, done, people)
        if "before" in done[run.name]:
            part[BEFORE] = {"errors": summary(done[run.name]["before"], people)}
    return parts


def _row(run: Run, done: Results, people: Sequence[str]) -> dict[str, Any]:
    found = done[run.name]
    row = {"errors": summary(found["clips"], people), "parameters": found["parameters"], "fps": found["fps"]}
    beside = run.of if run.section == "grid" else run.beside
    if beside != run.name and beside in done:
        row["beside"] = {"run": beside, **difference(found["clips"], done[beside]["clips"], people, "angle_deg")}
    return row


def verdicts(runs: Sequence[Run], done: Results, constant: Clips, people: Sequence[str]) -> list[str]:
    """Return the claims of the paper and what becomes of them here, a sentence each."""
    clips = {name: found["clips"] for name, found in done.items()} | {CONSTANT: constant}
    claims = [
        ("The frame network has learnt: it is better than saying the training mean", BASE, CONSTANT, "angle_deg"),
        ("A sequence is better than single frames, in angles", "sequence", BASE, "angle_deg"),
        ("A sequence is better than single frames, in markers", "sequence", BASE, "marker_mm"),
        ("A sequence is calmer than single frames", "sequence", BASE, "jitter_deg"),
        ("One network for the angles is better than several steps", BASE, STEPWISE, "angle_deg"),
        ("A sequence for the angles is better than several steps", "sequence", STEPWISE, "angle_deg"),
        ("The skeletal layer's losses help angles", BASE, "no skeletal losses", "angle_deg"),
        ("The skeletal layer's losses help places", BASE, "no skeletal losses", "marker_mm"),
        ("Predicting scales helps places", BASE, "scales not predicted", "marker_mm"),
        ("Six numbers tell the root better than Euler angles", BASE, "root by Euler angles", "root_deg"),
        ("Training with things in the way helps where there are such", BASE, "no occlusion", "occluded_deg"),
        ("Training both networks at once helps", "joint, few steps", "frozen, few steps", "angle_deg"),
    ]
    said = [
        f"{claim}: {judged(difference(clips[one], clips[other], people, measure), measure)}"
        for claim, one, other, measure in claims
        if one in clips and other in clips and measure in clips[one] and measure in clips[other]
    ]
    return [*said, *_grid_verdict(runs, clips, people)]


def judged(found: Mapping[str, Any], measure: str) -> str:
    """Return whether a claimed improvement holds, from the paired difference `found`; less is better."""
    if found["value"] is None:
        return "not measured."
    low, high = found["ci"]
    unit = {"mm": "mm", "deg": "deg", "percent": "%"}[measure.rsplit("_", 1)[-1]]
    span = f"{abs(found['value']):.2f} {unit} {'less' if found['value'] < 0 else 'more'}, {low:.2f} to {high:.2f}"
    if high < 0:
        return f"holds ({span})."
    return f"does not hold, the contrary does ({span})." if low > 0 else f"not shown ({span})."


def _grid_verdict(runs: Sequence[Run], clips: Mapping[str, Clips], people: Sequence[str]) -> list[str]:
    pairs = [(r.name, r.of) for r in runs if r.section in ("grid", "sequences") or r.name == "sequence"]
    found = [difference(clips[a], clips[b], people, "angle_deg") for a, b in pairs]
    better = sum(d["ci"] is not None and d["ci"][1] < 0 for d in found)
    worse = sum(d["ci"] is not None and d["ci"][0] > 0 for d in found)
    if not found:
        return []
    return [
        f"Of {len(found)} pairs of backbone and sequence network {better} are better in angles than their frame "
        f"network alone, {worse} are worse, {len(found) - better - worse} are not told apart."
    ]


def page(result: dict[str, Any]) -> str:
    """Return the study as Markdown."""
    frames, parts = result["frames"], result["parts"]
    lines = [
        f"{frames['training']} drawn frames to learn from, {frames['held out']} of held-out people. Brackets: 95 % "
        f"intervals; {result['intervals']}. Joints and markers are about the pelvis, in the camera's axes.",
        "", "## What holds", "", *(f"- {line}" for line in result["verdicts"]), "",
    ]  # fmt: skip
    for section, title in SECTIONS.items():
        if section in parts:
            lines += [f"## {title}", "", *_table(parts[section], section), ""]
    lines += ["## Angles one by one, deg", "", *_coordinates(parts), ""]
    lines += ["## The plan", "", *_plan(result["plan"]), ""]
    return "\n".join(lines)


def _table(part: dict[str, Any], section: str) -> list[str]:
    measures = {**MEASURES} | ({"occluded_deg": "angles with things in the way, deg"} if section == "ablations" else {})
    lines = [f"| | {' | '.join(measures.values())} | angles beside | weights | frames/s |"]
    lines.append("|---" * (len(measures) + 4) + "|")
    for name, row in part.items():
        cells = " | ".join(spelled(row["errors"].get(measure)) for measure in measures)
        beside = row.get("beside")
        against = f"{_signed(beside)} ({beside['run']})" if beside else ""
        lines.append(f"| {name} | {cells} | {against} | {_whole(row.get('parameters'))} | {_whole(row.get('fps'))} |")
    if section == "main":
        for name, value in PUBLISHED.items():
            place = list(measures).index("angle_deg")
            cells = " | ".join(f"{value:.2f}" if i == place else "" for i in range(len(measures)))
            lines.append(f"| {name} | {cells} | | | |")
        lines += ["", f"Published: {SOURCE}."]
    return lines


def _coordinates(parts: dict[str, Any]) -> list[str]:
    rows = parts["main"]
    names = [name for name in rows if any(key.startswith("angle:") for key in rows[name]["errors"])]
    lines = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for key in (key for key in rows[names[0]]["errors"] if key.startswith("angle:")):
        lines.append(f"| {key[6:]} | {' | '.join(spelled(rows[name]['errors'][key]) for name in names)} |")
    return lines


def _plan(plan: list[dict[str, Any]]) -> list[str]:
    lines = ["| run | section | kind | steps | batch | minutes of a core |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {r['name']} | {r['section']} | {r['kind']} | {r['steps']} | {r['batch']} | {r['minutes']:.1f} |"
        for r in plan
    ]
    return [*lines, f"| all | | | | | {sum(r['minutes'] for r in plan):.0f} |"]


def spelled(figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval, for a table."""
    if figure is None or figure["value"] is None:
        return ""
    return f"{figure['value']:.3g} [{figure['ci'][0]:.3g}, {figure['ci'][1]:.3g}]"


def _signed(figure: Mapping[str, Any]) -> str:
    return "" if figure["value"] is None else f"{figure['value']:+.2f} [{figure['ci'][0]:+.2f}, {figure['ci'][1]:+.2f}]"


def _whole(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"
