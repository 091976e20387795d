"""Several steps instead of one: from placed markers of a clip by scaling and inverse kinematics to angles."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.inverse import inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import ScalingConfig, fit_scales
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.workflows.direct.errors import Found

UPRIGHT = (1.0, -1.0, -1.0)  # from a camera's axes, y down and z away, to ground's
SCALING = ScalingConfig(frames=8, turns=5)  # of a clip: a person does not change size within one


def solved_clip(body: Model, layer: SkeletalLayer, markers: Tensor) -> Found:
    """Return what markers (T, M, 3) m in the camera's axes, of one clip, tell of a person.

    body: the model, with its own ranges. Markers are its own, so they stay where it has them; all frames tell one
    size.
    """
    model = fixed_markers(body)
    turn = torch.tensor(UPRIGHT, dtype=torch.float64)
    target = markers.double() * turn
    valid = torch.ones(target.shape[:2], dtype=torch.bool)
    scaled = fit_scales(model, target, valid, config=SCALING)
    kinematics = Kinematics(scaled.model)
    q = inverse_kinematics(kinematics, target, valid, scales=scaled.scales).q
    root = turn[:, None] * kinematics(q, scaled.scales).rotations[:, layer.root - 1]
    columns = [kinematics.names.index(name) for name in layer.targets.coordinates]
    angles, scales = q[:, columns].float(), scaled.scales.float().expand(len(q), -1, 3)
    with torch.no_grad():
        places = layer.places(root.float(), angles, scales)
    return Found(root.float(), angles, scales, places.joints, places.markers)


def fixed_markers(model: Model) -> Model:
    """Return the model with markers that scaling does not move."""
    return model.with_markers(replace(marker, fixed=True) for marker in model.markers)
