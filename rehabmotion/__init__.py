"""RehabMotion: words and a clinical score in, natural exercise motion out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rehabmotion.motion import CANONICAL, EXERCISES, SCALES, Motion, Score, Skeleton

if TYPE_CHECKING:
    from rehabmotion.workflows.api import generate, load_model, read, simulate, write

__version__ = "0.1.0"
__all__ = [
    "CANONICAL",
    "EXERCISES",
    "SCALES",
    "Motion",
    "Score",
    "Skeleton",
    "generate",
    "load_model",
    "read",
    "simulate",
    "write",
]
_LAZY = ("generate", "load_model", "read", "simulate", "write")  # they bring torch or every reader: on first use


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module("rehabmotion.workflows.api"), name)
    raise AttributeError(f"module 'rehabmotion' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
