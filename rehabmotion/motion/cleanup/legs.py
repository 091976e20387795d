"""Feet held where they stand: how far the body and each foot are shifted, and the legs that follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.geometry.limbs import cross, dot
from rehabmotion.geometry.rotations import normalise, shortest_arc
from rehabmotion.geometry.signal import calmed, envelope, follow, runs
from rehabmotion.motion.cleanup.config import CleanUpConfig
from rehabmotion.motion.cleanup.feet import ANKLES, TOES, Feet, foot_height
from rehabmotion.motion.skeleton import CANONICAL

Array = NDArray[np.floating]
HIPS, KNEES = CANONICAL.indices("left_hip", "right_hip"), CANONICAL.indices("left_knee", "right_knee")
FLAT = [0, 2]
STRAIGHT = np.radians([20.0, 40.0])  # flexion: legs below the first are solved as nearly straight, above the second not
STRAIGHT_HZ = 2.0
BIAS_M = 0.06  # knees of nearly straight legs bend forwards, however far they lie to the side
RELEASE_HZ = 3.0  # a foot in the air is where it was after a sixth of a second
BODY_HZ = 0.5  # the whole body follows only what both feet drift slowly; the rest is the legs'


def placed(x: Array, feet: Feet, fps: float, c: CleanUpConfig) -> Array:
    """Return positions (T, 22, 3) with standing feet on the floor y = 0 and, with c.lock, held in place.

    The body is shifted as a whole first, which changes no direction of any bone: up or down with what carries it, and
    sideways with what both feet drift. What is left is done by the legs. A leg that could not reach lowers the body.
    """
    lengths = [np.linalg.norm(x[:, b] - x[:, a], axis=-1) for a, b in ((HIPS, KNEES), (KNEES, ANKLES), (ANKLES, TOES))]
    ankle, sole = x[:, ANKLES], normalise(x[:, TOES] - x[:, ANKLES])
    if c.lock:
        sole = np.stack([_held_sole(sole[:, s], feet.stands[:, s], feet.flat[:, s], fps, c) for s in range(2)], axis=1)
    toe = ankle + lengths[2][..., None] * sole
    weight = np.stack([_faded(feet.stands[:, s], fps) for s in range(2)], axis=1)
    body, foot = _heights(foot_height(ankle[..., 1], toe[..., 1], feet.rest), weight, fps, c)
    if c.lock:
        body[:, FLAT], foot[..., FLAT] = _slides(toe[..., FLAT], feet.stands, weight, fps, c)
    y = x + body[:, None]
    target = ankle + body[:, None] + foot
    down = _out_of_reach(x, y[:, HIPS], target, lengths[0] + lengths[1], weight, fps, c)
    y[..., 1] -= down[:, None]
    for s in range(2):
        _solve_leg(y, x, s, target[:, s], float(lengths[0][:, s].mean()), float(lengths[1][:, s].mean()), fps)
        y[:, TOES[s]] = y[:, ANKLES[s]] + lengths[2][:, s, None] * sole[:, s]
    return y


def _faded(stands: NDArray[np.bool_], fps: float, seconds: float = 0.1) -> Array:
    """Return weights (T,): 1 in a phase, risen from 0 over its first `seconds`, but not at the clip's ends."""
    n = max(1, round(seconds * fps))
    ramp = np.sin(0.5 * np.pi * (np.arange(n) + 0.5) / n) ** 2
    weight = stands.astype(np.float64)
    for phase in runs(stands):
        part = weight[phase]
        m = min(n, len(part))
        if phase.start > 0:
            part[:m] *= ramp[:m]
        if phase.stop < len(stands):
            part[len(part) - m :] *= ramp[:m][::-1]
    return weight


def _held_sole(sole: Array, stands: NDArray[np.bool_], flat: NDArray[np.bool_], fps: float, c: CleanUpConfig) -> Array:
    """Return directions ankle to toes (T, 3): one for the flat frames of each phase, calmed where the heel is up."""
    calm = calmed(sole, fps, c.watch_hz)
    lasting = np.zeros_like(sole)
    for phase in runs(stands):
        rows = np.flatnonzero(flat[phase]) + phase.start
        if len(rows):
            lasting[phase] = normalise(sole[rows].mean(axis=0)) - calm[phase]
    wanted = calm + _faded(flat, fps, 0.2)[:, None] * lasting
    return normalise(sole + follow(wanted - sole, _faded(stands, fps), fps, c.lock_hz, RELEASE_HZ))


def _heights(height: Array, weight: Array, fps: float, c: CleanUpConfig) -> tuple[Array, Array]:
    """Return shifts of the body (T, 3) and of each foot (T, 2, 3), only in height, that bring `height` (T, 2) to 0.

    A foot in the air is left where it is, but for what would be below the floor.
    """
    total = weight.sum(axis=1)
    mean = (weight * height).sum(axis=1) / np.maximum(total, 1e-9)
    body, foot = np.zeros((len(height), 3)), np.zeros((*height.shape, 3))
    body[:, 1] = follow(-mean[:, None], np.minimum(total, 1.0), fps, c.height_hz, 0.1 * c.height_hz)[:, 0]
    for s in range(2):
        left = height[:, s] + body[:, 1]
        foot[:, s, 1] = follow(-left[:, None], weight[:, s], fps, c.lock_hz, RELEASE_HZ)[:, 0]
        below = np.maximum(-(left + foot[:, s, 1]), 0.0)
        foot[:, s, 1] += envelope((1.0 - weight[:, s]) * below, fps, c.blend)
    return body, foot


