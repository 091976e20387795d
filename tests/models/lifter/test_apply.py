"""The lifter over clips: rays, windows, mirrors."""

import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.apply import lift, nearest_rotation
from rehabmotion.models.lifter.encode import Seen, encode, looking_at, turned_rays
from rehabmotion.models.lifter.network import Lifter, LifterConfig
from rehabmotion.vision.points import MIRROR, POINTS


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    torch.manual_seed(0)
    made = Lifter(LifterConfig(POINTS, n_dense=43, window=16, d=24, layers=1, heads=2), open_osim("rehab37"))
    for p in made.parameters():
        p.data += 0.05 * torch.randn_like(p)
    return made.eval()


def clip(t: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(3)
    rays = 0.2 * torch.randn(t, len(POINTS), 2, generator=g) + torch.tensor([0.3, -0.1])
    return rays, torch.rand(t, len(POINTS), generator=g), torch.randn(t, len(POINTS), 3, generator=g)


def test_a_camera_turned_to_a_ray_has_it_on_its_axis():
    rays = torch.tensor([[0.4, -0.2], [0.0, 0.0], [-1.0, 0.7]])
    turn = looking_at(rays)
    assert torch.allclose(turned_rays(rays[:, None, None], turn)[:, 0, 0], torch.zeros(3, 2), atol=1e-6)
    assert torch.allclose(turn @ turn.transpose(1, 2), torch.eye(3).expand(3, 3, 3), atol=1e-6)


def test_features_do_not_tell_how_large_an_image_is_and_hide_what_was_not_seen():
    rays, confidence, world = clip(8)
    confidence[:, 3] = 0
    real = torch.ones(1, 8, dtype=torch.bool)
    no = torch.tensor([False])
    one = encode(Seen(rays[None], confidence[None], world[None], no, real)).features
    moved = rays.clone()
    moved[:, 3] = 99.0
    other = encode(Seen(moved[None], confidence[None], 7 * world[None], no, real)).features
    assert torch.allclose(one, other)


@pytest.mark.parametrize("t", [1, 5, 16, 17, 60])
def test_a_clip_of_any_length_gives_rotations(lifter, t):
    found = lift(lifter, *clip(t))
    assert found.rotations.shape == (t, 6, 3, 3)
    assert found.hinges.shape == (t, 8)
    eye = found.rotations @ found.rotations.transpose(2, 3)
    assert torch.allclose(eye, torch.eye(3).expand_as(eye), atol=1e-4)
    assert (found.width > 0).all()


def test_a_mirrored_clip_gives_the_mirrored_skeletons(lifter):
    rays, confidence, world = clip(20)
    flip = torch.tensor([-1.0, 1.0])
    found = lift(lifter, rays, confidence, world)
    order = list(MIRROR)
    image = lift(
        lifter, (rays * flip)[:, order], confidence[:, order], (world * torch.tensor([-1.0, 1.0, 1.0]))[:, order]
    )
    assert torch.allclose(image.hinges[:, [1, 0, 3, 2, 5, 4, 7, 6]], found.hinges, atol=1e-4)
    own = torch.tensor([1.0, 1.0, -1.0])
    root = image.rotations[:, 0] * torch.tensor([-1.0, 1.0, 1.0])[:, None] * own
    assert torch.allclose(root, found.rotations[:, 0], atol=1e-4)
    assert torch.allclose(image.rotations[:, 2] * own[:, None] * own, found.rotations[:, 1], atol=1e-4)  # hips
    assert torch.allclose(image.up * torch.tensor([-1.0, 1.0, 1.0]), found.up, atol=1e-4)


def test_nearest_rotation_of_a_rotation_is_itself_and_of_a_reflection_is_none():
    turned = torch.linalg.qr(torch.randn(4, 3, 3, generator=torch.Generator().manual_seed(5)))[0]
    turned = turned * torch.linalg.det(turned)[:, None, None].sign()
    turned = turned * torch.where(torch.linalg.det(turned) < 0, -1.0, 1.0)[:, None, None]
    assert torch.allclose(nearest_rotation(1.7 * turned), turned, atol=1e-5)
    assert torch.linalg.det(nearest_rotation(-turned)).min() > 0.99


def test_unknown_keys_of_a_configuration_are_refused():
    data = LifterConfig(POINTS, n_dense=43).as_json()
    assert LifterConfig.from_json(data) == LifterConfig(POINTS, n_dense=43)
    with pytest.raises(UserError, match="Unknown key"):
        LifterConfig.from_json({**data, "n_layers": 3})
