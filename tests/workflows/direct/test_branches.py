"""One way to read ball joints: twins become one, rotations stay, locks are told."""

import math

import torch

from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.targets import TargetsConfig, targets_of
from rehabmotion.workflows.direct.branches import Branches, widened

TARGETS = targets_of(TargetsConfig(), open_osim("rehab37"))
BRANCHES = Branches(TARGETS)
ARM = [TARGETS.coordinates.index(f"arm_{part}_r") for part in ("flex", "add", "rot")]


def poses(*degrees: tuple[float, float, float]) -> torch.Tensor:
    q = torch.zeros(len(degrees), len(TARGETS.coordinates))
    q[:, ARM] = torch.tensor(degrees).deg2rad()
    return q


def test_twins_are_read_alike() -> None:
    """Half a turn more, the supplement, half a turn more: the same arm."""
    one, twin = poses((160.0, -40.0, 70.0)), poses((-20.0, -140.0, -110.0))
    torch.testing.assert_close(BRANCHES.rotations(one), BRANCHES.rotations(twin), atol=1e-5, rtol=0)
    torch.testing.assert_close(BRANCHES.one(twin), one, atol=1e-4, rtol=0)
    torch.testing.assert_close(BRANCHES.one(one), one, atol=1e-4, rtol=0)


def test_reading_moves_nothing_and_stays_in_range() -> None:
    low, high = (torch.tensor(TARGETS.middle) + s * torch.tensor(TARGETS.half) for s in (-1, 1))
    q = low + (high - low) * torch.rand(64, len(low), generator=torch.Generator().manual_seed(0))
    read = BRANCHES.one(q)
    assert (read >= low - 1e-3).all()
    assert (read <= high + 1e-3).all()
    layer = SkeletalLayer(TARGETS)
    root, scales = torch.eye(3).expand(64, 3, 3), torch.ones(64, len(TARGETS.model.bodies), 3)
    before, after = (layer.places(root, x, scales).markers for x in (q, read))
    torch.testing.assert_close(before, after, atol=2e-4, rtol=0)


def test_an_arm_overhead_sideways_stays_where_its_twin_is_out_of_range() -> None:
    """(0, -150, 0) is (180, -30, 180) too, but no shoulder rotates so far."""
    torch.testing.assert_close(BRANCHES.one(poses((0.0, -150.0, 0.0))), poses((0.0, -150.0, 0.0)), atol=1e-4, rtol=0)


def test_in_wide_ranges_every_shoulder_is_read_with_its_middle_angle_within_a_quarter_turn() -> None:
    """A hand at the hip is (147, -138, 56) to a solver that may not turn a shoulder by -124 degrees."""
    model = widened(open_osim("rehab37"))
    wide = targets_of(TargetsConfig(), model)
    assert wide.coordinates == TARGETS.coordinates
    read = Branches(wide).one(poses((147.0, -138.0, 56.0), (0.0, -150.0, 0.0)))[:, ARM].rad2deg()
    torch.testing.assert_close(read[0], torch.tensor([-33.0, -42.0, -124.0]), atol=0.01, rtol=0)
    torch.testing.assert_close(read[1, 1], torch.tensor(-30.0), atol=0.01, rtol=0)
    rest = [i for i, name in enumerate(wide.coordinates) if not name.startswith("arm_")]
    assert [wide.half[i] for i in rest] == [TARGETS.half[i] for i in rest]
    q = torch.tensor(wide.middle) + torch.tensor(wide.half) * (
        2 * torch.rand(200, len(wide.half), generator=torch.Generator().manual_seed(1)) - 1
    )
    read = Branches(wide).one(q)
    assert ((read - torch.tensor(wide.middle)).abs() <= torch.tensor(wide.half) + 1e-3).all()
    torch.testing.assert_close(Branches(wide).rotations(read), Branches(wide).rotations(q), atol=1e-4, rtol=0)


def test_an_answer_is_read_in_the_way_nearest_the_truth() -> None:
    true, twin = poses((160.0, -40.0, 70.0)), poses((-20.0 - 360.0, -140.0, -110.0))
    torch.testing.assert_close(BRANCHES.nearest(twin, true), true, atol=1e-4, rtol=0)
    torch.testing.assert_close(BRANCHES.nearest(true, poses((-25.0, -138.0, -100.0))), twin + poses((360.0, 0, 0)),
                               atol=1e-4, rtol=0)  # fmt: skip


def test_the_outer_angles_are_not_told_near_the_lock() -> None:
    told = BRANCHES.told(poses((30.0, -88.0, 10.0), (30.0, -60.0, 10.0)))
    assert told[0, ARM].tolist() == [False, True, False]
    assert told[0].sum() == len(TARGETS.coordinates) - 2
    assert told[1].all()


def test_a_turn_about_one_axis_is_that_angle() -> None:
    turns = BRANCHES.rotations(poses((40.0, 0.0, 0.0)))
    trace = turns.diagonal(dim1=-2, dim2=-1).sum(dim=-1)[0]
    angles = ((trace - 1) / 2).clamp(-1, 1).arccos()
    assert sorted(round(math.degrees(a)) for a in angles.tolist()) == [0, 0, 0, 0, 40]
