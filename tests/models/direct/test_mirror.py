"""Flipped pictures: a person and their mirror image."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from person_made import small_person
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.description import Axis, Body, Model, Step
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.mirror import Mirror
from rehabmotion.models.direct.targets import Targets, TargetsConfig, targets_of

FLIP = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)  # of the picture's width


def labels_of(layer: SkeletalLayer, n: int = 4) -> Labels:
    targets, g = layer.targets, torch.Generator().manual_seed(0)
    root = torch.from_numpy(Rotation.random(n, random_state=0).as_matrix())
    low, half = torch.tensor(targets.middle), torch.tensor(targets.half)
    q = (low + half * (2 * torch.rand(n, len(low), generator=g) - 1)).double()
    scales = 0.8 + 0.4 * torch.rand(n, len(targets.model.bodies), 3, generator=g, dtype=torch.float64)
    places = layer.places(root, q, scales)
    masks = [torch.rand(x.shape[:2], generator=g) < 0.8 for x in (q, places.joints, places.markers)]
    return Labels(root, scales, q, torch.ones_like(masks[0]), places.joints, masks[1], places.markers, masks[2])


@pytest.mark.parametrize("name", ["rehab37", "small"])
def test_a_mirror_image_stands_where_the_mirror_puts_it(name: str) -> None:
    """Every joint and every marker with a partner, for bodies of any size, in any pose."""
    targets = targets_of(TargetsConfig(), small_person() if name == "small" else open_osim("rehab37"))
    layer = SkeletalLayer(targets, torch.float64)
    labels = labels_of(layer)
    mirror = Mirror(targets)
    flipped = mirror.labels(labels, layer)
    joints, markers = mirror._partners(layer)
    assert (joints >= 0).all()
    np.testing.assert_allclose(flipped.joints, labels.joints[:, joints] * FLIP, atol=1e-9)
    paired = markers >= 0
    assert paired.float().mean() > 0.7
    atol = 0.006 if name == "rehab37" else 1e-9  # markers on a plate differ by millimetres between sides
    np.testing.assert_allclose(flipped.markers[:, paired], (labels.markers[:, markers] * FLIP)[:, paired], atol=atol)
    np.testing.assert_allclose(torch.linalg.det(flipped.root), 1.0)
    again = mirror.labels(flipped, layer)
    for field in ("root", "scales", "coordinates", "joints", "markers"):
        np.testing.assert_allclose(getattr(again, field), getattr(labels, field), atol=1e-9)


def test_signs_are_those_in_the_description_of_rehab37() -> None:
    """Exchange _r and _l; negate lumbar_bending and lumbar_rotation."""
    targets = targets_of(TargetsConfig(), open_osim("rehab37"))
    mirror = Mirror(targets)
    names = targets.coordinates
    negated = {name for name, s in zip(names, mirror.sign.tolist(), strict=True) if s < 0}
    assert negated == {"lumbar_bending", "lumbar_rotation"}
    for i, name in enumerate(names):
        swapped = name[:-2] + {"_r": "_l", "_l": "_r"}.get(name[-2:], name[-2:])
        assert names[int(mirror.source[i])] == swapped
    bodies = [b.name for b in targets.model.bodies]
    assert bodies[int(mirror.bodies[bodies.index("hand_r")])] == "hand_l"


def test_someone_who_faces_the_camera_still_does(targets: Targets) -> None:
    """Facing it with the head up: forward is -z, up is -y, right is -x of the camera. In the mirror the same."""
    facing = torch.tensor([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
    torch.testing.assert_close(Mirror(targets).root(facing), facing)
    c, s = math.cos(0.3), math.sin(0.3)
    left, right = (torch.tensor([[c, 0, k * s], [0, 1, 0], [-k * s, 0, c]]) @ facing for k in (1, -1))
    torch.testing.assert_close(Mirror(targets).root(left), right)


def test_models_of_others(data_dir: Path) -> None:
    """Splines for knees, driven kneecaps: their mirror images are found too."""
    files = sorted((data_dir / "opensim" / "opensim-models").glob("*.osim"))
    if not files:
        pytest.skip("needs opensim/opensim-models in the data folder")
    for path in files:
        targets = targets_of(TargetsConfig(), read_osim(path))
        mirror, layer = Mirror(targets), SkeletalLayer(targets, torch.float64)
        labels = labels_of(layer)
        joints = mirror._partners(layer)[0]
        assert (joints >= 0).all()
        flipped = mirror.labels(labels, layer)
        np.testing.assert_allclose(flipped.joints, labels.joints[:, joints] * FLIP, atol=1e-3)


def test_masks_change_sides_and_markers_without_a_partner_are_unknown(targets: Targets, layer: SkeletalLayer) -> None:
    labels = labels_of(layer)
    flipped = Mirror(targets).labels(labels, layer)
    names = [m.name for m in targets.model.markers][: layer.n_markers]
    r, left, lone = names.index("shin_r"), names.index("shin_l"), names.index("scapula")
    assert torch.equal(flipped.marker_mask[:, left], labels.marker_mask[:, r])
    assert not flipped.marker_mask[:, lone].any()
    i, j = (layer.joint_names.index(n) for n in ("knee_r", "knee_l"))
    assert torch.equal(flipped.joint_mask[:, i], labels.joint_mask[:, j])
    assert torch.equal(flipped.joint_mask[:, -1], labels.joint_mask[:, -2])  # the ends


def test_what_is_unknown_stays_so(targets: Targets, layer: SkeletalLayer) -> None:
    labels = labels_of(layer)
    knee, other = (targets.coordinates.index(n) for n in ("knee_r", "knee_l"))
    labels.coordinate_mask[0, knee] = False
    labels.coordinates[0, knee] = math.nan
    flipped = Mirror(targets).labels(labels, layer)
    assert not flipped.coordinate_mask[0, other]
    assert flipped.coordinate_mask[0, knee]
    assert not flipped.joint_mask[0].any()  # where things are follows from all coordinates
    assert torch.isfinite(flipped.joints).all()


def test_models_that_are_no_reflection_are_refused() -> None:
    model = small_person()
    joints = list(model.joints)
    hip = next(i for i, j in enumerate(joints) if j.name == "hip_l")
    step = Step((0.0, -0.07, -0.12))
    wide = [replace(j, parent=replace(j.parent, steps=(step,))) if j.name == "hip_l" else j for j in joints]
    with pytest.raises(UserError, match="sides are reflections"):
        Mirror(targets_of(TargetsConfig(), Model("wide", model.bodies, tuple(wide))))
    z, x, y = joints[hip].rotations
    tilted = (z, Axis((-0.8, 0.6, 0.0), x.coordinate, x.function), y)
    askew = [replace(j, rotations=tilted) if j.name == "hip_l" else j for j in joints]
    with pytest.raises(UserError, match='"hip_add_r" and "hip_add_l"'):
        Mirror(targets_of(TargetsConfig(), Model("askew", model.bodies, tuple(askew))))
    lone = [j for j in joints if not j.name.endswith("_l")]
    bodies = tuple(Body(b.name) for b in model.bodies if not b.name.endswith("_l"))
    with pytest.raises(UserError, match="reflections"):
        Mirror(targets_of(TargetsConfig(), Model("one leg", bodies, tuple(lone))))
    coupled = small_person(couplers=True)
    with pytest.raises(UserError, match='"knee_r" and "knee_r"'):
        Mirror(targets_of(TargetsConfig(), coupled))
