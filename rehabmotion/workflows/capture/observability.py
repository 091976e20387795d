"""What one view can show: how well a camera tells each coordinate, from the Jacobian of the reprojection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.jacobian import marker_slopes
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.reprojection import View

Array = NDArray[np.float64]
POINT = 0.025  # m: how far a point is seen off
LOOSE = 0.6  # rad, m: how far a coordinate might be anyway
HIDDEN = 0.8  # of that: a view that leaves so much open does not show a coordinate
WIDER = 1.5  # by which the band of such a coordinate is widened
SHARE = 0.5  # of the frames in which it must be hidden to be told
LOOKED_AT = 120  # frames


def spread_of(k: Kinematics, q: torch.Tensor, scales: torch.Tensor, view: View) -> Array:
    """Return how far each free coordinate (T', F) could be off unnoticed in some frames, rad or m: one deviation.

    The covariance of the coordinates for points seen POINT off, when each may be LOOSE off anyway: inverse of J'J.
    """
    rows = torch.linspace(0, len(q) - 1, min(LOOKED_AT, len(q))).round().long().unique()
    free = torch.tensor([k.names.index(name) for name in k.model.free()])
    n = view.rays.shape[1]
    with torch.no_grad():
        _, slopes = marker_slopes(k, q[rows], scales)
        across = view.across()[rows] * view.weight[rows].clamp(0, 1).sqrt()[..., None, None]
        j = (across @ slopes[:, :n][..., free]).flatten(1, 2) / POINT
        normal = j.transpose(1, 2) @ j + torch.eye(len(free), dtype=q.dtype) / LOOSE**2
        covariance = torch.linalg.inv(normal)
    return covariance.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt().numpy()


def hidden_coordinates(k: Kinematics, q: torch.Tensor, scales: torch.Tensor, view: View) -> list[str]:
    """Return the rotational coordinates that the view does not show in half of the frames or more."""
    kinds = {c.name: c.motion for c in k.model.coordinates}
    names = k.model.free()
    share = (spread_of(k, q, scales, view) > HIDDEN * LOOSE).mean(axis=0)
    return [n for n, s in zip(names, share, strict=True) if s > SHARE and kinds[n] == "rotational"]


def told(names: Sequence[str]) -> list[str]:
    """Return the warning of coordinates that cannot be seen, none where all can."""
    if not names:
        return []
    its = "Its values are" if len(names) == 1 else "Their values are"
    return [f"{', '.join(names)} can hardly be seen from this view. {its} marked low confidence."]
