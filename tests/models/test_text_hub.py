"""Text encoders of the hub behind their seam, with a fake in the place of the download."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rehabmotion.errors import UserError
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.generator import Request
from rehabmotion.models.text import QUALITIES, SIDES, TextConfig
from rehabmotion.models.text_hub import HubBackbone, HubTextEncoder

CONFIG = TextConfig(("deep_squat", "hurdle_step", "side_lunge"), encoder="clip:fake", d=16)


class Fake:
    """A backbone of width 6: a fixed vector for every letter, texts padded with garbage."""

    width = 6

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        longest = max(1, *map(len, texts), 1)
        vectors, mask = torch.full((len(texts), longest, 6), 9.0), torch.zeros(len(texts), longest, dtype=torch.bool)
        for i, text in enumerate(texts):
            for j, letter in enumerate(text):
                vectors[i, j] = torch.sin(ord(letter) * torch.arange(1.0, 7.0))
                mask[i, j] = True
        return vectors, mask


@pytest.fixture
def encoder() -> HubTextEncoder:
    torch.manual_seed(0)
    return HubTextEncoder(CONFIG, Fake()).eval()


def test_it_offers_what_every_text_encoder_offers(encoder: HubTextEncoder) -> None:
    out = encoder.encode(["squat", "deep squat"])
    assert (out["tokens"].shape, out["mask"].shape, out["pooled"].shape) == ((2, 10, 16), (2, 10), (2, 32))
    assert (out["exercise"].shape, out["side"].shape, out["quality"].shape) == (
        (2, 4),
        (2, len(SIDES)),
        (2, len(QUALITIES)),
    )
    assert encoder.understand(["squat"])[0]["exercise"] in CONFIG.exercises


def test_a_text_is_read_the_same_alone_and_in_company(encoder: HubTextEncoder) -> None:
    together, alone = encoder.encode(["squat", "a much longer text", ""]), encoder.encode(["squat"])
    assert torch.allclose(together["pooled"][0], alone["pooled"][0], atol=1e-6)
    assert torch.allclose(together["tokens"][0, :5], alone["tokens"][0], atol=1e-6)
    assert torch.isfinite(together["pooled"]).all()


def test_the_backbone_is_neither_saved_nor_trained(encoder: HubTextEncoder) -> None:
    assert sorted({name.split(".")[0] for name in encoder.state_dict()}) == [
        "exercise_head",
        "norm",
        "pool",
        "project",
        "quality_head",
        "side_head",
    ]


def test_a_generator_takes_it_in_the_place_of_its_own(
    encoder: HubTextEncoder, make_config: Callable[..., DiffusionConfig], request_of: Callable[..., Request]
) -> None:
    model = DiffusionGenerator(replace(make_config(), text=CONFIG), encoder).eval()
    assert torch.isfinite(model.sample(request_of())).all()


@pytest.mark.parametrize("name", ["berta", "clip:", "t5:small", ":x", ""])
def test_an_encoder_of_no_known_kind_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="clip:MODEL"):
        HubBackbone(name)


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"rehabmotion\[text\]"):
        HubBackbone("clip:openai/clip-vit-base-patch32")
