"""generate, from the words of the command line to files in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion, Score
from rehabmotion.workflows.convert import label, made, need_video, save
from rehabmotion.workflows.generate import generate
from rehabmotion.workflows.models import open_model
from rehabmotion.workflows.outputs import staged

FORMATS = ("npz", "html", "bvh", "mp4", "csv", "glb", "obj")
PAGE = "player.html"
SHOWN_MOST = 12  # figures in one page


def generate_files(
    text: str,
    out: Path,
    score: str | None = None,
    seconds: float | None = None,
    samples: int = 1,
    seed: int = 0,
    model_name: str = "open",
    guidance: float | None = None,
    steps: int | None = None,
    formats: Sequence[str] = ("npz", "html"),
    raw: bool = False,
) -> dict[str, Any]:
    """Generate, write `out`/0000.npz ... and `out`/player.html, and return what --json prints.

    Files of the same names are replaced. All of them appear, or none; a mistake leaves `out` as it was.
    """
    chosen = chosen_formats(formats)
    check_text(text)
    asked = Score.parse(score) if score is not None else None
    model, provenance = open_model(model_name)
    with staged(out) as stage:
        result = generate(model, provenance, text, asked, seconds, samples, seed, guidance, steps, raw)
        names = write_motions(result.motions, stage, chosen)
    return {
        "files": [str(out / name) for name in names],
        "text": text,
        "score": str(asked) if asked else None,
        "model": provenance.name,
        "seed": seed,
        "understood_as": {"exercise": result.exercise, "confidence": round(result.confidence, 4)},
        "warnings": result.warnings + unshown(result.motions, chosen),
    }


def chosen_formats(names: Sequence[str]) -> list[str]:
    """Return the formats by name, each once; one that is unknown, or cannot be written here, raises UserError."""
    chosen = list(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    unknown = [name for name in chosen if name not in FORMATS]
    if unknown or not chosen:
        raise UserError(f"Expected formats from {','.join(FORMATS)}, got {','.join(unknown) or 'none'}.")
    if "mp4" in chosen:
        need_video()
    return chosen


def check_text(text: str) -> None:
    """Refuse what no file could hold: a terminal of another encoding leaves such characters behind."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"Expected text in UTF-8, character {error.start + 1} is none. Type it again.") from None


def write_motions(motions: Sequence[Motion], folder: Path, formats: Sequence[str]) -> list[str]:
    """Write the files into a folder and return their names: sample by sample, then the page."""
    names = []
    for i, motion in enumerate(motions):
        for suffix in formats:
            if suffix != "html":
                target = folder / f"{i:04d}.{suffix}"
                save([motion], target)
                names.append(made(target).name)
    if "html" in formats:
        shown = motions[:SHOWN_MOST]
        labels = [f"{label(m)} · #{i}" if len(shown) > 1 else label(m) for i, m in enumerate(shown)]
        save(shown, folder / PAGE, labels)
        names.append(PAGE)
    return names


def unshown(motions: Sequence[Motion], formats: Sequence[str]) -> list[str]:
    """Return a warning where the page leaves motions out."""
    if "html" in formats and len(motions) > SHOWN_MOST:
        return [f"{PAGE} shows the first {SHOWN_MOST} of {len(motions)} motions."]
    return []
