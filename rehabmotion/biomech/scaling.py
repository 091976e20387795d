"""Scale factors of a model's bodies, and places of its markers, from where the markers of a person were seen.

With poses known, places of markers are linear in all of them; with them known, poses follow by inverse kinematics. The
two are found in turn, each step of the first allowing for the second. What markers do not tell is held by priors:
bodies scale like the whole, alike along their three axes, left like right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.chain import placed
from rehabmotion.biomech.description import GROUND, Marker, Model
from rehabmotion.biomech.inverse import InverseConfig, inverse_kinematics
from rehabmotion.biomech.jacobian import marker_slopes
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScalingConfig:
    """How factors are found. frames: looked at; turns: of poses and factors.

    whole, shape, sides: weights (m^2) of a body's factors being those of the whole, of one another, and of the other
    side; a tenth off on one axis counts like a marker 1 cm off where the weight is 0.01. place: weight of a marker
    that is not fixed being where the model has it, beside its own in the data.
    """

    frames: int = 24
    turns: int = 6
    whole: float = 0.005
    shape: float = 0.01
    sides: float = 1.0
    place: float = 0.5


@dataclass(frozen=True)
class Scaled:
    """Factors (B, 3) of the model's bodies, and the model with its markers where this person wears them."""

    scales: Tensor
    model: Model


def fit_scales(
    model: Model,
    target: Tensor,
    valid: Tensor,
    weights: Tensor | None = None,
    height_factor: float | None = None,
    config: ScalingConfig | None = None,
) -> Scaled:
    """Return the factors that make a model the person whose markers were seen at target (T, M, 3) m, valid (T, M).

    height_factor: the person's height over the model's, where it is known: the factor bodies tend to; otherwise found.
    Too few markers to tell a size (fewer than three in any frame) raise UserError.
    """
    config = config or ScalingConfig()
    weight = torch.ones(len(model.markers), dtype=torch.float64) if weights is None else weights.double()
    rows = _telling_frames(valid & (weight > 0), config.frames)
    used = (valid[rows] & (weight > 0)).any(dim=0)  # a model may carry markers of several sets
    seen, places, weight = valid[rows][:, used], target[rows][:, used].double(), weight[used]
    weight = weight / weight[weight > 0].mean()
    whole_model = model
    model = model.with_markers(m for m, kept in zip(model.markers, used.tolist(), strict=True) if kept)
    kinematics = Kinematics(model)
    whole = height_factor or 1.0
    scales = torch.full((len(model.bodies), 3), whole, dtype=torch.float64)
    offsets = torch.zeros(len(model.markers), 3, dtype=torch.float64)
    q: Tensor | None = None
    quick = InverseConfig(tolerance=1e-4, iterations=30, sweeps=2, stride=1)
    for turn in range(config.turns):
        worn = Kinematics(_wearing(model, offsets, scales))
        q = inverse_kinematics(worn, places, seen, weight, scales, q, quick).q
        if height_factor is None and turn < 3:  # the size first, then the proportions
            whole *= _size(kinematics, q, places, seen, weight, scales)
            scales = torch.full_like(scales, whole)
            continue
        scales, offsets = _proportions(kinematics, q, places, seen, weight, scales, whole, config)
    everywhere = torch.zeros(len(whole_model.markers), 3, dtype=torch.float64)
    everywhere[used] = offsets
    return Scaled(scales, _wearing(whole_model, everywhere, scales))


def _telling_frames(valid: Tensor, most: int) -> Tensor:
    """Return the numbers of some frames, spread evenly over those in which the most markers are seen."""
    count = valid.sum(dim=1)
    if int(count.max()) < 3:
        raise UserError(f"Expected a frame with three markers or more to tell a size, got at most {int(count.max())}.")
    good = (count >= max(3, int(0.9 * int(count.max())))).nonzero()[:, 0]
    return good[torch.linspace(0, len(good) - 1, min(most, len(good))).round().long()]


def _size(k: Kinematics, q: Tensor, places: Tensor, seen: Tensor, weight: Tensor, scales: Tensor) -> float:
    """Return by how much all bodies should grow together, about their pelvis, to fit best."""
    now, share = k.markers(q, scales), (weight * seen)[..., None]
    total = share.sum(dim=1, keepdim=True)
    a, b = (x - (x * share).sum(dim=1, keepdim=True) / total for x in (now, places.where(seen[..., None], now)))
    return float((share * a * b).sum() / (share * a * a).sum())


