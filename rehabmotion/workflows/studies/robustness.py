"""Missing joints and noise in the training data: what they cost in generation, and what `repair` wins back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from rehabmotion.data.prepare import prepare, prepared
from rehabmotion.data.samples import build_samples
from rehabmotion.data.spoil import spoil
from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.metrics.intervals import interval
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.models.store import load_model, save_model
from rehabmotion.motion import Motion
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, checkpoint_path, train
from rehabmotion.viz.charts import intervals
from rehabmotion.workflows.evaluation.suite import Asked, compare
from rehabmotion.workflows.mending import mend
from rehabmotion.workflows.sizes import size as size_named
from rehabmotion.workflows.studies.grade_training import provenance_of
from rehabmotion.workflows.studies.study import Figures, Report, Say, is_present, kept, spelled
from rehabmotion.workflows.train import new_model

TITLE = "Noisy, incomplete training data"
METRICS = ("kid", "coverage", "jerk", "exercise_accuracy", "score_spearman")  # the last two ask judges
WINDOW, ORDER = 11, 3  # of the Savitzky-Golay filter beside which repair stands
Level = tuple[float, float]  # share of missing joints, noise in metres


@dataclass(frozen=True)
class RobustnessStudy:
    """What a size of the study does. levels: of damage, the first without any; clips: mended for each level."""

    corpus: str
    levels: tuple[Level, ...]
    model_size: str
    steps: int
    n: int
    clips: int
    draws: int
    metrics: tuple[str, ...]
    cut: tuple[str, ...]


SIZES = {
    "smoke": RobustnessStudy(
        "simulator", ((0.0, 0.0), (0.3, 0.03)), "smoke", 5, 24, 4, 50,
        METRICS[:3], ("5 steps, two levels: it shows that all runs, its figures say nothing",),
    ),
    "full": RobustnessStudy(
        "uiprmd",
        ((0.0, 0.0), (0.1, 0.0), (0.3, 0.0), (0.5, 0.0), (0.0, 0.01), (0.0, 0.03), (0.0, 0.05), (0.3, 0.03)),
        "small", 1500, 400, 120, 2000,
        METRICS, ("1,500 training steps a level, one seed, diffusion only",),
    ),
}  # fmt: skip


def run(size: str, out: Path, data_dir: Path | None, say: Say, progress: Report) -> tuple[dict[str, Any], Figures]:
    """Return the figures of every level of damage, JSON-ready, and charts."""
    study = SIZES[size]
    if not is_present(study.corpus, data_dir):
        raise UserError(f"Expected {study.corpus} in the data folder, it is not there.")
    parts: dict[str, Any] = {}
    for index, level in enumerate(study.levels):
        name = level_name(level)
        progress(index, len(study.levels), f"{study.corpus}, {name}")
        folder = out / name.replace(" ", "-")

        def make(level: Level = level, folder: Path = folder) -> dict[str, Any]:
            model = _model(study, level, folder, data_dir, say)
            generation = _generation(study, folder, data_dir, say)
            return {"generation": generation, "repair": _repair(study, level, model, data_dir, say)}

        parts[name] = kept(folder.with_suffix(".json"), make)
    return {"settings": asdict(study), "cut": list(study.cut), "absent": [], "parts": parts}, _charts(parts)


def level_name(level: Level) -> str:
    """Return a level in words: 30 % missing 3 cm."""
    return f"{100 * level[0]:.0f} % missing {100 * level[1]:.0f} cm"


def _model(study: RobustnessStudy, level: Level, out: Path, data_dir: Path | None, say: Say) -> DenoisingGenerator:
    """Return a model trained on spoilt clips, prepared as recordings are; kept in `out`."""
    if not (out / "model.safetensors").exists():
        rng = np.random.default_rng(0)
        clips = prepared(f"{study.corpus}:train", data_dir, say)
        clips = prepare([spoil(clip, *level, rng) for clip in clips]) if any(level) else clips
        chosen = size_named(study.model_size)
        samples = build_samples({study.corpus: clips}, chosen.n_frames)
        stopped = checkpoint_path(out).exists()
        model = new_model("diffusion", samples, chosen, "ngram", 0, stopped, say, text_seed=0)
        config = TrainingConfig(study.steps, chosen.batch_size, learning_rate=chosen.learning_rate, ema=chosen.ema)
        train(model, BatchMaker(samples, model.config), None, config, out, resume=stopped)
        save_model(model, provenance_of(study.corpus, samples), out)
    model = load_model(out)[0]
    assert isinstance(model, DenoisingGenerator)
    return model


def _generation(study: RobustnessStudy, model: Path, data_dir: Path | None, say: Say) -> dict[str, Any]:
    corpus = study.corpus
    asked = Asked(f"{corpus}:val", str(model), f"{corpus}:train", study.n, study.metrics, n_draws=study.draws)
    figures: dict[str, Any] = compare(asked, data_dir, say).report["metrics"]
    return figures


def _repair(
    study: RobustnessStudy, level: Level, model: DenoisingGenerator, data_dir: Path | None, say: Say
) -> dict[str, Any]:
    """Return mean distances to clean held-out clips, mm: of what was missing, and of what was measured."""
    clips = prepared(f"{study.corpus}:val", data_dir, say)
    rows = np.linspace(0, len(clips) - 1, min(study.clips, len(clips))).round().astype(int)
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {}
    for row in rows:
        truth, poor = clips[row], spoil(clips[row], *level, rng)
        for name, positions in (("repair", mend(poor, model).motion.positions), ("lines", lines(poor))):
            far = 1000 * np.linalg.norm(positions - truth.positions, axis=-1)
            for what, mask in (("missing", truth.valid & ~poor.valid), ("measured", poor.valid)):
                if mask.any():
                    found.setdefault(f"{what} {name}", []).append(float(far[mask].mean()))
    draws = np.random.default_rng(0)
    return {
        name: {
            "mm": round(float(np.mean(values)), 2),
            "ci": [round(e, 2) for e in interval(draws.choice(values, (study.draws, len(values))).mean(axis=1))],
        }
        for name, values in found.items()
    }


def lines(motion: Motion) -> np.ndarray:
    """Return positions (T, J, 3) bridged by straight lines, then filtered (Savitzky & Golay 1964)."""
    filled = fill_gaps(motion.positions.astype(np.float64), motion.valid)
    window = min(WINDOW, motion.n_frames - 1 + motion.n_frames % 2)
    return savgol_filter(filled, window, ORDER, axis=0) if window > ORDER else filled


def _charts(parts: dict[str, Any]) -> Figures:
    charts: Figures = {}
    for metric in ("coverage", "exercise_accuracy", "jerk"):
        found = {name: part["generation"].get(metric) for name, part in parts.items()}
        rows = {name: (one["value"], *one["ci"]) for name, one in found.items() if one and one["ci"]}
        charts[f"generation-{metric}.svg"] = intervals(rows, "trained on damaged clips", metric, next(iter(parts)))
    for what in ("missing", "measured"):
        rows = {
            f"{level}, {name}": (part["repair"][f"{what} {name}"]["mm"], *part["repair"][f"{what} {name}"]["ci"])
            for level, part in parts.items()
            for name in ("repair", "lines")
            if f"{what} {name}" in part["repair"]
        }
        charts[f"repair-{what}.svg"] = intervals(rows, f"{what} joints", "mm")
    return {name: svg for name, svg in charts.items() if svg}


def markdown(result: dict[str, Any]) -> str:
    """Return a table of generation and one of repair."""
    parts = result["parts"]
    metrics = result["settings"]["metrics"]
    head = f"| trained on | {' | '.join(metrics)} |"
    lines_ = ["## Generation", "", head, "|---" * (len(metrics) + 1) + "|"]
    lines_ += [f"| {n} | {' | '.join(spelled(p['generation'][m]) for m in metrics)} |" for n, p in parts.items()]
    columns = ("missing repair", "missing lines", "measured repair", "measured lines")
    lines_ += ["", "## Repair of held-out people's clips, mm from the clean ones", ""]
    lines_ += [f"| level | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines_ += [f"| {n} | {' | '.join(_distance(p['repair'].get(c)) for c in columns)} |" for n, p in parts.items()]
    return "\n".join([*lines_, ""])


def _distance(figure: dict[str, Any] | None) -> str:
    return "" if figure is None else f"{figure['mm']:.1f} [{figure['ci'][0]:.1f}, {figure['ci'][1]:.1f}]"
