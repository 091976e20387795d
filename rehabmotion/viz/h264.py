"""H.264 in an MP4, frame by frame (needs PyAV), and files that appear whole or not at all however long they grow."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

TICKS = 90_000  # a second, for frames that come at times of their own: the clock of MPEG systems


# FFmpeg's usual way from RGB. Untold, browsers take another one for 720 rows and more: left and right change their hue.
COLOURS = {name: "smpte170m" for name in ("colorspace", "color_primaries", "color_trc")} | {"color_range": "tv"}


@dataclass(frozen=True)
class Effort:
    """How hard x264 tries: its preset, and its quality, lower is better."""

    preset: str
    quality: int


DRAWN = Effort("medium", 19)  # flat colours and sharp edges, a few seconds of them
FILMED = Effort("veryfast", 23)  # ten minutes from a camera, encoded while they are looked at


def pyav() -> Any:
    """Return PyAV. A missing one raises UserError with the pip command."""
    try:
        import av
    except ImportError:
        raise UserError('Writing .mp4 needs PyAV. Install it with: pip install "rehabmotion[video]"') from None
    return av


class Encoder:
    """Frames (H, W, 3) RGB, even and alike in size, into an MP4 of H.264 in yuv420p, its index in front.

    A context manager; an error inside leaves a file that is no video. fps: frames per second; with `timed` only a hint
    for the size, each frame then brings its tick. One thread, so that the same frames give the same bytes.
    """

    def __init__(self, path: Path, fps: float, effort: Effort, timed: bool = False) -> None:
        self._av = pyav()
        self._path = path
        self._tick = Fraction(1, TICKS) if timed else None
        with self._telling():
            # playable while loading; no date inside; an absolute path, for FFmpeg takes "a:b.mp4" for a protocol
            options = {"movflags": "+faststart", "fflags": "+bitexact"}
            self._container = self._av.open(str(path.absolute()), "w", format="mp4", options=options)
        try:
            self._stream = self._added(Fraction(fps).limit_denominator(1001), effort)
        except BaseException:
            self._close()
            raise
        self._empty = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._close()

    def add(self, pixels: NDArray[np.uint8], tick: int | None = None) -> None:
        """Add a frame, shown from `tick` on: 1/TICKS s since the first frame, rising."""
        if self._empty:
            self._stream.height, self._stream.width = pixels.shape[:2]
            self._empty = False
        with self._telling():
            frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if self._tick is not None:
                frame.pts, frame.time_base = tick, self._tick
            self._container.mux(self._stream.encode(frame))

    def _added(self, rate: Fraction, effort: Effort) -> Any:
        options = {"crf": str(effort.quality), "preset": effort.preset, "threads": "1"} | COLOURS
        if self._tick is not None:
            options["bf"] = "0"  # frames that are stored out of their order confuse the length of an uneven video
        try:
            stream = self._container.add_stream("libx264", rate=rate, options=options)
        except ValueError as error:  # a PyAV built without x264
            raise UserError(f"Expected a PyAV with libx264, got {error}. Reinstall av from its wheel.") from None
        stream.pix_fmt = "yuv420p"
        if self._tick is not None:
            stream.codec_context.time_base = self._tick
        return stream

    def _finish(self) -> None:
        if self._empty:
            raise UserError("Expected a frame or more in a video, got none.")
        with self._telling():
            self._container.mux(self._stream.encode())
            self._container.close()

    def _close(self) -> None:
        with suppress(self._av.FFmpegError, OSError, ValueError):  # what went wrong has been told
            self._container.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (self._av.FFmpegError, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"Expected to write the video {self._path.name}, could not ({why}).") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a draft on the same disk that becomes `path` at the end; an error inside leaves nothing behind.

    For what is too long to hold in memory or must be a real file. A place that cannot be written raises UserError at
    once, before any work.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"Expected to write the file {path}, a folder of that name is there. Choose another name.")
    standing = path.parent
    while not os.path.lexists(standing) and standing != standing.parent:
        standing = standing.parent
    try:
        folder = tempfile.mkdtemp(dir=standing, prefix=".rehabmotion-")
    except OSError as error:
        raise UserError(f"Expected a folder that can be written, got {path.parent} ({error.strerror}).") from None
    try:
        draft = Path(folder) / path.name
        yield draft
        _move(draft, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(draft: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, path)
    except OSError as error:
        raise UserError(f"Expected to write {path}, could not ({error.strerror}).") from None
