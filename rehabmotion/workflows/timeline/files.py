"""generate --timeline, from the plan's file to motions in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehabmotion.workflows.generate_files import check_text, chosen_formats, unshown, write_motions
from rehabmotion.workflows.models import open_model
from rehabmotion.workflows.outputs import staged
from rehabmotion.workflows.timeline.reading import read_plan
from rehabmotion.workflows.timeline.timeline import generate_plan


def generate_plan_files(
    source: Path,
    out: Path,
    samples: int = 1,
    seed: int = 0,
    model_name: str = "open",
    guidance: float | None = None,
    steps: int | None = None,
    formats: Sequence[str] = ("npz", "html"),
) -> dict[str, Any]:
    """Generate a plan, write `out`/0000.npz ... and `out`/player.html, and return what --json prints.

    Files of the same names are replaced. All of them appear, or none; a mistake leaves `out` as it was.
    """
    chosen = chosen_formats(formats)
    plan = read_plan(source)
    for track in plan.tracks:
        check_text(track.text)
    model, provenance = open_model(model_name)
    with staged(out) as stage:
        result = generate_plan(model, provenance, plan, samples, seed, guidance, steps)
        names = write_motions(result.motions, stage, chosen)
    return {
        "files": [str(out / name) for name in names],
        "timeline": str(source),
        "seconds": plan.seconds,
        "tracks": [
            {
                **{key: told[key] for key in ("text", "start", "end", "body", "repeat", "score")},
                "understood_as": {"exercise": one["exercise"], "confidence": round(one["confidence"], 4)},
            }
            for told, one in zip(result.motions[0].meta["tracks"], result.understood, strict=True)
        ],
        "model": provenance.name,
        "seed": seed,
        "warnings": result.warnings + unshown(result.motions, chosen),
    }
