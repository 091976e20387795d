"""Skeletons against one camera: what made the rays is found again."""

import numpy as np
import pytest
import torch

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.landmarks import landmarks
from rehabmotion.biomech.reprojection import RefineConfig, View, placed_along_rays, refined
from rehabmotion.io.osim_models import open_osim
from rehabmotion.vision.points import POINTS

MODEL = open_osim("rehab37").with_markers(landmarks(POINTS))
K = Kinematics(MODEL)
TO_CAMERA = torch.tensor([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]], dtype=torch.float64)  # the person faces the camera


def moving(t: int = 30) -> torch.Tensor:
    """Return coordinates (t, C): a slow squat with raised arms, three metres before the camera."""
    phase = torch.linspace(0, torch.pi, t, dtype=torch.float64).sin()
    q = torch.zeros(t, len(K.names), dtype=torch.float64)
    for name, reach in (("hip_flexion", 0.8), ("knee_angle", 1.2), ("arm_flex", 1.0), ("elbow_flex", 0.5)):
        for side in "rl":
            q[:, K.names.index(f"{name}_{side}")] = reach * phase
    q[:, 3], q[:, 4], q[:, 5] = -3.0, -0.2 - 0.3 * phase, 0.3
    return q


def view_of(q: torch.Tensor, scales: torch.Tensor) -> View:
    at = torch.einsum("ij,tpj->tpi", TO_CAMERA, K.markers(q, scales))
    return View(at[..., :2] / at[..., 2:], torch.ones(at.shape[:2], dtype=torch.float64), TO_CAMERA, 30.0)


@pytest.fixture(scope="module")
def scales() -> torch.Tensor:
    return torch.full((len(MODEL.bodies), 3), 1.05, dtype=torch.float64)


def test_a_pose_is_placed_where_it_stood(scales):
    q = moving()
    found = placed_along_rays(K, q, scales, view_of(q, scales))
    assert (found - q[:, 3:6]).abs().max() < 0.03


def test_points_that_were_not_seen_do_not_count(scales):
    q = moving()
    view = view_of(q, scales)
    view.rays[:, 5], view.weight[:, 5] = 40.0, 0.0
    assert (placed_along_rays(K, q, scales, view) - q[:, 3:6]).abs().max() < 0.03


def test_refining_what_is_right_leaves_it(scales):
    q = moving()
    width = torch.full_like(q, 0.1)
    found = refined(K, q, scales, view_of(q, scales), width)
    assert (found - q).abs().max() < 0.05


def test_refining_brings_a_leg_back_that_stands_off_sideways(scales):
    q = moving()
    width = torch.zeros_like(q)
    width[:, 6:] = 0.3
    wrong = q.clone()
    hip = K.names.index("hip_adduction_r")
    wrong[:, hip] -= 0.3
    found = refined(K, wrong, scales, view_of(q, scales), width, RefineConfig(rounds=4, iterations=5))
    assert (found - q)[:, hip].abs().mean() < 0.45 * 0.3


def test_coordinates_stay_inside_their_ranges(scales):
    q = moving()
    wrong = q.clone()
    wrong[:, K.names.index("knee_angle_l")] = -0.5
    found = refined(K, wrong, scales, view_of(q, scales), torch.full_like(q, 0.05))
    low = np.deg2rad(-10)
    assert found[:, K.names.index("knee_angle_l")].min() >= low - 1e-6
