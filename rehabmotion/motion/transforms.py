"""What is done to a motion: resample, trim, mirror, canonicalise, low-pass. Each returns a new Motion."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.geometry.signal import fill_gaps, low_pass, sample_at
from rehabmotion.motion.exercises import EXERCISES
from rehabmotion.motion.motion import MAX_FPS, Motion
from rehabmotion.motion.skeleton import FEET


def resample(motion: Motion, fps: float) -> Motion:
    """Return the motion at another rate; the time from its first to its last frame is kept to half a new frame.

    Falling rates are low-passed first (zero phase, 0.4 of the new rate) so that nothing folds back. A frame counts as
    valid only where the source frames on both sides of it are.
    """
    if not 0 < fps <= MAX_FPS:  # also refuses NaN
        raise UserError(f"Expected fps > 0 and up to {MAX_FPS}, got {fps}. Pass the rate you want, such as 30.")
    if fps == motion.fps or motion.n_frames == 1:
        return motion.but(fps=fps)
    x = fill_gaps(motion.positions.astype(np.float64), motion.valid)
    if fps < motion.fps:
        x = low_pass(x, motion.fps, cutoff_hz=0.4 * fps)
    n = max(1, round((motion.n_frames - 1) * fps / motion.fps) + 1)
    times = np.arange(n) / fps
    source_times = np.arange(motion.n_frames) / motion.fps
    at = np.clip(times * motion.fps, 0, motion.n_frames - 1)
    below, above = np.floor(at + 1e-9).astype(int), np.ceil(at - 1e-9).astype(int)
    valid = motion.valid[below] & motion.valid[above]
    return motion.but(positions=sample_at(x, times, source_times), fps=fps, valid=valid)


def trim(motion: Motion, start_s: float = 0.0, end_s: float | None = None) -> Motion:
    """Return the frames from start_s up to, not including, end_s (seconds). An empty cut raises UserError."""
    end = motion.seconds if end_s is None else end_s
    finite = math.isfinite(start_s) and math.isfinite(end)
    first = max(0, round(start_s * motion.fps)) if finite else 0
    last = min(motion.n_frames, round(end * motion.fps)) if finite else 0
    if first >= last:
        raise UserError(f"Expected a cut inside 0..{motion.seconds:.2f} s, got {start_s}..{end_s} s.")
    return motion.but(positions=motion.positions[first:last], valid=motion.valid[first:last])


def smooth(motion: Motion, cutoff_hz: float = 6.0) -> Motion:
    """Return the motion after a zero-phase low-pass; invalid entries are bridged and stay invalid."""
    x = fill_gaps(motion.positions.astype(np.float64), motion.valid)
    return motion.but(positions=low_pass(x, motion.fps, cutoff_hz))


def mirror(motion: Motion) -> Motion:
    """Return the left-right mirror image: joints, mask, caption and side change; scores and subject stay.

    Applying it twice gives the motion back exactly.
    """
    order = motion.skeleton.mirror_order
    positions = motion.positions[:, order] * np.array([-1, 1, 1], dtype=np.float32)
    side = motion.meta.get("side")
    return motion.but(
        positions=positions,
        valid=motion.valid[:, order],
        text=mirror_text(motion.text),
        meta={"side": "right" if side == "left" else "left" if side == "right" else side},
    )


_PAIRS = {"left": "right", "clockwise": "counterclockwise"}
_SWAP = {**_PAIRS, **{b: a for a, b in _PAIRS.items()}}
_SPELLINGS = re.compile(r"\b(counter|anti)[- ]?clockwise\b", re.IGNORECASE)
_SIDED = re.compile(
    r"\b(counterclockwise|clockwise|left|right)(?=(wards?|-?(?:hand|side|foot)(?:ed)?)?\b)", re.IGNORECASE
)
# "right" as correct or at once, "left" as departed or remaining: no side is meant. Each way of saying it holds for both
# words, so that mirroring twice gives the text back.
_SIDE = r"\b(?:left|right)\b"
_BODY = r"(?:leg|arm|hand|foot|feet|knee|side|hip|shoulder|elbow|ankle|wrist|heel|toe|thigh|shin|limb)"
_COUNTED = r"\b(?:\d+|one|two|three|four|five|few|more|some|no) (?:steps?|seconds?|minutes?|reps?|repetitions?)"
_ON_FOOT = "".join(rf"(?<!\b{verb} )" for verb in ("take", "takes", "taking", "walk", "walks", "walking", "go", "goes"))
_NOT_THE = "".join(rf"(?<!\b{word} )" for word in ("the", "your", "his", "her", "their", "my"))
_NOT_A_SIDE = re.compile(
    rf"{_NOT_THE}{_SIDE} (?:away|now|angles?|at the (?:top|bottom|end)|(?:through|past)(?! {_BODY}))\b"
    rf"|\b(?:all|time) {_SIDE}(?!-| {_BODY})"
    rf"|\b(?:has|have|had|is|are|was|were) {_SIDE}(?!-|,? (?:and|or|of|handed|footed|sided|{_BODY}))"
    rf"|{_ON_FOOT}{_COUNTED} {_SIDE}",
    re.IGNORECASE,
)


def mirror_text(text: str) -> str:
    """Return the caption of the mirrored motion: left <-> right, clockwise <-> counterclockwise, in one pass.

    Whole words only ("upright" stays), capitals kept; "right away", "two steps left" and their like are left alone.
    """
    text = _SPELLINGS.sub(lambda m: _with_case("counterclockwise", m.group()), text)
    kept = [m.span() for m in _NOT_A_SIDE.finditer(text)]

    def swap(match: re.Match[str]) -> str:
        if any(a <= match.start() < b for a, b in kept):
            return match.group()
        return _with_case(_SWAP[match.group(1).lower()], match.group(1))

    return _SIDED.sub(swap, text)


def _with_case(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word


@dataclass(frozen=True)
class CanonicalFrame:
    """What canonicalise() took away: world = R_y(yaw) @ canonical + offset (metres, radians)."""

    yaw: float
    offset: tuple[float, float, float]

    def restore(self, positions: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return canonical positions (T, J, 3) in the original frame."""
        return positions @ yaw_matrix(self.yaw).T + np.array(self.offset)


