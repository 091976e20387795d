"""A lifter that has learnt nothing and small videos in which a made detector sees somebody squat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from capture_made import write_tiny_lifter
from made_videos import greys, write_video

from rehabmotion.workflows.capture.run import CaptureConfig

SIZE = (128, 96)


@pytest.fixture(scope="session")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny lifter with random weights."""
    return write_tiny_lifter(tmp_path_factory.mktemp("models") / "tiny-lifter")


@pytest.fixture
def config(lifter: Path) -> CaptureConfig:
    """How to capture with it."""
    return CaptureConfig(lifter=str(lifter))


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a video of n grey frames."""

    def make(n: int = 20, name: str = "cam03.mp4", **how: object) -> Path:
        path = tmp_path / "given" / name
        path.parent.mkdir(exist_ok=True)
        return write_video(path, greys(n, *SIZE), **how)  # type: ignore[arg-type]

    return make
