"""A video of frames that come one by one, each at a time of its own: what a camera saw with something drawn on it."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.h264 import FILMED, TICKS, Encoder, whole_file

LARGEST = 16_384  # pixels a side: more than H.264 has
LONGEST = 86_400.0  # s


class OverlayWriter:
    """An MP4 that keeps the times of its frames; a context manager, whole when it ends well, absent after an error.

    size: width and height of the images, pixels; an odd last column or row is cut, for yuv420p halves both. fps: frames
    per second, about: it only tells x264 how much a second may hold. Needs the extra: pip install "rehabmotion[video]".
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        width, height = size
        if not (2 <= width <= LARGEST and 2 <= height <= LARGEST):
            raise UserError(f"Expected a video of 2 x 2 to {LARGEST} x {LARGEST} pixels, got {width} x {height}.")
        if not 1e-3 <= fps <= 1000:
            raise UserError(f"Expected fps from 0.001 to 1000, got {fps:g}. Pass the rate of the recording.")
        self._path, self._fps, self._shape = Path(path), fps, (height, width, 3)
        self._first: float | None = None
        self._last = -1

    def __enter__(self) -> Self:
        with ExitStack() as opening:  # undone if the encoder cannot be had
            draft = opening.enter_context(whole_file(self._path))
            self._encoder = opening.enter_context(Encoder(draft, self._fps, FILMED, timed=True))
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._open.__exit__(kind, error, None)

    def add(self, image: NDArray[np.uint8], time: float) -> None:
        """Add an image (H, W, 3) RGB that is shown from `time` s on; times rise. The first is the video's beginning."""
        if image.shape != self._shape or image.dtype != np.uint8:
            raise UserError(f"Expected an image {self._shape} of bytes, got {image.shape} of {image.dtype}.")
        if not math.isfinite(time):
            raise UserError(f"Expected a time in seconds, got {time}.")
        if self._first is None:
            self._first = time
        if time - self._first > LONGEST:
            raise UserError(f"Expected a video of a day at most, got {time:g} s after {self._first:g} s.")
        tick = round((time - self._first) * TICKS)
        if tick <= self._last:
            raise UserError(f"Expected times that rise from frame to frame, got {time:.6f} s after a later one.")
        self._last = tick
        height, width = self._shape[0] // 2 * 2, self._shape[1] // 2 * 2
        self._encoder.add(image[:height, :width], tick)
