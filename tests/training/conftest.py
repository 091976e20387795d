"""A handful of simulated clips and a network small enough to be trained in a second."""

from collections.abc import Callable

import pytest
import torch

from rehabmotion.data.samples import Samples, build_samples
from rehabmotion.data.simulator import simulate
from rehabmotion.features.canonical import fit_statistics
from rehabmotion.models.conditioning import NetworkConfig
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.text import TextConfig
from rehabmotion.motion import EXERCISES
from rehabmotion.motion.transforms import canonicalise

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal to the last bit is a promise for the CPU, so these tests stay there on machines with a GPU too."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


@pytest.fixture(scope="session")
def samples() -> Samples:
    """Eight simulated clips of three exercises, mirrored ones counted."""
    asked = [
        ("deep_squat", "both", 1),
        ("deep_squat", "both", 3),
        ("hurdle_step", "left", 2),
        ("trunk_rotation", "right", 3),
    ]
    motions = [canonicalise(simulate(e, side, i, grade=g)) for i, (e, side, g) in enumerate(asked)]
    return build_samples({"simulator": motions}, 16)


@pytest.fixture
def make_model(samples: Samples) -> Callable[[], DiffusionGenerator]:
    """A function that makes the same tiny generator anew, with drop-out."""
    statistics = fit_statistics(samples.x, samples.mask)
    text = TextConfig(tuple(EXERCISES), d=16, heads=2, word_buckets=256, gram_buckets=256)
    network = NetworkConfig(n_frames=16, d=16, layers=1, heads=2, n_exercises=len(text.classes), d_text=16)
    config = DiffusionConfig(text, network, statistics.mean, statistics.std, samples.scales)

    def make() -> DiffusionGenerator:
        torch.manual_seed(0)
        return DiffusionGenerator(config)

    return make
