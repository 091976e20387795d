"""Physical plausibility: feet that stay, smoothness, bones that keep their length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.contact import floor_of, horizontal_steps, mean_slide
from rehabmotion.motion import CANONICAL, FEET, Skeleton

Array = NDArray[np.floating]
TOES = CANONICAL.indices("left_foot", "right_foot")


def foot_slide(
    positions: Array,
    feet: Sequence[int] | None = None,
    contact_speed: float = 0.01,
    contact_height: float = 0.02,
    valid: NDArray[np.bool_] | None = None,
) -> float:
    """Return the mean horizontal displacement of contact feet, mm per frame.

    positions (T, J, 3) metres, y up. A foot is in contact in a frame where it moves less than `contact_speed` (m per
    frame, horizontally) or stands lower than `contact_height` above the floor (5th percentile of foot heights). This
    is the or-contact that Motius uses, kept for parity; it favours slow sliding. No contact at all gives 0. Feet that
    valid (T, J) says are missing are left out.
    """
    chosen = CANONICAL.indices(*FEET) if feet is None else list(feet)
    x, seen, height = _feet(positions, chosen, valid)
    if not seen.any():
        return 0.0
    moved = horizontal_steps(x)
    contact = ((moved < contact_speed) | (height[:-1] < contact_height)) & seen[1:] & seen[:-1]
    return mean_slide(moved, contact)


def foot_skate(
    positions: Array,
    fps: float,
    toes: Sequence[int] | None = None,
    height: float = 0.05,
    speed: float = 0.2,
    valid: NDArray[np.bool_] | None = None,
) -> float:
    """Return the share of (foot, frame) that skate: lower than `height` (m) over two frames, faster than `speed` (m/s).

    positions (T, J, 3) metres, y up; the floor is the 5th percentile of the toes' heights, speed is horizontal. For
    people who stand: lying and kneeling ones have no feet to stand on. Feet that valid (T, J) says are missing are left
    out; none at all, or one frame, give NaN. A foot on the floor that moves 20 mm a frame at 20 fps (0.4 m/s) gives 1.
    """
    x, seen, above = _feet(positions, TOES if toes is None else toes, valid)
    both = seen[1:] & seen[:-1]
    if not both.any():
        return float("nan")
    low = (above[1:] < height) & (above[:-1] < height)
    fast = horizontal_steps(x) * fps > speed
    return float((low & fast)[both].mean())


def penetration(
    positions: Array,
    floor: float | None = None,
    tolerance: float = 0.005,
    valid: NDArray[np.bool_] | None = None,
) -> float:
    """Return the mean depth of ankles and toes below the floor, mm, over feet and frames; less than `tolerance` (m): 0.

    positions (T, J, 3) metres, y up. floor (m): by default the 5th percentile of their heights. Feet that valid (T, J)
    says are missing are left out; none at all give NaN. A foot held 3 cm below the floor gives 25 mm.
    """
    x, seen, above = _feet(positions, CANONICAL.indices(*FEET), valid)
    if not seen.any():
        return float("nan")
    depth = -(above if floor is None else x[..., 1] - floor) - tolerance
    return float(1000.0 * np.maximum(depth, 0.0)[seen].mean())


def floating(positions: Array, floor: float | None = None, valid: NDArray[np.bool_] | None = None) -> float:
    """Return how high the lowest of ankles and toes is above the floor, mm, the mean over frames; below it counts 0.

    positions (T, J, 3) metres, y up. floor (m): by default the 5th percentile of their heights. For people who stand:
    a jump floats. Frames in which valid (T, J) says no foot was seen are left out; none at all gives NaN.
    """
    x, seen, above = _feet(positions, CANONICAL.indices(*FEET), valid)
    some = seen.any(axis=1)
    if not some.any():
        return float("nan")
    height = np.where(seen, above if floor is None else x[..., 1] - floor, np.inf)[some].min(axis=1)
    return float(1000.0 * np.maximum(height, 0.0).mean())


def _feet(
    positions: Array, joints: Sequence[int], valid: NDArray[np.bool_] | None
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Return the feet (T, F, 3), where they were seen (T, F), and their heights above the floor (T, F)."""
    x = positions[:, list(joints)].astype(np.float64)
    seen = np.ones(x.shape[:2], bool) if valid is None else valid[:, list(joints)]
    return x, seen, x[..., 1] - floor_of(x[..., 1], seen)


