"""The paper's losses, by hand."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rehabmotion.errors import UserError
from rehabmotion.models.direct.layer import Places, SkeletalLayer
from rehabmotion.models.direct.losses import (
    DirectLoss,
    Labels,
    LossConfig,
    bounded_error,
    mean_of_seen,
    range_weights,
)
from rehabmotion.models.direct.targets import Estimate, Targets


def labels_of(estimate: Estimate, layer: SkeletalLayer) -> Labels:
    places, ties = layer(estimate), layer.targets.ties

    def all_of(x: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(x, dtype=torch.bool)

    return Labels(
        estimate.root,
        ties.spread(estimate.scales),
        estimate.coordinates,
        all_of(estimate.coordinates),
        places.joints,
        all_of(places.joints[..., 0]),
        places.markers,
        all_of(places.markers[..., 0]),
    )


@pytest.fixture
def truth(targets: Targets) -> Estimate:
    """Two frames, in the middle of the ranges."""
    return Estimate(
        torch.eye(3).double().expand(2, 3, 3),
        torch.ones(2, len(targets.ties.names)).double(),
        torch.tensor(targets.middle).double().expand(2, -1),
    )


def test_small_errors_count_squared_large_ones_straight() -> None:
    half = torch.tensor(1.0)
    values = bounded_error(torch.tensor([0.1, -0.1, 0.5, 0.2, 0.0]), half, 0.1)
    torch.testing.assert_close(values, torch.tensor([0.025, 0.025, 0.4, 0.1, 0.0]))


@pytest.mark.parametrize("beta", [0.05, math.radians(5), 1.0, 7.0])
def test_beta_cancels_only_h_matters(beta: float) -> None:
    """Smooth L1 with any threshold, on errors rescaled to it and divided back, is the same loss."""
    error = torch.linspace(-3, 3, 301, dtype=torch.float64)
    half, quadratic = torch.tensor(0.8, dtype=torch.float64), 0.1
    k = beta / (2 * half * quadratic)
    theirs = F.smooth_l1_loss(error * k, torch.zeros_like(error), beta=beta, reduction="none") / k
    torch.testing.assert_close(bounded_error(error, half, quadratic), theirs)
    assert not torch.allclose(bounded_error(error, half, 0.2), theirs)


def test_wide_ranges_weigh_up_to_twice() -> None:
    torch.testing.assert_close(range_weights(torch.tensor([1.0, 2.0, 3.0])), torch.tensor([1.0, math.sqrt(2), 2.0]))
    assert torch.equal(range_weights(torch.tensor([2.0, 2.0])), torch.ones(2))


def test_means_are_over_what_is_seen() -> None:
    mask = torch.tensor([[True, True, False], [False, True, False], [False, False, False]])
    values = torch.tensor([[1.0, 3.0, 99.0], [99.0, 4.0, 99.0], [99.0, 99.0, 99.0]])
    assert float(mean_of_seen(values, mask)) == pytest.approx((2.0 + 4.0 + 0.0) / 3)


def test_the_truth_loses_nothing_and_slopes_are_finite(targets: Targets, layer: SkeletalLayer, truth: Estimate) -> None:
    for norm in ("l1", "l2"):
        q = truth.coordinates.clone().requires_grad_()
        e = replace(truth, coordinates=q)
        loss = DirectLoss(LossConfig(norm=norm, root=1.0, symmetry=1.0), targets).double()
        parts = loss(e, layer(e), labels_of(truth, layer))
        assert set(parts) == {"marker", "joint", "scale", "angle", "root", "symmetry", "total"}
        assert float(parts["total"].detach()) == pytest.approx(0.0, abs=1e-12)
        parts["total"].backward()
        assert q.grad is not None
        assert torch.isfinite(q.grad).all()


def test_each_loss_by_hand(targets: Targets, layer: SkeletalLayer, truth: Estimate) -> None:
    labels = labels_of(truth, layer)
    places = layer(truth)
    n_joints, n_markers, n_c = layer.n_joints, layer.n_markers, len(targets.coordinates)
    moved = Places(places.joints.clone(), places.markers.clone())
    moved.joints[0, 1] += torch.tensor([0.3, 0.0, -0.4])
    moved.markers[1, 2] += torch.tensor([0.0, 0.2, 0.0])
    weights = [1.0] * n_markers
    weights[2] = 2.0
    far = replace(truth, coordinates=truth.coordinates.clone(), scales=truth.scales.clone())
    far.coordinates[0, 0] += 1.0  # half-range 1.5, the widest but for knees
    far.scales[1, 0] += 0.3
    loss = DirectLoss(LossConfig(), targets, weights).double()
    parts = loss(far, moved, labels)
    assert float(parts["joint"]) == pytest.approx(0.7 / n_joints / 2)
    assert float(parts["marker"]) == pytest.approx(2.0 * 0.2 / n_markers / 2)
    expected = float(loss.share[0]) * (1.0 - 1.5 * 0.1)
    assert float(parts["angle"]) == pytest.approx(180 / math.pi * expected / n_c / 2, rel=1e-6)
    tied = sum(row.count(0) for row in targets.ties.index)
    assert float(parts["scale"]) == pytest.approx(tied * (0.3 - 0.3 * 0.1) / len(targets.model.bodies) / 2, rel=1e-6)
    total = 2.0 * parts["marker"] + parts["joint"] + 0.1 * parts["scale"] + 0.06 * parts["angle"]
    torch.testing.assert_close(parts["total"], total)
    l2 = DirectLoss(LossConfig(norm="l2"), targets).double()(far, moved, labels)
    assert float(l2["joint"]) == pytest.approx(0.5 / n_joints / 2)


def test_the_root_and_the_sides_by_hand(targets: Targets, layer: SkeletalLayer, truth: Estimate) -> None:
    labels = labels_of(truth, layer)
    c, s = math.cos(0.2), math.sin(0.2)
    turned = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]).double()
    uneven = truth.scales.clone()
    a, b = targets.ties.pairs([body.name for body in targets.model.bodies])[0]
    uneven[:, a] += 0.1
    e = Estimate(turned.expand(2, 3, 3), uneven, truth.coordinates)
    loss = DirectLoss(LossConfig(root=1.0, symmetry=1.0), targets).double()
    parts = loss(e, layer(truth), labels)
    assert float(parts["root"]) == pytest.approx(math.degrees(0.2))
    assert float(parts["symmetry"]) == pytest.approx(0.1 / len(loss.sides))
    assert (targets.ties.names[a], targets.ties.names[b]) == ("thigh_r length", "thigh_l length")


def test_what_is_masked_is_never_read(targets: Targets, layer: SkeletalLayer, truth: Estimate) -> None:
    labels = labels_of(truth, layer)
    q = (truth.coordinates + 0.1).requires_grad_()
    e = replace(truth, coordinates=q)
    masks = {n: getattr(labels, n).clone() for n in ("coordinate_mask", "joint_mask", "marker_mask")}
    for mask in masks.values():
        mask[:, 1] = False
    known = replace(labels, **masks)
    spoilt = replace(known, **{n: getattr(labels, n).clone() for n in ("coordinates", "joints", "markers")})
    for name in ("coordinates", "joints", "markers"):
        getattr(spoilt, name)[:, 1] = math.nan
    loss = DirectLoss(LossConfig(), targets).double()
    one, two = loss(e, layer(e), known)["total"], loss(e, layer(e), spoilt)["total"]
    assert torch.equal(one, two)
    two.backward()
    assert q.grad is not None
    assert torch.isfinite(q.grad).all()
    assert float((loss(e, layer(e), labels)["total"] - one).abs().detach()) > 1e-6


@pytest.mark.parametrize("off", ["marker", "joint", "scale", "angle"])
def test_every_loss_can_be_switched_off(targets: Targets, layer: SkeletalLayer, truth: Estimate, off: str) -> None:
    e = replace(truth, coordinates=truth.coordinates + 0.2, scales=truth.scales + 0.1)
    labels = labels_of(truth, layer)
    whole = DirectLoss(LossConfig(), targets).double()(e, layer(e), labels)
    less = DirectLoss(LossConfig(**{off: 0.0}), targets).double()(e, layer(e), labels)
    assert off not in less
    torch.testing.assert_close(less["total"], whole["total"] - getattr(LossConfig(), off) * whole[off])


def test_nothing_switched_on_is_nought(targets: Targets, layer: SkeletalLayer, truth: Estimate) -> None:
    loss = DirectLoss(LossConfig(marker=0.0, joint=0.0, scale=0.0, angle=0.0), targets)
    assert float(loss(truth, layer(truth), labels_of(truth, layer))["total"]) == 0.0


def test_wrong_weights_are_refused(targets: Targets) -> None:
    for bad in ([1.0], [-1.0] * 7, [math.nan] * 7):
        with pytest.raises(UserError, match="marker weights"):
            DirectLoss(LossConfig(), targets, bad)
    for changes in ({"angle": -0.1}, {"norm": "l3"}, {"quadratic": 0.0}, {"angle": math.inf}, {"angle": "0.06"}):
        with pytest.raises(UserError, match="Expected"):
            LossConfig(**changes)
