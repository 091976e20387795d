"""Inverse kinematics, scaling and smoothing: known poses and people are found again, limits and gaps respected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osim_made as made
import pytest
import torch

from rehabmotion.biomech.branches import nearest_branch
from rehabmotion.biomech.fitting import Problem
from rehabmotion.biomech.inverse import inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import fit_scales
from rehabmotion.biomech.trajectory import smooth
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim

REHAB = open_osim("rehab37")
BODY = Kinematics(REHAB)


def exercise(n: int = 24, seed: int = 0) -> torch.Tensor:
    """Return coordinates (T, C) of a person who walks about, turns round, and moves every joint inside its range."""
    rng = np.random.default_rng(seed)
    q = BODY.default.expand(n, -1).clone()
    t = np.linspace(0, 1, n)
    for i, c in enumerate(REHAB.coordinates):
        if c.name in REHAB.free() and c.motion == "rotational" and c.name != "pelvis_rotation":
            low, high = max(c.range[0], -1.0), min(c.range[1], 1.4)
            wave = np.sin(2 * np.pi * (rng.uniform(0.3, 0.8) * t + rng.uniform()))
            q[:, i] = torch.from_numpy((low + high) / 2 + 0.4 * (high - low) * wave)
    q[:, REHAB_NUMBER["pelvis_rotation"]] = torch.from_numpy(2.0 + 2.5 * t)
    q[:, REHAB_NUMBER["pelvis_tx"]] = torch.from_numpy(3.0 + t)
    return BODY.coupled(q)


REHAB_NUMBER = {name: i for i, name in enumerate(BODY.names)}


def seen(places: torch.Tensor) -> torch.Tensor:
    return torch.ones(places.shape[:2], dtype=torch.bool)


def all_seen(places: torch.Tensor) -> Problem:
    return Problem(BODY, places, torch.ones(places.shape[:2], dtype=torch.float64))


def test_poses_without_noise_are_found_again() -> None:
    q = exercise()
    places = BODY.markers(q)
    found = inverse_kinematics(BODY, places, seen(places))
    assert float(found.rms.max()) < 1e-6
    free = [REHAB_NUMBER[name] for name in REHAB.free()]
    apart = (found.q - nearest_branch(all_seen(places), q))[:, free]
    turns = [i for i, n in enumerate(free) if REHAB.coordinates[n].motion == "rotational"]
    apart[:, turns] = torch.remainder(apart[:, turns] + np.pi, 2 * np.pi) - np.pi
    assert float(apart.abs().quantile(0.98)) < 1e-4


def test_markers_not_seen_are_not_read_and_weights_count() -> None:
    q = exercise(6)
    places = BODY.markers(q)
    valid = seen(places)
    valid[:, ::3] = False
    spoilt = torch.where(valid[..., None], places, torch.full_like(places, torch.nan))
    found = inverse_kinematics(BODY, spoilt, valid)
    assert float(found.rms.max()) < 1e-5
    assert torch.isnan(found.errors[:, ::3]).all()
    weights = torch.ones(len(REHAB.markers))
    weights[1] = 0.0
    moved = places.clone()
    moved[:, 1] += 0.5
    assert float(inverse_kinematics(BODY, moved, seen(places), weights).rms.max()) < 1e-5


def test_limits_hold_and_are_told(tmp_path: Path) -> None:
    """A hinge up to 2 rad, asked for 2.5: it stands at 2. Locked, it stands at its default."""
    for more, expected in (("<clamped>true</clamped>", 2.0), ("", 2.5), ("<locked>true</locked>", 0.25)):
        joint = made.joint("PinJoint", "hinge", "ground", "arm", made.coordinate("bend", 0.25, more))
        joint += made.joint("SliderJoint", "rail", "arm", "hand", made.coordinate("out"))
        markers = "".join(made.marker(f"m{i}", "arm", place) for i, place in enumerate(("1 0 0", "0 1 0", "0 0 1")))
        model = read_osim(made.written(tmp_path / "m.osim", made.document(["arm", "hand"], joint, markers)))
        k = Kinematics(model)
        places = k.markers(torch.tensor([[2.5, 0.0]] * 2, dtype=torch.float64))
        found = inverse_kinematics(k, places, seen(places))
        assert found.q[0, 0].item() == pytest.approx(expected, abs=1e-6)
        assert bool(found.limited[0, 0]) is (expected == 2.0)


def test_two_markers_are_too_few() -> None:
    places = BODY.markers(exercise(3))
    valid = seen(places)
    valid[1, 2:] = False
    with pytest.raises(UserError, match="frame 1 has fewer"):
        inverse_kinematics(BODY, places, valid)


def test_a_person_of_other_size_is_found() -> None:
    """Markers of somebody larger, with longer thighs and a broad pelvis: factors come back to 1.5 % or so."""
    q = exercise(24)
    scales = torch.full((len(REHAB.bodies), 3), 1.1, dtype=torch.float64)
    number = {body.name: i for i, body in enumerate(REHAB.bodies)}
    for side in "rl":
        scales[number[f"femur_{side}"], 1] *= 1.08
        scales[number[f"humerus_{side}"], 1] *= 0.94
    scales[number["pelvis"], 2] *= 1.1
    fixed = REHAB.with_markers(tuple(type(m)(m.name, m.frame, m.location, True) for m in REHAB.markers))
    places = Kinematics(fixed).markers(q, scales)
    found = fit_scales(fixed, places, seen(places)).scales
    for body, axis in (("femur_r", 1), ("humerus_l", 1), ("pelvis", 2), ("torso", 1), ("tibia_r", 1)):
        assert float(found[number[body], axis]) == pytest.approx(float(scales[number[body], axis]), rel=0.018), body


def test_markers_worn_elsewhere_are_found() -> None:
    """Two markers worn 2 cm off on the thigh and the trunk: most of it is found, the others stay."""
    q = exercise(24)
    number = {marker.name: i for i, marker in enumerate(REHAB.markers)}
    worn = list(REHAB.markers)
    for name in ("RTHI", "C7"):
        m = worn[number[name]]
        x, y, z = m.location
        worn[number[name]] = type(m)(m.name, m.frame, (x, y + 0.02, z), m.fixed)
    places = Kinematics(REHAB.with_markers(worn)).markers(q)
    found = fit_scales(REHAB, places, seen(places), height_factor=1.0).model
    moved = np.array([m.location for m in found.markers]) - np.array([m.location for m in REHAB.markers])
    for name in ("RTHI", "C7"):
        assert moved[number[name], 1] > 0.01
    others = [i for name, i in number.items() if name not in ("RTHI", "C7")]
    assert np.linalg.norm(moved[others], axis=1).max() < 0.006


def test_a_smooth_trajectory_is_nearer_the_truth_than_frame_by_frame() -> None:
    q = exercise(60)
    q[:, [i for name, i in REHAB_NUMBER.items() if name.startswith("arm_")]] *= (
        0.2  # far from the shoulder's twin angles
    )
    rng = np.random.default_rng(1)
    places = BODY.markers(q)
    noisy = places + torch.from_numpy(rng.normal(0, 0.01, places.shape))
    alone = inverse_kinematics(BODY, noisy, seen(places), start=q)
    problem = all_seen(noisy)
    q = nearest_branch(problem, q)
    together = smooth(problem, alone.q, fps=30.0, seconds=0.05)
    before, after = ((s.q - q).square().mean().sqrt() for s in (alone, together))
    assert float(after) < 0.8 * float(before)
    assert float(together.q.diff(2, dim=0).square().mean()) < 0.5 * float(alone.q.diff(2, dim=0).square().mean())


def test_of_equal_poses_the_one_near_the_default_is_told() -> None:
    """Twins of both shoulders and a whole turn of the pelvis: the same poses, brought back."""
    q = exercise(8)
    q[:, REHAB_NUMBER["pelvis_rotation"]] = torch.linspace(0.2, 0.6, 8, dtype=torch.float64)
    q[:, [REHAB_NUMBER[f"arm_{axis}_r"] for axis in ("flex", "add", "rot")]] = torch.tensor([0.3, -0.4, 0.2]).double()
    problem = all_seen(BODY.markers(q))
    other = q.clone()
    other[:, REHAB_NUMBER["pelvis_rotation"]] += 2 * np.pi
    other[:, REHAB_NUMBER["arm_flex_r"]] += np.pi
    other[:, REHAB_NUMBER["arm_add_r"]] = -np.pi - other[:, REHAB_NUMBER["arm_add_r"]]
    other[:, REHAB_NUMBER["arm_rot_r"]] += np.pi
    np.testing.assert_allclose(BODY.markers(other), BODY.markers(q), atol=1e-12)
    np.testing.assert_allclose(nearest_branch(problem, other), q, atol=1e-9)


def test_smoothing_nothing_changes_nothing() -> None:
    q = exercise(12)
    places = BODY.markers(q)
    problem = all_seen(places)
    assert float((smooth(problem, q, 30.0, seconds=0.0).q - q).abs().max()) < 1e-8
