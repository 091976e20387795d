"""The lifter's body: rotations and angles are the same pose, places are those of forward kinematics."""

import torch

from rehabmotion.biomech.mirror import mirrored
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.body import Body, from_angles, from_six, to_angles
from rehabmotion.vision.points import MIRROR, POINTS

BODY = Body(open_osim("rehab37"), POINTS)
STILL = ("subtalar_angle", "mtp_angle", "wrist_flex", "wrist_dev")


def poses(n: int = 5) -> torch.Tensor:
    """Return coordinates (1, n, C) with the pelvis at the origin."""
    q = 0.4 * torch.randn(1, n, len(BODY.names), generator=torch.Generator().manual_seed(0))
    q[..., 3:6] = 0
    for name in STILL:
        for side in "rl":
            q[..., BODY.names.index(f"{name}_{side}")] = 0
    return q


def test_angles_and_rotations_are_inverse():
    angles = torch.tensor([[0.3, -0.4, 1.2], [-2.0, 1.4, 0.1]])
    assert torch.allclose(to_angles(from_angles(angles)), angles, atol=1e-6)


def test_a_quarter_turn_about_z_carries_x_to_y():
    turned = from_angles(torch.tensor([torch.pi / 2, 0.0, 0.0])) @ torch.tensor([1.0, 0.0, 0.0])
    assert torch.allclose(turned, torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)


def test_six_numbers_give_a_rotation():
    rotation = from_six(torch.randn(7, 6, generator=torch.Generator().manual_seed(1)))
    assert torch.allclose(rotation @ rotation.transpose(1, 2), torch.eye(3).expand(7, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(7), atol=1e-5)


def test_places_are_those_of_forward_kinematics_scaled_too():
    q = poses()
    tied = 1 + 0.1 * torch.randn(1, 24, generator=torch.Generator().manual_seed(2))
    places = BODY.places(BODY.rotations(q), q[..., BODY.hinge_columns], tied)
    known = BODY.kinematics.markers(q, BODY.untied(tied)[:, None].expand(1, q.shape[1], -1, 3))
    assert torch.allclose(places, known, atol=1e-5)


def test_coordinates_make_the_rotations_they_come_from():
    q = poses()
    rotations = BODY.rotations(q)
    found = BODY.coordinates(rotations, q[..., BODY.hinge_columns])
    assert torch.allclose(BODY.rotations(found), rotations, atol=1e-5)


def test_tied_factors_come_back():
    tied = 1 + 0.1 * torch.rand(3, 24)
    assert torch.allclose(BODY.tied(BODY.untied(tied)), tied, atol=1e-6)


def test_the_mirror_image_of_a_pose_shows_the_points_of_the_other_side():
    q = poses()
    points = BODY.kinematics.markers(q)[..., : len(POINTS), :]
    image = BODY.kinematics.markers(mirrored(q, BODY.names))[..., : len(POINTS), :]
    assert torch.allclose(image[..., list(MIRROR), :] * torch.tensor([1.0, 1.0, -1.0]), points, atol=1e-6)
