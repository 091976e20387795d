"""A video file as a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_av import Losses, decoded, opened
from rehabmotion.vision.clip_frames import Clip, Frame, Warn
from rehabmotion.vision.clip_times import RisingTimes
from rehabmotion.vision.clip_upright import Upright, image_size, is_plausible, shown_size, turn_of_frame

ASSUMED_FPS = 30.0
MAX_FPS = 10_000.0


@dataclass(frozen=True)
class _Video:
    """What decoding needs to know of a file beforehand."""

    path: Path
    upright: tuple[Any, tuple[int, int]]  # turn and size of the images
    stored: tuple[int, int]
    fps: float
    n_frames: int | None  # as declared, and so is
    seconds: float | None

    def frames(self, warn: Warn) -> Iterator[Frame]:
        """Yield the frames; whatever is not as it should be is told once they have passed."""
        losses, times, upright = Losses(), RisingTimes(1 / self.fps), Upright(*self.upright)
        whole = False
        try:
            with opened(self.path, self.path.name) as (container, stream):
                stream.thread_type = "AUTO"  # frames in parallel too: one more in memory for each core
                is_avi = container.format.name == "avi"
                for picture, clock in clocked(decoded(container, stream, losses), self.fps, is_avi):
                    if (picture.width, picture.height) != self.stored:
                        warn(self._changed(picture, times))
                        return
                    time = times.place(clock)
                    if time is not None:
                        yield Frame(upright.image(picture), time)
            whole = True
        finally:
            for line in [*times.warnings(), *_lost(losses), *(self._cut(times, losses.n_whole) if whole else [])]:
                warn(line)

    def _changed(self, picture: Any, times: RisingTimes) -> str:
        (width, height), at = self.stored, times.last or 0.0
        return (
            f"After {at:.2f} s the pictures change from {width} x {height} to {picture.width} x {picture.height} "
            "pixels; reading ends there. Re-encode the video to one size."
        )

    def _cut(self, times: RisingTimes, n_whole: int) -> list[str]:
        """Return the line that says how much is missing at the end: where more than half a second of it is."""
        if self.seconds is None or times.last is None or times.n_untimed:
            return []
        if self.n_frames is not None and n_whole >= self.n_frames:  # the last frame is shown for long
            return []
        end = times.last + 1 / self.fps
        if end > self.seconds - max(0.5, 2 / self.fps):
            return []
        return [f"The file ends after {end:.2f} s of {self.seconds:.2f} s: it is cut off. What is whole was read."]


def open_video(path: Path, longest: int | None) -> Clip:
    """Return a video file as a clip; its first frame is decoded here. UserError where there is none."""
    path = Path(path)
    with opened(path, path.name) as (container, stream):
        first = next(decoded(container, stream, Losses()), None)
        if first is None:
            raise UserError(f"Expected pictures in {path.name}, none could be decoded. Copy or re-encode the file.")
        turn, exact = turn_of_frame(first)
        size = shown_size(first, turn, stream.sample_aspect_ratio)
        fps = declared_fps(stream)
        video = _Video(
            path,
            (turn, image_size(size, longest)),
            (first.width, first.height),
            fps or ASSUMED_FPS,
            stream.frames or None,
            _declared_seconds(container, stream),
        )
        clip = Clip(path.name, size, video.upright[1], video.fps, video.n_frames, video.frames)
        interlaced, aspect = bool(first.interlaced_frame), stream.sample_aspect_ratio
    if not exact:
        clip.warnings.append("The video is turned by no quarter turn; the nearest is used.")
    if fps is None:
        clip.warnings.append(f"The video declares no frame rate; {ASSUMED_FPS:g} frames/s are assumed.")
    if aspect and not is_plausible(aspect):
        clip.warnings.append(f"The video declares pixels {float(aspect):.3g} times as wide as high; square is assumed.")
    if interlaced:
        clip.warnings.append("The video is interlaced: what moves has combed edges. Deinterlace it for better points.")
    return clip


def declared_fps(stream: Any) -> float | None:
    """Return the mean rate that a stream declares, frames/s; None where it declares none or nonsense."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= MAX_FPS:
            return float(rate)
    return None


def clocked(pictures: Iterator[Any], fps: float, is_avi: bool) -> Iterator[tuple[Any, float | None]]:
    """Yield pictures with their presentation time on the file's clock, s; None: the file gives none.

    AVI has no such times: what FFmpeg makes up for H.264 there jumps back and forth, whereas the times of decoding, of
    which the pictures come out in order, rise. The last few, which the decoder gives at the end, have none.
    """
    last: float | None = None
    for picture in pictures:
        stamp = picture.dts if is_avi else picture.pts
        if stamp is not None and picture.time_base:
            last = float(stamp * picture.time_base)
            yield picture, last
        else:
            last = last + 1 / fps if is_avi and last is not None else None
            yield picture, last


def _declared_seconds(container: Any, stream: Any) -> float | None:
    """Return the length that a file declares for its pictures, s."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and not container.streams.audio:  # of the longest stream, which may be the sound
        return float(container.duration) / 1e6  # FFmpeg's AV_TIME_BASE
    return None


def _lost(losses: Losses) -> list[str]:
    lines = []
    if losses.n_damaged:
        lines.append(f"Damaged pieces that were left out: {losses.n_damaged}.")
    if losses.broke:
        lines.append(f"Reading ended early ({losses.broke}).")
    return lines
