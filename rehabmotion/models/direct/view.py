"""Augmentations that move the camera: roll, zoom and shift of pictures as another camera would have seen them.

Turning a camera about its centre moves pixels by a homography and turns what is seen: labels are turned along. Cameras
look along z, x to the right and y down in the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.direct.augment import checked, drawn
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.rotations import turn

MODES = ("nearest", "bilinear")


@dataclass(frozen=True)
class View:
    """A camera beside the one that took the picture. rotation (B, 3, 3) carries what is seen into it.

    homography (B, 3, 3): from pixels (x, y, 1) of the picture to its own; pixel centres lie at 0.5, 1.5, ...
    """

    rotation: Tensor
    homography: Tensor

    def images(self, images: Tensor, mode: str = "nearest") -> Tensor:
        """Return pictures (B, 3, H, W) as the camera saw them; black beyond. The paper samples the nearest pixel."""
        b, _, h, w = checked(images).shape
        if mode not in MODES or len(self.homography) != b:
            raise UserError(f"Expected {len(self.homography)} images and {' or '.join(MODES)}, got {b} and {mode!r}.")
        y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
        here = torch.stack([x, y, torch.ones_like(x)], dim=-1).to(images)
        back = torch.linalg.inv(self.homography).to(images)
        there = torch.einsum("bij,hwj->bhwi", back, here)
        there = there[..., :2] / there[..., 2:] / here.new_tensor([w, h]) * 2 - 1
        return F.grid_sample(images, there, mode=mode, padding_mode="zeros", align_corners=False)

    def labels(self, labels: Labels) -> Labels:
        """Return labels (B, ...) as this camera has them. Masks are as they were: see `inside`."""
        r = self.rotation.to(labels.root)
        back = r.transpose(-1, -2)
        return replace(labels, root=r @ labels.root, joints=labels.joints @ back, markers=labels.markers @ back)

    def pixels(self, pixels: Tensor) -> Tensor:
        """Return where pixels (B, P, 2) of the picture are in this camera's."""
        ones = torch.ones_like(pixels[..., :1])
        moved = torch.cat([pixels, ones], dim=-1) @ self.homography.to(pixels).transpose(-1, -2)
        return moved[..., :2] / moved[..., 2:]


def inside(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return which pixels (..., 2) lie in a picture of a width and height, for masks (...) of labels."""
    limits = pixels.new_tensor(size)
    return ((pixels >= 0) & (pixels <= limits)).all(dim=-1)


def view_of(roll: Tensor, zoom: Tensor, shift: Tensor, focal: Tensor, size: tuple[int, int]) -> View:
    """Return the camera that rolls a picture by (B,) rad clockwise, magnifies by (B,), centres on what lay aside.

    shift (B, 2): of the new centre from the old, pixels x, y; focal (B,) pixels; size: width, height. The principal
    point is the middle of both pictures.
    """
    numbers = torch.cat([roll, zoom, shift.flatten(), focal])
    if not torch.isfinite(numbers).all() or not (zoom > 0).all() or not (focal > 0).all():
        raise UserError("Expected finite rolls and shifts, zooms and focal lengths above 0, got others.")
    across = torch.atan2(shift[:, 0], focal)
    down = torch.atan2(shift[:, 1], torch.hypot(focal, shift[:, 0]))
    rotation = turn(roll, 2) @ turn(down, 0) @ turn(-across, 1)
    before, after = _intrinsics(focal, size), _intrinsics(focal * zoom, size)
    return View(rotation, after @ rotation @ torch.linalg.inv(before))


def some_view(n: int, focal: Tensor | float, size: tuple[int, int], generator: Generator) -> View:
    """Return n cameras at random, as in the paper.

    Shifts in a disc of a tenth of the side, zooms 0.75 to 1.25, rolls up to 20 degrees. focal: pixels, one or (n,).
    """
    roll = drawn(n, -math.radians(20), math.radians(20), generator)
    zoom = drawn(n, 0.75, 1.25, generator)
    far = 0.1 * max(size) * drawn(n, 0.0, 1.0, generator).sqrt()
    way = drawn(n, 0.0, 2 * math.pi, generator)
    focal = torch.as_tensor(focal, dtype=torch.float32).expand(n)
    return view_of(roll, zoom, torch.stack([far * way.cos(), far * way.sin()], dim=1), focal, size)


def _intrinsics(focal: Tensor, size: tuple[int, int]) -> Tensor:
    k = torch.zeros(len(focal), 3, 3, dtype=focal.dtype)
    k[:, 0, 0] = k[:, 1, 1] = focal
    k[:, 0, 2], k[:, 1, 2], k[:, 2, 2] = size[0] / 2, size[1] / 2, 1.0
    return k
