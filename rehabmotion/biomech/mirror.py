"""The mirror image of a pose of rehab37, and of every model that names and signs its coordinates as Rajagopal2016."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

NEGATED = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")


def swapped(name: str) -> str:
    """Return the name of the other side: `knee_angle_r` -> `knee_angle_l`, `femur_l` -> `femur_r`; others stay."""
    if name.endswith(("_r", "_l")):
        return name[:-1] + ("l" if name.endswith("r") else "r")
    return name


def mirrored(q: Tensor, names: Sequence[str]) -> Tensor:
    """Return coordinates (..., C) of the pose reflected at the plane z = 0 of ground; bodies reflect exactly."""
    columns = [names.index(swapped(name)) for name in names]
    signs = torch.tensor([-1.0 if name in NEGATED else 1.0 for name in names], dtype=q.dtype, device=q.device)
    return q[..., columns] * signs
