"""Clips by formula and the body they move, shared by the tests of what the lifter learns from."""

from __future__ import annotations

import numpy as np
import pytest

from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.body import N_SCALES, Body
from rehabmotion.training.lifting.library import Library, Recorded
from rehabmotion.vision.points import POINTS


@pytest.fixture(scope="session")
def body() -> Body:
    """rehab37 with the points a detector sees."""
    return Body(open_osim("rehab37"), POINTS)


def clip(names: list[str], n: int, label: str, corpus: str) -> Recorded:
    """Return somebody who bends knees and elbows once, walking 0.5 m forward."""
    q = np.zeros((n, len(names)), np.float32)
    phase = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / max(n - 1, 1))
    for name in ("knee_angle_r", "knee_angle_l", "elbow_flex_r"):
        q[:, names.index(name)] = phase
    q[:, names.index("pelvis_tx")] = np.linspace(0, 0.5, n)
    q[:, names.index("pelvis_ty")] = 0.95
    return Recorded(q, np.ones(N_SCALES, np.float32), label, corpus)


@pytest.fixture(scope="session")
def library(body: Body) -> Library:
    """Six clips of two corpora, one shorter than the window of 24 frames, one of a single frame."""
    model, names = open_osim("rehab37"), body.names
    clips = [clip(names, n, f"task {i % 3}", "uiprmd-vicon") for i, n in enumerate((60, 90, 10, 1))]
    return Library([*clips, clip(names, 50, "walk", "cmu"), clip(names, 40, "run", "cmu")], model, window=24)
