"""Pre-training without grades, then fine-tuning on grades told as a number, in words, or directly.

After 'Fitness Aware Human Motion Generation with Fine-Tuning' (2024): its two tables on open data, with what it leaves
open (TRTS and TSTR beside the accuracy within a set, the grade as a token, mirroring on and off). Where the user has
HumanML3D and the FMS set they are used, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from rehabmotion.data.captions import captions, with_side
from rehabmotion.data.prepare import prepared
from rehabmotion.data.samples import Samples, build_samples
from rehabmotion.io.npz import write_npz
from rehabmotion.models.store import load_model
from rehabmotion.motion import EXERCISES, Motion, Score
from rehabmotion.motion.exercises import FMS, UIPRMD
from rehabmotion.viz.charts import intervals
from rehabmotion.workflows.evaluation.sides import caption_of
from rehabmotion.workflows.evaluation.suite import Asked, compare
from rehabmotion.workflows.generate import LONGEST, SHORTEST, Ask, generate_each
from rehabmotion.workflows.sizes import size as size_named
from rehabmotion.workflows.studies.grade_classifier import SHOWN, classified, graded
from rehabmotion.workflows.studies.grade_training import HP1, HP2, fine_tuned, grade_of, pretrained, prompt
from rehabmotion.workflows.studies.study import Figures, Report, Say, is_present, kept, spelled

TITLE = "Fine-tuning on grades: as a number, in words, or directly"
METRICS = ("r_precision_3", "fid", "mm_dist", "diversity", "multimodality")
# name -> mode, hyperparameters, mirrored training clips
TUNED = {
    "FT-HP1 numerical": ("numerical", HP1, True),
    "FT-HP2 numerical": ("numerical", HP2, True),
    "FT-HP2 textual": ("textual", HP2, True),
    "FT-HP2 direct": ("direct", HP2, True),
    "FT-HP2 direct, not mirrored": ("direct", HP2, False),
}
SETS = {"base": "PT-HP2", "numerical": "FT-HP2 numerical", "textual": "FT-HP2 textual", "direct": "FT-HP2 direct",
        "direct, not mirrored": "FT-HP2 direct, not mirrored"}  # fmt: skip


@dataclass(frozen=True)
class FitnessStudy:
    """What a size of the study does. steps: of HP1; fine-tuning takes a quarter. each: motions of a class and grade."""

    model_size: str
    steps: int
    each: int
    n: int
    epochs: int
    draws: int
    classes: int | None
    sets: tuple[str, ...]
    cut: tuple[str, ...]


SIZES = {
    "smoke": FitnessStudy(
        "smoke", 8, 4, 24, 2, 50, 2, ("simulator",),
        ("8 steps, two movements, 4 motions of each grade: it shows that all runs, its figures say nothing",),
    ),
    "full": FitnessStudy(
        "small", 1500, 40, 240, 64, 2000, None, ("fms", "uiprmd", "simulator"),
        (
            "1,500 steps of 32 (HP1) and 6,000 of 8 (HP2) for 600,000 and 2,400,000; a quarter of that to fine-tune",
            "64 epochs for all classifiers (512 on synthetic sets there); one seed",
        ),
    ),
}  # fmt: skip


def run(size: str, out: Path, data_dir: Path | None, say: Say, progress: Report) -> tuple[dict[str, Any], Figures]:
    """Return both tables for every graded set that is present, JSON-ready, and charts."""
    study = SIZES[size]
    here = [name for name in study.sets if is_present(name, data_dir)]
    large = study.model_size != "smoke"
    wanted = ["humanml3d"] if large and is_present("humanml3d", data_dir) and _whole(data_dir) else (
        ["mars", "cmu", "hdm05", "simulator", "uiprmd"] if large else ["simulator"]
    )  # fmt: skip
    before = [name for name in wanted if is_present(name, data_dir)]
    parts: dict[str, Any] = {}
    bases = {hp.name: out / f"PT-{hp.name}" for hp in (HP1, HP2)}
    n_stages = len(bases) + len(here) * (len(TUNED) + 2)
    stage = 0

    def tell(what: str) -> None:
        nonlocal stage
        progress(stage, n_stages, what)
        stage += 1

    @cache
    def samples() -> Samples:
        return build_samples({n: prepared(f"{n}:train", data_dir, say) for n in before})

    for hp in (HP1, HP2):
        tell(f"pre-training {hp.name} on {', '.join(before)}")
        pretrained(samples, size_named(study.model_size), hp, study.steps, bases[hp.name], say)
    for name in here:
        parts[name] = _part(study, name, before, bases, out / name, data_dir, say, tell)
    result = {"settings": asdict(study), "pre-training": before, "cut": list(study.cut), "parts": parts}
    return {**result, "absent": [n for n in study.sets if n not in here]}, _charts(parts)


def _whole(data_dir: Path | None) -> bool:
    """Return whether HumanML3D has motions, not only its index."""
    return len(prepared("humanml3d", data_dir)) > 100


def _part(
    study: FitnessStudy,
    name: str,
    before: Sequence[str],
    bases: dict[str, Path],
    out: Path,
    data_dir: Path | None,
    say: Say,
    tell: Any,
) -> dict[str, Any]:
    """Return both tables of one graded set."""
    scale = {"fms": "fms", "uiprmd": "uiprmd", "simulator": "fms"}[name]
    classes = [(e, None) for e in UIPRMD] if name == "uiprmd" else list(FMS)
    classes = classes[: study.classes]
    training, held_out = (
        _scored(prepared(f"{name}:{split}", data_dir, say), scale, classes) for split in ("train", "val")
    )

    @cache
    def samples(mirrored: bool) -> Samples:
        return build_samples({name: training}, size_named(study.model_size).n_frames, mirrored)

    models = {f"PT-{hp}": ("base", folder) for hp, folder in bases.items()}
    for label, (mode, hp, mirrored) in TUNED.items():
        tell(f"{name}: {label}")
        folder = out / label.replace(",", "").replace(" ", "-")
        fine_tuned(bases[hp.name], partial(samples, mirrored), hp, study.steps // 4, folder, mode, scale)
        models[label] = (mode, folder)
    tell(f"{name}: five metrics")
    pre = next((n for n in before if n != name and n != "simulator"), before[0])
    tables = {}
    for corpus in dict.fromkeys((pre, name)):
        clips = held_out if corpus == name else prepared(f"{corpus}:val", data_dir, say)
        tables[corpus] = {
            label: _metrics(study, corpus, clips, mode, folder, scale, out, data_dir, say)
            for label, (mode, folder) in models.items()
        }
    tell(f"{name}: classifier")
    values = [1.0, 2.0, 3.0] if scale == "fms" else [0.0, 1.0]

    def classify() -> dict[str, Any]:
        scores = [Score(scale, value) for value in values]
        sets = {label: _set(study, *models[model], classes, scores) for label, model in SETS.items()}
        real = [graded(part, [_grade(m, scale) for m in part]) for part in (training, held_out)]
        return classified(sets, real[0], real[1], study.epochs, study.draws)

    return {"scale": scale, "metrics": tables, "classifier": kept(out / "classifier.json", classify)}


def _scored(motions: Sequence[Motion], scale: str, classes: Sequence[tuple[str, str | None]]) -> list[Motion]:
    names = {exercise for exercise, _ in classes}
    return [m for m in motions if m.meta["exercise"] in names and any(s.scale == scale for s in m.scores)]


def _grade(motion: Motion, scale: str) -> int:
    return grade_of(next(s for s in motion.scores if s.scale == scale))


def _set(
    study: FitnessStudy, mode: str, folder: Path, classes: Sequence[tuple[str, str | None]], scores: Sequence[Score]
) -> Any:
    """Return the generated set classes x grades x `each`, as clips with the grades asked for."""
    asks, grades, sides = [], [], []
    for exercise, fixed in classes:
        own = (fixed,) if fixed else [s for s in EXERCISES[exercise].sides if s in ("left", "right")] or ["both"]
        for score in scores:
            for i in range(study.each):
                side = own[i % len(own)]
                texts = captions(exercise, side, ("name",))
                text, told = prompt(mode, with_side(texts[i % len(texts)], exercise, side), score)
                asks.append(Ask(text, told))
                grades.append(grade_of(score))
                sides.append(side)
    model, provenance = load_model(folder)
    motions = generate_each(model, provenance, asks)
    return graded([m.but(meta={"side": side}) for m, side in zip(motions, sides, strict=True)], grades)


def _metrics(
    study: FitnessStudy,
    corpus: str,
    clips: Sequence[Motion],
    mode: str,
    folder: Path,
    scale: str,
    out: Path,
    data_dir: Path | None,
    say: Say,
) -> dict[str, Any]:
    """Return the five metrics of a model asked for what held-out clips show; kept in a file."""
    name = f"{corpus}-{folder.name}"

    def make() -> dict[str, Any]:
        n = min(study.n, len(clips))
        rows = [clips[i * len(clips) // n] for i in range(n)]
        asks = [_ask(clip, i, mode, scale) for i, clip in enumerate(rows)]
        model, provenance = load_model(folder)
        for i, (motion, clip) in enumerate(zip(generate_each(model, provenance, asks), rows, strict=True)):
            meta = {key: clip.meta.get(key) for key in ("exercise", "side")}
            write_npz(motion.but(text=caption_of(clip, i), meta=meta), out / "made" / name / f"{i:04d}.npz")
        asked = Asked(f"{corpus}:val", str(out / "made" / name), f"{corpus}:train", None, METRICS, n_draws=study.draws)
        figures: dict[str, Any] = compare(asked, data_dir, say).report["metrics"]
        return figures

    return kept(out / "metrics" / f"{name}.json", make)


def _ask(clip: Motion, number: int, mode: str, scale: str) -> Ask:
    text = caption_of(clip, number) or "a person moves"
    score = next((s for s in clip.scores if s.scale == scale), None)
    told = None
    if score is not None and mode != "base":
        text, told = prompt(mode, text, score)
    return Ask(text, told, min(max(clip.seconds, SHORTEST), LONGEST))


def _charts(parts: dict[str, Any]) -> Figures:
    charts: Figures = {}
    for name, part in parts.items():
        for kind in ("within", "TRTS", "TSTR"):
            rows = {
                label: (entry[kind]["balanced_accuracy"], *entry[kind]["ci"]["balanced_accuracy"])
                for label, entry in part["classifier"].items()
                if kind in entry
            }
            charts[f"{name}-{kind}.svg"] = intervals(rows, f"{name}: grades, {kind}", "balanced accuracy", "base")
    return charts


def markdown(result: dict[str, Any]) -> str:
    """Return the two tables of each graded set."""
    lines = [f"Pre-training on {', '.join(result['pre-training'])}, without grades.", ""]
    for name, part in result["parts"].items():
        lines += [f"## {name} ({part['scale']})", ""]
        for corpus, rows in part["metrics"].items():
            lines += [f"Held-out part of `{corpus}`:", "", f"| row | {' | '.join(METRICS)} |", "|---" * 6 + "|"]
            first = next(iter(rows.values()))
            lines.append(f"| real | {' | '.join(_number(first[m]['real']) for m in METRICS)} |")
            lines += [f"| {label} | {' | '.join(spelled(row[m]) for m in METRICS)} |" for label, row in rows.items()]
            lines.append("")
        lines += [f"| set | asked | n | {' | '.join(SHOWN)} |", "|---" * (3 + len(SHOWN)) + "|"]
        for label, entry in part["classifier"].items():
            for kind, row in entry.items():
                cells = [f"{row[m]:.3f} [{row['ci'][m][0]:.3f}, {row['ci'][m][1]:.3f}]" for m in SHOWN]
                lines.append(f"| {label} | {kind} | {row['n']} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
