"""From the predictions of all folds to figures, their intervals, and a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.metrics.intervals import Counts, bootstrap_counts, interval
from rehabmotion.metrics.judges import class_figures, confusion, table_figures
from rehabmotion.metrics.regressors import score_figures
from rehabmotion.workflows.utility.tasks import TASKS

SHOWN = {"classes": ("balanced_accuracy", "macro_f1", "accuracy"), "score": ("rmse", "mae", "r2", "spearman")}
TITLES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "spearman": "Spearman",
}
REFERENCE = "TRTR"
Answers = NDArray[Any]


def task_figures(folds: Sequence[Mapping[str, Any]], task: str, n_draws: int, seed: int) -> dict[str, Any]:
    """Return the rows of a task over all folds, JSON-ready; undefined figures are None.

    A row has `figures` over the clips of all folds together, `folds`, their `interval` with people drawn again, and the
    `difference` to TRTR in the same draws and fold by fold. Repetitions of one recording (same person, exercise and
    score) count as one in score tasks: their predictions are averaged. TRTS has no people and so no interval.
    """
    kind = TASKS[task].kind
    parts = [_tested(fold, task, kind) for fold in folds]
    truths, subjects = ([part[name] for part in parts] for name in ("truth", "subject"))
    counts, note = bootstrap_counts(np.concatenate(subjects).tolist(), n_draws, seed)
    names = list(parts[0]["rows"])
    drawn = {name: _draws(kind, _all(parts, name), np.concatenate(truths), counts) for name in names}
    rows = {}
    for name in names:
        answers = [part["rows"][name] for part in parts]
        rows[name] = _row(kind, answers, truths) | {"n_train": sum(p["n_train"][name] for p in parts) / len(parts)}
        rows[name]["interval"] = {k: _ends(v) for k, v in drawn[name].items()}
    generated = [fold["tasks"][task]["TRTS"] for fold in folds]
    recognised = [np.array(g["predicted"]) for g in generated]
    rows["TRTS"] = _row(kind, recognised, [np.array(g["truth"]) for g in generated])
    rows["TRTS"] |= {"n_train": sum(g["n_train"] for g in generated) / len(folds), "interval": None}
    for name, row in rows.items():
        if name != REFERENCE:
            row["difference"] = _difference(row, rows[REFERENCE], drawn.get(name), drawn[REFERENCE])
    result = {
        "kind": kind,
        "n_tested": int(sum(map(len, truths))),
        "n_subjects": len(set(np.concatenate(subjects).tolist())),
        "interval": note,
        "rows": {name: rows[name] for name in _order(names)},
    }
    if kind == "classes":
        tables = {name: (_all(parts, name), np.concatenate(truths)) for name in (REFERENCE, "TSTR")}
        tables["TRTS"] = (np.concatenate(recognised), np.concatenate([np.array(g["truth"]) for g in generated]))
        result["confusion"] = {name: _table(*pair) for name, pair in tables.items()}
    return result


def _order(names: Sequence[str]) -> list[str]:
    """Return the rows in the order of the table: TRTS stands behind TSTR."""
    at = list(names).index("TSTR") + 1
    return [*names[:at], "TRTS", *names[at:]]


def _tested(fold: Mapping[str, Any], task: str, kind: str) -> dict[str, Any]:
    """Return truth (N,), subject (N,) and the answers of each row (N,) in one fold, N clips or recordings."""
    data, subject = fold["tasks"][task], np.array(fold["subject"])
    rows = {name: np.array(row["predicted"]) for name, row in data["rows"].items()}
    n_train = {name: row["n_train"] for name, row in data["rows"].items()}
    truth = np.array(data["truth"])
    if kind == "score":
        whole = [f"{s}\n{e}\n{v}" for s, e, v in zip(fold["subject"], fold["exercise"], fold["value"], strict=True)]
        _, first, unit = np.unique(whole, return_index=True, return_inverse=True)
        size = np.bincount(unit)
        rows = {name: np.bincount(unit, answers) / size for name, answers in rows.items()}
        truth, subject = truth[first], subject[first]
    return {"truth": truth, "subject": subject, "rows": rows, "n_train": n_train}


def _all(parts: Sequence[Mapping[str, Any]], name: str) -> Answers:
    return np.concatenate([part["rows"][name] for part in parts])


def _figures(kind: str, answers: Answers, truth: Answers) -> dict[str, float]:
    return class_figures(answers, truth) if kind == "classes" else score_figures(answers, truth)


def _row(kind: str, answers: Sequence[Answers], truths: Sequence[Answers]) -> dict[str, Any]:
    pooled = _figures(kind, np.concatenate(answers), np.concatenate(truths))
    each = [_figures(kind, a, t) for a, t in zip(answers, truths, strict=True)]
    return {"figures": _known(pooled), "folds": [_known(figures) for figures in each]}


def _draws(kind: str, answers: Answers, truth: Answers, counts: Counts) -> dict[str, NDArray[np.float64]]:
    """Return each figure in every draw (D,) of counts (D, N)."""
    if kind == "classes":
        classes, codes = np.unique(np.concatenate([truth, answers]), return_inverse=True)
        k, n = len(classes), len(truth)
        cells = np.zeros((n, k * k))
        cells[np.arange(n), codes[:n] * k + codes[n:]] = 1.0
        return table_figures((counts @ cells).reshape(-1, k, k))
    rows = [score_figures(np.repeat(answers, c), np.repeat(truth, c)) for c in counts]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _difference(
    row: Mapping[str, Any],
    reference: Mapping[str, Any],
    drawn: Mapping[str, NDArray[np.float64]] | None,
    drawn_reference: Mapping[str, NDArray[np.float64]],
) -> dict[str, Any]:
    """Return figure -> pooled difference, its interval over paired draws or None, and the difference in each fold."""
    return {
        name: {
            "pooled": _minus(value, reference["figures"][name]),
            "interval": _ends(drawn[name] - drawn_reference[name]) if drawn else None,
            "folds": [_minus(a[name], b[name]) for a, b in zip(row["folds"], reference["folds"], strict=True)],
        }
        for name, value in row["figures"].items()
    }


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _known(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _ends(draws: NDArray[np.float64]) -> list[float] | None:
    low, high = interval(draws)
    return [low, high] if math.isfinite(low) else None


def _table(answers: Answers, truth: Answers) -> dict[str, Any]:
    classes, table = confusion(answers, truth)
    return {"classes": classes, "counts": table.tolist()}


# --- the table ------------------------------------------------------------------------------------------------------


def utility_markdown(result: Mapping[str, Any]) -> str:
    """Return the result of `utility` as Markdown: one table a task, intervals in brackets."""
    settings = result["settings"]
    lines = [
        f"Folds: {len(result['folds'])}, no person in two; {result['n_clips']} real clips. Seed {settings['seed']}."
    ]
    for name, task in result["tasks"].items():
        scale = f" ({settings['scale']})" if settings["scale"] and name != "exercise" else ""
        unit = "recordings" if task["kind"] == "score" else "clips"
        shown = SHOWN[task["kind"]]
        lines += ["", f"### {name}{scale}", ""]
        lines.append(f"{task['n_tested']} {unit} of {task['n_subjects']} people. Interval: {task['interval']}.")
        lines += ["", f"| row | trained on | {' | '.join(TITLES[f] for f in shown)} | {TITLES[shown[0]]} minus TRTR |"]
        lines.append("|---|---" + "|---" * (len(shown) + 1) + "|")
        lines += [f"| {row} | {_line(task['rows'][row], shown)} |" for row in task["rows"]]
    return "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any], shown: Sequence[str]) -> str:
    ends = row["interval"] or {}
    cells = [f"{row['n_train']:.0f}"]
    cells += [_cell(row["figures"][name], ends.get(name)) for name in shown]
    difference = row.get("difference", {}).get(shown[0])
    cells.append(_cell(difference["pooled"], difference["interval"], "+") if difference else "")
    return " | ".join(cells)


def _cell(value: float | None, ends: Sequence[float] | None, sign: str = "") -> str:
    if value is None:
        return "undefined"
    digits = 2 if abs(value) >= 2 else 3
    brackets = f" [{ends[0]:{sign}.{digits}f}, {ends[1]:{sign}.{digits}f}]" if ends else ""
    return f"{value:{sign}.{digits}f}{brackets}"
