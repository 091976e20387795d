"""What `clean_up` may do, and what it says it has done."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class CleanUpConfig:
    """Settings of `clean_up`; metres, seconds, m/s, Hz. The three parts can be switched off one by one.

    A foot is on the floor when it is lower than `low` above what carries the body and slower than `slow`; it is in
    the air when it is higher than `high` or faster than `fast`; between, it stays what it was. Feet are watched below
    `watch_hz`: the sensor's trembling is no step. Phases and gaps shorter than `shortest` do not count.
    """

    limits: bool = True
    floor: bool = True
    lock: bool = True
    low: float = 0.05
    high: float = 0.10
    slow: float = 0.20
    fast: float = 0.40
    heel_low: float = 0.025  # a heel so much higher than the foot at rest is up; it comes down below half of it
    watch_hz: float = 3.0
    shortest: float = 0.15
    lock_hz: float = 8.0  # how fast a locked foot's correction may change, and so how softly it sets in and ends
    height_hz: float = 1.5  # the same for the height of the body and of each foot
    straightest: float = 0.998  # of the leg's length: no leg that was bent is stretched further (7 degrees of flexion)
    blend: float = 0.1  # seconds over which a correction of a limit rises and falls

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, bool) and not (math.isfinite(value) and value > 0):
                raise UserError(f"Expected {name} > 0 in CleanUpConfig, got {value}.")
        if not (self.low < self.high and self.slow < self.fast and self.straightest < 1):
            raise UserError("Expected low < high, slow < fast and straightest < 1 in CleanUpConfig.")


@dataclass(frozen=True)
class CleanUpReport:
    """What clean_up changed. Lengths in mm, slides in mm per frame over the found contacts, angles in degrees.

    moved: mean distance each joint went; moved_most: the largest of any joint and frame. contact: share of frames each
    foot stands. floating: mean height of the lowest foot above the floor; penetration: mean depth of all joints below
    it. limits: the largest violation of each range that was exceeded.
    """

    moved: dict[str, float]
    moved_most: float
    standing: float
    contact: dict[str, float] = field(default_factory=dict)
    slide: tuple[float, float] | None = None
    floating: tuple[float, float] | None = None
    penetration: tuple[float, float] = (0.0, 0.0)
    limits: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)
