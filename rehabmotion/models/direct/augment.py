"""What training does to pictures (B, 3, H, W) of 0..1 and labels stay: colours, and things in the way.

Every function draws from the generator it is given, on the CPU: the same seed gives the same pictures anywhere.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from rehabmotion.errors import UserError

GREY = (0.299, 0.587, 0.114)
SHAPES = 7  # at most, in one picture


def drawn(n: int, low: float, high: float, generator: Generator) -> Tensor:
    """Return (n,) numbers, uniform from low to high."""
    return low + (high - low) * torch.rand(n, generator=generator)


def checked(images: Tensor) -> Tensor:
    """Return the images if they are (B, 3, H, W) of floats, else raise UserError."""
    if images.dim() != 4 or images.shape[1] != 3 or 0 in images.shape or not images.is_floating_point():
        raise UserError(
            f"Expected images (B, 3, H, W) of floats from 0 to 1, got {tuple(images.shape)} of {images.dtype}."
        )
    return images


def jitter_colours(images: Tensor, generator: Generator, amount: float = 0.3) -> Tensor:
    """Return pictures of other brightness, contrast, saturation (factors 1 +- amount), hue (+- amount / 2 rad)."""
    b = len(checked(images))
    brightness, contrast, saturation = (
        drawn(b, 1 - amount, 1 + amount, generator).to(images)[:, None, None, None] for _ in range(3)
    )
    x = images * brightness
    mean = _grey(x).mean(dim=(2, 3), keepdim=True)
    x = mean + contrast * (x - mean)
    x = _grey(x) + saturation * (x - _grey(x))
    turns = _hue(drawn(b, -amount / 2, amount / 2, generator)).to(images)
    return torch.einsum("bij,bjhw->bihw", turns, x).clamp(0, 1)


def occlude(images: Tensor, generator: Generator, chance: float = 0.7) -> Tensor:
    """Return pictures with, by equal chance, pasted shapes or an erased rectangle, each where `chance` has it."""
    kind, happens = torch.rand(2, len(checked(images)), generator=generator)
    pasted, erased = paste_shapes(images, generator), erase(images, generator)
    out = torch.where((kind < 0.5).to(images.device)[:, None, None, None], pasted, erased)
    return torch.where((happens < chance).to(images.device)[:, None, None, None], out, images)


def erase(images: Tensor, generator: Generator, area: float = 1 / 3, aspect: float = 3.3) -> Tensor:
    """Return pictures with a rectangle of noise: up to `area` of the picture, sides 1 : aspect to aspect : 1.

    Zhong et al. 2020, random erasing.
    """
    b, _, h, w = checked(images).shape
    part = drawn(b, 0.02, area, generator) * h * w
    ratio = torch.exp(drawn(b, -math.log(aspect), math.log(aspect), generator))
    half = torch.stack([(part * ratio).sqrt().clamp(max=h), (part / ratio).sqrt().clamp(max=w)]) / 2
    centre = torch.rand(2, b, generator=generator)
    centre = half + centre * (torch.tensor([[h], [w]]) - 2 * half)  # the whole of it in the picture
    y, x = _grid(h, w)
    inside = ((y - centre[0, :, None, None]).abs() <= half[0, :, None, None]) & (
        (x - centre[1, :, None, None]).abs() <= half[1, :, None, None]
    )
    noise = torch.rand(b, 3, h, w, generator=generator)
    return torch.where(inside[:, None].to(images.device), noise.to(images), images)


def paste_shapes(images: Tensor, generator: Generator, most: int = SHAPES) -> Tensor:
    """Return pictures with 1 to `most` ellipses and rectangles, turned, striped in two colours, up to 0.8 of the width.

    They stand for the objects cut from photographs that the paper pastes.
    """
    b, _, h, w = checked(images).shape
    y, x = _grid(h, w)
    number = torch.randint(1, most + 1, (b,), generator=generator)
    out = images
    for i in range(most):
        draws = torch.rand(12, b, 1, 1, generator=generator)
        angle = math.pi * draws[0]
        dx, dy = x - draws[1] * w, y - draws[2] * h
        u, v = dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()
        size = 0.4 * (0.2 + 0.8 * draws[3]) / most**0.5 * max(h, w)
        u, v = u / size, v / (size * (0.3 + 0.7 * draws[4]))
        inside = torch.where(draws[5] < 0.5, u**2 + v**2 < 1, (u.abs() < 1) & (v.abs() < 1))
        inside = inside & (number > i)[:, None, None]
        stripes = (torch.sin(u * (2 + 10 * draws[11])) > 0)[:, None]
        colour = torch.where(stripes, draws[5:8].transpose(0, 1), draws[8:11].transpose(0, 1))
        out = torch.where(inside[:, None].to(images.device), colour.to(images), out)
    return out


def _grid(h: int, w: int) -> tuple[Tensor, Tensor]:
    """Return the centres of pixels, rows (1, H, 1) and columns (1, 1, W)."""
    return torch.arange(h)[None, :, None] + 0.5, torch.arange(w)[None, None, :] + 0.5


def _grey(images: Tensor) -> Tensor:
    return (images * images.new_tensor(GREY)[:, None, None]).sum(dim=1, keepdim=True)


def _hue(angle: Tensor) -> Tensor:
    """Return matrices (B, 3, 3) that turn colours about the axis of greys (Rodrigues)."""
    axis = torch.full((3,), 1 / math.sqrt(3))
    cross = torch.linalg.cross(axis.expand(3, 3), torch.eye(3)).T
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return c * torch.eye(3) + s * cross + (1 - c) * torch.outer(axis, axis)
