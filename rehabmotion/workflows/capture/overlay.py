"""The video with what was seen and what was found drawn over it: points thin, the model thick."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.vision.points import BONES, NUMBER, POINTS
from rehabmotion.viz.body import CENTRE, LEFT, RIGHT
from rehabmotion.viz.overlay import draw_caption, draw_skeleton
from rehabmotion.viz.overlay_writer import OverlayWriter
from rehabmotion.workflows.capture.lifting import Captured
from rehabmotion.workflows.capture.watch import Watched

PAIRS = tuple((NUMBER[a], NUMBER[b]) for a, b in BONES)
SIDES = tuple(LEFT if p.startswith("left") else RIGHT if p.startswith("right") else CENTRE for p in POINTS)
MODEL_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe", "head_top", "neck")
THIN, THICK = 2.0, 5.0  # pixels


def write_overlay(watched: Watched, found: Captured, model: Model, path: Path) -> None:
    """Write the clip with its skeletons as MP4; frames keep their times."""
    clip = watched.clip
    if clip is None:
        raise UserError("Expected the images for an overlay, got keypoints only.")
    scale = np.array(clip.scale)
    drawn = projected_points(found, model, clip.size) * scale
    track = watched.choice.track
    strength = np.array([0.9 if any(part in p for part in MODEL_PARTS) else 0.0 for p in POINTS])
    width, height = clip.image_size
    with OverlayWriter(path, (width, height), clip.fps) as writer:
        for frame in clip:
            image, i = frame.image, nearest(found.times, frame.time)
            if i is not None and found.seen[i]:
                image = draw_skeleton(image, drawn[i], PAIRS, SIDES, strength, THICK)
                image = draw_skeleton(image, track.points[i] * scale, PAIRS, SIDES, track.confidence[i], THIN)
            else:
                image = draw_caption(image, f"{frame.time:.2f} s, nobody seen")
            writer.add(image, frame.time)


def nearest(times: NDArray[np.float64], time: float) -> int | None:
    """Return the number of the frame at a time, None where the nearest is over a usual interval away.

    Keypoints found elsewhere may have other times than the images, or end before them.
    """
    after = int(np.searchsorted(times, time))
    i = min((k for k in (after - 1, after) if 0 <= k < len(times)), key=lambda k: abs(times[k] - time))
    return i if abs(times[i] - time) <= float(np.median(np.diff(times))) else None


def projected_points(found: Captured, model: Model, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return where the model's detector points, its first markers, lie in the image as shown: (T, P, 2) pixels."""
    k = Kinematics(model.with_markers(model.markers[: len(POINTS)]))
    with torch.no_grad():
        places = k.markers(torch.from_numpy(found.q), torch.from_numpy(found.scales)).numpy()
    at = np.einsum("ij,tpj->tpi", found.camera, places - found.place)
    return np.asarray(at[..., :2] / np.maximum(at[..., 2:], 1e-3) * found.focal + np.array(size) / 2)
