"""From a decoded frame to an upright RGB image: quarter turns, mirrors, pixels that are not square, smaller images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_av import pyav

Size = tuple[int, int]


@dataclass(frozen=True)
class Turn:
    """How a stored picture becomes upright: rows and columns swapped, then mirrored left-right, then top-bottom."""

    swapped: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def size(self, size: Size) -> Size:
        """Return width and height after the turn."""
        return (size[1], size[0]) if self.swapped else size


# EXIF 2.32, tag 274 (orientation)
EXIF_TURNS = {
    1: Turn(), 2: Turn(False, True, False), 3: Turn(False, True, True), 4: Turn(False, False, True),
    5: Turn(True, False, False), 6: Turn(True, True, False), 7: Turn(True, True, True), 8: Turn(True, False, True),
}  # fmt: skip
# degrees to the left: the turn
QUARTERS = {0: EXIF_TURNS[1], 90: EXIF_TURNS[8], 180: EXIF_TURNS[3], 270: EXIF_TURNS[6]}


def turn_of_matrix(matrix: Sequence[int]) -> tuple[Turn, bool]:
    """Return the turn of a display matrix, and whether the matrix is just that: else it is the nearest.

    The nine numbers (a, b, u, c, d, v, x, y, w) of QuickTime and FFmpeg: a pixel at (p, q), q down, is shown at
    (a p + c q, b p + d q). A quarter turn to the right is a = d = 0, b = 1, c = -1.
    """
    a, b, _, c, d = (float(value) for value in matrix[:5])
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    along, across, rest = (c, b, (a, d)) if swapped else (a, d, (b, c))
    exact = min(abs(along), abs(across)) > 0 and max(map(abs, rest)) < 0.02 * min(abs(along), abs(across))
    return Turn(swapped, along < 0, across < 0), exact


def turn_of_frame(frame: Any) -> tuple[Turn, bool]:
    """Return the turn that a video's frame asks for, and whether it is exact; no display matrix: none."""
    try:
        found = [bytes(item) for item in frame.side_data if item.type.name == "DISPLAYMATRIX"]
    except ValueError:  # PyAV does not know some kind of side data; the angle alone does not tell of mirrors
        turn = QUARTERS.get(frame.rotation % 360)
        return turn or Turn(), turn is not None
    return turn_of_matrix(np.frombuffer(found[0], dtype="<i4").tolist()) if found else (Turn(), True)


def shown_size(frame: Any, turn: Turn, pixel_aspect: Fraction | None = None) -> Size:
    """Return width and height upright, pixels square. pixel_aspect: a pixel's width / height (tapes: 16/11)."""
    aspect = pixel_aspect if pixel_aspect and is_plausible(pixel_aspect) else 1
    return turn.size((max(1, round(frame.width * aspect)), frame.height))


def is_plausible(pixel_aspect: Fraction) -> bool:
    """Whether pixels of that width / height exist: tapes and discs have 0.9 to 1.5, twice that if squeezed."""
    return Fraction(1, 4) <= pixel_aspect <= 4


def image_size(size: Size, longest: int | None) -> Size:
    """Return the size of the images: the longer side at most `longest` pixels, never enlarged."""
    if longest is None or max(size) <= longest:
        return size
    if longest < 1:
        raise UserError(f"Expected longest >= 1 pixel, got {longest}.")
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return width, height


class Upright:
    """Turns decoded frames into images of one turn and size.

    FFmpeg's filters do it: a quarter turn of a 1080p frame takes 1.5 ms there, before it becomes RGB, in numpy 16 ms.
    """

    def __init__(self, turn: Turn, size: Size) -> None:
        self.turn, self.size = turn, size
        self._key: tuple[int, int, str] | None = None
        self._graph: Any = None

    def image(self, frame: Any) -> NDArray[np.uint8]:
        """Return the image (H, W, 3) RGB of a frame."""
        key = (frame.width, frame.height, frame.format.name)
        if key != self._key:
            self._graph, self._key = self._filters(*key), key
        self._graph.push(frame)
        return np.ascontiguousarray(self._graph.pull().to_ndarray())

    def _filters(self, width: int, height: int, pixels: str) -> Any:
        """Return the chain of filters for frames of one size and format."""
        graph = pyav().filter.Graph()
        last = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 1000))
        stored = self.turn.size(self.size)  # a swap is its own inverse
        steps = [("scale", f"{stored[0]}:{stored[1]}:flags=area")] if stored != (width, height) else []
        steps += [("transpose", "cclock_flip")] if self.turn.swapped else []
        steps += [("hflip", "")] if self.turn.flip_x else []
        steps += [("vflip", "")] if self.turn.flip_y else []
        for name, argument in [*steps, ("format", "rgb24"), ("buffersink", "")]:
            step = graph.add(name, argument)
            last.link_to(step)
            last = step
        graph.configure()
        return graph
