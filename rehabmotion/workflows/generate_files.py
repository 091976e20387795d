"""generate, from the words of the command line to files in a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion, Score
from rehabmotion.workflows.convert import label, save
from rehabmotion.workflows.generate import Generated, generate
from rehabmotion.workflows.models import open_model

FORMATS = ("npz", "html", "bvh", "mp4", "csv")
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
) -> dict[str, Any]:
    """Generate, write `out`/0000.npz ... and `out`/player.html, and return what --json prints."""
    chosen = _formats(formats)
    asked = Score.parse(score) if score is not None else None
    model, provenance = open_model(model_name)
    _check_folder(out)
    result = generate(model, provenance, text, asked, seconds, samples, seed, guidance, steps)
    files = _write(result, out, chosen)
    return {
        "files": [str(file) for file in files],
        "text": text,
        "score": str(asked) if asked else None,
        "model": provenance.name,
        "seed": seed,
        "understood_as": {"exercise": result.exercise, "confidence": round(result.confidence, 4)},
        "warnings": result.warnings + _unshown(result.motions, chosen),
    }


def _formats(names: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    unknown = [name for name in chosen if name not in FORMATS]
    if unknown or not chosen:
        raise UserError(f"Expected formats from {','.join(FORMATS)}, got {','.join(unknown) or 'none'}.")
    if "mp4" in chosen:
        _need_video()
    return chosen


def _need_video() -> None:
    from importlib.util import find_spec

    if find_spec("av") is None:
        raise UserError('Writing .mp4 needs PyAV. Install it with: pip install "rehabmotion[video]"')


def _check_folder(out: Path) -> None:
    """Raise UserError before any work where the folder cannot be made or written; make nothing that was not there."""
    place = out
    while not place.exists():
        if place.parent == place:
            break
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise UserError(f"Expected a folder that can be written, got {out} ({error.strerror}).") from None


def _write(result: Generated, out: Path, formats: Sequence[str]) -> list[Path]:
    files = []
    for i, motion in enumerate(result.motions):
        for name in formats:
            if name != "html":
                path = out / f"{i:04d}.{name}"
                save([motion], path)
                files.append(path)
    if "html" in formats:
        shown = result.motions[:SHOWN_MOST]
        labels = [f"{label(m)} · #{i}" if len(shown) > 1 else label(m) for i, m in enumerate(shown)]
        save(shown, out / "player.html", labels)
        files.append(out / "player.html")
    return files


def _unshown(motions: Sequence[Motion], formats: Sequence[str]) -> list[str]:
    if "html" in formats and len(motions) > SHOWN_MOST:
        return [f"player.html shows the first {SHOWN_MOST} of {len(motions)} motions."]
    return []
