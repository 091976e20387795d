"""What every head promises, and what each is by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.balls import BallJoints
from rehabmotion.models.direct.heads import BINS, HEADS, ROOTS, Head
from rehabmotion.models.direct.targets import Targets, TargetsConfig, targets_of


@pytest.fixture(params=sorted(HEADS))
def head(request: pytest.FixtureRequest, targets: Targets) -> Head:
    """Each head, for the small person."""
    return HEADS[request.param](targets)


def raw_of(head: Head, *lead: int, cells: int = 4, size: float = 1.0) -> torch.Tensor:
    return size * torch.randn(*lead, head.n_out, cells, generator=torch.Generator().manual_seed(0))


def bounds(targets: Targets) -> tuple[np.ndarray, np.ndarray]:
    middle, half = np.array(targets.middle), np.array(targets.half)
    return middle - half, middle + half


@pytest.mark.parametrize("size", [1.0, 100.0])
def test_estimates_lie_within_the_ranges_whatever_is_said(head: Head, targets: Targets, size: float) -> None:
    e = head(raw_of(head, 500, size=size))
    low, high = bounds(targets)
    assert (e.coordinates.numpy() >= low - 1e-5).all()
    assert (e.coordinates.numpy() <= high + 1e-5).all()
    assert float(e.scales.min()) >= 0.7 - 1e-6
    assert float(e.scales.max()) <= 1.3 + 1e-6
    np.testing.assert_allclose(torch.linalg.det(e.root), 1.0, atol=1e-4)


def test_shapes_for_maps_and_for_sequences(head: Head, targets: Targets) -> None:
    for lead in ((2,), (2, 5)):
        e = head(raw_of(head, *lead))
        assert e.root.shape == (*lead, 3, 3)
        assert e.scales.shape == (*lead, len(targets.ties.names))
        assert e.coordinates.shape == (*lead, len(targets.coordinates))
    with pytest.raises(UserError, match="raw numbers"):
        head(raw_of(head, 2)[:, 1:])
    with pytest.raises(UserError, match="raw numbers"):
        head(torch.zeros(head.n_out))


def test_every_raw_number_matters(head: Head) -> None:
    raw = raw_of(head, 3).requires_grad_()
    e = head(raw)
    g = torch.Generator().manual_seed(1)
    sum((torch.randn(x.shape, generator=g) * x).sum() for x in (e.root, e.scales, e.coordinates)).backward()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()
    assert (raw.grad.abs().amax(dim=(0, 2)) > 0).all()


def test_nothing_said_is_the_middle_and_no_turn(head: Head, targets: Targets) -> None:
    raw = torch.zeros(1, head.n_out, 1, requires_grad=True)
    e = head(raw)
    torch.testing.assert_close(e.root, torch.eye(3)[None])
    if type(head) is not HEADS["sixd"]:  # there, joints that turn freely begin at no turn
        np.testing.assert_allclose(e.coordinates[0].detach(), targets.middle, atol=1e-6)
    np.testing.assert_allclose(e.scales[0].detach(), 1.0, atol=1e-6)
    e.coordinates.sum().backward()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()


def test_the_papers_head_by_hand(targets: Targets) -> None:
    """ln 3 in one cell, 0 in the other: 2 * 0.75 - 1 = 0.5, mean 0.25 of the half-range; in the published order."""
    head = HEADS["bounded"](targets)
    n_scales = len(targets.ties.names)
    assert head.n_out == 6 + n_scales + len(targets.coordinates)
    raw = torch.zeros(1, head.n_out, 2)
    raw[0, 6, 0] = raw[0, 6 + n_scales + 3, 0] = math.log(3)
    e = head(raw)
    assert float(e.scales[0, 0]) == pytest.approx(1.0 + 0.25 * 0.3)
    assert float(e.coordinates[0, 3]) == pytest.approx(targets.middle[3] + 0.25 * targets.half[3])
    assert float(e.coordinates[0, 4]) == pytest.approx(targets.middle[4])


def test_tanh_is_twice_as_steep(targets: Targets) -> None:
    bounded, tanh = HEADS["bounded"](targets), HEADS["tanh"](targets)
    raw = raw_of(bounded, 4)
    twice = torch.cat([raw[:, :6], 2 * raw[:, 6:]], dim=1)
    torch.testing.assert_close(bounded(twice).coordinates, tanh(raw).coordinates)


def test_soft_argmax_is_where_the_sure_cell_says(targets: Targets) -> None:
    head = HEADS["soft_argmax"](targets)
    raw = torch.zeros(1, head.n_out, 2)
    raw[0, 6 + 4, 1] = 50.0  # the first scale: bin 4 of 16
    assert float(head(raw).scales[0, 0]) == pytest.approx(1.0 + 0.3 * (2 * 4 / (BINS - 1) - 1))


@pytest.mark.parametrize("root", sorted(ROOTS))
def test_roots(targets: Targets, root: str) -> None:
    head = HEADS["bounded"](targets, root)
    r = head(raw_of(head, 20, size=3.0)).root
    np.testing.assert_allclose(r @ r.transpose(1, 2), np.broadcast_to(np.eye(3), (20, 3, 3)), atol=1e-5)
    with pytest.raises(UserError, match='"quaternion"'):
        HEADS["bounded"](targets, "quaternion")


def test_six_numbers_of_no_turn_added_are_the_columns(targets: Targets) -> None:
    head = HEADS["bounded"](targets)
    r = torch.from_numpy(Rotation.random(random_state=3).as_matrix()).float()
    raw = torch.zeros(1, head.n_out, 1)
    raw[0, :6, 0] = torch.cat([r[:, 0], r[:, 1]]) - torch.tensor([1.0, 0, 0, 0, 1, 0])
    torch.testing.assert_close(head(raw).root[0], r)


def rotation_of(model: Model, name: str, q: np.ndarray) -> np.ndarray:
    """Return R(a1, q1) R(a2, q2) R(a3, q3) of a joint."""
    joint = next(j for j in model.joints if j.name == name)
    out = np.eye(3)
    for axis, angle in zip(joint.rotations, q, strict=True):
        out = out @ Rotation.from_rotvec(np.array(axis.direction) * angle).as_matrix()
    return out


def test_rotations_of_ball_joints_are_read_as_the_coordinates_they_were_made_of() -> None:
    """Hips, shoulders and the back of rehab37; shoulders reach beyond a quarter turn, where a second set is right."""
    model = open_osim("rehab37")
    targets = targets_of(TargetsConfig(), model)
    balls = BallJoints(targets)
    names = ["hip_r", "hip_l", "back", "acromial_r", "acromial_l"]
    assert len(balls) == 5
    rng = np.random.default_rng(0)
    low, high = bounds(targets)
    at = balls.coordinates
    for _ in range(40):
        q = rng.uniform(low[at], high[at]).reshape(5, 3)
        r = np.stack([rotation_of(model, name, angles) for name, angles in zip(names, q, strict=True)])
        found = balls.angles(torch.from_numpy(r).float()).numpy()
        again = np.stack([rotation_of(model, name, angles) for name, angles in zip(names, found, strict=True)])
        np.testing.assert_allclose(again, r, atol=2e-3)
        np.testing.assert_allclose(found[:3], q[:3], atol=2e-3)  # hips and back have one set within their ranges


def test_left_handed_axes_turn_the_other_way() -> None:
    """Axes z, y, x: the angles found are those the rotation was made of."""
    model = open_osim("rehab37")
    joints = list(model.joints)
    back = next(i for i, j in enumerate(joints) if j.name == "back")
    z, x, y = joints[back].rotations
    joints[back] = replace(
        joints[back], rotations=(replace(z), replace(x, direction=y.direction), replace(y, direction=x.direction))
    )
    model = Model("left-handed", model.bodies, tuple(joints))
    balls = BallJoints(targets_of(TargetsConfig(), model))
    q = np.array([0.4, -0.3, 0.2])
    r = torch.eye(3).repeat(5, 1, 1)
    r[2] = torch.from_numpy(rotation_of(model, "back", q)).float()
    np.testing.assert_allclose(balls.angles(r)[2], q, atol=1e-5)


def test_angles_off_a_circle(targets: Targets) -> None:
    """sine 1, cosine -1 + 1: a quarter turn beyond the middle of the range, put on its edge where that is less."""
    head = HEADS["sixd"](targets)
    knee = targets.coordinates.index("knee_r")
    first = head.n_root + head.n_scales + 6 * len(head.balls)
    where = first + 2 * head.circles.index(knee)
    raw = torch.zeros(1, head.n_out, 1, requires_grad=True)
    said = raw.detach().clone()
    said[0, where], said[0, where + 1] = 0.5, -1 + 0.5
    assert float(head(said).coordinates[0, knee]) == pytest.approx(targets.middle[knee] + math.pi / 4)
    said[0, where], said[0, where + 1] = 0.1, -2.0
    said.requires_grad_()
    angle = head(said).coordinates[0, knee]
    assert float(angle.detach()) == pytest.approx(targets.middle[knee] + targets.half[knee])
    angle.backward()
    assert said.grad is not None
    assert float(said.grad[0, where].abs()) > 0.1  # it finds back
