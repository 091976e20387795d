"""Repairs captured motions: missing joints filled, jitter removed, and what was filled marked in `meta`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import runs
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.workflows.convert import check_target, load, made, naming, numbered, save
from rehabmotion.workflows.mending import Mended, mend
from rehabmotion.workflows.models import DEFAULT, open_model
from rehabmotion.workflows.outputs import staged


def repair(source: Path, target: Path, source_format: str | None = None, model: str = DEFAULT) -> dict[str, Any]:
    """Repair the motions of a file, write them, and return files and figures, JSON-ready.

    Several recordings in one source become target_0000, target_0001, ...; all files appear, or none.
    """
    check_target(target)
    network = mender(model)
    motions = load(source, source_format)
    with naming(source):
        results = [repaired(motion, network) for motion in motions]
    targets = numbered(target, len(results))
    with staged(target.parent) as stage:
        for result, path in zip(results, targets, strict=True):
            save([result.motion], stage / path.name)
    rows = [figures(result, str(made(path))) for result, path in zip(results, targets, strict=True)]
    return {"files": [row["file"] for row in rows], "motions": rows}


def mender(name: str) -> DenoisingGenerator:
    """Return a model that can mend, by its name or folder; another kind raises UserError."""
    model, _ = open_model(name)
    if not isinstance(model, DenoisingGenerator) or not model.config.network.observes:
        raise UserError(f'Expected a model that was trained to mend, "{name}" was not. Train one: rehabmotion train.')
    return model


def repaired(motion: Motion, model: DenoisingGenerator) -> Mended:
    """Return the mended motion; its meta["filled"] names the spans that are the model's: joint -> [[first, last], ...].

    Frames are counted from 0, both ends belong to the span.
    """
    result = mend(motion, model)
    spans = {
        name: [[gap.start, gap.stop - 1] for gap in runs(result.filled[:, joint])]
        for joint, name in enumerate(CANONICAL.joint_names)
        if result.filled[:, joint].any()
    }
    before = motion.meta.get("filled") or {}
    merged = {name: sorted([*before.get(name, []), *spans.get(name, [])]) for name in {**before, **spans}}
    return Mended(result.motion.but(meta={"filled": merged}), result.filled, result.moved)


def figures(result: Mended, file: str) -> dict[str, Any]:
    """Return what was done to one motion, JSON-ready; millimetres."""
    measured = result.moved[~result.filled]
    return {
        "file": file,
        "frames": result.motion.n_frames,
        "filled_share": round(float(result.filled.mean()), 4),
        "filled": result.motion.meta["filled"],
        "moved_mm_mean": round(1000 * float(measured.mean()), 2) if measured.size else 0.0,
        "moved_mm_max": round(1000 * float(measured.max()), 2) if measured.size else 0.0,
    }


def summary(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each motion."""
    return [
        f"{row['file']}: {100 * row['filled_share']:.1f} % of the joints filled, measured ones moved by "
        f"{row['moved_mm_mean']:g} mm on average, {row['moved_mm_max']:g} mm at most"
        for row in rows
    ]
