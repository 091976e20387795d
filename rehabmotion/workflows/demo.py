"""The demo: one sentence at three grades, side by side, in one page."""

from __future__ import annotations

import sys
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.motion import Score
from rehabmotion.workflows.convert import save
from rehabmotion.workflows.generate import generate
from rehabmotion.workflows.models import open_model

TEXT = "a person performs a deep squat"


def demo(folder: Path, text: str = TEXT, seed: int = 0) -> Path:
    """Return folder/index.html: `text` at fms:1, 2 and 3, the same seed, side by side."""
    model, provenance = open_model()
    motions = [generate(model, provenance, text, Score("fms", grade), seed=seed).motions[0] for grade in (1, 2, 3)]
    page = folder / "index.html"
    save(motions, page)
    return page


def main() -> int:
    """Run the demo into the folder named first."""
    try:
        demo(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
