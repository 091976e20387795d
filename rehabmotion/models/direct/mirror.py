"""A person and their mirror image: what labels become when a picture is flipped.

Which coordinates change sides and sign is found by moving the model, not from a list. A model whose left is not its
right reflected (the paper's couples one shoulder only) is refused instead of being taught wrongly.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.scales import other_side
from rehabmotion.models.direct.targets import Targets

Array = NDArray[np.float64]
STEP = 0.2  # rad or m: how far coordinates are moved to see what they do
CLOSE = 1e-3  # m and of matrices: a reflection that is exact but for rounding in the file
CLOSE_POINT = 0.005  # m: two points of the skin that are one another's reflection


class Mirror:
    """Reflections of what a network is asked for. source (C,), sign (C,), bodies (B,): q' = sign q[source]."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        model = targets.model
        self.kinematics = Kinematics(model.with_markers(()))
        names = [body.name for body in model.bodies]
        self.root_body = names.index(targets.root.child.body)
        self.bodies = torch.tensor([names.index(other_side(name, names)) for name in names])
        rotation, place = self._pose(torch.zeros(1, len(targets.coordinates), dtype=torch.float64))
        self.across = self._plane(place[0])
        flip = np.diag(self.across)
        other = self.bodies.numpy()
        self.frames = np.swapaxes(rotation[0][other], 1, 2) @ flip @ rotation[0]  # of a body in the other's, (B, 3, 3)
        self.axes = torch.from_numpy(np.abs(self.frames).argmax(axis=1))  # of the other body, for each of its own
        if (np.sort(self.axes.numpy(), axis=1) != np.arange(3)).any():
            raise UserError(
                "Expected bodies whose frames are reflections, axis by axis, of the other side's, got others."
            )
        self.source, self.sign = self._signs()

    def coordinates(self, q: Tensor) -> Tensor:
        """Return the coordinates (..., C) of the mirror image."""
        return q[..., self.source.to(q.device)] * self.sign.to(q)

    def coordinate_mask(self, mask: Tensor) -> Tensor:
        """Return which coordinates (..., C) of the mirror image are known."""
        return mask[..., self.source.to(mask.device)]

    def scales(self, scales: Tensor) -> Tensor:
        """Return the scale factors (..., B, 3) of the mirror image."""
        flat = (3 * torch.arange(len(self.bodies))[:, None] + torch.arange(3)).flatten()
        to = (3 * self.bodies[:, None] + self.axes).flatten()
        return scales.flatten(-2)[..., flat[to.argsort()].to(scales.device)].unflatten(-1, (-1, 3))

    def root(self, rotation: Tensor) -> Tensor:
        """Return the root's rotation (..., 3, 3) in a camera whose x axis, the picture's width, is turned round."""
        return rotation.new_tensor([-1.0, 1.0, 1.0])[:, None] * rotation * torch.from_numpy(self.across).to(rotation)

    def labels(self, labels: Labels, layer: SkeletalLayer) -> Labels:
        """Return the labels of flipped pictures; places are computed anew.

        Whether a point is in the picture follows from its partner on the other side; a marker that has none (some sets
        mark one side only) is then unknown.
        """
        root, scales = self.root(labels.root), self.scales(labels.scales)
        coordinates = self.coordinates(labels.coordinates.masked_fill(~labels.coordinate_mask, 0.0))
        known = self.coordinate_mask(labels.coordinate_mask)
        places = layer.places(root, coordinates, scales)
        joints, markers = self._partners(layer)
        joint_mask, marker_mask = _moved(labels.joint_mask, joints), _moved(labels.marker_mask, markers)
        whole = known.all(dim=-1, keepdim=True)  # one unknown coordinate makes places unknown
        return Labels(
            root, scales, coordinates, known, places.joints, joint_mask & whole, places.markers, marker_mask & whole
        )

    def _partners(self, layer: SkeletalLayer) -> tuple[Tensor, Tensor]:
        """Return the numbers of the joints and markers on the other side, -1: none."""
        eye, ones = torch.eye(3), torch.ones(len(self.bodies), 3)
        layer_at = layer.start.device
        places = layer.places(
            eye.to(layer_at), torch.zeros(len(self.targets.coordinates), device=layer_at), ones.to(layer_at)
        )
        flip = torch.from_numpy(self.across).to(places.joints)
        return _nearest(places.joints, places.joints * flip), _nearest(places.markers, places.markers * flip)

    def _pose(self, chosen: Tensor) -> tuple[Array, Array]:
        """Return rotations (N, B, 3, 3) and origins (N, B, 3) in the root's body, for coordinates (N, C) asked for."""
        k = self.kinematics
        where = torch.tensor([k.names.index(name) for name in self.targets.coordinates])
        pose = k(k.default.expand(len(chosen), -1).index_copy(-1, where, chosen))
        turn = pose.rotations[:, [self.root_body]].transpose(-1, -2)
        place = (turn @ (pose.positions - pose.positions[:, [self.root_body]])[..., None])[..., 0]
        return (turn @ pose.rotations).numpy(), place.numpy()

    def _plane(self, place: Array) -> Array:
        """Return the diagonal of the reflection, in the axes of the root's body, that swaps the sides at rest."""
        errors = []
        for flip in 1.0 - 2.0 * np.eye(3)[::-1]:  # z first: OpenSim's axis to the right
            errors.append((float(np.abs(place * flip - place[self.bodies.numpy()]).max()), flip))
        error, flip = min(errors, key=lambda pair: pair[0])
        if error > CLOSE:
            raise UserError(f"Expected a model whose sides are reflections, at rest they differ by {error:.3f} m.")
        return np.asarray(flip)

    def _signs(self) -> tuple[Tensor, Tensor]:
        names = self.targets.coordinates
        source, sign = [], []
        for name in names:
            i, j = names.index(name), names.index(other_side(name, names))
            errors = {s: self._error(i, j, s) for s in (1.0, -1.0)}
            best = min(errors, key=lambda s: errors[s])
            if errors[best] > CLOSE:
                raise UserError(
                    f'Expected "{name}" and "{names[j]}" to be reflections of one another, they are not. '
                    "Do not flip pictures with this model."
                )
            source.append(j)
            sign.append(best)
        return torch.tensor(source), torch.tensor(sign)

    def _error(self, i: int, j: int, sign: float) -> float:
        """Return by how much moving coordinate j by `sign` is no reflection of moving coordinate i."""
        q = torch.zeros(2, len(self.targets.coordinates), dtype=torch.float64)
        q[0, i], q[1, j] = STEP, sign * STEP
        rotation, place = self._pose(q)
        other, flip = self.bodies.numpy(), np.diag(self.across)
        turned = flip @ rotation[0] @ np.swapaxes(self.frames, 1, 2)
        return max(
            float(np.abs(place[1][other] - place[0] * self.across).max()),
            float(np.abs(rotation[1][other] - turned).max()),
        )


def _nearest(places: Tensor, mirrored: Tensor) -> Tensor:
    """Return for each place the number of that whose mirror image it is, -1: none; one in the middle is its own."""
    if not len(places):
        return torch.zeros(0, dtype=torch.long)
    far, number = torch.cdist(places, mirrored).min(dim=1)
    return torch.where(far < CLOSE_POINT, number, -1)


def _moved(mask: Tensor, source: Tensor) -> Tensor:
    return mask[..., source] & (source >= 0)
