"""A person who squats by formula: known bones, known timing, no data needed."""

from collections.abc import Callable

import numpy as np
import pytest

from rehabmotion.motion import CANONICAL, Motion, Score

REST = {
    "pelvis": (0, 0.95, 0), "spine1": (0, 1.06, -0.02), "spine2": (0, 1.19, -0.02), "spine3": (0, 1.25, 0),
    "neck": (0, 1.46, -0.02), "head": (0, 1.56, 0.03),
    "hip": (0.065, 0.86, 0), "knee": (0.10, 0.48, 0.01), "ankle": (0.09, 0.08, -0.03), "foot": (0.12, 0.02, 0.09),
    "collar": (0.08, 1.37, -0.02), "shoulder": (0.18, 1.39, -0.03), "elbow": (0.44, 1.38, -0.04),
    "wrist": (0.69, 1.38, -0.02),
}  # fmt: skip


def rest_pose() -> np.ndarray:
    """Positions (22, 3), metres: arms out to the sides, facing +z."""
    rows = []
    for name in CANONICAL.joint_names:
        side = 1 if name.startswith("left_") else -1
        x, y, z = REST[name.removeprefix("left_").removeprefix("right_")]
        rows.append((side * x, y, z))
    return np.array(rows, dtype=float)


def squatting(n_frames: int = 60, fps: float = 30.0, depth: float = 0.35) -> Motion:
    """One squat: the body sinks by `depth` metres and rises, knees forward, feet on the ground, left arm raised."""
    x = np.repeat(rest_pose()[None], n_frames, axis=0)
    bend = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_frames) / max(n_frames - 1, 1))
    upper = [j for j, n in enumerate(CANONICAL.joint_names) if not n.endswith(("knee", "ankle", "foot"))]
    knees = CANONICAL.indices("left_knee", "right_knee")
    x[:, upper, 1] -= depth * bend[:, None]
    x[:, upper, 2] -= 0.25 * depth * bend[:, None]
    x[:, knees, 1] -= 0.35 * depth * bend[:, None]
    x[:, knees, 2] += 0.65 * depth * bend[:, None]
    elbow, wrist = CANONICAL.indices("left_elbow", "left_wrist")
    x[:, [elbow, wrist], 1] += np.array([0.1, 0.3]) * bend[:, None]
    return Motion(x, fps, text="a person squats", scores=(Score("fms", 2),), meta={"exercise": "squat"})


@pytest.fixture
def squat() -> Callable[..., Motion]:
    """The maker of squatting(...) motions."""
    return squatting
