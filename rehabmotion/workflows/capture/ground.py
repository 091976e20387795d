"""Where the floor is: against gravity as the lifter says, corrected by where the feet stand, and how high it lies."""

from __future__ import annotations

import torch
from torch import Tensor

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.models.lifter.apply import Skeletons
from rehabmotion.models.lifter.body import from_angles, to_angles

SOLE = 0.03  # m: of the markers of a standing foot the lowest is above the floor
OFF = 0.04  # m: how far a standing foot is found off the floor
SLOPE = 0.12  # how far gravity is off, as a slope of the floor
SECONDS = 0.5  # in which a foot stands once
PELVIS = [0, 1, 2]  # tilt, list, rotation


def ground_axes(skeletons: Skeletons, confidence: Tensor) -> Tensor:
    """Return (3, 3), ground -> camera: y against gravity, x where the pelvis faces in the first second it is seen."""
    seen = (confidence.amax(dim=1) > 0).nonzero()[:, 0]
    up = skeletons.up.double()
    ahead = skeletons.rotations[seen[:30], 0, :, 0].double().mean(dim=0)
    ahead = torch.nn.functional.normalize(ahead - (ahead @ up) * up, dim=0)
    return torch.stack([ahead, up, torch.linalg.cross(ahead, up)], dim=1)


def levelled(q: Tensor, kinematics: Kinematics, scales: Tensor, camera: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """Return coordinates (T, C) and ground -> camera with the ground turned so that who walks does not climb.

    A plane through the lower foot of every half second, by least squares; slopes tend to 0 as far as gravity is known,
    so that a person on the spot changes nothing.
    """
    with torch.no_grad():
        feet = kinematics.markers(q, scales)[:, _soles(kinematics)]
    lowest = feet[..., 1].argmin(dim=1)
    stood = feet[torch.arange(len(feet)), lowest]
    parts = torch.arange(len(q)).split(max(1, round(SECONDS * fps)))
    low = torch.stack([stood[part][stood[part][:, 1].argmin()] for part in parts])
    middle = low.mean(dim=0)
    x, h = (low - middle)[:, [0, 2]], (low - middle)[:, 1]
    normal = x.T @ x / OFF**2 + torch.eye(2, dtype=q.dtype) / SLOPE**2
    b, c = torch.linalg.solve(normal, x.T @ h / OFF**2).tolist()
    up = torch.nn.functional.normalize(torch.tensor([-b, 1.0, -c], dtype=q.dtype), dim=0)
    ahead = torch.nn.functional.normalize(torch.tensor([1.0, 0.0, 0.0], dtype=q.dtype) - up[0] * up, dim=0)
    turn = torch.stack([ahead, up, torch.linalg.cross(ahead, up)])  # old ground -> new
    out = q.clone()
    angles = to_angles(turn @ from_angles(q[:, PELVIS]))
    out[:, PELVIS] = angles + 2 * torch.pi * ((q[:, PELVIS] - angles) / (2 * torch.pi)).round()
    out[:, 3:6] = q[:, 3:6] @ turn.T  # about the camera, which stands at the origin
    return out, camera @ turn.T


def on_the_floor(q: Tensor, kinematics: Kinematics, scales: Tensor) -> tuple[Tensor, Tensor]:
    """Return coordinates with the lowest feet on y = 0, the pelvis beginning above the origin; the camera's place."""
    soles = _soles(kinematics)
    with torch.no_grad():
        feet = kinematics.markers(q, scales)[:, soles, 1].amin(dim=1)
    thick = SOLE * scales[[b.name for b in kinematics.model.bodies].index("calcn_r"), 1]
    shift = torch.stack([q[0, 3], torch.quantile(feet, 0.1) - thick, q[0, 5]])
    out = q.clone()
    out[:, 3:6] -= shift
    return out, -shift


def _soles(kinematics: Kinematics) -> list[int]:
    names = [m.name for m in kinematics.model.markers]
    return [names.index(f"{side}_{part}_study") for side in "rL" for part in ("calc", "toe", "5meta")]
