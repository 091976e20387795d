"""`clean_up`: joints inside their ranges, feet on the floor and still while they stand, nothing below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.contact import horizontal_steps, mean_slide
from rehabmotion.geometry.rotations import normalise
from rehabmotion.geometry.signal import calmed, envelope, fill_gaps
from rehabmotion.motion.cleanup.config import CleanUpConfig, CleanUpReport
from rehabmotion.motion.cleanup.feet import ANKLES, TOES, Feet, find_feet, foot_height
from rehabmotion.motion.cleanup.legs import HIPS, KNEES, placed
from rehabmotion.motion.cleanup.limits import within_limits
from rehabmotion.motion.exercises import EXERCISES
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
UPRIGHT_DEG = 65.0  # a trunk further from the vertical lies or is on all fours; squats and bows to a chair stay below


def clean_up(
    motion: Motion, config: CleanUpConfig | None = None, standing: Mask | None = None
) -> tuple[Motion, CleanUpReport]:
    """Return the motion cleaned, and what changed. Bone lengths, mask, duration and words stay.

    The motion has the 22 canonical joints, y up, the floor at y = 0 (`canonicalise`). standing (T,): where feet carry
    the body; by default the exercise tells, and where that is unknown the trunk, frame by frame. Where nobody stands
    (lying, push-up, all fours) feet are not held: the body is only lifted so far that nothing lies below the floor.
    Joints that were never seen are left alone; without ankles and knees the feet are, and a note says so. A jump would
    be drawn to the floor: someone standing is taken to stand on something. Time is that of T. Raises UserError for
    another skeleton or a mask of another shape.
    """
    c = CleanUpConfig() if config is None else config
    if motion.skeleton != CANONICAL:
        raise UserError("Expected the canonical 22 joints. Retarget the motion first (rehabmotion.motion.retarget).")
    x = fill_gaps(motion.positions.astype(np.float64), motion.valid)
    stands_on_feet = _standing(motion, x, standing)
    y, hit = within_limits(x, motion.valid, motion.fps, c.blend) if c.limits else (x, {})
    needed = motion.valid[:, [*HIPS, *KNEES, *ANKLES]].any(axis=0).all()
    notes: list[str] = []
    feet = None
    if c.floor and not needed:
        notes.append("legs were never seen: feet left alone")
    elif c.floor and stands_on_feet.any():
        seen = motion.valid[:, HIPS] & motion.valid[:, KNEES] & motion.valid[:, ANKLES]
        feet = find_feet(y, seen, stands_on_feet, motion.fps, c)
        y = placed(y, feet, motion.fps, c)
    if c.floor and not stands_on_feet.all():
        lying = np.where(motion.valid & ~stands_on_feet[:, None], np.maximum(-y[..., 1], 0.0), 0.0).max(axis=1)
        y[..., 1] += envelope(lying, motion.fps, 2 * c.blend)[:, None]
        notes.append("not standing: lifted out of the floor, feet not held")
    y = np.where(motion.valid[..., None], y, motion.positions)
    return motion.but(positions=y), _report(motion, x, y, stands_on_feet, feet, hit, notes)


def _standing(motion: Motion, x: Array, given: Mask | None) -> Mask:
    if given is not None:
        if given.shape != (motion.n_frames,) or given.dtype != bool:
            raise UserError(f"Expected standing of shape ({motion.n_frames},) and type bool, got {given.shape}.")
        return given
    exercise = EXERCISES.get(str(motion.meta.get("exercise")))
    if exercise is not None:
        return np.full(motion.n_frames, exercise.posture == "standing")
    trunk = normalise(x[:, CANONICAL.index("neck")] - x[:, CANONICAL.index("pelvis")])
    return calmed(trunk[:, 1:2], motion.fps, 1.0)[:, 0] > np.cos(np.radians(UPRIGHT_DEG))


def _report(
    motion: Motion, x: Array, y: Array, standing: Mask, feet: Feet | None, hit: dict[str, float], notes: list[str]
) -> CleanUpReport:
    moved = 1000.0 * np.linalg.norm(y - x, axis=-1)
    valid = motion.valid
    count = valid.sum(axis=0)
    means = (moved * valid).sum(axis=0) / np.maximum(count, 1)
    per_joint = {name: float(means[j]) for j, name in enumerate(CANONICAL.joint_names) if count[j]}

    def below(z: Array) -> float:
        return float(1000.0 * np.maximum(-z[..., 1], 0.0)[valid].mean()) if valid.any() else 0.0

    found: dict[str, object] = {}
    if feet is not None:
        both = feet.stands[1:] & feet.stands[:-1]
        pair = np.stack([both, both], axis=1)  # ankle and toes
        pair[:, 0] &= feet.flat[1:] & feet.flat[:-1]  # an ankle over a raised heel may go where it likes

        def slide(z: Array) -> float:
            return mean_slide(horizontal_steps(z[:, ANKLES + TOES]).reshape(-1, 2, 2), pair)

        def floating(z: Array) -> float:
            height = foot_height(z[:, ANKLES, 1], z[:, TOES, 1], feet.rest).min(axis=1)
            return float(1000.0 * np.maximum(height, 0.0)[standing].mean())

        found = {
            "contact": {"left": float(feet.stands[:, 0].mean()), "right": float(feet.stands[:, 1].mean())},
            "slide": (slide(x), slide(y)),
            "floating": (floating(x), floating(y)),
        }
    return CleanUpReport(
        moved=per_joint,
        moved_most=float(moved[valid].max()) if valid.any() else 0.0,
        standing=float(standing.mean()),
        penetration=(below(x), below(y)),
        limits=hit,
        notes=tuple(notes),
        **found,  # type: ignore[arg-type]
    )
