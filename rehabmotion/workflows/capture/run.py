"""capture, from one video to its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehabmotion import __version__
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.vision.choosing import LARGEST
from rehabmotion.vision.clip_webcam import is_webcam
from rehabmotion.vision.detectors import open_detector
from rehabmotion.vision.points import POINTS
from rehabmotion.vision.track import Detector, Track
from rehabmotion.workflows.capture.files import Told, check_model, write_capture
from rehabmotion.workflows.capture.lifting import FOCAL, HEIGHT, Captured, captured, check_fov
from rehabmotion.workflows.capture.overlay import write_overlay
from rehabmotion.workflows.capture.watch import Progress, Watched, watch
from rehabmotion.workflows.ik import check_height
from rehabmotion.workflows.lifter import OSIM, SHIPPED_LIFTER, open_lifter
from rehabmotion.workflows.outputs import staged

PARTS = {
    "head": ("nose", "eye", "ear", "head_top"),
    "arms": ("shoulder", "elbow", "wrist"),
    "legs": ("hip", "knee", "ankle"),
    "feet": ("heel", "big_toe"),
}


@dataclass(frozen=True)
class CaptureConfig:
    """How videos are captured. height m; fov: horizontal, degrees; person: largest or a number; osim: the model."""

    height: float | None = None
    fov: float | None = None
    person: str = "largest"
    osim: str = OSIM
    detector: str = "mediapipe"
    keypoints: Path | None = None
    lifter: str = SHIPPED_LIFTER

    def __post_init__(self) -> None:
        check_height(self.height)
        check_fov(self.fov)
        number = self.person.strip()
        if number != LARGEST and not (number.isascii() and number.isdecimal() and int(number[:9])):
            raise UserError(f'Expected --person "{LARGEST}" or the number of a person from 1 on, got "{self.person}".')


def capture_one(
    source: Path,
    out: Path,
    config: CaptureConfig,
    progress: Progress = lambda *_: None,
    make: Callable[[str, int], Detector] = open_detector,
) -> dict[str, Any]:
    """Write NAME.npz .bvh .trc .osim .mot .csv .mp4 and NAME_report.html, .json to `out`; return the report.

    All of them appear, or none. Nobody in the video raises UserError.
    """
    lifter, about = open_lifter(config.lifter)
    check_model(config.osim)  # before a long watch, not after it
    name = name_of(source)
    with staged(out) as stage:
        watched = watch(source, config.detector, config.person, config.keypoints, progress, make)
        found = captured(watched.choice.track, lifter, about, config.height, config.fov)
        told = _told(watched, found, config)
        figures = write_capture(found, name, config.osim, told, stage)
        if watched.clip is not None:
            write_overlay(watched, found, lifter.body.model, stage / f"{name}.mp4")
        report = {
            "name": name,
            "version": __version__,
            "frames": len(found.times),
            "seen": round(float(found.seen.mean()), 4),
            "people": watched.choice.people,
            "person": watched.choice.person,
            "how": dict(told.how),
            "warnings": list(told.warnings),
            "low_confidence": list(told.doubtful),
            **figures,
        }
        write_atomic(stage / f"{name}_report.json", json.dumps(report, indent=1) + "\n")
        files = sorted(path.name for path in stage.iterdir())
    return {**report, "files": [str(out / file) for file in files]}


def name_of(source: Path) -> str:
    """Return what the files of a video are called: its name without the ending, a folder's whole name."""
    if is_webcam(source):
        return str(source).replace(":", "")
    # a link is called what it is called itself; "." and ".." have a name only once they are resolved
    return Path(source).resolve().name if Path(source).is_dir() else Path(source).stem


def _told(watched: Watched, found: Captured, config: CaptureConfig) -> Told:
    warnings = list(watched.notes)
    if config.height is None:
        warnings.append(f"No height was given: sizes in metres are those of a person of {HEIGHT:.2f} m (--height).")
    if config.fov is None:
        warnings.append(f"No field of view was given: a focal length of {FOCAL:g} image sides was assumed (--fov).")
    share = float(found.seen.mean())
    if share < 1:
        warnings.append(f"The person is not seen in {100 * (1 - share):.0f} % of the frames; these are masked.")
    warnings += found.warnings
    how = {
        "model": config.osim,
        "height": "assumed" if config.height is None else f"{config.height:.2f} m",
        "camera": f"{'assumed' if config.fov is None else 'given'}, focal length {found.focal:.0f} px, one view",
        "detector": str(config.keypoints) if config.keypoints else config.detector,
        "lifter": config.lifter,
        "rehabmotion": __version__,
    }
    return Told(warnings, how, found.hidden, _seen(watched.choice.track))


def _seen(track: Track) -> dict[str, tuple[float, float]]:
    """Return the share of frames in which a part of the body was seen, and how surely."""
    out = {}
    for part, names in PARTS.items():
        columns = [i for i, point in enumerate(POINTS) if any(name in point for name in names)]
        inside = track.confidence[:, columns]
        shown = inside > 0
        out[part] = (float(shown.any(axis=1).mean()), float(inside[shown].mean()) if shown.any() else float("nan"))
    return out