def _slides(toe: Array, stands: NDArray[np.bool_], weight: Array, fps: float, c: CleanUpConfig) -> tuple[Array, Array]:
    """Return shifts of the body (T, 2) and of each foot (T, 2, 2), sideways, that hold toes (T, 2, 2) in each phase."""
    total = weight.sum(axis=1)
    left = _to_the_middle(toe, stands)
    mean = (weight[..., None] * left).sum(axis=1) / np.maximum(total, 1e-9)[:, None]
    body = follow(mean, np.minimum(total, 1.0), fps, BODY_HZ, 0.1 * BODY_HZ)
    left = _to_the_middle(toe + body[:, None], stands)
    foot = np.stack([follow(left[:, s], weight[:, s], fps, c.lock_hz, RELEASE_HZ) for s in range(2)], axis=1)
    return body, foot


def _to_the_middle(toe: Array, stands: NDArray[np.bool_]) -> Array:
    """Return what each foot lacks (T, 2, 2) to the mean place of its phase; 0 in the air."""
    left = np.zeros_like(toe)
    for s in range(2):
        for phase in runs(stands[:, s]):
            left[phase, s] = toe[phase, s].mean(axis=0) - toe[phase, s]
    return left


def _out_of_reach(
    x: Array, hips: Array, target: Array, legs: Array, weight: Array, fps: float, c: CleanUpConfig
) -> Array:
    """Return how far the body comes down (T,) so that no standing leg is stretched beyond c.straightest, or its own."""
    own = np.linalg.norm(x[:, ANKLES] - x[:, HIPS], axis=-1)
    longest = np.maximum(own, c.straightest * legs)
    aside = ((target - hips)[..., FLAT] ** 2).sum(axis=-1)
    top = target[..., 1] + np.sqrt(np.maximum(longest**2 - aside, 0.0))
    return envelope((weight * np.maximum(hips[..., 1] - top, 0.0)).max(axis=1), fps, 2 * c.blend)


def _solve_leg(y: Array, x: Array, s: int, target: Array, thigh: float, shank: float, fps: float) -> None:
    """Set knee and ankle of leg s in y so that it reaches `target` (T, 3), the knee on the side where it is in x.

    The knee lies off the line from hip to ankle by a vector; the part of it that bends the leg is changed, the rest
    kept. Near full stretch a millimetre of reach is centimetres of that vector, and its direction is noise: there it
    changes smoothly instead, a knee a little overstretched stays so, and the ankle gives way by that millimetre.
    """
    hip, was, line = y[:, HIPS[s]], x[:, ANKLES[s]] - x[:, HIPS[s]], target - y[:, HIPS[s]]
    old, new = normalise(was), normalise(line)
    reach = np.clip(np.sqrt(dot(line, line)), abs(thigh - shank) + 1e-3, 0.99999 * (thigh + shank))
    knee = x[:, KNEES[s]] - x[:, HIPS[s]]
    arc = shortest_arc(old, new)
    offset = (arc @ (knee - dot(knee, old)[:, None] * old)[..., None])[..., 0]
    straight = _straight(np.minimum(dot(offset, offset), _bend(reach, thigh, shank)), thigh, shank, fps)
    forward = normalise(cross(new, x[:, HIPS[0]] - x[:, HIPS[1]]))
    bending = normalise(offset + BIAS_M * straight[:, None] * forward)
    own = dot(offset, bending)
    aside = np.maximum(dot(offset, offset) - own**2, 0.0)
    needed = np.sqrt(np.maximum(_bend(reach, thigh, shank) - aside, 0.0))
    ahead = np.clip(0.5 + 0.5 * np.tanh(own / 0.002) + _rise(needed, 0.02, 0.05), 0.0, 1.0)
    wanted = ahead * needed - (1.0 - ahead) * np.minimum(needed, np.maximum(-own, 0.0))
    change = wanted - own
    change += straight * (calmed(change[:, None], fps, STRAIGHT_HZ)[:, 0] - change)
    offset = offset + change[:, None] * bending
    high = np.minimum(dot(offset, offset), 0.999 * min(thigh, shank) ** 2)
    given = np.sqrt(thigh**2 - high) + np.sqrt(shank**2 - high)
    reach = np.where(straight > 0.0, given, reach)
    along = (reach**2 + thigh**2 - shank**2) / (2 * reach)
    first = normalise(along[:, None] * new + offset)
    y[:, KNEES[s]] = hip + thigh * first
    y[:, ANKLES[s]] = y[:, KNEES[s]] + shank * normalise(reach[:, None] * new - thigh * first)


def _bend(reach: Array, thigh: float, shank: float) -> Array:
    """Return the square of the knee's distance (T,) from the line of a leg whose ankle is `reach` (T,) from the hip."""
    return np.maximum(thigh**2 - ((reach**2 + thigh**2 - shank**2) / (2 * reach)) ** 2, 0.0)


def _straight(bend: Array, thigh: float, shank: float, fps: float) -> Array:
    """Return weights (T,): 1 for legs flexed less than STRAIGHT[0], 0 for more than STRAIGHT[1], smooth in time."""
    few, more = (thigh * np.sin(0.5 * angle) for angle in STRAIGHT)
    return envelope(1.0 - _rise(np.sqrt(bend), few, more), fps, 0.1)


def _rise(x: Array, start: float, end: float) -> Array:
    """Return 0 below start, 1 above end, a smooth step between."""
    u = np.clip((x - start) / (end - start), 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)
