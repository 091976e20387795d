"""VAE and GAN in numbers: divergence, penalties, the moment that does not punish spread."""

from collections.abc import Callable

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.diffusion import DiffusionConfig
from rehabmotion.models.gan import GanConfig, GanGenerator
from rehabmotion.models.generator import Batch
from rehabmotion.models.trainable import Draws
from rehabmotion.models.vae import VaeConfig, VaeGenerator, divergence

Make = Callable[..., Conditions]
Config = Callable[..., DiffusionConfig]


def common(make_config: Config) -> dict[str, object]:
    return {f: getattr(make_config(), f) for f in ("text", "network", "mean", "std", "scales", "features")}


def test_the_divergence_is_torchs() -> None:
    g = torch.Generator().manual_seed(0)
    q, p = ((torch.randn(7, 5, generator=g), torch.randn(7, 5, generator=g)) for _ in range(2))
    expected = kl_divergence(Normal(q[0], (q[1] / 2).exp()), Normal(p[0], (p[1] / 2).exp())).sum(dim=-1)
    assert torch.allclose(divergence(q, p), expected, rtol=1e-5)
    assert torch.allclose(divergence(p, p), torch.zeros(7), atol=1e-6)


def test_the_score_is_read_only_off_clips_that_have_one(make_config: Config, conditions: Make) -> None:
    model = VaeGenerator(VaeConfig(**common(make_config)))  # type: ignore[arg-type]
    c = conditions().but(scale=torch.tensor([-1, -1, 2, 2]), score=torch.tensor([9.0, 9.0, 0.25, 0.75]))
    with torch.no_grad():
        model.score_head.weight.zero_()
        model.score_head.bias.fill_(0.5)
        assert float(model._score_loss(torch.zeros(4, 48), c)) == pytest.approx(0.0625)
        none = c.but(scale=torch.full((4,), -1))
        assert float(model._score_loss(torch.zeros(4, 48), none)) == 0.0


def test_a_linear_critics_slope_is_its_weight(
    make_config: Config, conditions: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D(x) = 0.1 sum x over 16 frames of 66: both penalties are 0.01 * 16 * 66."""
    model = GanGenerator(GanConfig(**common(make_config), gamma=2.0)).eval()  # type: ignore[arg-type]
    monkeypatch.setattr(model.critic, "forward", lambda x, seen, c: 0.1 * x.sum(dim=(1, 2)))
    batch = Batch(torch.randn(4, 16, 66), torch.ones(4, 16, 22, dtype=torch.bool), conditions())
    parts = {k: v.detach() for k, v in model.loss(batch, Draws(0), "critic").items()}
    assert float(parts["slope"]) == pytest.approx(2 * 0.01 * 16 * 66, rel=1e-4)
    assert float(parts["total"]) == pytest.approx(float(parts["critic"]) + float(parts["slope"]), rel=1e-5)


def test_the_moment_holds_the_mean_and_leaves_the_spread(
    make_config: Config, conditions: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made clips m + s z around recordings at 0: the moment is m^2 whatever s, without bias."""
    model = GanGenerator(GanConfig(**common(make_config))).eval()  # type: ignore[arg-type]
    b = 400
    c = conditions(b=b)
    batch = Batch(torch.zeros(b, 16, 66), torch.ones(b, 16, 22, dtype=torch.bool), c)
    g = torch.Generator().manual_seed(0)
    for spread in (0.0, 1.0):
        monkeypatch.setattr(model, "_paint", lambda *_, s=spread: 0.5 + s * torch.randn(b, 16, 66, generator=g))
        assert float(model.loss(batch, Draws(0), "painter")["mean"]) == pytest.approx(0.25, abs=0.01)
