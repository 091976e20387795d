"""Which detectors there are, by the name a user gives: one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.vision.mediapipe_pose import MediapipePose
from rehabmotion.vision.rtmpose import RtmPose
from rehabmotion.vision.track import Detector

Opener = Callable[[str, int], Detector]  # from what stands after the colon, and how many people to look for


def _mediapipe(file: str, people: int) -> Detector:
    return MediapipePose(Path(file) if file else None, people)


def _rtmpose(file: str, people: int) -> Detector:
    if not file:
        raise UserError('Expected the network\'s file, got "rtmpose". Write rtmpose:FILE.onnx')
    if people != 1:
        raise UserError(f"Expected 1 person for rtmpose, which follows one, got {people}. Use mediapipe for several.")
    return RtmPose(Path(file))


DETECTORS: dict[str, Opener] = {"mediapipe": _mediapipe, "rtmpose": _rtmpose}


def open_detector(spec: str, people: int = 1) -> Detector:
    """Return a detector by its name, or NAME:FILE with the model it is to use; close it in the end.

    `mediapipe` uses the model that `rehabmotion models get pose` fetched. UserError: an unknown name, a missing extra
    or model, more people than the detector can follow.
    """
    name, _, file = spec.partition(":")
    if name not in DETECTORS:
        known = ", ".join(DETECTORS)
        raise UserError(f'Expected a detector out of {known}, got "{name}". With a model: NAME:FILE.')
    return DETECTORS[name](file, people)
