"""ISB angles of rehab37: what is set comes out under its clinical name, alike on both sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rehabmotion.biomech.isb import isb_angles
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.io.osim_models import open_osim

BODY = Kinematics(open_osim("rehab37"))


def posed(**degrees: float) -> dict[str, float]:
    """Return ISB angles in degrees of the default pose with some coordinates set."""
    q = torch.zeros(1, len(BODY.names), dtype=torch.float64)
    for name, value in degrees.items():
        q[0, BODY.names.index(name)] = np.deg2rad(value)
    return {name: float(np.rad2deg(values[0])) for name, values in isb_angles(BODY, q).items()}


@pytest.mark.parametrize("side", ["r", "l"])
def test_the_hip_is_opensims(side: str) -> None:
    found = posed(**{f"hip_flexion_{side}": 50, f"hip_adduction_{side}": -20, f"hip_rotation_{side}": 15})
    names = ("hip_flexion", "hip_adduction", "hip_internal_rotation")
    assert [found[f"{name}_{side}"] for name in names] == pytest.approx([50, -20, 15], abs=1e-9)


@pytest.mark.parametrize("side", ["r", "l"])
def test_knee_and_ankle(side: str) -> None:
    found = posed(**{f"knee_angle_{side}": 70, f"ankle_angle_{side}": 10})
    assert found[f"knee_flexion_{side}"] == pytest.approx(70, abs=1)
    assert abs(found[f"knee_adduction_{side}"]) < 5
    assert found[f"ankle_dorsiflexion_{side}"] == pytest.approx(10, abs=2)


@pytest.mark.parametrize("side", ["r", "l"])
def test_the_shoulder(side: str) -> None:
    """Abduction by 60: plane 0, elevation 60. Flexion by 90: plane 90, elevation 90, in x-z-y flexion alone."""
    side_ways = posed(**{f"arm_add_{side}": -60})
    assert side_ways[f"shoulder_elevation_{side}"] == pytest.approx(60, abs=1e-6)
    assert side_ways[f"shoulder_plane_of_elevation_{side}"] == pytest.approx(0, abs=1e-6)
    assert side_ways[f"shoulder_xzy_abduction_{side}"] == pytest.approx(60, abs=1e-6)
    forward = posed(**{f"arm_flex_{side}": 90})
    assert forward[f"shoulder_elevation_{side}"] == pytest.approx(90, abs=1e-6)
    assert forward[f"shoulder_plane_of_elevation_{side}"] == pytest.approx(90, abs=1e-6)
    assert posed(**{f"arm_flex_{side}": 40})[f"shoulder_xzy_flexion_{side}"] == pytest.approx(40, abs=1e-6)


def test_angles_run_on_over_half_a_turn() -> None:
    q = torch.zeros(9, len(BODY.names), dtype=torch.float64)
    q[:, BODY.names.index("arm_flex_r")] = torch.deg2rad(torch.linspace(100, 195, 9, dtype=torch.float64))
    steps = np.diff(np.rad2deg(isb_angles(BODY, q)["shoulder_xzy_flexion_r"]))
    assert np.abs(steps).max() < 100
    elevation = np.rad2deg(isb_angles(BODY, q)["shoulder_elevation_r"])
    assert elevation[0] == pytest.approx(100, abs=1e-6)