def jerk(positions: Array, fps: float, valid: NDArray[np.bool_] | None = None) -> float:
    """Return the root mean square of the third finite difference over joints and time, m/s^3.

    positions (T, J, 3) metres; valid (T, J): differences that touch an invalid frame are left out. Independent noise of
    sigma per axis gives sigma sqrt(20) / dt^3 per axis. Fewer than 4 frames give NaN.
    """
    if len(positions) < 4:
        return float("nan")
    third = np.diff(positions.astype(np.float64), n=3, axis=0) * fps**3
    squared = (third**2).sum(axis=-1)
    if valid is not None:
        seen = valid[3:] & valid[2:-1] & valid[1:-2] & valid[:-3]
        return float(np.sqrt(squared[seen].mean())) if seen.any() else float("nan")
    return float(np.sqrt(squared.mean()))


def acceleration(
    positions: Array, fps: float, root: int | None = None, valid: NDArray[np.bool_] | None = None
) -> float:
    """Return the mean length of the second finite difference over joints and time, m/s^2; others call it jitter.

    positions (T, J, 3) metres. With `root`, the index of a joint, positions are taken relative to it and it does not
    count itself. valid (T, J): differences that touch an invalid frame are left out; nothing left, or fewer than 3
    frames, gives NaN. Independent noise of sigma per axis has the root mean square sigma sqrt(6) / dt^2 per axis.
    """
    x = positions.astype(np.float64)
    seen = np.ones(x.shape[:2], bool) if valid is None else valid.copy()
    if root is not None:
        x = x - x[:, root : root + 1]
        seen &= seen[:, root : root + 1]
        seen[:, root] = False
    second = np.linalg.norm(np.diff(x, n=2, axis=0), axis=-1) * fps**2
    used = seen[2:] & seen[1:-1] & seen[:-2]
    return float(second[used].mean()) if used.any() else float("nan")


def log_dimensionless_jerk(
    positions: Array, fps: float, joints: Sequence[int] | None = None, valid: NDArray[np.bool_] | None = None
) -> float:
    """Return -ln(D^3 / v^2 int |jerk|^2 dt), the mean over joints: smoothness without a unit, higher is smoother.

    positions (T, J, 3) metres; D is the duration, v the peak speed of a joint (Balasubramanian et al. 2012). Of
    `joints`, by default all; those that never move, or are never seen (valid (T, J)) in 4 frames on end, are left out;
    nothing left gives NaN. A minimum-jerk reach has -ln 204.8 = -5.322, approached with the square of the frame time.
    """
    chosen = list(range(positions.shape[1])) if joints is None else list(joints)
    x = positions[:, chosen].astype(np.float64)
    if len(x) < 4:
        return float("nan")
    seen = np.ones(x.shape[:2], bool) if valid is None else valid[:, chosen]
    speed = np.linalg.norm(np.diff(x, axis=0), axis=-1) * fps
    peak = np.where(seen[1:] & seen[:-1], speed, 0.0).max(axis=0)
    squared = (np.diff(x, n=3, axis=0) ** 2).sum(axis=-1) * fps**6
    weight = (seen[3:] & seen[2:-1] & seen[1:-2] & seen[:-3]).astype(np.float64)
    weight[[0, -1]] *= 2.0  # the outermost differences stand for the frame beside them too, so the mean is over all D
    used = (peak > 0) & (weight.sum(axis=0) > 0)
    if not used.any():
        return float("nan")
    mean = (weight * squared)[:, used].sum(axis=0) / weight[:, used].sum(axis=0)
    duration = (len(x) - 1) / fps
    return float(-np.log(duration**4 * mean / peak[used] ** 2).mean())


def bone_length_error(
    positions: Array, skeleton: Skeleton = CANONICAL, valid: NDArray[np.bool_] | None = None
) -> float:
    """Return the largest departure of any bone from its own mean length over time, metres."""
    worst = 0.0
    for parent, joint in skeleton.bones:
        both = slice(None) if valid is None else valid[:, parent] & valid[:, joint]
        x = positions[both].astype(np.float64)
        if len(x):
            lengths = np.linalg.norm(x[:, joint] - x[:, parent], axis=-1)
            worst = max(worst, float(np.abs(lengths - lengths.mean()).max()))
    return worst


def bone_length_variations(
    positions: Array, skeleton: Skeleton = CANONICAL, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the standard deviation over the mean of each bone's length over time (B,), in the order of `bones`.

    positions (T, J, 3); valid (T, J). NaN for a bone that is never seen or has no length. Report np.nanmean and
    np.nanmax. Lengths of 1.0 and 1.1 in turn give 0.05 / 1.05.
    """
    found = np.full(len(skeleton.bones), np.nan)
    for number, (parent, joint) in enumerate(skeleton.bones):
        both = slice(None) if valid is None else valid[:, parent] & valid[:, joint]
        x = positions[both].astype(np.float64)
        lengths = np.linalg.norm(x[:, joint] - x[:, parent], axis=-1)
        if lengths.any():
            found[number] = lengths.std() / lengths.mean()
    return found
