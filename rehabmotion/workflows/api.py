"""The few calls of the top level: `import rehabmotion as rm`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rehabmotion.data.simulator import simulate
from rehabmotion.io import formats
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import Provenance
from rehabmotion.motion import Motion, Score
from rehabmotion.workflows.convert import load
from rehabmotion.workflows.generate import Generated
from rehabmotion.workflows.generate import generate as _generate
from rehabmotion.workflows.models import DEFAULT, open_model

__all__ = ["Model", "generate", "load_model", "read", "simulate", "write"]


@dataclass(frozen=True)
class Model:
    """A generator and where it comes from."""

    network: Generator
    provenance: Provenance


def load_model(name: str | Path = DEFAULT) -> Model:
    """Return a model by name or run folder. What is neither raises UserError."""
    return Model(*open_model(str(name)))


def generate(
    model: Model,
    text: str,
    score: str | Score | None = None,
    seconds: float | None = None,
    samples: int = 1,
    seed: int = 0,
    guidance: float | None = None,
    steps: int | None = None,
    raw: bool = False,
) -> Generated:
    """Return motions for words and a score such as "fms:2"; see rehabmotion.workflows.generate.generate."""
    asked = Score.parse(score) if isinstance(score, str) else score
    return _generate(model.network, model.provenance, text, asked, seconds, samples, seed, guidance, steps, raw)


def read(path: str | Path, source_format: str | None = None) -> list[Motion]:
    """Return the motions of a file, one per recording: on the canonical 22 joints, on the floor, facing +z.

    A motion file (.npz) comes back as it was written, on its own joints.
    """
    return load(Path(path), source_format)


def write(motion: Motion, path: str | Path) -> None:
    """Write a motion in the format of the path's extension."""
    formats.write(motion, Path(path))
