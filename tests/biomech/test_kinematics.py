"""Forward kinematics: against OpenSim, against numbers by hand, and its slopes against autograd."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import osim_made as made
import pytest
import torch
from osim_oracle import Oracle

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.jacobian import marker_slopes
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim

DATA = os.environ.get("REHABMOTION_DATA")
FILES = sorted(Path(DATA or "/nowhere").glob("opensim/**/*.osim"))
needs_opensim = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("opensim") is None, reason="opensim is not installed"
)


def some_coordinates(model: Model, rng: np.random.Generator) -> torch.Tensor:
    """Return coordinates inside their ranges, (C,)."""
    return torch.tensor([rng.uniform(max(c.range[0], -2), min(c.range[1], 2)) for c in model.coordinates])


def agrees(path: Path, poses: int = 3) -> None:
    """Hold bodies and markers to 1e-9 m against OpenSim, with and without scale factors."""
    model, rng = read_osim(path), np.random.default_rng(0)
    kinematics = Kinematics(model)
    factors = {body.name: rng.uniform(0.8, 1.2, 3) for body in model.bodies}
    for scales in (None, factors):
        oracle = Oracle(path, scales)
        given = None if scales is None else torch.tensor(np.array([scales[body.name] for body in model.bodies]))
        for _ in range(poses):
            q = kinematics.coupled(some_coordinates(model, rng).double())
            oracle.put({c.name: float(value) for c, value in zip(model.coordinates, q, strict=True)})
            rotations, origins = oracle.bodies()
            pose = kinematics(q, given)
            np.testing.assert_allclose(pose.rotations, rotations, atol=1e-12)
            np.testing.assert_allclose(pose.positions, origins, atol=1e-12)
            np.testing.assert_allclose(kinematics.markers(q, given), oracle.markers(), atol=1e-12)
    for coordinate in model.coordinates:
        assert coordinate.motion == oracle.motion_type(coordinate.name), coordinate.name


@needs_opensim
@pytest.mark.skipif(not FILES, reason="REHABMOTION_DATA with opensim/ is not set")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_models_of_others_stand_where_opensim_puts_them(path: Path) -> None:
    agrees(path)


@needs_opensim
def test_every_joint_type_is_opensims(tmp_path: Path) -> None:
    agrees(made.written(tmp_path / "joints.osim", made.every_joint()))


@needs_opensim
@pytest.mark.parametrize("direction", ["0 1 0", "0 -1 0", "0.6 0.8 0", "0.6 -0.64 0.48", "1.2 1.6 0"])
def test_every_function_is_opensims_along_any_axis(tmp_path: Path, direction: str) -> None:
    """Scaling an askew translation takes the absolute parts of its axis, of whatever length it is written with."""
    agrees(made.written(tmp_path / "functions.osim", made.every_function(direction)))


def test_a_pin_turns_about_z(tmp_path: Path) -> None:
    """A marker 2 m from a pin, turned by a quarter, stands 2 m up."""
    text = made.document(
        ["arm"],
        '<PinJoint name="pin"><socket_parent_frame>/ground</socket_parent_frame><socket_child_frame>/bodyset/arm'
        f"</socket_child_frame><coordinates>{made.coordinate('turn')}</coordinates></PinJoint>",
        made.marker("tip", "arm", "2 0 0"),
    )
    kinematics = Kinematics(read_osim(made.written(tmp_path / "pin.osim", text)))
    places = kinematics.markers(torch.tensor([[0.0], [math.pi / 2]], dtype=torch.float64))
    np.testing.assert_allclose(places[:, 0], [[2, 0, 0], [0, 2, 0]], atol=1e-15)


def test_slopes_are_those_of_autograd(tmp_path: Path) -> None:
    kinematics = Kinematics(read_osim(made.written(tmp_path / "functions.osim", made.every_function())))
    rng = np.random.default_rng(1)
    q = torch.stack([some_coordinates(kinematics.model, rng) for _ in range(2)]).double()
    scales = torch.tensor(rng.uniform(0.8, 1.2, (len(kinematics.model.bodies), 3)))
    places, slopes = marker_slopes(kinematics, q, scales)
    assert torch.equal(places, kinematics.markers(q, scales))
    for one, slope in zip(q, slopes, strict=True):
        expected = torch.autograd.functional.jacobian(lambda x: kinematics.markers(x, scales), one)
        np.testing.assert_allclose(slope, expected, atol=1e-12)


def test_what_a_driven_coordinate_does_counts_for_its_driver(tmp_path: Path) -> None:
    """b = 0.5 a^2, c = 2 b: slopes by a hold all three, those by b and c are nought."""
    joints = "".join(
        made.joint("PinJoint", name, parent, child, made.coordinate(name.upper()))
        for name, parent, child in (("a", "ground", "p"), ("b", "p", "q"), ("c", "q", "r"))
    )
    square = "<PolynomialFunction><coefficients>0.5 0 0</coefficients></PolynomialFunction>"
    line = "<LinearFunction><coefficients>1 0</coefficients></LinearFunction>"
    constraints = made.coupler("second", "C", "B", line, "<scale_factor>2</scale_factor>")
    constraints += made.coupler("first", "B", "A", square)
    text = made.document(["p", "q", "r"], joints, made.marker("tip", "r", "1 2 3"), constraints)
    kinematics = Kinematics(read_osim(made.written(tmp_path / "coupled.osim", text)))
    q = torch.tensor([0.6, 9.0, 9.0], dtype=torch.float64)
    assert kinematics.coupled(q).tolist() == pytest.approx([0.6, 0.18, 0.36])
    _, slopes = marker_slopes(kinematics, q)
    expected = torch.autograd.functional.jacobian(kinematics.markers, q)
    np.testing.assert_allclose(slopes, expected, atol=1e-12)
    assert not slopes[..., 1:].any()


def test_frames_and_people_are_batched(tmp_path: Path) -> None:
    """People with bodies of their own, frame by frame: as one at a time."""
    kinematics = Kinematics(read_osim(made.written(tmp_path / "joints.osim", made.every_joint())))
    rng = np.random.default_rng(2)
    q = torch.tensor(rng.uniform(-1, 1, (2, 5, len(kinematics.names))))
    scales = torch.tensor(rng.uniform(0.8, 1.2, (2, 1, len(kinematics.model.bodies), 3)))
    pose, places = kinematics(q, scales), kinematics.markers(q, scales)
    assert pose.rotations.shape == (2, 5, 8, 3, 3)
    for person in range(2):
        for frame in range(5):
            alone = kinematics(q[person, frame], scales[person, 0])
            np.testing.assert_allclose(pose.positions[person, frame], alone.positions, atol=1e-14)
            own = kinematics.markers(q[person, frame], scales[person, 0])
            np.testing.assert_allclose(places[person, frame], own, atol=1e-14)


def test_gradients_reach_coordinates_and_scales(tmp_path: Path) -> None:
    kinematics = Kinematics(read_osim(made.written(tmp_path / "functions.osim", made.every_function())))
    q = torch.full((len(kinematics.names),), 0.3, dtype=torch.float64, requires_grad=True)
    scales = torch.ones(len(kinematics.model.bodies), 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: kinematics.markers(a, b), (q, scales))


def test_single_precision_stays_near_double(tmp_path: Path) -> None:
    model = read_osim(made.written(tmp_path / "joints.osim", made.every_joint()))
    q = torch.tensor(np.random.default_rng(3).uniform(-1, 1, (4, len(model.coordinates))))
    single = Kinematics(model, torch.float32).markers(q.float())
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, Kinematics(model).markers(q), atol=1e-5)


def test_wrong_numbers_of_coordinates_and_scales_are_refused(tmp_path: Path) -> None:
    kinematics = Kinematics(read_osim(made.written(tmp_path / "joints.osim", made.every_joint())))
    with pytest.raises(UserError, match="Expected 19 coordinates"):
        kinematics(torch.zeros(4))
    with pytest.raises(UserError, match="Expected scale factors"):
        kinematics(kinematics.default, torch.ones(3, 3))
