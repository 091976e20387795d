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
from rehabmotion.models.conditioning import NetworkConfig
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.store import Provenance, save_model
from rehabmotion.models.text import TextConfig
from rehabmotion.motion import CANONICAL, EXERCISES, Motion
from rehabmotion.motion.transforms import canonicalise


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
    """The squat as a motion file, in a folder of its own; turned exactly to +z, as readers turn what they read."""
    path = tmp_path / "given" / "squat.npz"
    write_npz(canonicalise(squat), path)
    return path


BANDAI = (  # the archive's joints: name, parent, the canonical joint put in its place
    ("joint_Root", -1, "pelvis"),
    ("Hips", 0, "pelvis"),
    ("Spine", 1, "spine1"),
    ("Chest", 2, "spine3"),
    ("Neck", 3, "neck"),
    ("Head", 4, "head"),
    ("Shoulder_L", 3, "left_collar"),
    ("UpperArm_L", 6, "left_shoulder"),
    ("LowerArm_L", 7, "left_elbow"),
    ("Hand_L", 8, "left_wrist"),
    ("Shoulder_R", 3, "right_collar"),
    ("UpperArm_R", 10, "right_shoulder"),
    ("LowerArm_R", 11, "right_elbow"),
    ("Hand_R", 12, "right_wrist"),
    ("UpperLeg_L", 1, "left_hip"),
    ("LowerLeg_L", 14, "left_knee"),
    ("Foot_L", 15, "left_ankle"),
    ("Toes_L", 16, "left_foot"),
    ("UpperLeg_R", 1, "right_hip"),
    ("LowerLeg_R", 18, "right_knee"),
    ("Foot_R", 19, "right_ankle"),
    ("Toes_R", 20, "right_foot"),
)


@pytest.fixture(scope="session")
def data_folder(squat: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds one made corpus, ten clips in the archive of Bandai-Namco, and half of another."""
    root = tmp_path_factory.mktemp("data")
    columns = CANONICAL.indices(*(joint for _, _, joint in BANDAI))
    mm = np.round(squat.positions[:, columns] * 1000).astype(np.int16)
    x = np.tile(mm, (10, 1, 1)).reshape(10 * squat.n_frames, -1)
    (root / "bandai").mkdir()
    np.savez_compressed(
        root / "bandai" / "bandai_motion_30hz.npz",
        pos_d=np.diff(x, axis=0, prepend=np.int16(0)).T,
        start=np.arange(10) * squat.n_frames,
        length=np.full(10, squat.n_frames),
        name=np.array([f"dataset-1_bow_normal_{i:03d}" for i in range(10)]),
        joints=np.array([name for name, _, _ in BANDAI]),
        parents=np.array([parent for _, parent, _ in BANDAI]),
        fps=np.float64(30),
        unit_mm=np.float64(1),
        content=np.array(["bow"] * 10),
        style=np.array(["normal"] * 10),
    )
    (root / "uiprmd" / "Segmented Movements" / "Kinect").mkdir(parents=True)
    return root


@pytest.fixture
def clips_npz(data_folder: Path) -> Path:
    """The archive of ten clips."""
    return data_folder / "bandai" / "bandai_motion_30hz.npz"


@pytest.fixture(scope="session")
def tiny(squat: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: random weights around the poses of one squat. It has learnt fms and uiprmd, so it says."""
    torch.manual_seed(0)
    x, mask, _, height, _ = encode(squat, 16)
    statistics = fit_statistics(x[None], mask[None])
    text = TextConfig(tuple(EXERCISES), d=16, heads=2, word_buckets=64, gram_buckets=64)
    network = NetworkConfig(16, d=16, layers=1, heads=2, n_exercises=len(text.classes), d_text=16)
    config = DiffusionConfig(text, network, statistics.mean, statistics.std, ("fms", "uiprmd"), sampling_steps=2)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    durations = {"deep_squat": {"any": (float(np.log(3.0)), 0.1)}}
    provenance = Provenance("tiny", ("simulator",), (), ("deep_squat",), durations, (height, 0.05))
    save_model(DiffusionGenerator(config), provenance, folder)
    return folder
