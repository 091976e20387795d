"""RTMPose as a detector: an ONNX network of the user's, run on the box around one person.

Jiang et al. 2023, "RTMPose". The network sees an upright picture of the person and answers with two rows of scores for
each keypoint, along x and along y ("SimCC"), in steps of half a pixel or so; the highest of each is the place.
"""

from __future__ import annotations

import importlib.util
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.points import NUMBER, POINTS
from rehabmotion.vision.track import Person

MEAN = np.array([123.675, 116.28, 103.53], np.float32)  # of ImageNet, RGB, as in MMPose's configurations
STD = np.array([58.395, 57.12, 57.375], np.float32)
PADDING = 1.25  # of a box, as MMPose's GetBBoxCenterScale
SURE = 0.3  # score of a keypoint that counts as seen: MMPose's own threshold for drawing
LEAST = 4  # keypoints seen, of a person
LARGEST = 1024  # pixels, of a network's input

KEYPOINTS = {n: names for n, names in (LAYOUTS["COCO_17"], LAYOUTS["HALPE_26"])}


class Crop(NamedTuple):
    """A part of an image with the shape of a network's input: its left top corner, and pixels of it per input pixel."""

    left: float
    top: float
    scale: float


class RtmPose:
    """A detector of one person; with several in view, it follows the one whom it took first.

    model: a top-down RTMPose of 17 (COCO) or 26 (HALPE) keypoints exported by MMDeploy: one input (1, 3, H, W),
    outputs simcc_x and simcc_y. It looks at the whole image until it sees somebody, and then around their last points.
    Confidence is the smaller of the two scores, from 0 to 1. No world. UserError: no onnxruntime, another network.
    """

    def __init__(self, model: Path) -> None:
        self._session = _open(Path(model))
        self._input, self._size = _input(self._session, Path(model))
        _expect_outputs(self._session, Path(model))
        self._box: tuple[float, float, float, float] | None = None

    def people(self, image: NDArray[np.uint8], time: float) -> list[Person]:
        """Return the person in an image (H, W, 3) RGB, or nobody; `time` is not looked at."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise UserError(f"Expected an RGB image (H, W, 3) of bytes, got {image.dtype} of shape {image.shape}.")
        if self._box is None:  # a first, rough look
            self._box = _box(self._look(image, (0.0, 0.0, float(image.shape[1]), float(image.shape[0]))))
        if self._box is None:
            return []
        person = self._look(image, self._box)
        self._box = _box(person)
        return [] if self._box is None else [person]

    def close(self) -> None:
        """Give back what is held."""
        self._session = None

    def _look(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Person:
        crop = crop_of(box, self._size)
        pixels = (cut(image, crop, self._size) - MEAN) / STD
        try:
            x, y = self._session.run(["simcc_x", "simcc_y"], {self._input: pixels.transpose(2, 0, 1)[None]})
        except Exception as error:  # its errors have no common class
            raise UserError(f"Expected RTMPose's network to run, it could not ({_line(error)}).") from None
        if x.ndim != 3 or x.shape[:2] != y.shape[:2] or x.shape[1] not in KEYPOINTS:
            known = " or ".join(map(str, KEYPOINTS))
            raise UserError(f"Expected a network of {known} keypoints, got answers {x.shape} and {y.shape}.")
        places, scores = decode(x, y, self._size)
        names = KEYPOINTS[len(scores)]
        ours, theirs = [NUMBER[name] for name in names], list(names.values())
        points, confidence = np.zeros((len(POINTS), 2), np.float32), np.zeros(len(POINTS), np.float32)
        points[ours] = places[theirs] * crop.scale + (crop.left, crop.top)
        confidence[ours] = scores[theirs]
        return Person(points, confidence)


def crop_of(box: tuple[float, float, float, float], size: tuple[int, int]) -> Crop:
    """Return the crop of an input's size (w, h) about a box (left, top, right, bottom), enlarged by PADDING."""
    left, top, right, bottom = box
    scale = PADDING * max((right - left) / size[0], (bottom - top) / size[1], 1e-3)
    return Crop((left + right - scale * size[0]) / 2, (top + bottom - scale * size[1]) / 2, scale)


def cut(image: NDArray[np.uint8], crop: Crop, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the crop (h, w, 3), 0 to 255, linear between pixels, black outside: OpenCV's warpAffine."""
    across = _weights(crop.left + crop.scale * np.arange(size[0]), image.shape[1])
    down = _weights(crop.top + crop.scale * np.arange(size[1]), image.shape[0])
    found = np.zeros((size[1], size[0], 3), np.float32)
    for (y, a), (x, b) in product(down, across):
        found += image[np.ix_(y, x)] * np.outer(a, b)[..., None]
    return found


def _weights(at: NDArray[np.floating], n: int) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Return the two pixels of n beside each place, and their weights; pixels outside weigh nothing."""
    low = np.floor(at).astype(np.intp)
    part = (at - low).astype(np.float32)
    pairs = ((low, 1 - part), (low + 1, part))
    return [(np.clip(i, 0, n - 1), np.where((i >= 0) & (i < n), w, np.float32(0))) for i, w in pairs]


def decode(
    along_x: NDArray[np.float32], along_y: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return places (K, 2) in pixels of the input (w, h) and scores (K,) from two rows of scores (1, K, steps)."""
    x, y = along_x[0], along_y[0]
    steps = np.array([x.shape[1] / size[0], y.shape[1] / size[1]])
    places = np.stack([x.argmax(axis=1), y.argmax(axis=1)], axis=1) / steps
    scores = np.minimum(x.max(axis=1), y.max(axis=1))
    return places, np.clip(np.nan_to_num(scores), 0, 1).astype(np.float32)


def _box(person: Person) -> tuple[float, float, float, float] | None:
    """Return the box of the points that are sure, or None where these are too few for a person."""
    sure = person.confidence >= SURE
    if sure.sum() < LEAST:
        return None
    return Person(person.points, np.where(sure, person.confidence, 0)).box


def _open(model: Path) -> Any:
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError('RTMPose needs onnxruntime. Install it with: pip install "rehabmotion[rtmpose]"')
    if not model.is_file():
        raise UserError(f"Expected RTMPose's network as an .onnx file, got none at {model}.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what matters is raised
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise UserError(
            f"{model}: Expected an .onnx network, onnxruntime could not open it ({_line(error)})."
        ) from None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _input(session: Any, model: Path) -> tuple[str, tuple[int, int]]:
    """Return the name of the one input and its width and height; another shape raises UserError."""
    shapes = {given.name: list(given.shape) for given in session.get_inputs()}
    name, shape = next(iter(shapes.items()), ("", []))
    fits = len(shapes) == 1 and len(shape) == 4 and shape[1] == 3 and (shape[0] == 1 or not isinstance(shape[0], int))
    if not fits or not all(isinstance(n, int) and 0 < n <= LARGEST for n in shape[2:]):
        raise UserError(f"{model}: Expected one input of shape (1, 3, 256, 192) or so, got {shapes}. Is it an RTMPose?")
    return name, (shape[3], shape[2])


def _expect_outputs(session: Any, model: Path) -> None:
    names = [given.name for given in session.get_outputs()]
    if not {"simcc_x", "simcc_y"} <= set(names):
        raise UserError(f"{model}: Expected outputs simcc_x and simcc_y, got {', '.join(names)}. Is it an RTMPose?")
