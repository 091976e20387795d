"""Drawn frames with their labels on them, for people to look at: an .mp4 (needs PyAV) or a strip in one .png."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.viz.font import draw_text
from rehabmotion.viz.raster import Picture, png_bytes
from rehabmotion.viz.video import FPS, write_frames

SIDE = 384  # pixels that a frame is shown with, at least
STRIP = 8  # frames of a strip
_JOINT, _MARKER, _TEXT, _BONE = (
    np.array(c, float) for c in ((255, 60, 40), (60, 220, 255), (255, 255, 255), (255, 200, 40))
)


@dataclass(frozen=True)
class Labels:
    """What is written on frames: pixels of joints (T, J, 2) and markers (T, M, 2), bones as pairs of joints, a line
    of text a frame (T), times (T,) s.
    """

    joints: NDArray[np.floating]
    markers: NDArray[np.floating]
    bones: Sequence[tuple[int, int]]
    lines: Sequence[str]
    times: NDArray[np.floating]


def write_labelled(images: NDArray[np.uint8], labels: Labels, path: Path) -> None:
    """Write frames (T, 3, S, S) with their labels: .mp4 in real time, or .png, up to eight of them side by side.

    Another ending, or no frames, raise UserError.
    """
    path = Path(path)
    if not len(images):
        raise UserError("Expected a frame or more to show, got none.")
    if path.suffix == ".png":
        rows = np.unique(np.linspace(0, len(images) - 1, STRIP).round().astype(int))
        write_atomic(path, png_bytes(np.concatenate([labelled(images, labels, row) for row in rows], axis=1)))
        return
    if path.suffix != ".mp4":
        raise UserError(f"Expected a name that ends in .mp4 or .png, got {path.name}.")
    write_frames(_in_time(images, labels), path)


def labelled(images: NDArray[np.uint8], labels: Labels, row: int) -> NDArray[np.uint8]:
    """Return one frame (H, W, 3), enlarged by a whole even number, with its labels."""
    size = images.shape[-1]
    times = 2 * max(1, -(-SIDE // (2 * size)))
    picture = Picture(np.kron(images[row].transpose(1, 2, 0), np.ones((times, times, 1), np.uint8)))
    joints, markers = labels.joints[row] * times, labels.markers[row] * times
    for a, b in labels.bones:
        picture.line(_at(joints[a]), _at(joints[b]), 1.5, _BONE)
    for places, width, colour in ((markers, 2.5, _MARKER), (joints, 4.5, _JOINT)):
        for place in places:
            picture.line(_at(place), _at(place), width, colour)
    draw_text(picture, labels.lines[row], 6, size * times - 8, 9, _TEXT)
    return picture.pixels()


def _at(place: NDArray[np.floating]) -> tuple[float, float]:
    x, y = place.tolist()
    return x, y


def _in_time(images: NDArray[np.uint8], labels: Labels) -> Iterator[NDArray[np.uint8]]:
    """Yield the frame shown at each moment of a video."""
    seconds = labels.times - labels.times[0]
    for moment in range(1 + int(seconds[-1] * FPS)):
        yield labelled(images, labels, int(np.abs(seconds - moment / FPS).argmin()))
