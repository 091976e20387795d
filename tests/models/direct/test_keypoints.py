"""The keypoint network: begins at the usual pose, about the root, and learns."""

from dataclasses import replace

import pytest
import torch

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.keypoints import KeypointNetwork
from rehabmotion.models.direct.network import FrameConfig

TINY = FrameConfig(backbone="resnet18", width=0.125, depth=0.1, image=64)


def test_silence_is_the_usual_pose_about_the_root(person: Model) -> None:
    network = KeypointNetwork(TINY, person)
    torch.nn.init.zeros_(network.out.weight)
    torch.nn.init.zeros_(network.out.bias)
    points = torch.rand(5, network.n_points, 3)
    network.start_at(points[:, : network.n_joints], points[:, network.n_joints :])
    places = network(torch.rand(2, 3, 64, 64))
    usual = points.mean(dim=0) - points.mean(dim=0)[0]
    torch.testing.assert_close(torch.cat([places.joints, places.markers], dim=1), usual.expand(2, -1, 3))


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_every_backbone_gives_as_many_points_as_the_skeletal_layer(backbone: str, person: Model) -> None:
    network = KeypointNetwork(replace(TINY, backbone=backbone), person)
    places = network(torch.rand(2, 3, 64, 64))
    assert places.joints.shape == (2, len(person.joints), 3)
    assert places.markers.shape == (2, len(person.markers), 3)
    assert (places.joints[:, 0] == 0).all()


def test_other_sizes_are_refused(person: Model) -> None:
    with pytest.raises(UserError, match="Expected images"):
        KeypointNetwork(TINY, person)(torch.rand(2, 3, 32, 32))
