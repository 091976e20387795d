"""The skeletal layer and what is asked for: against the model's own kinematics."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from person_made import angle, far_angle, hinge, root, small_person
from scipy.spatial.transform import Rotation

from rehabmotion.biomech.description import GROUND, Body, Coordinate, Frame, Marker, Model, simple_joint
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.targets import Estimate, Targets, TargetsConfig, root_of, targets_of


def some(targets: Targets, n: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    rotation = torch.from_numpy(Rotation.random(n, random_state=0).as_matrix())
    q = torch.rand(n, len(targets.coordinates), dtype=torch.float64, generator=g) - 0.5
    return rotation, q, 0.9 + 0.2 * torch.rand(n, len(targets.model.bodies), 3, dtype=torch.float64, generator=g)


@pytest.mark.parametrize("made", [False, True], ids=["rehab37", "small"])
def test_places_are_those_of_the_model_turned_with_its_pelvis(made: bool) -> None:
    """Moving the pelvis by its coordinates or turning the layer's root is the same, up to the translation."""
    model = small_person() if made else open_osim("rehab37")
    targets = targets_of(TargetsConfig(), model)
    layer = SkeletalLayer(targets, torch.float64)
    _, q, scales = some(targets)
    k = Kinematics(targets.model)
    whole = k.default.repeat(3, 1)
    whole[:, [k.names.index(n) for n in targets.coordinates]] = q
    whole[:, [k.names.index(c.name) for c in targets.root.coordinates]] = torch.rand(3, 6, dtype=torch.float64)
    pose = k(whole, scales)
    pelvis = [b.name for b in model.bodies].index(targets.root.child.body)
    places = layer.places(pose.rotations[:, pelvis], q, scales)
    np.testing.assert_allclose(places.markers, k.markers(whole, scales) - pose.positions[:, [pelvis]], atol=1e-12)
    assert places.joints.shape == (3, len(model.joints), 3)
    assert not places.joints[:, 0].any()
    for i, name in enumerate(layer.joint_names):  # joints whose child's frame is the child's own stand at its origin
        joint = next(j for j in model.joints if j.name == name)
        child = [b.name for b in model.bodies].index(joint.child.body)
        origin = pose.positions[:, child] - pose.positions[:, pelvis]
        np.testing.assert_allclose(places.joints[:, i], origin, atol=1e-12)


def test_turning_the_root_turns_everything(targets: Targets, layer: SkeletalLayer) -> None:
    r, q, scales = some(targets)
    still = layer.places(torch.eye(3, dtype=torch.float64).expand(3, 3, 3), q, scales)
    turned = layer.places(r, q, scales)
    torch.testing.assert_close(turned.joints, still.joints @ r.transpose(1, 2))
    torch.testing.assert_close(turned.markers, still.markers @ r.transpose(1, 2))


def test_a_leg_by_hand(targets: Targets, layer: SkeletalLayer) -> None:
    """A thigh twice as long, raised by a quarter: the knee 0.8 m in front of the hip."""
    q = torch.zeros(1, len(targets.coordinates), dtype=torch.float64)
    q[0, targets.coordinates.index("hip_flex_r")] = math.pi / 2
    scales = torch.ones(1, len(targets.model.bodies), 3, dtype=torch.float64)
    scales[0, [b.name for b in targets.model.bodies].index("thigh_r"), 1] = 2.0
    places = layer.places(torch.eye(3, dtype=torch.float64)[None], q, scales)
    knee = layer.joint_names.index("knee_r")
    np.testing.assert_allclose(places.joints[0, knee], [0.8, -0.07, 0.08], atol=1e-12)


def test_ends_are_joints_and_come_last(targets: Targets, layer: SkeletalLayer, person: Model) -> None:
    assert (layer.n_joints, layer.n_markers) == (len(person.joints) + 2, len(person.markers) - 2)
    r, q, scales = some(targets)
    places = layer.places(r, q, scales)
    plain = SkeletalLayer(targets_of(TargetsConfig(), person), torch.float64).places(r, q, scales)
    toe = [m.name for m in person.markers].index("toe_r")
    torch.testing.assert_close(places.joints[:, -2], plain.markers[:, toe])
    chosen = targets_of(TargetsConfig(markers=("shin_l", "head")), person)
    some_of = SkeletalLayer(chosen, torch.float64).places(r, q, scales).markers
    index = [[m.name for m in person.markers].index(n) for n in ("shin_l", "head")]
    torch.testing.assert_close(some_of, plain.markers[:, index])