def canonicalise(motion: Motion, n_first: int = 10) -> Motion:
    """Return the motion on the floor, facing +z at the beginning, its pelvis above the origin there.

    Heading is taken once, from the pelvis over the first `n_first` valid frames, and never frame by frame: turning is
    part of an exercise. Needs the joints pelvis, left_hip and right_hip; raises UserError where they are never valid.
    """
    return canonicalise_with_frame(motion, n_first)[0]


def canonicalise_with_frame(motion: Motion, n_first: int = 10) -> tuple[Motion, CanonicalFrame]:
    """Return canonicalise(motion) and the frame that restores the original."""
    x = motion.positions.astype(np.float64)
    left, right, pelvis = motion.skeleton.indices("left_hip", "right_hip", "pelvis")
    good = np.flatnonzero(motion.valid[:, [left, right, pelvis]].all(axis=1))[:n_first]
    if len(good) == 0:
        raise UserError("Expected frames with valid pelvis and hips, got none: the facing direction is unknown.")
    forward = _forward(x, motion, good)
    yaw = math.atan2(forward[0], forward[2])
    origin = x[good, pelvis].mean(axis=0)
    offset = np.array([origin[0], _floor_height(x, motion), origin[2]])
    canonical = (x - offset) @ yaw_matrix(yaw)
    return motion.but(positions=canonical), CanonicalFrame(yaw, (offset[0], offset[1], offset[2]))


def _forward(x: NDArray[np.float64], motion: Motion, frames: NDArray[np.intp]) -> NDArray[np.float64]:
    names = motion.skeleton.joint_names
    up = np.array([0.0, 1.0, 0.0])

    def across(a: str, b: str) -> NDArray[np.float64]:
        i, j = names.index(a), names.index(b)
        seen = frames[motion.valid[frames][:, [i, j]].all(axis=1)]
        return (x[seen, i] - x[seen, j]).mean(axis=0) if len(seen) else np.zeros(3)

    hips = across("left_hip", "right_hip")
    width = float(np.linalg.norm(hips))
    flat = hips * np.array([1.0, 0.0, 1.0])
    if np.linalg.norm(flat) >= 0.3 * width > 0:
        return np.cross(flat, up)
    if "left_shoulder" in names and "right_shoulder" in names:  # lying on the side: the shoulders may still tell
        shoulders = across("left_shoulder", "right_shoulder") * np.array([1.0, 0.0, 1.0])
        if np.linalg.norm(shoulders) >= 0.1:
            return np.cross(shoulders, up)
    spine = across("neck", "pelvis") if "neck" in names else np.array([0.0, 0.0, 1.0])
    return np.cross(spine * np.array([1.0, 0.0, 1.0]), up)


def _floor_height(x: NDArray[np.float64], motion: Motion) -> float:
    """5th percentile of foot heights over valid frames; of all joints where the exercise lies or has no feet."""
    names = motion.skeleton.joint_names
    exercise = EXERCISES.get(str(motion.meta.get("exercise")))
    feet = [names.index(name) for name in FEET if name in names]
    chosen = motion.valid.copy()
    if feet and (exercise is None or exercise.posture == "standing") and motion.valid[:, feet].any():
        chosen[:, [j for j in range(len(names)) if j not in feet]] = False
    if not chosen.any():
        chosen[:] = True
    return float(np.percentile(x[..., 1][chosen], 5))
