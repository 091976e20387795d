"""Markers or joints of a person in; scaled model, coordinates, errors, report out; refusals leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.npz import write_npz
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.io.storage import read_storage
from rehabmotion.io.trc import write_trc_points
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.workflows.fk import forward_kinematics
from rehabmotion.workflows.ik import inverse_kinematics_files
from rehabmotion.workflows.markers import JOINT

MODEL = open_osim("rehab37")
BODY = Kinematics(MODEL)
NUMBER = {name: i for i, name in enumerate(BODY.names)}


def squat(n: int = 10) -> torch.Tensor:
    """Return coordinates (T, C) of a shallow squat with raised arms."""
    q = BODY.default.expand(n, -1).clone()
    bend = torch.linspace(0, 1, n, dtype=torch.float64)
    for side in "rl":
        for name, most in (("hip_flexion", 1.0), ("knee_angle", 1.2), ("ankle_angle", 0.4), ("arm_flex", 1.3)):
            q[:, NUMBER[f"{name}_{side}"]] = most * bend
    return q


@pytest.fixture
def markers(tmp_path: Path) -> Path:
    """The Plug-in-Gait markers of somebody of 1.05 of the model's size who squats, as TRC from 2 s on."""
    scales = torch.full((len(MODEL.bodies), 3), 1.05, dtype=torch.float64)
    places = BODY.markers(squat(), scales)
    kept = [i for i, marker in enumerate(MODEL.markers) if marker.name.isupper()]
    path = tmp_path / "squat.trc"
    write_trc_points(path, [MODEL.markers[i].name for i in kept], 2 + np.arange(10) / 50, places[:, kept].numpy())
    return path


def test_markers_become_a_scaled_model_and_angles(markers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = inverse_kinematics_files(markers, out)
    assert sorted(p.name for p in out.iterdir()) == [
        "squat.mot", "squat_errors.csv", "squat_report.html", "squat_report.json", "squat_scaled.osim",
    ]  # fmt: skip
    assert json.loads((out / "squat_report.json").read_text(encoding="utf-8"))["rms_mm"] == result["rms_mm"]
    assert result["rms_mm"]["max"] < 2
    page = (out / "squat_report.html").read_text(encoding="utf-8")
    for word in ("Inverse kinematics of squat", "knee angle", "pelvis ty", "C7", "femur_r"):
        assert word in page
    assert "beta" not in page  # what another coordinate drives
    table = read_storage(out / "squat.mot")
    assert table.times[0] == pytest.approx(2.0)
    assert table.in_degrees is True
    knee = table.values[:, table.labels.index("knee_angle_r")]
    np.testing.assert_allclose(knee, np.rad2deg(np.linspace(0, 1.2, 10)), atol=1.5)
    scaled = read_osim(out / "squat_scaled.osim")
    again = forward_kinematics(str(out / "squat_scaled.osim"), out / "squat.mot", tmp_path / "again.trc")
    assert again.exists()
    assert np.mean(list(result["scales"].values())) == pytest.approx(1.05, abs=0.01)
    assert scaled.name == "rehab37_squat"


def test_joints_of_a_canonical_motion_do(tmp_path: Path) -> None:
    """Facing +z as canonical motions do, in OpenSim the person faces x: pelvis_rotation stays near nought."""
    names = [marker.name for marker in MODEL.markers]
    rows = [names.index(JOINT + joint) for joint in CANONICAL.joint_names]
    x = BODY.markers(squat())[:, rows].numpy()
    write_npz(Motion(np.stack([-x[..., 2], x[..., 1], x[..., 0]], -1), 30.0), tmp_path / "squat.npz")
    inverse_kinematics_files(tmp_path / "squat.npz", tmp_path / "out", height=1.7)
    table = read_storage(tmp_path / "out" / "squat.mot")
    assert np.abs(table.values[:, table.labels.index("pelvis_rotation")]).max() < 2
    knee = table.values[:, table.labels.index("knee_angle_l")]
    np.testing.assert_allclose(knee, np.rad2deg(np.linspace(0, 1.2, 10)), atol=3)


def test_without_scaling_the_model_is_taken_as_it_is(markers: Path, tmp_path: Path) -> None:
    result = inverse_kinematics_files(markers, tmp_path / "out", str(shipped_osim("rehab37")), scale=False)
    assert not list((tmp_path / "out").glob("*.osim"))
    assert set(np.ravel(list(result["scales"].values()))) == {1.0}
    assert result["rms_mm"]["median"] > 5


def test_weights_of_a_set_up_file(markers: Path, tmp_path: Path) -> None:
    """A marker that is weighted 0 is not fitted; coordinate tasks are told to be left out."""
    tasks = "".join(
        f'<IKMarkerTask name="{m.name}"><apply>{"true" if m.name != "C7" else "false"}</apply><weight>2</weight>'
        "</IKMarkerTask>"
        for m in MODEL.markers
        if m.name.isupper()
    )
    tasks += '<IKCoordinateTask name="pro_sup_r"><apply>true</apply></IKCoordinateTask>'
    (tmp_path / "setup.xml").write_text(f"<IKTaskSet><objects>{tasks}</objects></IKTaskSet>", encoding="utf-8")
    result = inverse_kinematics_files(markers, tmp_path / "out", tasks=tmp_path / "setup.xml")
    assert "C7" not in result["marker_rms_mm"]
    assert "T10" in result["marker_rms_mm"]
    assert any("pro_sup_r" in note for note in result["notes"])


def refused(tmp_path: Path, why: str, *arguments: object, **options: object) -> None:
    with pytest.raises(UserError, match=why):
        inverse_kinematics_files(*arguments, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_what_is_refused(markers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused(tmp_path, "height from 0.5 to 2.5 m, got 172", markers, out, height=172.0)
    refused(tmp_path, "no height with a model", markers, out, height=1.7, scale=False)
    refused(tmp_path, "Expected an .osim file or one of rehab37", markers, out, str(tmp_path / "none.osim"))
    other = tmp_path / "other.trc"
    write_trc_points(other, ["A", "B", "C"], np.arange(3) / 30, np.random.default_rng(0).uniform(0, 1, (3, 3, 3)))
    refused(tmp_path, "Expected markers of rehab37 .* got A, B, C", other, out)
    gap = tmp_path / "gap.trc"
    places = BODY.markers(squat()).numpy()[:, :39].copy()
    places[4, 2:] = np.nan
    write_trc_points(gap, [m.name for m in MODEL.markers[:39]], np.arange(10) / 50, places)
    refused(tmp_path, "1 have fewer, the first at 0.080 s", gap, out)
    (tmp_path / "bad.xml").write_text("<IKTaskSet/>", encoding="utf-8")
    refused(tmp_path, "IKMarkerTask elements", markers, out, tasks=tmp_path / "bad.xml")
    (tmp_path / "wrong.xml").write_text('<a><IKMarkerTask name="NOSE"/></a>', encoding="utf-8")
    refused(tmp_path, "tasks of markers of rehab37, got NOSE", markers, out, tasks=tmp_path / "wrong.xml")
