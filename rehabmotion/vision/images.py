"""A folder of images as a clip, and the order of file names that people expect."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes
from rehabmotion.vision.clip_av import Losses, decoded, opened
from rehabmotion.vision.clip_frames import Clip, Frame, Warn
from rehabmotion.vision.clip_upright import EXIF_TURNS, Upright, image_size, shown_size

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
FPS = 30.0  # of a folder of images that says nothing
MAX_FPS = 10_000.0
# where EXIF's TIFF header stands: in JPEG, PNG and WebP
_EXIF = re.compile(rb"(?:Exif\0\0|eXIf|EXIF.{4}(?:Exif\0\0)?)(II\*\0|MM\0\*)", re.DOTALL)
_ORIENTATION = 274


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts names as people do: image2 before image10, A beside a."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts], path.name


@dataclass(frozen=True)
class _Images:
    paths: Sequence[Path]
    fps: float
    longest: int | None

    def frames(self, warn: Warn) -> Iterator[Frame]:
        """Yield the images; an unreadable one is left out, its time stays free. Another size raises UserError."""
        first: tuple[Path, tuple[int, int]] | None = None
        for i, path in enumerate(self.paths):
            try:
                image, size = read_image(path, self.longest)
            except UserError as error:
                warn(f"An image was left out: {error}")
                continue
            first = first or (path, size)
            if size != first[1]:
                (name, (width, height)) = first[0].name, first[1]
                raise UserError(
                    f"{path.name}: Expected {width} x {height} pixels as in {name}, got {size[0]} x {size[1]}. "
                    "Give the images of a clip one size."
                )
            yield Frame(image, i / self.fps)


def open_images(name: str, paths: Sequence[Path], fps: float | None, longest: int | None) -> Clip:
    """Return images, in this order, as a clip at `fps` frames/s (default 30). UserError where none can be read."""
    fps = FPS if fps is None else fps
    if not 0 < fps <= MAX_FPS:
        raise UserError(f"Expected fps above 0 and up to {MAX_FPS:g}, got {fps:g}. Give the images per second.")
    for path in paths:
        try:
            size = read_image(path, longest)[1]
        except UserError as error:
            broken = error
            continue
        return Clip(name, size, image_size(size, longest), fps, len(paths), _Images(paths, fps, longest).frames)
    raise broken


def read_image(path: Path, longest: int | None) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return an image file as (H, W, 3) RGB, upright by its EXIF, and its width and height before `longest`.

    Of an animation the first picture. Transparency is dropped. Empty, broken or too large raises UserError.
    """
    data = read_bytes(path) if path.is_file() and path.stat().st_size else b""
    if not data:
        raise UserError(f"Expected an image, got the empty or missing file {path.name}.")
    with opened(io.BytesIO(data), path.name) as (container, stream):
        picture = next(decoded(container, stream, Losses()), None)
        if picture is None:
            raise UserError(f"Expected a whole image, {path.name} is damaged. Copy it again.")
        turn = EXIF_TURNS[exif_orientation(data)]
        size = shown_size(picture, turn)
        return Upright(turn, image_size(size, longest)).image(picture), size


def exif_orientation(data: bytes) -> int:
    """Return the EXIF orientation of an image file's bytes, 1 to 8; 1, upright, where it says none.

    Read here because PyAV fails on frames with EXIF data (PyAV 18: "31 is not a valid Type").
    """
    found = _EXIF.search(data, 0, 1 << 20)
    if not found:
        return 1
    tiff = data[found.start(1) :]
    order = "<" if tiff[:1] == b"I" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for i in range(count):
            tag, _kind, _length, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * i)
            if tag == _ORIENTATION:
                return value if value in EXIF_TURNS else 1
    except struct.error:  # cut off
        pass
    return 1
