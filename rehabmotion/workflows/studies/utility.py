"""Does synthetic data help? Exercise and quality of UI-PRMD, clinical score of KIMORE; smoke tests on the simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehabmotion.data.prepare import prepared
from rehabmotion.motion import Motion
from rehabmotion.viz.charts import intervals
from rehabmotion.workflows.studies.study import Figures, Report, Say, is_present
from rehabmotion.workflows.utility.figures import SHOWN, TITLES
from rehabmotion.workflows.utility.protocol import UtilitySettings, utility, utility_markdown
from rehabmotion.workflows.utility.training import train_in_fold

TITLE = "Does synthetic data help classifiers and score regressors?"


@dataclass(frozen=True)
class Part:
    """One corpus and what is asked of it. What is kept of it, None = all: the first of its bodies, some exercises, and
    the first repetitions of one person doing one thing, which differ little."""

    corpus: str
    tasks: tuple[str, ...]
    scale: str
    bodies: int | None = None
    exercises: tuple[str, ...] | None = None
    repetitions: int | None = None


@dataclass(frozen=True)
class UtilityStudy:
    """What a size of the study does. steps: of the generator in each fold."""

    parts: tuple[Part, ...]
    n_folds: int
    steps: int
    model_size: str
    shares: tuple[float, ...]
    cut: tuple[str, ...]


SIZES = {
    "smoke": UtilityStudy(
        parts=(Part("simulator", ("exercise", "score"), "sim", 24, ("deep_squat", "side_lunge")),),
        n_folds=2,
        steps=40,
        model_size="smoke",
        shares=(1.0,),
        cut=(
            "24 simulated bodies, two exercises, two folds, 40 steps: it shows that all runs, its figures say nothing",
        ),
    ),
    "full": UtilityStudy(
        parts=(
            Part("uiprmd", ("exercise", "quality"), "uiprmd", repetitions=5),
            Part("kimore", ("score",), "kimore"),
        ),
        n_folds=4,
        steps=1000,
        model_size="small",
        shares=(1.0,),
        cut=(
            "one family (the shipped one), four folds, one seed",
            "1,000 steps a fold, on the corpus of the fold alone; as many generated clips as real ones",
            "one judge (MiniRocket); five of UI-PRMD's ten repetitions",
        ),
    ),
}


def run(size: str, out: Path, data_dir: Path | None, say: Say, progress: Report) -> tuple[dict[str, Any], Figures]:
    """Return the figures of every part whose corpus is present, JSON-ready, and its charts; folds are kept in `out`."""
    study = SIZES[size]
    here = [part for part in study.parts if is_present(part.corpus, data_dir)]
    absent = [part.corpus for part in study.parts if part not in here]
    parts: dict[str, Any] = {}
    figures: Figures = {}
    for index, part in enumerate(here):
        motions = _motions(part, prepared(part.corpus, data_dir, say))
        folder = out / part.corpus
        settings = UtilitySettings(part.tasks, part.scale, study.n_folds, shares=study.shares)
        maker = train_in_fold(part.corpus, folder, study.steps, study.model_size, say=say)

        def tell(fold: int, n: int, stage: str, index: int = index, name: str = part.corpus) -> None:
            progress(index * n + fold, len(here) * n, f"{name}: {stage}")

        generator = {"family": "diffusion", "size": study.model_size, "steps": study.steps}
        parts[part.corpus] = utility(motions, maker, folder, settings, generator, tell)
        for task, table in parts[part.corpus]["tasks"].items():
            figures[f"{part.corpus}-{task}.svg"] = _chart(part.corpus, task, table)
    return {"settings": asdict(study), "absent": absent, "cut": list(study.cut), "parts": parts}, figures


def _motions(part: Part, motions: Sequence[Motion]) -> list[Motion]:
    bodies = sorted({str(m.meta["subject"]) for m in motions})[: part.bodies]
    seen: Counter[tuple[str, ...]] = Counter()
    kept = []
    for m in motions:
        what = (str(m.meta["subject"]), str(m.meta["exercise"]), str(m.meta.get("side")), *map(str, m.scores))
        seen[what] += 1
        wanted = part.exercises is None or m.meta["exercise"] in part.exercises
        if wanted and what[0] in bodies and seen[what] <= (part.repetitions or len(motions)):
            kept.append(m)
    return kept


def _chart(corpus: str, task: str, table: dict[str, Any]) -> str:
    figure = SHOWN[table["kind"]][0]
    rows = {name: row["figures"][figure] for name, row in table["rows"].items()}
    ends = {name: (row["interval"] or {}).get(figure) for name, row in table["rows"].items()}
    known = {name: (value, *(ends[name] or (value, value))) for name, value in rows.items() if value is not None}
    return intervals(known, f"{corpus}: {task}", TITLES[figure], reference="TRTR")


def markdown(result: dict[str, Any]) -> str:
    """Return the tables of all parts."""
    return "\n".join(f"## {name}\n\n{utility_markdown(part)}" for name, part in result["parts"].items())
