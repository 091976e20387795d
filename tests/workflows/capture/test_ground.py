"""The floor: someone who walks up a slope that is none is brought back to the level, someone on the spot stays."""

import numpy as np
import torch

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.body import from_angles, to_angles
from rehabmotion.workflows.capture.ground import levelled, on_the_floor

MODEL = open_osim("rehab37")
K = Kinematics(MODEL)
ONES = torch.ones(len(MODEL.bodies), 3, dtype=torch.float64)


def walk(metres: float, slope: float) -> torch.Tensor:
    """Return coordinates (90, C) of a body that glides forward, all of it turned about z by `slope` rad."""
    q = torch.zeros(90, len(K.names), dtype=torch.float64)
    q[:, 3], q[:, 4] = torch.linspace(0, metres, 90, dtype=torch.float64), 0.955
    turn = from_angles(torch.tensor([slope, 0.0, 0.0], dtype=torch.float64))
    q[:, :3] = to_angles(turn @ from_angles(q[:, :3]))
    q[:, 3:6] = q[:, 3:6] @ turn.T
    return q


def test_a_walk_up_a_slope_becomes_level():
    q, camera = levelled(walk(4.0, 0.15), K, ONES, torch.eye(3, dtype=torch.float64), 30.0)
    assert abs(float(q[-1, 4] - q[0, 4])) < 0.05
    assert q[:, 0].abs().max() < np.deg2rad(1.5)
    assert torch.allclose(camera @ camera.T, torch.eye(3, dtype=torch.float64))


def test_places_in_the_camera_stay():
    before, eye = walk(4.0, 0.15), torch.eye(3, dtype=torch.float64)
    after, camera = levelled(before, K, ONES, eye, 30.0)
    seen = torch.einsum("ij,tmj->tmi", camera, K.markers(after))
    assert torch.allclose(seen, K.markers(before), atol=1e-9)


def test_someone_on_the_spot_stays():
    q = walk(0.02, 0.1)
    after, _ = levelled(q, K, ONES, torch.eye(3, dtype=torch.float64), 30.0)
    assert (after - q).abs().max() < 0.01


def test_feet_come_to_the_floor():
    start = walk(1.0, 0.0)
    start[:, 3:6] -= 0.3
    q, place = on_the_floor(start, K, ONES)
    soles = [i for i, m in enumerate(MODEL.markers) if m.name.startswith("sole")]
    assert abs(float(K.markers(q)[:, soles, 1].min())) < 0.02
    assert float(q[0, 3]) == 0
    assert place.shape == (3,)
