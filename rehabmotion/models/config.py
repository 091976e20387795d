"""The configuration that every family of generators has in common; kept as JSON beside its weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from rehabmotion.errors import UserError
from rehabmotion.geometry.humanml3d import N_FEATURES as HUMANML3D_FEATURES
from rehabmotion.models.conditioning import NetworkConfig
from rehabmotion.models.text import TextConfig
from rehabmotion.motion import CANONICAL

WIDTHS = {"canonical": 3 * len(CANONICAL), "humanml3d": HUMANML3D_FEATURES}  # numbers a frame, per representation


@dataclass(frozen=True)
class GeneratorConfig:
    """The resolved configuration of a generator. A family adds its own numbers, with defaults.

    mean and std (C,) are of the training clips; drop_*: how often a condition is left out in training.
    """

    text: TextConfig
    network: NetworkConfig
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scales: tuple[str, ...]  # the score scales it has learnt
    features: str = "canonical"
    drop_text: float = 0.1
    drop_score: float = 0.15
    drop_words: float = 0.4
    drop_person: float = 0.1
    velocity_weight: float = 0.1
    bone_weight: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the configuration kept by as_json(); unknown keys raise UserError."""
        parts = {"text": TextConfig, "network": NetworkConfig}
        known = set(cls.__dataclass_fields__)
        unknown = set(data) - known
        if unknown:
            raise UserError(
                f"Unknown key {sorted(unknown)[0]!r} in {cls.__name__}. Known keys: {', '.join(sorted(known))}."
            )
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k not in parts}
        try:
            nested: dict[str, Any] = {
                k: kind(**{a: tuple(b) if isinstance(b, list) else b for a, b in data[k].items()})
                for k, kind in parts.items()
            }
            config = cls(**nested, **plain)
            config._check()
        except (TypeError, KeyError, AttributeError) as error:
            raise UserError(f"Expected the configuration of a model, it does not fit ({error}).") from None
        return config

    def _check(self) -> None:
        """Refuse parts that do not belong together: they would fail only when a motion is asked for."""
        n, t = self.network, self.text
        for part in (n, t, self):
            for name in (f.name for f in fields(part) if f.type == "int"):
                value = getattr(part, name)
                least = 0 if name == "n_people" else 1  # a model need not know people apart
                if not isinstance(value, int) or value < least:
                    raise UserError(f"Expected {name} of {least} or more, got {value!r}.")
        numbers = [getattr(self, f.name) for f in fields(self) if f.type == "float"]
        if not all(_is_finite(number) for number in (*numbers, *self.mean, *self.std)):
            raise UserError("Expected finite numbers for mean, std, weights and guidance, got others.")
        if self.features not in WIDTHS:
            raise UserError(f'Expected features {" or ".join(WIDTHS)}, got "{self.features}".')
        sizes = {
            "n_features": (n.n_features, WIDTHS[self.features]),
            "width left over by the heads": (n.d % n.heads + t.d % t.heads, 0),
            "mean": (len(self.mean), n.n_features),
            "std": (len(self.std), n.n_features),
            "text.d": (t.d, n.d_text),
            "exercises and other": (len(t.classes), n.n_exercises),
            "frames that fill no patch": (n.n_frames % n.patch, 0),
            "scales the network lacks": (len(set(self.scales) - set(n.scales)), 0),
        }
        for name, (got, expected) in sizes.items():
            if got != expected:
                raise UserError(f"Expected parts of one model, {name}: {expected}, got {got}.")


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)
