"""All families on the same data: every metric of `evaluate`, what training and sampling cost, how many weights."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.models import MODELS
from rehabmotion.models.store import load_model
from rehabmotion.viz.charts import intervals
from rehabmotion.workflows.evaluation.suite import Asked, compare
from rehabmotion.workflows.generate import generate
from rehabmotion.workflows.studies.study import Figures, Report, Say, is_present, kept, spelled
from rehabmotion.workflows.train import train_model

TITLE = "Diffusion, flow, VAE and GAN on the same data"
TEXT, SECONDS, REPEATS = "a deep squat", 5.0, 5  # what sampling is timed on
SHOWN = (
    "fid", "kid", "coverage", "density", "r_precision_1", "exercise_accuracy", "score_spearman", "apd", "acpd",
    "wpd_per_frame", "foot_slide", "jerk", "rom_error", "memorisation",
)  # fmt: skip
CHARTS = ("kid", "coverage", "exercise_accuracy", "jerk")


@dataclass(frozen=True)
class FamiliesStudy:
    """What a size of the study does; n: motions judged, None = one for each held-out clip."""

    corpora: tuple[str, ...]
    model_size: str
    steps: int | None
    n: int | None
    metrics: tuple[str, ...]
    draws: int
    cut: tuple[str, ...]


SIZES = {
    "smoke": FamiliesStudy(
        ("simulator",), "smoke", 5, 24, ("kid", "coverage", "jerk"), 50,
        ("5 steps, 24 motions, three metrics: it shows that all runs, its figures say nothing",),
    ),
    "full": FamiliesStudy(
        ("uiprmd", "kimore"), "small", 1500, None, (), 2000,
        ("1,500 training steps a family and corpus, one seed",),
    ),
}  # fmt: skip


def run(size: str, out: Path, data_dir: Path | None, say: Say, progress: Report) -> tuple[dict[str, Any], Figures]:
    """Return the figures of every family on every corpus that is present, JSON-ready, and charts."""
    study = SIZES[size]
    here = [name for name in study.corpora if is_present(name, data_dir)]
    if not here:
        raise UserError(f"Expected {' or '.join(study.corpora)} in the data folder, neither is there.")
    cells = [(corpus, family) for corpus in here for family in MODELS]
    parts: dict[str, Any] = {corpus: {} for corpus in here}
    for index, (corpus, family) in enumerate(cells):
        progress(index, len(cells), f"{family} on {corpus}")
        parts[corpus][family] = _cell(study, corpus, family, out, data_dir, say)
    progress(len(cells), len(cells), "done")
    absent = [name for name in study.corpora if name not in here]
    return {"settings": asdict(study), "absent": absent, "cut": list(study.cut), "parts": parts}, _charts(parts)


def _cell(study: FamiliesStudy, corpus: str, family: str, out: Path, data_dir: Path | None, say: Say) -> dict[str, Any]:
    """Return the figures of a family on a corpus; kept in a file when done, and read back from it."""
    folder = out / corpus / family

    def make() -> dict[str, Any]:
        if not (folder / "model.safetensors").exists():
            begun = (folder / "run.json").exists()
            train_model(
                family, (corpus,), folder, study.model_size, study.steps, resume=begun, data_dir=data_dir, say=say
            )
        asked = Asked(f"{corpus}:val", str(folder), n=study.n, metrics=study.metrics, n_draws=study.draws)
        return {"metrics": compare(asked, data_dir, say).report["metrics"], "cost": _cost(folder)}

    return kept(out / corpus / f"{family}.json", make)


def _cost(folder: Path) -> dict[str, float]:
    """Return millions of weights that are trained, training steps a second, and seconds for a motion of 5 s."""
    model, provenance = load_model(folder)
    weights = [p.numel() for name, p in model.named_parameters() if not name.startswith("text.")]
    log = [line.split(",") for line in (folder / "log.csv").read_text(encoding="utf-8").splitlines()]
    speeds = [float(line[3]) for line in log if line[2] == "steps_per_second"]
    times = []
    for seed in range(REPEATS):
        began = time.perf_counter()
        generate(model, provenance, TEXT, seconds=SECONDS, seed=seed)
        times.append(time.perf_counter() - began)
    return {
        "million_weights": round(sum(weights) / 1e6, 3),
        "steps_per_second": round(speeds[-1], 3) if speeds else 0.0,
        "seconds_a_motion": round(sorted(times)[REPEATS // 2], 4),
    }


def _charts(parts: dict[str, Any]) -> Figures:
    charts: Figures = {}
    for corpus, families in parts.items():
        for name in CHARTS:
            rows = {}
            for family, cell in families.items():
                figure = cell["metrics"].get(name)
                if figure and figure["value"] is not None and figure["ci"]:
                    rows[family] = (figure["value"], *figure["ci"])
                    if figure["real"] is not None:
                        rows["real"] = (figure["real"],) * 3
            charts[f"{corpus}-{name}.svg"] = intervals(rows, f"{corpus}: {name}", "", reference="real")
    return {name: svg for name, svg in charts.items() if svg}


def markdown(result: dict[str, Any]) -> str:
    """Return a table for each corpus: a row a metric, a column a family, intervals in brackets."""
    return "\n".join(_table(corpus, families) for corpus, families in result["parts"].items())


def _table(corpus: str, families: dict[str, Any]) -> str:
    first = next(iter(families.values()))
    names = [name for name in (*SHOWN, *first["metrics"]) if name in first["metrics"]]
    lines = [f"## {corpus}", "", f"| metric | better | {' | '.join(families)} | real |"]
    lines.append("|---|---|" + "---|" * (len(families) + 1))
    for name in dict.fromkeys(names):
        figures = [cell["metrics"][name] for cell in families.values()]
        real = next((f["real"] for f in figures if f["real"] is not None), None)
        cells = " | ".join(spelled(figure) for figure in figures)
        lines.append(f"| {name} | {figures[0]['direction']} | {cells} | {'' if real is None else f'{real:.3g}'} |")
    for key in first["cost"]:
        values = " | ".join(f"{cell['cost'][key]:.3g}" for cell in families.values())
        lines.append(f"| {key.replace('_', ' ')} | | {values} | |")
    return "\n".join([*lines, ""])
