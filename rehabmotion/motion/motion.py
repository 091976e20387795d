"""`Motion`: joint positions over time with a mask of what was really measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.motion.score import Score
from rehabmotion.motion.skeleton import CANONICAL, Skeleton

MAX_FPS = 10_000
META_KEYS = ("source", "subject", "exercise", "side", "repetition", "model", "seed", "version")


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion clip.

    positions (T, J, 3) float32 metres, y up, +z forward, +x to the person's left; valid (T, J), True = measured (or
    made); entries where it is False are finite placeholders that no loss or metric reads. Raises UserError when the
    shapes disagree, a number is not finite, or fps is not positive.
    """

    positions: NDArray[np.float32]
    fps: float
    skeleton: Skeleton = CANONICAL
    valid: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below: all True
    text: str = ""
    scores: tuple[Score, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):  # too large becomes infinite, and that is refused below
            positions = np.asarray(self.positions, dtype=np.float32)
        if positions.ndim != 3 or positions.shape[1:] != (len(self.skeleton), 3):
            raise UserError(
                f"Expected positions of shape (T, {len(self.skeleton)}, 3), got {positions.shape}. Time comes first."
            )
        if len(positions) == 0:
            raise UserError("Expected at least one frame, got none.")
        if not np.isfinite(positions).all():
            frame = int(np.argwhere(~np.isfinite(positions))[0][0])
            raise UserError(f"Expected finite positions, got NaN or infinity in frame {frame}. Mask missing joints.")
        if not (np.isfinite(self.fps) and 0 < self.fps <= MAX_FPS):
            raise UserError(f"Expected fps > 0, got {self.fps}. Pass the rate of the recording.")
        valid = np.ones(positions.shape[:2], dtype=bool) if self.valid is None else np.asarray(self.valid)
        if valid.shape != positions.shape[:2] or valid.dtype != bool:
            raise UserError(f"Expected valid of shape {positions.shape[:2]} and type bool, got {valid.shape}.")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "valid", valid)
        object.__setattr__(self, "scores", tuple(self.scores))
        object.__setattr__(self, "meta", {**dict.fromkeys(META_KEYS), **self.meta})

    @property
    def n_frames(self) -> int:
        """Number of frames T."""
        return len(self.positions)

    @property
    def seconds(self) -> float:
        """Length in seconds, T / fps."""
        return self.n_frames / self.fps

    def joint(self, name: str) -> NDArray[np.float32]:
        """Return one joint's positions (T, 3), metres."""
        return self.positions[:, self.skeleton.index(name)]

    def but(self, **changes: Any) -> Motion:
        """Return a copy with some fields changed; `meta` is merged into the present one."""
        if "meta" in changes:
            changes["meta"] = {**self.meta, **changes["meta"]}
        return replace(self, **changes)
