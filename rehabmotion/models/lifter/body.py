"""The body that the lifter moves: rehab37 by rotations of its ball joints, angles of its hinges, tied scale factors.

Networks predict rotations of ball joints better than their three angles, which jump where they cannot be told apart;
angles follow from them. Everything stands in the camera's axes, the pelvis at the origin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.kinematics import Kinematics, Scales
from rehabmotion.biomech.landmarks import POINT, with_landmarks
from rehabmotion.errors import UserError

ROOT = "ground_pelvis"
BALLS = ("hip_r", "hip_l", "back", "acromial_r", "acromial_l")
HINGES = (
    "knee_angle_r", "knee_angle_l", "ankle_angle_r", "ankle_angle_l", "elbow_flex_r", "elbow_flex_l", "pro_sup_r",
    "pro_sup_l",
)  # fmt: skip
TIED: dict[str, tuple[str, ...]] = {  # one size for both sides: bodies that grow together
    "pelvis": ("pelvis",),
    "torso": ("torso",),
    "femur": ("femur_r", "femur_l"),
    "tibia": ("tibia_r", "tibia_l", "patella_r", "patella_l"),
    "foot": ("talus_r", "talus_l", "calcn_r", "calcn_l", "toes_r", "toes_l"),
    "humerus": ("humerus_r", "humerus_l"),
    "forearm": ("ulna_r", "ulna_l", "radius_r", "radius_l"),
    "hand": ("hand_r", "hand_l"),
}
N_SCALES = 3 * len(TIED)
DENSE = "_study"  # how the names of the 43 augmented markers end, hip centres apart


class Body(nn.Module):
    """rehab37 with the points a detector sees. markers: those that are placed, points first, then the dense ones."""

    signs: Tensor
    groups: Tensor

    def __init__(self, model: Model, points: tuple[str, ...]) -> None:
        super().__init__()
        if not set(BALLS) <= {joint.name for joint in model.joints}:
            raise UserError(f"Expected rehab37, got the model {model.name}: its joints have other names.")
        whole = with_landmarks(model, points)
        chosen = [m for m in whole.markers if m.name.startswith(POINT)]
        chosen += [m for m in whole.markers if DENSE in m.name and "HJC" not in m.name]
        chosen += [m for m in whole.markers if "HJC" in m.name]
        self.model = whole.with_markers(chosen)
        self.kinematics = Kinematics(self.model, torch.float32)
        self.names = self.kinematics.names
        joints = [model.joints[i] for i in model.order]
        self.rows = [[j.name for j in joints].index(name) for name in (ROOT, *BALLS)]
        turning = [joints[row].rotations for row in self.rows]
        self.ball_columns = [[self.names.index(str(axis.coordinate)) for axis in axes] for axes in turning]
        self.hinge_columns = [self.names.index(name) for name in HINGES]
        signs = torch.tensor([[sum(axis.direction) for axis in axes] for axes in turning])
        self.points = points
        self.hips = [points.index("left_hip"), points.index("right_hip")]
        bodies = [body.name for body in model.bodies]
        groups = torch.zeros(len(TIED), len(bodies))
        for i, members in enumerate(TIED.values()):
            groups[i, [bodies.index(name) for name in members]] = 1.0
        self.register_buffer("signs", signs, persistent=False)
        self.register_buffer("groups", groups, persistent=False)

    @property
    def turned_columns(self) -> list[int]:
        """The coordinates that are predicted, as errors are counted: three of each ball joint, root first; hinges."""
        return [c for columns in self.ball_columns for c in columns] + self.hinge_columns

    def untied(self, tied: Tensor) -> Tensor:
        """Return factors of bodies (..., B, 3) from tied ones (..., 3 x 8)."""
        return torch.einsum("gb,...gx->...bx", self.groups, tied.unflatten(-1, (-1, 3)))

    def tied(self, scales: Tensor) -> Tensor:
        """Return tied factors (..., 24) of bodies' factors (..., B, 3): means of those that grow together."""
        share = self.groups / self.groups.sum(dim=1, keepdim=True)
        return torch.einsum("gb,...bx->...gx", share, scales).flatten(-2)

    def rotations(self, q: Tensor) -> Tensor:
        """Return rotations (..., 6, 3, 3) of root and ball joints from coordinates (..., C)."""
        angles = torch.stack([q[..., columns] for columns in self.ball_columns], dim=-2) * self.signs
        return from_angles(angles)

    def coordinates(self, rotations: Tensor, hinges: Tensor) -> Tensor:
        """Return coordinates (..., C) from rotations (..., 6, 3, 3), hinges (..., 8); the rest are 0.

        The middle angle of a ball joint lies within 90 degrees; other angles may make the same rotation.
        """
        q = hinges.new_zeros(*hinges.shape[:-1], len(self.names))
        angles = to_angles(rotations) * self.signs
        for i, columns in enumerate(self.ball_columns):
            q[..., columns] = angles[..., i, :]
        q[..., self.hinge_columns] = hinges
        return q

    def places(self, rotations: Tensor, hinges: Tensor, tied: Tensor) -> Tensor:
        """Return markers (B, T, M, 3) m, the pelvis at the origin.

        rotations (B, T, 6, 3, 3), hinges (B, T, 8), tied factors (B, 24).
        """
        k, (b, t) = self.kinematics, hinges.shape[:2]
        q = hinges.new_zeros(b * t, len(self.names))
        q = q.index_copy(1, torch.tensor(self.hinge_columns, device=q.device), hinges.flatten(0, 1))
        factors = self.untied(tied)[:, None].expand(b, t, -1, 3)
        columns, scales, _ = k.flat(q, factors.flatten(0, 1))
        f = k.values(columns)
        local, turned = k.turned(f)
        rows = torch.tensor(self.rows, device=q.device)
        local = local.index_copy(2, rows, rotations.flatten(0, 1).permute(2, 3, 1, 0))
        return self._points(k, local, f[3:], scales, turned).permute(2, 1, 0).unflatten(0, (b, t))

    @staticmethod
    def _points(k: Kinematics, local: Tensor, slid: Tensor, scales: Scales, turned: tuple[Tensor, Tensor]) -> Tensor:
        return k.points(k.stood(local, slid, scales, turned), scales)


def from_angles(angles: Tensor) -> Tensor:
    """Return R_z(a) R_x(b) R_y(c) (..., 3, 3) of angles (..., 3)."""
    (sa, sb, sc), (ca, cb, cc) = angles.sin().unbind(-1), angles.cos().unbind(-1)
    rows = [
        ca * cc - sa * sb * sc, -sa * cb, ca * sc + sa * sb * cc,
        sa * cc + ca * sb * sc, ca * cb, sa * sc - ca * sb * cc,
        -cb * sc, sb, cb * cc,
    ]  # fmt: skip
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def to_angles(rotation: Tensor) -> Tensor:
    """Return the angles (..., 3) of R_z(a) R_x(b) R_y(c), b within 90 degrees of 0."""
    a = torch.atan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    b = torch.asin(rotation[..., 2, 1].clamp(-1, 1))  # no slope at the ends
    c = torch.atan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    return torch.stack([a, b, c], dim=-1)


def from_six(six: Tensor) -> Tensor:
    """Return rotations (..., 3, 3) whose first two columns follow six numbers (..., 6) by Gram-Schmidt.

    Zhou et al. 2019, On the Continuity of Rotation Representations in Neural Networks.
    """
    x, y = six[..., :3], six[..., 3:]
    x = torch.nn.functional.normalize(x, dim=-1)
    y = torch.nn.functional.normalize(y - (x * y).sum(dim=-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)
