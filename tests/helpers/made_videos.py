"""Small videos made with PyAV, for the tests of what reads them."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from numpy.typing import NDArray

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def quadrants(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """A picture that shows which way up it is: red and green above, blue and black below."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2] = BLUE
    return image


def corners(image: NDArray[np.uint8]) -> list[str]:
    """The colours at the upper left and right, lower left and right."""
    h, w = image.shape[0] // 8, image.shape[1] // 8
    return [
        min("rgbk", key=lambda c: np.abs(dict(zip("rgbk", (RED, GREEN, BLUE, BLACK), strict=True))[c] - pixel).sum())
        for pixel in (image[h, w], image[h, -w], image[-h, w], image[-h, -w])
        for pixel in [pixel.astype(int)]
    ]


def greys(n: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Pictures that carry their number, brightness 20 + 5 i mod 200: see `number`."""
    return [np.full((height, width, 3), 20 + 5 * (i % 40), np.uint8) for i in range(n)]


def number(image: NDArray[np.uint8]) -> int:
    """The number (mod 40) of a picture of `greys`."""
    return round((float(image.mean()) - 20) / 5)


def write_video(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    rate: int = 30,
    times_ms: Sequence[int] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    aspect: Fraction | None = None,
    form: str | None = None,
    hold_ms: int | None = None,
) -> Path:
    """Write images as a video; times_ms: when each is shown, else one after the other at `rate`.

    hold_ms: for how long the last of times_ms is shown; only for codecs that do not look ahead.
    """
    av = pytest.importorskip("av", reason="needs the extra: video")
    options = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options, format=form) as container:
        stream = None
        for i, image in enumerate(images):
            if stream is None:
                stream = container.add_stream(codec, rate=rate)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = pixels
                if aspect:
                    stream.codec_context.sample_aspect_ratio = aspect
                if times_ms:
                    stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (times_ms[i], Fraction(1, 1000)) if times_ms else (i, Fraction(1, rate))
            for packet in stream.encode(frame):
                if hold_ms and times_ms and i == len(times_ms) - 1:
                    packet.duration = round(hold_ms / 1000 / packet.time_base)
                container.mux(packet)
        assert stream is not None
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """Write a tenth of a second of silence."""
    av = pytest.importorskip("av", reason="needs the extra: video")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def set_matrix(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """Write a display matrix into an MP4's track header (ISO 14496-12, tkhd version 0), as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    data[at : at + 36] = pack(">9i", *(round(v * one) for v in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    path.write_bytes(data)
    return path


def set_edit(path: Path, milliseconds: int) -> Path:
    """Shorten what an MP4's edit list shows, as a phone's trimming does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4 + 8
    data[at : at + 4] = pack(">I", milliseconds)
    path.write_bytes(data)
    return path


def write_image(path: Path, image: NDArray[np.uint8], codec: str, pixels: str) -> Path:
    """Write one image file."""
    av = pytest.importorskip("av", reason="needs the extra: video")
    context = av.CodecContext.create(codec, "w")
    context.height, context.width = image.shape[:2]
    context.pix_fmt, context.time_base = pixels, Fraction(1, 30)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    return path


def set_orientation(path: Path, orientation: int, order: str = ">") -> Path:
    """Put an EXIF orientation into a JPEG."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    tiff = mark + pack(f"{order}IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + pack(">H", len(body) + 2) + body + data[2:])
    return path
