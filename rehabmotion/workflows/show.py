"""One page that plays several motions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion
from rehabmotion.viz.stage import set_stage
from rehabmotion.workflows.convert import label, load, naming, save
from rehabmotion.workflows.outputs import staged

MOST = 12


def show(sources: Sequence[Path], out: Path = Path("motion.html")) -> Path:
    """Write a page with the motions of all sources, at most 12, and return its path.

    Rates, lengths and skeletons may differ: the page has one clock in seconds, and shorter motions wait at their end.
    """
    if out.suffix.lower() != ".html":
        raise UserError(f"Expected an output that ends in .html, got {out}.")
    named = [(source, motion) for source in sources for motion in _drawable(source)]
    if len(named) > MOST:
        raise UserError(f"Expected at most {MOST} motions side by side, got {len(named)}. Name fewer.")
    with staged(out.parent) as stage:
        save([motion for _, motion in named], stage / out.name, _labels(named))
    return out


def _drawable(source: Path) -> list[Motion]:
    motions = load(source)
    with naming(source):
        for motion in motions[: MOST + 1]:
            set_stage(motion)  # says what cannot be drawn while it is known whose it is
    return motions


def _labels(named: Sequence[tuple[Path, Motion]]) -> list[str]:
    """Return the labels, with the file where two motions would be called the same."""
    plain = [label(motion) for _, motion in named]
    return [
        f"{text} · {source.parent.name}/{source.name}" if plain.count(text) > 1 else text
        for text, (source, _) in zip(plain, named, strict=True)
    ]
