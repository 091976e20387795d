"""Shared fixtures: the folder of real data, which most machines do not have, and a person standing."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import cache_folder, read_bytes, write_atomic
from rehabmotion.motion import CANONICAL

# no deadline: machines under load are slow; in CI the same examples every time, elsewhere new ones
settings.register_profile("rehabmotion", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("rehabmotion")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data named by REHABMOTION_DATA; tests that need it skip without."""
    root = os.environ.get("REHABMOTION_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("needs real data: set REHABMOTION_DATA to the data folder")
    return Path(root)


@pytest.fixture(scope="session")
def pose_model() -> Path:
    """MediaPipe's pose model, built once through pip and kept in the cache folder; skips where pip gets nothing."""
    pytest.importorskip("mediapipe", reason='needs mediapipe: pip install "rehabmotion[capture]"')
    from rehabmotion.workflows.pose_model import BUILT_SHA256, build

    path = cache_folder() / "tests" / "pose_landmarker_full.task"
    if not path.is_file() or hashlib.sha256(read_bytes(path)).hexdigest() != BUILT_SHA256:
        try:
            write_atomic(path, build(lambda _: None))
        except UserError as error:
            pytest.skip(f"needs the pose model: {error}")
    return path


@pytest.fixture
def standing() -> NDArray[np.float64]:
    """A standing person (22, 3), metres, by hand: on the floor, facing +z, left at +x, arms hanging a little bent."""
    half = {  # the left side and the middle; the right side is its mirror image
        "pelvis": (0.0, 0.92, 0.0),
        "left_hip": (0.09, 0.84, 0.0),
        "spine1": (0.0, 1.03, -0.01),
        "left_knee": (0.10, 0.45, 0.02),
        "spine2": (0.0, 1.16, -0.02),
        "left_ankle": (0.10, 0.06, -0.02),
        "spine3": (0.0, 1.22, -0.01),
        "left_foot": (0.12, 0.0, 0.12),
        "neck": (0.0, 1.43, -0.01),
        "left_collar": (0.08, 1.35, 0.0),
        "head": (0.0, 1.52, 0.05),
        "left_shoulder": (0.18, 1.36, 0.0),
        "left_elbow": (0.22, 1.10, -0.02),
        "left_wrist": (0.23, 0.86, 0.06),
    }
    flip = np.array([-1.0, 1.0, 1.0])
    return np.array(
        [half[n] if n in half else half[n.replace("right_", "left_")] * flip for n in CANONICAL.joint_names]
    )
