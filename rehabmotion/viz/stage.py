"""A motion set on the stage: its body, its floor, its place in the middle, and frames at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion
from rehabmotion.viz.body import Part, body_parts, body_scale, sphere_weights


@dataclass(frozen=True)
class Stage:
    """A motion ready to be drawn.

    positions (T, J, 3) metres with the floor at y = 0 and the clip's middle above the origin; `height` metres above
    the floor and `radius` metres around the middle hold every drawn sphere of every frame.
    """

    motion: Motion
    positions: NDArray[np.float64]
    parts: tuple[Part, ...]
    height: float
    radius: float

    def drawn(self, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which parts are drawn (..., P) for joint masks (..., J)."""
        able = np.stack([valid[..., part.joints].all(axis=-1) for part in self.parts], axis=-1)
        stand_in = np.array([part.unless for part in self.parts])
        return able & ((stand_in < 0) | ~able[..., np.maximum(stand_in, 0)])

    def at(self, seconds: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return positions (J, 3) and mask (J,) at a time: linear between frames, the ends held."""
        at = min(max(seconds * self.motion.fps, 0.0), self.motion.n_frames - 1.0)
        below = int(at)
        above = min(below + 1, self.motion.n_frames - 1)
        share = at - below
        mask = self.motion.valid[below] if share < 1e-6 else self.motion.valid[below] & self.motion.valid[above]
        return (1 - share) * self.positions[below] + share * self.positions[above], mask


def set_stage(motion: Motion) -> Stage:
    """Return the motion on the stage.

    The floor is where the drawn body is lowest, as the 5th percentile over frames, so that a foot touches it and not a
    joint's centre. Without valid feet it is never above y = 0: the hips would otherwise sit on the ground.
    """
    if not motion.valid.any():
        raise UserError("Expected a motion with valid joints to draw, got none in any frame.")
    parts = body_parts(motion.skeleton, body_scale(motion))
    rough = Stage(motion, motion.positions.astype(np.float64), parts, 1.0, 1.0)
    centres, radii, seen = _spheres(rough)
    low = np.where(seen, centres[..., 1] - radii, np.inf).min(axis=1)
    low = low[np.isfinite(low)]
    if len(low) == 0:  # single joints, no bone: nothing to draw but their names
        centres, seen, radii = rough.positions, motion.valid, np.full(len(motion.skeleton), 0.05)
        low = np.where(seen, centres[..., 1] - 0.05, np.inf).min(axis=1)
        low = low[np.isfinite(low)]
    floor = float(np.percentile(low, 5))
    if not _has_feet(motion):
        floor = min(floor, 0.0)
    points = centres[seen]
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    origin = np.array([middle[0], floor, middle[2]])
    around = np.hypot(*(centres - origin)[..., [0, 2]].transpose(2, 0, 1)) + radii
    top = float((centres[..., 1] + radii)[seen].max() - floor)
    return Stage(motion, rough.positions - origin, parts, max(top, 0.1), max(float(around[seen].max()), 0.1))


def _spheres(stage: Stage) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Centres (T, S, 3), radii (S,) and whether each is drawn (T, S)."""
    weights, radii = sphere_weights(stage.parts, stage.positions.shape[1])
    counts = [len(part.spheres) for part in stage.parts]
    return weights @ stage.positions, radii, np.repeat(stage.drawn(stage.motion.valid), counts, axis=1)


def _has_feet(motion: Motion) -> bool:
    feet = [
        j for j, name in enumerate(motion.skeleton.joint_names) if "ankle" in name.lower() or "foot" in name.lower()
    ]
    return bool(feet) and bool(motion.valid[:, feet].any())