def _proportions(
    k: Kinematics,
    q: Tensor,
    places: Tensor,
    seen: Tensor,
    weight: Tensor,
    scales: Tensor,
    whole: float,
    config: ScalingConfig,
) -> tuple[Tensor, Tensor]:
    """Return factors (B, 3) and offsets (M, 3) m in the bodies: least squares, poses following as far as they can.

    What a change of the pose q (F, C) would do as well is taken out of the system first (variable projection, Golub &
    Pereyra 1973): with poses held, factors would creep.
    """
    base, by_scale = _linear(k, q)  # (F, M, 3), (F, M, 3, 3 B)
    bodies, markers = len(k.model.bodies), len(k.model.markers)
    turned = k(q).rotations
    number = {body.name: i for i, body in enumerate(k.model.bodies)}
    by_offset = torch.zeros(*base.shape, markers, 3, dtype=torch.float64)
    free = [i for i, m in enumerate(k.model.markers) if not m.fixed and m.frame.body != GROUND]
    for i in free:
        by_offset[:, i, :, i] = turned[:, number[k.model.markers[i].frame.body]]
    matrix = torch.cat([by_scale, by_offset.flatten(3)], dim=3)
    share = (weight * seen / len(q)).sqrt()[..., None]
    keeps = _beside_poses(k, q, scales, share)
    rows = (keeps @ (matrix * share[..., None]).flatten(1, 2)).flatten(0, 1)
    right = (keeps @ ((places.where(seen[..., None], base) - base) * share).flatten(1)[..., None]).flatten()
    held, wanted = _priors(k.model, whole, config, markers)
    solution = torch.linalg.lstsq(torch.cat([rows, held]), torch.cat([right, wanted])[:, None]).solution[:, 0]
    scales = solution[: 3 * bodies].reshape(bodies, 3)
    offsets = torch.zeros(markers, 3, dtype=torch.float64)
    offsets[free] = solution[3 * bodies :].reshape(markers, 3)[free]
    return scales.clamp(0.5 * whole, 1.6 * whole), offsets


def _beside_poses(k: Kinematics, q: Tensor, scales: Tensor, share: Tensor) -> Tensor:
    """Return projections (F, 3 M, 3 M) on what weighted markers do that no free coordinate does."""
    free = [k.names.index(name) for name in k.model.free()]
    slopes = (marker_slopes(k, q, scales)[1][..., free] * share[..., None]).flatten(1, 2)
    basis, size, _ = torch.linalg.svd(slopes, full_matrices=False)
    basis = basis * (size > 1e-4 * size[:, :1])[:, None]
    return torch.eye(slopes.shape[1], dtype=q.dtype) - basis @ basis.transpose(1, 2)


def _linear(k: Kinematics, q: Tensor) -> tuple[Tensor, Tensor]:
    """Return markers at factors of nought (F, M, 3), and what each factor adds (F, M, 3, 3 B)."""
    n = 3 * len(k.model.bodies)
    basis = torch.cat([torch.zeros(1, n), torch.eye(n)]).double().reshape(1 + n, 1, -1, 3)
    places = k.markers(q[None], basis)  # (1 + n, F, M, 3)
    return places[0], (places[1:] - places[0]).permute(1, 2, 3, 0)


def _priors(model: Model, whole: float, config: ScalingConfig, markers: int) -> tuple[Tensor, Tensor]:
    """Return rows of a least squares system that hold factors and offsets, and their right sides."""
    bodies = len(model.bodies)
    number = {body.name: i for i, body in enumerate(model.bodies)}
    rows: list[tuple[dict[int, float], float]] = []
    for i in range(bodies):
        rows += [({3 * i + a: config.whole**0.5}, config.whole**0.5 * whole) for a in range(3)]
        rows += [({3 * i + a: config.shape**0.5, 3 * i + b: -(config.shape**0.5)}, 0.0) for a, b in ((0, 1), (1, 2))]
    for name, i in number.items():
        other = number.get(name[:-2] + "_l") if name.endswith("_r") else None
        if other is not None:
            tie = config.sides**0.5
            rows += [({3 * i + a: tie, 3 * other + a: -tie}, 0.0) for a in range(3)]
    rows += [({3 * bodies + i: config.place**0.5}, 0.0) for i in range(3 * markers)]
    matrix = torch.zeros(len(rows), 3 * bodies + 3 * markers, dtype=torch.float64)
    for r, (cells, _) in enumerate(rows):
        for column, value in cells.items():
            matrix[r, column] = value
    return matrix, torch.tensor([right for _, right in rows], dtype=torch.float64)


def _wearing(model: Model, offsets: Tensor, scales: Tensor) -> Model:
    """Return the model with markers moved by offsets (M, 3) m in the scaled bodies; their places are unscaled ones."""
    number = {body.name: i for i, body in enumerate(model.bodies)}
    moved: list[Marker] = []
    for marker, offset in zip(model.markers, offsets.numpy(), strict=True):
        if not offset.any():
            moved.append(marker)
            continue
        factors = scales[number[marker.frame.body]].numpy()
        rotation = placed(marker.frame)[0]
        x, y, z = (np.array(marker.location) + rotation.T @ offset / factors).tolist()
        moved.append(replace(marker, location=(x, y, z)))
    return model.with_markers(moved)
