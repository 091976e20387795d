"""Recordings made worse on purpose, once and for all: missing joints and noise of known size, for studies."""

from __future__ import annotations

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, Motion

LIMBS = {
    "left arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left leg": ("left_knee", "left_ankle", "left_foot"),
    "right leg": ("right_knee", "right_ankle", "right_foot"),
}
SPAN = 1.0  # seconds a limb is hidden for
HELD = CANONICAL.indices("pelvis", "left_hip", "right_hip")  # without them nobody knows where a person is


def spoil(motion: Motion, missing: float, noise: float, rng: np.random.Generator) -> Motion:
    """Return the motion with a share of its joints missing and noise (m) per axis on all of them.

    Half of what is missing are single joints of single frames, half whole limbs for a second; pelvis and hips stay.
    0.3 hides close to 30 % of the other joints: spans that meet hide less than they would apart.
    """
    if not 0 <= missing < 1 or noise < 0:
        raise UserError(f"Expected a share of 0 up to 1 and a noise of 0 m or more, got {missing:g} and {noise:g}.")
    x = motion.positions + noise * rng.standard_normal(motion.positions.shape)
    valid = motion.valid & (rng.random(motion.valid.shape) >= missing / 2)
    wanted = (missing / 2) * motion.n_frames * (len(CANONICAL) - len(HELD))
    length = max(1, min(round(SPAN * motion.fps), motion.n_frames))
    hidden = np.zeros_like(valid)
    tries = 0
    while hidden.sum() < wanted and tries < 1000:
        tries += 1
        first = int(rng.integers(0, motion.n_frames - length + 1))
        limb = CANONICAL.indices(*list(LIMBS.values())[rng.integers(len(LIMBS))])
        rows = int(np.ceil((wanted - hidden.sum()) / len(limb)))  # no more than is still wanted
        hidden[first : first + min(length, rows), list(limb)] = True
    valid &= ~hidden
    valid[:, list(HELD)] = motion.valid[:, list(HELD)]
    return motion.but(positions=np.where(valid[..., None], x, 0.0), valid=valid)
