"""Motions as an MP4 (needs PyAV), and as a filmstrip in one PNG (needs nothing)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.motion import Motion
from rehabmotion.viz.body import LEFT, RIGHT
from rehabmotion.viz.camera import Camera
from rehabmotion.viz.font import draw_text, fit_text, text_width
from rehabmotion.viz.h264 import DRAWN, Encoder, pyav, whole_file
from rehabmotion.viz.raster import Picture, png_bytes
from rehabmotion.viz.scene import INK, PANEL, SIDES, draw_stage, empty_stage
from rehabmotion.viz.stage import Stage, set_stage

FPS = 30
PANEL_SIZE = (640, 480)
MAX_PANELS = 12
_SOFT = np.array([91.0, 102.0, 117.0])
_NOTICE = "RehabMotion - not a medical device"


def write_mp4(panels: Sequence[tuple[str, Motion]], path: Path) -> None:
    """Write a video of motions side by side: 640 x 480 pixels each, 30 frames/s, until the longest has ended.

    H.264 in yuv420p, which every player reads. The same motions give the same bytes on the same machine. The file
    appears whole or not at all. Needs the extra: pip install "rehabmotion[video]".
    """
    pyav()
    if not 1 <= len(panels) <= MAX_PANELS:
        raise UserError(f"Expected 1 to {MAX_PANELS} motions in a video, got {len(panels)}. Make several videos.")
    frames = _frames([(label, set_stage(motion)) for label, motion in panels])
    write_frames(frames, path)


def render_png(motion: Motion, path: Path, n_frames: int = 6) -> None:
    """Write a filmstrip: `n_frames` moments from the first to the last frame, side by side, 240 x 320 pixels each."""
    if n_frames < 1:
        raise UserError(f"Expected at least one moment, got n_frames={n_frames}.")
    stage = set_stage(motion)
    camera = Camera(240, 320, stage.height, stage.radius)
    background = empty_stage(camera)
    last = (motion.n_frames - 1) / motion.fps
    moments = []
    for seconds in np.linspace(0.0, last, n_frames):
        picture = Picture(draw_stage(camera, background, stage, float(seconds)))
        draw_text(picture, f"{seconds:.2f} s", 8, 312, 8, _SOFT)
        moments.append(picture.pixels())
    write_atomic(path, png_bytes(np.concatenate(moments, axis=1)))


def write_frames(frames: Iterable[NDArray[np.uint8]], path: Path) -> None:
    """Write drawn pictures (H, W, 3) of one even size as a video of FPS frames/s. No picture raises UserError."""
    with whole_file(path) as draft, Encoder(draft, FPS, DRAWN) as video:
        for pixels in frames:
            video.add(pixels)


def _frames(panels: Sequence[tuple[str, Stage]]) -> Iterator[NDArray[np.uint8]]:
    """Yield whole pictures; shorter motions hold their last frame, all share one camera and one scale."""
    width, height = PANEL_SIZE
    camera = Camera(width, height, max(s.height for _, s in panels), max(s.radius for _, s in panels))
    empty = empty_stage(camera)
    titled = [_with_caption(empty, label, stage.motion) for label, stage in panels]
    seconds = max(stage.motion.seconds for _, stage in panels)
    columns = math.ceil(len(panels) / math.ceil(len(panels) / 4))
    rows = math.ceil(len(panels) / columns)
    for i in range(max(1, round(seconds * FPS))):
        whole = np.full((rows * height, columns * width, 3), PANEL, dtype=np.uint8)
        for k, (_, stage) in enumerate(panels):
            y, x = (k // columns) * height, (k % columns) * width
            whole[y : y + height, x : x + width] = draw_stage(camera, titled[k], stage, i / FPS)
            if x:
                whole[y : y + height, x] = (213, 219, 227)
        done = round((i + 1) / max(1, round(seconds * FPS)) * whole.shape[1])
        whole[-4:, :done] = (31, 111, 196)
        yield whole


def _with_caption(empty: NDArray[np.uint8], label: str, motion: Motion) -> NDArray[np.uint8]:
    picture = Picture(empty)
    width, height = PANEL_SIZE
    draw_text(picture, fit_text(label, 12, width - 32), 16, 30, 12, INK)
    line = ", ".join(f"{s.scale} {round(s.value, 1):g}" for s in motion.scores)
    draw_text(picture, fit_text(line, 9, width - 32), 16, 50, 9, _SOFT)
    for x, word, colour in ((22, "left", SIDES[LEFT]), (82, "right", SIDES[RIGHT])):
        picture.line((x, height - 18), (x, height - 18), 9, colour)
        draw_text(picture, word, x + 9, height - 14, 7, _SOFT)
    draw_text(picture, _NOTICE, width - 16 - text_width(_NOTICE, 7), height - 14, 7, _SOFT)
    return picture.pixels()
