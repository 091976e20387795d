"""Open what holds pictures: a video file, a folder of images or a webcam, all as a `Clip`."""

from __future__ import annotations

from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_frames import Clip, Frame
from rehabmotion.vision.clip_sources import existing, of_kind, sources
from rehabmotion.vision.clip_video import open_video
from rehabmotion.vision.clip_webcam import is_webcam, open_webcam
from rehabmotion.vision.images import SUFFIXES as IMAGES
from rehabmotion.vision.images import open_images

__all__ = ["Clip", "Frame", "open_clip", "sources"]


def open_clip(source: Path | str, *, fps: float | None = None, longest: int | None = None) -> Clip:
    """Return a video file, an image, a folder of images or webcam:N as a clip; its first picture is decoded here.

    fps: images per second of a folder of images, default 30; videos carry their own times, so there it is refused.
    longest: pixels; larger pictures are scaled down so that their longer side has as many, see `Clip.scale`.
    Needs the extra: pip install "rehabmotion[video]". What cannot be read raises UserError.
    """
    if longest is not None and longest < 1:
        raise UserError(f"Expected longest >= 1 pixel, got {longest}.")
    place = Path(source)
    webcam = is_webcam(source)
    folder = not webcam and existing(place).is_dir()
    if folder or place.suffix.lower() in IMAGES:
        images = [place] if not folder else _images_in(place)
        return open_images(place.resolve().name, images, fps, longest)
    if fps is not None:
        raise UserError(f"Expected fps only with images, got it with {place}, which has its own times. Leave it out.")
    return open_webcam(str(source), longest) if webcam else open_video(place, longest)


def _images_in(folder: Path) -> list[Path]:
    found = sources(folder)
    if found != [folder]:
        raise UserError(f"Expected one clip, got {folder} with {len(found)} videos. Open them one by one.")
    return of_kind(folder, IMAGES)
