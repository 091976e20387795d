"""Run as a program of its own: MediaPipe finds people in images that come on standard input.

    python mediapipe_child.py MODEL PEOPLE

MediaPipe sends statistics of its use to Google when a landmarker is closed, knows no switch for it, and fills standard
error with notes. Here, apart, it can be given a proxy that leads nowhere, without that touching anything else, and an
image that crashed it would take nothing else along.

A question is HEADER (height, width, ms) and the bytes of an RGB image. An answer is COUNT people, for each LANDMARKS x
NUMBERS float32: x and y as parts of the image's width and height, visibility, presence, x, y, z in metres. A negative
count is a refusal and followed by COUNT bytes of text. The first answer, to no question, is 0: ready.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any, BinaryIO

import numpy as np

HEADER = struct.Struct("<IIq")
COUNT = struct.Struct("<i")
LANDMARKS, NUMBERS = 33, 7
NO_LIBRARY, NO_MODEL, NO_IMAGE = -1, -2, -3


def main(model: str, people: int) -> int:
    """Answer until no question comes; return the exit status."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no part of an answer
    try:
        import mediapipe
        import mediapipe.tasks.python.vision
    except Exception as error:  # a library of the system that it or its OpenCV lacks
        return _refuse(answers, NO_LIBRARY, error)
    try:
        landmarker = _open(mediapipe, model, people)
    except Exception as error:  # whatever it raises is said to the parent, in a line
        return _refuse(answers, NO_MODEL, error)
    _answer(answers, COUNT.pack(0))
    while len(header := sys.stdin.buffer.read(HEADER.size)) == HEADER.size:
        height, width, milliseconds = HEADER.unpack(header)
        pixels = sys.stdin.buffer.read(height * width * 3)
        if len(pixels) < height * width * 3:
            break
        image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        try:
            found = landmarker.detect_for_video(picture, milliseconds)
        except Exception as error:
            return _refuse(answers, NO_IMAGE, error)
        _answer(answers, COUNT.pack(len(found.pose_landmarks)) + _numbers(found))
    os._exit(0)  # unclosed: closing is what sends


def _open(mediapipe: Any, model: str, people: int) -> Any:
    tasks = mediapipe.tasks
    options = tasks.vision.PoseLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=model),
        running_mode=tasks.vision.RunningMode.VIDEO,
        num_poses=people,
    )
    return tasks.vision.PoseLandmarker.create_from_options(options)


def _numbers(found: Any) -> bytes:
    rows = [
        (a.x, a.y, a.visibility or 0.0, a.presence or 0.0, b.x, b.y, b.z)
        for flat, world in zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)
        for a, b in zip(flat, world, strict=True)
    ]
    return np.array(rows, "<f4").tobytes()


def _refuse(answers: BinaryIO, kind: int, error: Exception) -> int:
    text = " ".join(f"{type(error).__name__}: {error}".split())[:200].encode("utf-8", "replace")
    _answer(answers, COUNT.pack(kind) + COUNT.pack(len(text)) + text)
    os._exit(3)


def _answer(answers: BinaryIO, data: bytes) -> None:
    answers.write(data)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
