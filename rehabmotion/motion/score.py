"""Score scales: kept apart, each with its range and direction; the raw value is always kept."""

from __future__ import annotations

from dataclasses import dataclass

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class ScoreScale:
    """A named scale. `levels` lists the only values there are, where the scale is not continuous."""

    name: str
    low: float
    high: float
    meaning: str
    levels: tuple[float, ...] = ()
    direction: str = "higher is better"

    @property
    def spelled_range(self) -> str:
        """The range as users type it: 1..3, or 0|1."""
        if len(self.levels) == 2:
            return "|".join(f"{level:g}" for level in self.levels)
        return f"{self.low:g}..{self.high:g}"


SCALES = {
    scale.name: scale
    for scale in (
        ScoreScale("fms", 1, 3, "Functional Movement Screen: 3 complete, 2 with compensation, 1 incomplete", (1, 2, 3)),
        ScoreScale("kimore", 0, 100, "KIMORE clinical score as redistributed (0-100)"),
        ScoreScale("kimore_ts", 0, 50, "KIMORE clinical total score of the original release (TS = PO + CF)"),
        ScoreScale("uiprmd", 0, 1, "UI-PRMD instruction: 1 correct, 0 deliberately incorrect", (0, 1)),
        ScoreScale("sim", 0, 100, "Exercise simulator: 100 no compensation, 0 all of them at full strength"),
    )
}


@dataclass(frozen=True)
class Score:
    """One value on one named scale."""

    scale: str
    value: float

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            known = ", ".join(f"{s.name}:{s.spelled_range}" for s in SCALES.values())
            raise UserError(f'Expected a known score scale, got "{self.scale}". Known: {known}.')
        scale = SCALES[self.scale]
        if self.scale == "fms" and self.value == 0:
            raise UserError("Expected fms:1..3, got fms:0. Grade 0 means pain, which motion does not show. Use 1 to 3.")
        if not scale.low <= self.value <= scale.high:  # also refuses NaN
            raise UserError(f"Expected {scale.name}:{scale.spelled_range}, got {scale.name}:{self.value:g}.")
        if scale.levels and self.value not in scale.levels:
            levels = ", ".join(f"{level:g}" for level in scale.levels)
            raise UserError(f"Expected {scale.name} to be one of {levels}, got {self.value:g}.")
        object.__setattr__(self, "value", float(self.value))  # 2 and 2.0 are written alike

    @property
    def unit(self) -> float:
        """The value on 0..1, worst to best."""
        scale = SCALES[self.scale]
        return (self.value - scale.low) / (scale.high - scale.low)

    def __str__(self) -> str:
        return f"{self.scale}:{self.value:g}"

    def as_json(self) -> dict[str, object]:
        """Return the form kept in motion files: scale, value, range, direction."""
        scale = SCALES[self.scale]
        return {
            "scale": self.scale,
            "value": self.value,
            "range": [scale.low, scale.high],
            "direction": scale.direction,
        }

    @classmethod
    def parse(cls, text: str) -> Score:
        """Return the score written as SCALE:VALUE, such as fms:2."""
        scale, colon, value = text.partition(":")
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not colon or number != number:
            raise UserError(f'Expected a score as SCALE:VALUE, such as fms:2 or uiprmd:1, got "{text}".')
        return cls(scale.strip(), number)
