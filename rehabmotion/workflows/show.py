"""One page that plays several motions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.workflows.convert import load, save

MOST = 12


def show(sources: Sequence[Path], out: Path = Path("motion.html")) -> Path:
    """Write a page with the motions of all sources, at most 12, and return its path."""
    if out.suffix.lower() != ".html":
        raise UserError(f"Expected an output that ends in .html, got {out.name}.")
    motions = [motion for source in sources for motion in load(source)]
    if len(motions) > MOST:
        raise UserError(f"Expected at most {MOST} motions side by side, got {len(motions)}. Name fewer.")
    save(motions, out)
    return out
