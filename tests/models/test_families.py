"""What every family of generators promises: losses that read nothing masked, samples that follow the request alone."""

from collections.abc import Callable
from dataclasses import asdict

import pytest
import torch
from torch import Tensor

from rehabmotion.models import MODELS, DiffusionConfig, Generator
from rehabmotion.models.conditioning import Conditions
from rehabmotion.models.generator import Batch, Request
from rehabmotion.models.trainable import Draws

Ask = Callable[..., Request]
Make = Callable[..., Conditions]


@pytest.fixture(params=sorted(MODELS))
def family(
    request: pytest.FixtureRequest, make_config: Callable[..., DiffusionConfig], shake: Callable[..., None]
) -> Generator:
    """A tiny model of each family, not trained."""
    settings, network = MODELS[request.param]
    common = {f: getattr(make_config(), f) for f in ("text", "network", "mean", "std", "scales", "features")}
    torch.manual_seed(0)
    model = network(settings(**common))
    for name, part in model.named_children():
        if name != "text":
            shake(part)
    return model.eval()


def batch_of(c: Conditions, t: int = 16) -> Batch:
    b, g = len(c.scale), torch.Generator().manual_seed(3)
    return Batch(torch.randn(b, t, 66, generator=g), torch.rand(b, t, 22, generator=g) < 0.8, c)


def losses(model: Generator, batch: Batch, seed: int = 0) -> dict[str, float]:
    parts = {}
    for player in model.players:
        parts |= {f"{player} {k}": float(v.detach()) for k, v in model.loss(batch, Draws(seed), player).items()}
    return parts


def test_garbage_in_joints_that_are_masked_does_not_change_the_losses(family: Generator, conditions: Make) -> None:
    batch = batch_of(conditions())
    seen = batch.valid.repeat_interleave(3, dim=-1)
    spoilt = Batch(torch.where(seen, batch.x, torch.full_like(batch.x, 1e4)), batch.valid, batch.conditions)
    assert losses(family, spoilt) == pytest.approx(losses(family, batch), rel=1e-5)
    moved = Batch(batch.x + 0.5, batch.valid, batch.conditions)
    assert losses(family, moved) != pytest.approx(losses(family, batch), rel=1e-3)


def test_every_player_has_weights_of_its_own_and_its_loss_reaches_them(family: Generator, conditions: Make) -> None:
    owned = [id(p) for weights in family.players.values() for p in weights]
    trained = [id(p) for p in family.parameters() if p.requires_grad]
    assert sorted(owned) == sorted(trained)
    assert set(family.turns) == set(family.players)
    for player, weights in family.players.items():
        family.zero_grad()
        family.loss(batch_of(conditions()), Draws(0), player)["total"].backward()
        reached = [p.grad is not None and bool(p.grad.abs().max() > 0) for p in weights]
        assert sum(reached) > 0.8 * len(reached)


def test_the_same_request_gives_the_same_numbers_and_another_seed_others(family: Generator, request_of: Ask) -> None:
    a, b = (family.sample(request_of()) for _ in range(2))
    assert a.shape == (3, 16, 66)
    assert torch.isfinite(a).all()
    assert torch.equal(a, b)
    assert not torch.allclose(family.sample(request_of(seed=8)), a, atol=1e-3)


def test_the_first_of_many_is_the_only_one(family: Generator, request_of: Ask) -> None:
    many = family.sample(request_of(n=4))
    assert torch.allclose(family.sample(request_of(n=1)), many[:1], atol=1e-4)
    last = family.sample(request_of(n=4, first=1))
    assert not torch.allclose(last[0], many[0], atol=1e-3)


@pytest.mark.parametrize("what", ["scores", "seconds", "sides"])
def test_what_is_asked_for_changes_the_motion(family: Generator, request_of: Ask, what: str) -> None:
    other = {"scores": [0.0, 0.0, 1.0], "seconds": [6.0, 6.0, 6.0], "sides": ["left", "right", "none"]}
    assert not torch.allclose(family.sample(request_of(**{what: other[what]})), family.sample(request_of()), atol=1e-5)


def test_a_configuration_survives_json(family: Generator) -> None:
    again = type(family.config).from_json(family.config.as_json())
    assert asdict(again) == asdict(family.config)


def test_steps_on_one_clip_make_samples_more_like_it(family: Generator, conditions: Make, request_of: Ask) -> None:
    """A clip learnt by heart, each player with its own optimiser; likeness 0 = nothing to do with it, 1 = the clip."""
    wave = torch.linspace(0, 6.28, 16)[:, None].sin().expand(16, 66)
    batch = Batch(wave.repeat(16, 1, 1), torch.ones(16, 16, 22, dtype=torch.bool), conditions(b=16))
    optimisers = {k: torch.optim.AdamW(w, lr=4e-3, betas=family.betas) for k, w in family.players.items()}
    object.__setattr__(family.config, "bone_weight", 0.0)  # a made clip has no bones

    def likeness() -> float:
        z = (family.sample(request_of(n=8), steps=4) - family.mean) / family.std
        return float((z * wave).mean() / wave.square().mean())

    before = likeness()
    for step in range(40):
        for player in family.turns:
            family.train().loss(batch, Draws(step), player)["total"].backward()
            optimisers[player].step()
            family.zero_grad()
    assert before + 0.05 < likeness() < 1.3


def test_shards_draw_what_the_whole_draws() -> None:
    whole = Draws(5)
    parts = [Draws(5, i, 2) for i in range(2)]

    def both(of: Callable[[Draws], Tensor]) -> Tensor:
        return torch.cat([of(part) for part in parts])

    assert torch.equal(whole.uniform(6), both(lambda d: d.uniform(3)))
    assert torch.equal(whole.normal(6, 4, 2), both(lambda d: d.normal(3, 4, 2)))
