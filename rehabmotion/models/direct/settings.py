"""Configurations of the direct networks: frozen, kept as JSON; unknown keys and values of another kind are refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any, Self

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Settings:
    """What configurations have in common. Every field has a default, and its values are of the default's type."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_kind(f"{type(self).__name__}.{field.name}", getattr(self, field.name), field.default)
        self.check()

    def check(self) -> None:
        """Raise UserError where numbers make no sense; a configuration adds its own rules."""

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return the configuration kept by as_json(); what does not belong to one raises UserError."""
        if not isinstance(data, dict):
            raise UserError(f"Expected the settings of a {cls.__name__} by name, got {data!r}.")
        defaults = {field.name: field.default for field in fields(cls)}
        for key in data:
            if key not in defaults:
                raise UserError(f'Unknown key "{key}" in {cls.__name__}. {_remedy(str(key), defaults)}')
        values = {}
        for key, value in data.items():
            part = defaults[key]
            values[key] = type(part).from_json(value) if isinstance(part, Settings) else _frozen(value)
        return cls(**values)


def chosen(table: dict[str, Any], name: str, what: str) -> Any:
    """Return what a visible dict holds under a name; unknown names raise UserError."""
    if name not in table:
        raise UserError(f'Expected a {what}, got "{name}". {_remedy(name, table)}')
    return table[name]


def in_range(name: str, value: float, low: float, high: float) -> None:
    """Raise UserError unless low <= value <= high."""
    if not low <= value <= high:
        raise UserError(f"Expected {name} from {low:g} to {high:g}, got {value:g}.")


def _remedy(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    guess = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{guess}Known: {', '.join(known)}."


def _check_kind(name: str, value: Any, default: Any) -> None:
    if isinstance(default, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    elif isinstance(default, bool):
        fits = isinstance(value, bool)
    elif isinstance(default, int):
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, type(default))
    if not fits:
        raise UserError(f"Expected {name} to be a value like {default!r}, got {value!r}.")


def _frozen(value: Any) -> Any:
    """Return lists as tuples, all the way down: JSON knows no tuples."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
