"""Scaling and inverse kinematics of placed markers: exact markers give the pose back, whatever way is up."""

from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.rotations import angle_between
from rehabmotion.models.direct.targets import targets_of
from rehabmotion.workflows.direct.branches import Branches
from rehabmotion.workflows.direct.data import Material
from rehabmotion.workflows.direct.steps import solved_clip


def test_exact_markers_give_angles_root_and_places_back(little: Material) -> None:
    layer = SkeletalLayer(targets_of(little.targets, little.model))
    labels = little.held_out.frames.labels
    one = little.held_out.frames.clip == 0
    found = solved_clip(little.body, layer, labels.markers[one])
    off = (Branches(layer.targets).nearest(found.coordinates, labels.coordinates[one]) - labels.coordinates[one]).abs()
    assert off[labels.coordinate_mask[one]].mean().rad2deg() < 1.0
    assert angle_between(found.root, labels.root[one]).mean().rad2deg() < 1.0
    assert (found.markers - labels.markers[one]).norm(dim=-1).mean() < 0.003
    assert (found.scales - labels.scales[one]).abs().mean() < 0.02
