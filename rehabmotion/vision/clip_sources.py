"""Which clips a path stands for: one video, one folder of images, a folder of videos, a webcam."""

from __future__ import annotations

from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_webcam import is_webcam
from rehabmotion.vision.images import SUFFIXES as IMAGES
from rehabmotion.vision.images import natural_key

VIDEOS = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv",
    ".3gp", ".ogv", ".gif", ".mxf", ".dv", ".vob",
)  # fmt: skip


def sources(path: Path | str) -> list[Path]:
    """Return what there is to open, each for `open_clip`, in natural order of names.

    A file, a folder of images and webcam:N are one clip; a folder of videos is a batch. Other files, hidden ones and
    folders inside a folder are passed over. Missing, empty or mixed raises UserError.
    """
    place = Path(path)
    if is_webcam(path):
        return [place]
    if not existing(place).is_dir():
        return [place]
    images, videos = of_kind(place, IMAGES), of_kind(place, VIDEOS)
    if images and videos:
        raise UserError(
            f"Expected images or videos in the folder {place}, got {len(images)} images and {len(videos)} videos. "
            "Put them into two folders."
        )
    if not images and not videos:
        kinds = " ".join(suffix[1:] for suffix in IMAGES)
        raise UserError(f"Expected images ({kinds}) or videos in the folder {place}, got neither. Give another folder.")
    return videos or [place]


def existing(place: Path) -> Path:
    """Return a path that is a file with content or a folder; else UserError."""
    try:
        if place.is_dir():
            return place
        if not place.exists():
            raise UserError(f"Expected an existing video, folder or webcam:0, got {place}. Check the path.")
        if not place.is_file():  # a pipe or a device could keep us waiting for ever
            raise UserError(f"Expected a file or a folder, {place} is neither. Save the video as a file.")
        if place.stat().st_size == 0:
            raise UserError(f"Expected a video, got the empty file {place}. Copy it again.")
        with place.open("rb"):
            return place
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"Expected a path that can be read, got {place} ({reason}).") from None


def of_kind(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return a folder's files with one of these suffixes, in natural order; hidden ones are passed over."""
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.name[0] != "." and p.is_file()]
    except OSError as error:
        raise UserError(f"Expected a folder that can be read, got {folder} ({error.strerror}).") from None
    return sorted(found, key=natural_key)
