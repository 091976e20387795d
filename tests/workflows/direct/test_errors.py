"""Errors of clips in closed form; intervals of differences are paired."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.rotations import turn
from rehabmotion.models.direct.targets import TargetsConfig, targets_of
from rehabmotion.workflows.direct.data import Material
from rehabmotion.workflows.direct.errors import Found, clip_errors, difference, summary

TARGETS = targets_of(TargetsConfig(), open_osim("rehab37"))


def truth(little: Material) -> Found:
    x = little.held_out.frames.labels
    return Found(x.root, x.coordinates, x.scales, x.joints, x.markers)


def errors(little: Material, found: Found) -> dict:
    return clip_errors(found, little.held_out.frames, TARGETS)


def test_the_truth_has_no_errors(little: Material) -> None:
    found = errors(little, truth(little))
    assert all(abs(v) < 0.06 for values in found.values() for v in values)  # root: arc cosine's rounding
    assert len(found["joint_mm"]) == len(little.held_out.person)


def test_known_offsets_are_told(little: Material) -> None:
    true = truth(little)
    knee = TARGETS.coordinates.index("knee_angle_r")
    angles = true.coordinates.clone()
    angles[:, knee] += 0.1
    joints = true.joints + torch.tensor([0.003, 0.0, 0.004])
    root = true.root @ turn(torch.tensor(0.2), 1)
    found = errors(little, replace(true, coordinates=angles, joints=joints, root=root, scales=true.scales + 0.05))
    n = len(little.held_out.person)
    assert found["angle:knee_angle_r"] == pytest.approx([np.degrees(0.1)] * n, abs=1e-3)
    assert found["angle:ankle_angle_r"] == pytest.approx([0.0] * n, abs=1e-4)
    known = little.held_out.frames.labels.coordinate_mask[little.held_out.frames.clip == 0].sum(dim=1)
    assert found["angle_deg"][0] == pytest.approx(float((np.degrees(0.1) / known).mean()), abs=1e-3)
    assert found["joint_mm"][0] == pytest.approx(5.0, abs=1e-3)
    assert found["root_deg"][0] == pytest.approx(np.degrees(0.2), abs=0.01)
    assert found["scale_percent"][0] == pytest.approx(5.0, abs=1e-3)
    assert found["jitter_deg"][0] == pytest.approx(0.0, abs=1e-3)  # a constant error does not shake
    assert found["turn_deg"][0] < 0.06
    angles[:, TARGETS.coordinates.index("hip_flexion_r")] += 0.1  # about one axis: the whole rotation is off by as much
    assert errors(little, replace(true, coordinates=angles))["turn_deg"][0] == pytest.approx(
        np.degrees(0.1) / 5, abs=0.06
    )


def test_unknown_angles_are_left_out_and_nothing_known_is_none(little: Material) -> None:
    frames = little.held_out.frames
    mask = torch.zeros_like(frames.labels.coordinate_mask)
    mask[frames.clip == 0] = frames.labels.coordinate_mask[frames.clip == 0]
    partly = replace(frames, labels=replace(frames.labels, coordinate_mask=mask))
    found = clip_errors(truth(little), partly, TARGETS)
    assert found["angle_deg"] == [pytest.approx(0.0, abs=1e-3), None]
    assert summary(found, little.held_out.person)["angle_deg"]["value"] == pytest.approx(0.0, abs=1e-3)
    nothing = summary({"angle_deg": [None, None]}, little.held_out.person)
    assert nothing["angle_deg"] == {"value": None, "ci": None}


def test_differences_are_paired() -> None:
    """Clips differ much, the two runs by 1 each: the interval is of the difference, not of the clips."""
    hard = {"angle_deg": [1.0, 30.0, 5.0, 60.0]}
    harder = {"angle_deg": [2.0, 31.0, 6.0, 61.0]}
    people = ["a", "a", "b", "b"]
    assert difference(hard, harder, people, "angle_deg") == {"value": -1.0, "ci": [-1.0, -1.0]}
    low, high = summary(hard, people)["angle_deg"]["ci"]
    assert high - low > 10
