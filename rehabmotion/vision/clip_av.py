"""PyAV, opened with care: what a file of a stranger may do, and which exceptions may leave it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError

# Only files, and only formats that hold pictures: without this FFmpeg follows the addresses in a playlist that is
# named .mp4, and shows text files as video.
FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg,gif,apng,mxf,dv,h264,hevc,m4v,mpegvideo,mjpeg,ivf,obu,nut,"
    "png_pipe,jpeg_pipe,bmp_pipe,webp_pipe"
)
MAX_PIXELS = 1 << 27  # of one picture: four times 8K; a small file may declare far more
PATIENCE, PAUSE = 5.0, 0.005  # s: a device that gives nothing for so long has stopped; how often to ask it
ATTACHED_PICTURE = 0x400  # FFmpeg's AV_DISPOSITION_ATTACHED_PIC: the cover of a song


@dataclass
class Losses:
    """What decoding gave, and what it had to leave out."""

    n_whole: int = 0  # frames
    n_damaged: int = 0  # packets and frames
    broke: str = ""  # why reading ended early


def pyav() -> Any:
    """Return PyAV. A missing one raises UserError with the pip command."""
    try:
        import av
    except ImportError:
        raise UserError('Reading pictures needs PyAV. Install it with: pip install "rehabmotion[video]"') from None
    return av


@contextmanager
def opened(source: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """Open a path or a binary stream; give the container and its largest video stream.

    UserError where it is no video, holds no pictures, or these are too large or of an unknown codec.
    """
    av = pyav()
    # an absolute path: FFmpeg takes "a:b.mp4" for a protocol
    where = str(source.absolute()) if isinstance(source, Path) else source
    options = {"format_whitelist": FORMATS} | ({"protocol_whitelist": "file"} if isinstance(source, Path) else {})
    try:
        container = av.open(where, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(
            f"Expected a video or an image, could not read {name} ({why}). It is cut off, or of another kind."
        ) from None
    with container:
        yield container, _pictures_of(container, name)


def _pictures_of(container: Any, name: str) -> Any:
    streams = [s for s in container.streams.video if not int(getattr(s, "disposition", 0)) & ATTACHED_PICTURE]
    if not streams:
        what = "sound only" if container.streams.audio else "none"
        raise UserError(f"Expected pictures in {name}, got {what}. It may be cut off at its beginning.")
    readable = [s for s in streams if s.codec_context is not None]
    if not readable:
        raise UserError(f"Expected a codec that PyAV can decode, {name} has another. Re-encode it as H.264.")
    stream = max(readable, key=lambda s: s.codec_context.width * s.codec_context.height)
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_PIXELS:
        raise UserError(f"{name}: Expected pictures of at most {MAX_PIXELS} pixels, got {width} x {height}.")
    return stream


def decoded(container: Any, stream: Any, losses: Losses) -> Iterator[Any]:
    """Yield the whole frames of a stream, in the order shown. What is damaged is left out and counted."""
    av = pyav()
    for packet in _packets(container, stream, losses):
        if packet is not None and packet.is_corrupt:
            losses.n_damaged += 1
            continue
        try:
            frames = stream.codec_context.decode(packet)
        except av.EOFError:  # already told that nothing follows
            return
        except av.FFmpegError:
            losses.n_damaged += 1
            frames = []
        whole = [frame for frame in frames if not frame.is_corrupt]
        losses.n_damaged += len(frames) - len(whole)
        losses.n_whole += len(whole)
        yield from whole


def _packets(container: Any, stream: Any, losses: Losses) -> Iterator[Any]:
    """Yield the packets of a stream, last an empty one or None, which make the decoder give what it still holds."""
    av = pyav()
    waited = 0.0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.BlockingIOError:  # a webcam on macOS between two pictures
            if waited > PATIENCE:
                losses.broke = "no picture came"
                return
            waited += PAUSE
            time.sleep(PAUSE)
            packets = container.demux(stream)  # the old one ended with its exception
            continue
        except (av.FFmpegError, OSError) as error:
            losses.broke = getattr(error, "strerror", None) or str(error)
            yield None
            return
        waited = 0.0
        yield packet
