"""A person before a camera, made by formula: what a detector would say of them, and a lifter that has learnt nothing.

Here, not in a test: workers of a batch run it in processes of their own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.landmarks import landmarks
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.network import Lifter, LifterConfig
from rehabmotion.vision.points import POINTS
from rehabmotion.vision.track import Detector, Person
from rehabmotion.workflows.capture.lifting import FOCAL
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one
from rehabmotion.workflows.lifter import About, save_lifter

MODEL = open_osim("rehab37").with_markers(landmarks(POINTS))
K = Kinematics(MODEL)
TO_CAMERA = torch.tensor([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]], dtype=torch.float64)  # the person faces the camera


def squat(times: NDArray[np.float64]) -> torch.Tensor:
    """Return coordinates (T, C): a squat with raised arms in 1.6 s, four and a half metres before the camera."""
    phase = torch.from_numpy(0.5 - 0.5 * np.cos(2 * np.pi * times / 1.6))
    q = torch.zeros(len(times), len(K.names), dtype=torch.float64)
    for name, reach in (("hip_flexion", 0.8), ("knee_angle", 1.2), ("arm_flex", 1.0), ("elbow_flex", 0.5)):
        for side in "rl":
            q[:, K.names.index(f"{name}_{side}")] = reach * phase
    q[:, 3], q[:, 4], q[:, 5] = -4.5, -0.1 - 0.3 * phase, 0.3
    return q


def points_of(times: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    """Return where a camera of the assumed focal length sees POINTS, (T, P, 2) pixels."""
    at = torch.einsum("ij,tpj->tpi", TO_CAMERA, K.markers(squat(times)))
    rays = (at[..., :2] / at[..., 2:]).numpy()
    return (rays * FOCAL * max(width, height) + np.array([width, height]) / 2).astype(np.float32)


@dataclass
class Squatter:
    """A detector that sees somebody squat in whatever picture, except between the times `away`, s."""

    away: tuple[float, float] = (0.0, 0.0)
    closed: bool = False

    def people(self, image: NDArray[np.uint8], time: float) -> list[Person]:
        """Return the one person at a time, or nobody."""
        if self.away[0] <= time < self.away[1]:
            return []
        height, width = image.shape[:2]
        points = points_of(np.array([time]), width, height)[0]
        return [Person(points, np.full(len(POINTS), 0.9, np.float32))]

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def squatter(away: tuple[float, float] = (0.0, 0.0)) -> Callable[[str, int], Detector]:
    """Return what makes the detector, in the place of `open_detector`."""
    return lambda spec, people: Squatter(away)


def write_tiny_lifter(folder: Path) -> Path:
    """Write a lifter with random weights, which sees everybody upright and facing the camera."""
    torch.manual_seed(0)
    config = LifterConfig(POINTS, n_dense=43, window=16, d=24, layers=1, heads=2)
    widen = {name: 2.0 for name in K.names}
    save_lifter(Lifter(config, open_osim("rehab37")), About(("made",), (), (), widen, {}, "0"), folder, "# Tiny\n")
    return folder


def safely(path: Path, out: Path, config: CaptureConfig) -> dict[str, Any] | str:
    """Capture with the made detector. A file NAME.kill, or NAME.killonce, beside the video kills the worker."""
    torch.set_num_threads(1)
    once = path.with_suffix(".killonce")
    if path.with_suffix(".kill").exists() or once.exists():
        once.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        return capture_one(path, out, config, make=squatter())
    except UserError as error:
        return str(error)


def csv_of(times: Iterable[float], width: int, height: int, named_times: bool = True) -> str:
    """Return the squat as a CSV of keypoints, as `--keypoints` takes it."""
    at = np.array(list(times))
    head = ["time" if named_times else "frame", *(f"{p}_{axis}" for p in POINTS for axis in ("x", "y", "confidence"))]
    lines = [",".join(head)]
    for i, (time, points) in enumerate(zip(at, points_of(at, width, height), strict=True)):
        cells = [f"{time:.6f}" if named_times else str(i)]
        lines.append(",".join(cells + [f"{x:.3f},{y:.3f},0.9" for x, y in points]))
    return "\n".join(lines) + "\n"
