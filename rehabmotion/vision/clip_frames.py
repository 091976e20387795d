"""A clip and its frames: what every source of pictures gives, be it a video, a folder of images or a webcam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Frame:
    """One picture. image (H, W, 3) uint8 RGB, upright; time in s since the clip's first frame."""

    image: NDArray[np.uint8]
    time: float


@dataclass(frozen=True)
class Clip:
    """Pictures that follow one another. Iterating decodes them one by one; iterating again decodes them again.

    size: width and height as shown, upright, pixels. image_size: those of the images that iterating gives, smaller
    where `longest` scaled them down. fps: mean rate, as declared; the times tell the truth, rising strictly from 0.
    n_frames: as declared, None if not known; a damaged or trimmed file gives fewer. warnings: one line for each thing
    that is not as it should be; those about damaged frames are there once the iteration has ended.
    """

    name: str
    size: tuple[int, int]
    image_size: tuple[int, int]
    fps: float
    n_frames: int | None
    # starts from the first frame at each call; tells what it had to leave out
    decode: Callable[[Warn], Iterator[Frame]] = field(repr=False)
    warnings: list[str] = field(default_factory=list)

    @property
    def scale(self) -> tuple[float, float]:
        """Image pixels per pixel of `size`, (x, y): a position in an image divided by it is one in the original."""
        return self.image_size[0] / self.size[0], self.image_size[1] / self.size[1]

    def __iter__(self) -> Iterator[Frame]:
        return self.decode(self._warn)

    def _warn(self, line: str) -> None:
        if line not in self.warnings:  # a second iteration meets the same things
            self.warnings.append(line)
