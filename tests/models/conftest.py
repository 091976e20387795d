"""Tiny networks with random weights."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from rehabmotion.models.conditioning import Conditions, NetworkConfig
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.generator import Request
from rehabmotion.models.text import TextConfig
from rehabmotion.motion import SCALES

torch.set_num_threads(1)

EXERCISES = ("deep_squat", "hurdle_step", "side_lunge")
TEXT = TextConfig(EXERCISES, d=16, heads=2, word_buckets=256, gram_buckets=256)


def shaken(module: torch.nn.Module, seed: int = 0) -> None:
    """Move every weight a little, so that what starts at zero works too."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.05 * torch.randn_like(p))


@pytest.fixture
def shake() -> Callable[..., None]:
    """The function `shaken`."""
    return shaken


@pytest.fixture
def make_config() -> Callable[..., DiffusionConfig]:
    """A function that makes a tiny configuration; its arguments change the denoiser's."""

    def make(**changes: Any) -> DiffusionConfig:
        network = NetworkConfig(n_frames=16, d=32, layers=2, heads=2, n_exercises=4, d_text=16, dropout=0.0, n_people=2)
        network = replace(network, **changes)
        n = network.n_features
        name = "canonical" if n == 66 else "humanml3d"
        return DiffusionConfig(TEXT, network, (0.1,) * n, (0.5,) * n, ("fms", "uiprmd"), name, sampling_steps=4)

    return make


@pytest.fixture
def model(make_config: Callable[..., DiffusionConfig]) -> DiffusionGenerator:
    """A tiny generator, not trained, ready for use."""
    model = DiffusionGenerator(make_config())
    shaken(model.denoiser)
    return model.eval()


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """A function that makes a request for n motions of different kinds."""

    def make(n: int = 3, scored: bool = True, **changes: Any) -> Request:
        texts = ["deep squat", "step over the hurdle with the left leg, slowly and well", "", "squat", "a b c d e f g"]
        return Request(
            **{
                "texts": [texts[i % 5] for i in range(n)],
                "sides": [("none", "left", "right")[i % 3] for i in range(n)],
                "scales": [("fms", "uiprmd", None)[i % 3] if scored else None for i in range(n)],
                "scores": [(0.5, 1.0, 0.0)[i % 3] for i in range(n)],
                "seconds": [2.0 + i for i in range(n)],
                "seed": 7,
                **changes,
            }
        )

    return make


@pytest.fixture
def conditions() -> Callable[..., Conditions]:
    """A function that makes random conditions for a batch of b, every kind among them."""

    def make(b: int = 4, words: int = 5, d_text: int = 16, n_exercises: int = 4, seed: int = 0) -> Conditions:
        g = torch.Generator().manual_seed(seed)
        index = torch.arange(b)
        return Conditions(
            words=torch.randn(b, words, d_text, generator=g),
            word_mask=torch.arange(words) < 1 + index[:, None] % words,
            pooled=torch.randn(b, 2 * d_text, generator=g),
            exercise=torch.rand(b, n_exercises, generator=g).softmax(dim=-1),
            side=torch.eye(4)[index % 4],
            scale=index % (len(SCALES) + 1) - 1,
            score=torch.rand(b, generator=g),
            person=index % 3 - 1,
            seconds=torch.linspace(1.5, 6.0, b),
            quality=torch.ones(b),
            has_text=index % 4 != 3,
            has_words=index % 3 != 2,
        )

    return make
