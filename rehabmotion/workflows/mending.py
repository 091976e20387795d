"""Mends a motion: a model's expectation, window by window, joined to what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.features.canonical import height_proxy
from rehabmotion.geometry.rotations import normalise
from rehabmotion.geometry.signal import fill_gaps, low_pass, runs, sample_at
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import bone_lengths, symmetric
from rehabmotion.motion.transforms import canonicalise_with_frame

Points = NDArray[np.float64]  # (T, 22, 3) metres
Mask = NDArray[np.bool_]  # (T, 22)


@dataclass(frozen=True)
class MendingConfig:
    """How far mending goes. seconds: of a window; windows overlap by half.

    most: metres a measured joint is moved at most. cutoff_hz: above it, what a measured joint does is jitter. brief:
    seconds of a gap that a curve through its ends bridges as well as a model.
    """

    seconds: float = 4.0
    most: float = 0.03
    cutoff_hz: float = 6.0
    brief: float = 0.15


@dataclass(frozen=True)
class Mended:
    """The motion, all of it valid; what was filled (T, 22); how far measured joints were moved (T, 22), metres."""

    motion: Motion
    filled: Mask
    moved: NDArray[np.float64]


def mend(motion: Motion, model: DenoisingGenerator, config: MendingConfig | None = None) -> Mended:
    """Return the motion with missing joints filled and jitter taken from the measured ones; rate and place are kept.

    The motion has the canonical 22 joints. UserError where pelvis, hips or the chain from ankle to neck are never seen,
    or where a model was not trained to mend.
    """
    config = config or MendingConfig()
    if motion.skeleton != CANONICAL:
        raise UserError("Expected the canonical 22 joints. Retarget the motion first (rehabmotion.motion.retarget).")
    bridged = motion.but(positions=fill_gaps(motion.positions.astype(np.float64), motion.valid))
    placed, frame = canonicalise_with_frame(bridged)
    height = height_proxy(motion)
    x = placed.positions.astype(np.float64)
    expected = _expected(x, motion.valid, motion.fps, height, model, config)
    lengths = symmetric(bone_lengths(motion.positions, motion.valid))
    lengths = np.where(lengths > 0, lengths, bone_lengths(expected, np.ones_like(motion.valid)))
    calm = np.asarray(low_pass(x, motion.fps, config.cutoff_hz), np.float64)
    filled = ~motion.valid
    whole = _filled(calm, expected, motion.valid, motion.fps, config)
    whole = _with_lengths(whole, filled, lengths)
    positions = frame.restore(whole)
    original = motion.positions.astype(np.float64)
    positions = np.where(motion.valid[..., None], original + _at_most(positions - original, config.most), positions)
    moved = np.where(motion.valid, np.linalg.norm(positions - original, axis=-1), 0.0)
    valid = np.ones_like(motion.valid)
    return Mended(motion.but(positions=positions.astype(np.float32), valid=valid), filled, moved)


def _at_most(move: Points, most: float) -> Points:
    """Return moves no longer than `most`, a micrometre less for the rounding to 32 bits."""
    far = np.linalg.norm(move, axis=-1, keepdims=True)
    return move * np.minimum(1.0, (most - 1e-6) / np.maximum(far, 1e-12))


def _expected(
    x: Points, valid: Mask, fps: float, height: float, model: DenoisingGenerator, config: MendingConfig
) -> Points:
    """Return what the model expects of the whole motion: windows that overlap by half, faded into one another."""
    n, frames = len(x), model.config.network.n_frames
    size = min(n, max(2, round(config.seconds * fps)))
    starts = list(range(0, max(1, n - size // 2), max(1, size // 2)))
    starts = sorted({min(start, n - size) for start in starts})
    times, numbers = np.linspace(0, size - 1, frames), np.arange(size, dtype=np.float64)
    near = np.stack([np.floor(times + 1e-9), np.ceil(times - 1e-9)]).astype(int).clip(0, size - 1)
    clips, seen = [], []
    for start in starts:
        part, mask = x[start : start + size], valid[start : start + size]
        if frames < size:
            part = np.asarray(low_pass(part, fps, cutoff_hz=0.45 * fps * (frames - 1) / max(size - 1, 1)), np.float64)
        clips.append(sample_at(part, times, numbers).reshape(frames, -1) / height)
        seen.append(mask[near[0]] & mask[near[1]])
    batch = torch.tensor(np.stack(clips), dtype=torch.float32)
    made = model.mend(batch, torch.from_numpy(np.stack(seen)), [size / fps] * len(starts)).numpy()
    total, weight = np.zeros_like(x), np.zeros((n, 1, 1))
    fade = np.sin(np.pi * (np.arange(size) + 0.5) / size)[:, None, None] ** 2
    for start, clip in zip(starts, made, strict=True):
        poses = clip.reshape(frames, len(CANONICAL), 3).astype(np.float64) * height
        total[start : start + size] += fade * (sample_at(poses, numbers, times) if size > 1 else poses[:1])
        weight[start : start + size] += fade
    return total / weight


def _filled(calm: Points, expected: Points, valid: Mask, fps: float, config: MendingConfig) -> Points:
    """Return the measured course with gaps filled by the expected one, bent so that both ends meet what was measured.

    The bend is that of the bone where the parent is measured meanwhile: a hand follows its elbow.
    """
    out = calm.copy()
    for joint in CANONICAL.order:
        parent = CANONICAL.parents[joint]
        base = np.zeros_like(calm[:, joint]) if parent < 0 else out[:, parent]
        course = expected[:, joint] if parent < 0 else base + expected[:, joint] - expected[:, parent]
        for gap in runs(~valid[:, joint]):
            first, last = gap.start, gap.stop
            if last - first <= config.brief * fps and first > 0 and last < len(calm):
                continue  # the straight bridge of so short a gap is already there, and filtered
            error = calm[:, joint] - course
            known = [i for i in (first - 1, last) if 0 <= i < len(calm)]
            if not known:
                out[:, joint] = course
                continue
            bend = np.stack([np.interp(np.arange(first, last), known, error[known, c]) for c in range(3)], axis=-1)
            out[gap, joint] = course[gap] + bend
    return out


def _with_lengths(x: Points, filled: Mask, lengths: NDArray[np.float64]) -> Points:
    """Return x with filled joints at their bone's length from the parent; measured ones stay."""
    out = x.copy()
    for joint in CANONICAL.order:
        parent = CANONICAL.parents[joint]
        rows = filled[:, joint]
        if parent >= 0 and rows.any() and lengths[joint] > 0:
            bone = x[rows, joint] - out[rows, parent]
            out[rows, joint] = out[rows, parent] + lengths[joint] * normalise(bone)
    return out
