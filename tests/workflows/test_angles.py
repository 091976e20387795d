"""Joint angles of a motion: tables, ranges, symmetry, a plot."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.io.npz import write_npz
from rehabmotion.io.osim_models import open_osim
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.workflows.angles import joint_angles
from rehabmotion.workflows.markers import JOINT


@pytest.fixture
def squat(tmp_path: Path) -> Path:
    """A squat to 80 degrees of the right knee and 60 of the left one, as the 22 joints."""
    body = Kinematics(open_osim("rehab37"))
    q = body.default.expand(15, -1).clone()
    wave = torch.from_numpy(np.sin(np.linspace(0, np.pi, 15)))
    for side, knee in (("r", 80), ("l", 60)):
        for name, most in (("hip_flexion", 60.0), ("knee_angle", knee), ("ankle_angle", 20.0)):
            q[:, body.names.index(f"{name}_{side}")] = np.deg2rad(most) * wave
    rows = [[m.name for m in body.model.markers].index(JOINT + joint) for joint in CANONICAL.joint_names]
    x = body.markers(q)[:, rows].numpy()
    write_npz(Motion(np.stack([-x[..., 2], x[..., 1], x[..., 0]], -1), 30.0), tmp_path / "squat.npz")
    return tmp_path / "squat.npz"


def test_angles_ranges_and_symmetry(squat: Path, tmp_path: Path) -> None:
    result = joint_angles(squat, tmp_path / "out")
    assert result["range_deg"]["isb_knee_flexion_r"]["high"] == pytest.approx(80, abs=4)
    assert result["range_deg"]["knee_angle_l"]["high"] == pytest.approx(60, abs=4)
    assert result["symmetry_percent"]["knee_angle"] == pytest.approx(100 * 20 / 70, abs=8)
    assert result["symmetry_percent"]["pro_sup"] is None or abs(result["symmetry_percent"]["pro_sup"]) < 200
    with (tmp_path / "out" / "squat_angles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    assert max(float(row["isb_knee_flexion_r_deg"]) for row in rows) == pytest.approx(80, abs=4)
    ET.parse(tmp_path / "out" / "squat_angles.svg")
    kept = json.loads((tmp_path / "out" / "squat_angles.json").read_text(encoding="utf-8"))
    assert kept["range_deg"] == result["range_deg"]


def test_without_a_folder_nothing_is_written(squat: Path, tmp_path: Path) -> None:
    assert joint_angles(squat)["files"] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["squat.npz"]
