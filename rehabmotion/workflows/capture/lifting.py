"""From a track to a moving OpenSim skeleton: lifted, stood on the ground, sized, refined against what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehabmotion.biomech.branches import nearest_way
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.reprojection import View, placed_along_rays, refined
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.lifter.apply import Skeletons, lift
from rehabmotion.models.lifter.body import to_angles
from rehabmotion.models.lifter.network import Lifter
from rehabmotion.vision.track import Track
from rehabmotion.workflows.capture.ground import ground_axes, levelled, on_the_floor
from rehabmotion.workflows.capture.observability import WIDER, hidden_coordinates, told
from rehabmotion.workflows.capture.resample import at_rate, at_times
from rehabmotion.workflows.lifter import OSIM, About
from rehabmotion.workflows.markers import height_of

Array = NDArray[np.float64]
HEIGHT = 1.70  # m, where nothing is said: the model's own
FOCAL = 0.9  # focal length over the longer side of the image, where nothing is said: of a phone that films
LEAST_SEEN = 4  # frames
LEAST_POINTS = 5  # points in a frame that counts as showing the person


@dataclass(frozen=True)
class Captured:
    """A person's movement at times (T,) s. q (T, C) of rehab37 in ground (x forward, y up, z right; rad, m).

    scales (B, 3) of its bodies; band (T, C): half widths that hold nine tenths of the errors, rad, 0 where nothing is
    said; seen (T,): the person was; camera (3, 3): ground -> camera, place (3,) m of the camera; focal, pixels.
    """

    times: Array
    q: Array
    scales: Array
    band: Array
    seen: NDArray[np.bool_]
    camera: Array
    place: Array
    focal: float
    hidden: tuple[str, ...]
    warnings: tuple[str, ...]


def captured(
    track: Track,
    lifter: Lifter,
    about: About,
    height: float | None = None,
    fov: float | None = None,
    refine: bool = True,
) -> Captured:
    """Return the movement of a tracked person. height m; fov: horizontal field of view, degrees."""
    counts = (track.confidence > 0).sum(axis=1)
    if int((counts >= LEAST_POINTS).sum()) < LEAST_SEEN:
        raise UserError(
            f"Expected a person in {LEAST_SEEN} frames or more, found one in {int((counts >= LEAST_POINTS).sum())}. "
            "Is the whole body in view?"
        )
    fps = lifter.config.fps
    even = at_rate(track, fps)
    focal = focal_of(track.size, fov)
    middle = np.array(track.size) / 2
    rays = torch.from_numpy((even.points - middle) / focal).float()
    confidence = torch.from_numpy(even.confidence).float()
    world = None if even.world is None else torch.from_numpy(even.world).float()
    skeletons = lift(lifter, rays, confidence, world)
    body, model = lifter.body, open_osim(OSIM)
    tied = body.untied(skeletons.tied).double()
    scales = tied * HEIGHT / height_of(model, tied)  # all tolerances are those of a person of this height
    kinematics = Kinematics(body.model)
    of_points = Kinematics(body.model.with_markers(body.model.markers[: len(body.points)]))
    camera = ground_axes(skeletons, confidence)
    q, width = coordinates_of(skeletons, lifter, camera)
    view = View(rays.double(), confidence.double(), camera, fps)
    q[:, 3:6] = placed_along_rays(of_points, q, scales, view)
    if refine:
        q = refined(of_points, q, scales, view, width)
    hidden = hidden_coordinates(of_points, q, scales, view)
    q, camera = levelled(q, kinematics, scales, camera, fps)
    q, place = on_the_floor(q, kinematics, scales)
    wider = [about.widen.get(name, 0.0) * (WIDER if name in hidden else 1.0) for name in body.names]
    band = width * torch.tensor(wider)
    size = (height or HEIGHT) / HEIGHT
    q[:, 3:6] *= size
    return Captured(
        track.times,
        at_times(q.numpy(), even.times, track.times),
        (scales * size).numpy(),
        at_times(band.numpy(), even.times, track.times),
        counts >= LEAST_POINTS,
        camera.numpy(),
        (place * size).numpy(),
        focal,
        tuple(hidden),
        tuple(told(hidden)),
    )


def coordinates_of(skeletons: Skeletons, lifter: Lifter, camera: Tensor) -> tuple[Tensor, Tensor]:
    """Return coordinates (T, C) in ground and the errors expected of them (T, C); angles run on without jumps."""
    body = lifter.body
    rotations = skeletons.rotations.double().clone()
    rotations[:, 0] = camera.T @ rotations[:, 0]
    q = torch.zeros(len(rotations), len(body.names), dtype=torch.float64)
    width = torch.zeros_like(q)
    angles = (to_angles(rotations) * body.signs.double()).numpy()
    ranges = {c.name: c.range for c in body.model.coordinates}
    for i, columns in enumerate(body.ball_columns):
        low, high = np.array([ranges[body.names[c]] for c in columns]).T
        q[:, columns] = torch.from_numpy(nearest_way(angles[:, i], np.zeros(3), (low - 1e-6, high + 1e-6)))
    q[:, body.hinge_columns] = skeletons.hinges.double()
    width[:, body.turned_columns] = skeletons.width.double()
    return q, width


def check_fov(fov: float | None) -> None:
    """Raise UserError for a horizontal field of view (degrees) that no camera has; None is none given."""
    if fov is not None and not 5 <= fov <= 150:
        raise UserError(f"Expected a horizontal field of view from 5 to 150 degrees, got {fov:g}.")


def focal_of(size: tuple[int, int], fov: float | None) -> float:
    """Return the focal length in pixels of images (width, height) with a horizontal field of view in degrees."""
    if fov is None:
        return FOCAL * max(size)
    check_fov(fov)
    return size[0] / 2 / float(np.tan(np.deg2rad(fov) / 2))