def test_slopes_are_right(targets: Targets, layer: SkeletalLayer) -> None:
    r, q, scales = (x[:1].requires_grad_() for x in some(targets))

    def places(*x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        p = layer.places(*x)
        return p.joints, p.markers

    assert torch.autograd.gradcheck(places, (r, q, scales), fast_mode=True)


def test_driven_coordinates_follow_and_are_not_asked_for() -> None:
    model = small_person(couplers=True)
    targets = targets_of(TargetsConfig(), model)
    assert "knee_l" not in targets.coordinates
    layer = SkeletalLayer(targets, torch.float64)
    q = torch.zeros(1, len(targets.coordinates), dtype=torch.float64)
    q[0, targets.coordinates.index("knee_r")] = -1.0
    ones = torch.ones(1, len(model.bodies), 3, dtype=torch.float64)
    places = layer.places(torch.eye(3, dtype=torch.float64)[None], q, ones)
    ankle = places.joints[0, layer.joint_names.index("ankle_l")] - places.joints[0, layer.joint_names.index("knee_l")]
    np.testing.assert_allclose(ankle, [0.4 * math.sin(-0.5), -0.4 * math.cos(0.5), 0.0], atol=1e-12)


def test_frames_are_batched_and_half_precision_is_not_used(targets: Targets) -> None:
    layer = SkeletalLayer(targets)
    g = torch.Generator().manual_seed(0)
    q = torch.rand(2, 3, len(targets.coordinates), generator=g)
    e = Estimate(torch.eye(3).expand(2, 3, 3, 3), torch.ones(2, 3, len(targets.ties.names)), q)
    alone = layer(e)
    assert alone.joints.shape == (2, 3, layer.n_joints, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(layer(e).markers, alone.markers)
    one = layer(Estimate(e.root[1, 2], e.scales[1, 2], e.coordinates[1, 2]))
    torch.testing.assert_close(one.markers, alone.markers[1, 2])


def test_what_does_not_fit_is_refused(targets: Targets, layer: SkeletalLayer, person: Model) -> None:
    r, q, scales = some(targets)
    for bad in ((r, q[:, 1:], scales), (r[:1], q, scales), (r, q, scales[:2])):
        with pytest.raises(UserError, match="Expected"):
            layer.places(*bad)
    floor = person.with_markers([Marker("floor", Frame(GROUND), (0.0, 0.0, 0.0))])
    for config, model, message in (
        (TargetsConfig(markers=("tail",)), person, '"tail"'),
        (TargetsConfig(ends=("head",), markers=("head",)), person, "twice"),
        (TargetsConfig(), floor, "ground"),
        (TargetsConfig(scale_low=(0.7, 0.8)), person, "one number or"),
        (TargetsConfig(scale_low=(0.0,)), person, "above 0"),
        (TargetsConfig(scale_low=(1.4,)), person, "below scale_high"),
        (TargetsConfig(scale_low=("a",)), person, "one number or"),
        (TargetsConfig(scale_high=(math.nan,)), person, "below scale_high"),
    ):
        with pytest.raises(UserError, match=message):
            targets_of(config, model)


def one_joint(*coordinates: Coordinate) -> Model:
    return Model(
        "one", (Body("pelvis"), Body("arm")), (root(), hinge("joint", "pelvis", "arm", (0.0, 0.1, 0.0), *coordinates))
    )


def test_ranges_are_the_models_but_for_whole_turns() -> None:
    targets = targets_of(TargetsConfig(), one_joint(angle("a", -1.0, 2.0), far_angle(), Coordinate("free")))
    assert targets.middle == (0.5, 0.0, 0.0)
    assert targets.half == (1.5, 2 * math.pi, 2 * math.pi)


def test_models_that_nothing_can_be_asked_of_are_refused() -> None:
    with pytest.raises(UserError, match="from less to more"):
        targets_of(TargetsConfig(), one_joint(angle("a", 1.0, 1.0)))
    with pytest.raises(UserError, match="from less to more"):
        targets_of(TargetsConfig(), one_joint(angle("a", math.nan, 1.0)))
    slide = simple_joint("SliderJoint", "s", Frame("pelvis"), Frame("arm"), (Coordinate("slide"),))
    with pytest.raises(UserError, match="Give it one"):
        targets_of(TargetsConfig(), Model("slides", (Body("pelvis"), Body("arm")), (root(), slide)))
    with pytest.raises(UserError, match="free coordinates"):
        targets_of(TargetsConfig(), one_joint(replace(angle("a"), locked=True)))
    with pytest.raises(UserError, match="one joint to ground"):
        root_of(Model("two", (Body("a"), Body("b")), (root("a"), replace(root("b"), name="other"))))
