"""A tiny model with random weights, motion files and a caller of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from rehabmotion.app.cli import run
from rehabmotion.data.simulator import simulate
from rehabmotion.features.canonical import encode, fit_statistics
from rehabmotion.io.npz import write_npz
from rehabmotion.models.denoiser import DenoiserConfig
from rehabmotion.models.generator import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.store import Provenance, save_model
from rehabmotion.models.text import TextConfig
from rehabmotion.motion import EXERCISES, Motion


class Result(NamedTuple):
    """What a command left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    def is_mistake(self, *words: str) -> bool:
        """Whether it ended as a mistake does: exit 2, one line that says these words, nothing on standard output."""
        one_line = self.err.startswith("error: ") and self.err.endswith("\n") and self.err.count("\n") == 1
        return self.code == 2 and self.out == "" and one_line and all(word in self.err for word in words)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """A function that runs the command line in this process."""

    def do(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        return Result(code, *capsys.readouterr())

    return do


@pytest.fixture
def raising() -> Callable[[BaseException], Callable[..., None]]:
    """A function that makes functions which only raise."""

    def make(error: BaseException) -> Callable[..., None]:
        def do(*_: object, **__: object) -> None:
            raise error

        return do

    return make


@pytest.fixture(scope="session")
def squat() -> Motion:
    """One simulated squat of the canonical 22 joints."""
    return simulate("deep_squat", "both", 7, grade=2)


@pytest.fixture
def squat_npz(squat: Motion, tmp_path: Path) -> Path:
    """The squat as a motion file, in a folder of its own."""
    path = tmp_path / "given" / "squat.npz"
    write_npz(squat, path)
    return path


@pytest.fixture(scope="session")
def tiny(squat: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: random weights around the poses of one squat. It has learnt fms and uiprmd, so it says."""
    torch.manual_seed(0)
    x, mask, _, height = encode(squat, 16)
    statistics = fit_statistics(x[None], mask[None])
    text = TextConfig(tuple(EXERCISES), d=16, heads=2, word_buckets=64, gram_buckets=64)
    denoiser = DenoiserConfig(16, d=16, layers=1, heads=2, n_exercises=len(text.classes), d_text=16)
    config = DiffusionConfig(text, denoiser, statistics.mean, statistics.std, ("fms", "uiprmd"), sampling_steps=2)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    durations = {"deep_squat": {"any": (float(np.log(3.0)), 0.1)}}
    provenance = Provenance("tiny", ("simulator",), (), ("deep_squat",), durations, (height, 0.05))
    save_model(DiffusionGenerator(config), provenance, folder)
    return folder
