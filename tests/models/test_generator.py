"""The generator: its loss reads nothing masked; its samples depend on the request alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import rehabmotion.models.diffusion as family
from rehabmotion.errors import UserError
from rehabmotion.models.conditioning import Conditions, NetworkConfig
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.generator import Batch, Request
from rehabmotion.models.text import TextConfig
from rehabmotion.models.trainable import Draws
from rehabmotion.motion import CANONICAL
from rehabmotion.workflows.sizes import size

Ask = Callable[..., Request]
Make = Callable[..., Conditions]
Config = Callable[..., DiffusionConfig]


def batch_of(c: Conditions, features: int = 66, t: int = 16) -> Batch:
    """Random clips, a fifth of the joints masked."""
    b, g = len(c.scale), torch.Generator().manual_seed(3)
    return Batch(torch.randn(b, t, features, generator=g), torch.rand(b, t, 22, generator=g) < 0.8, c)


def losses(model: DiffusionGenerator, batch: Batch, seed: int = 0) -> dict[str, float]:
    return {k: float(v.detach()) for k, v in model.loss(batch, Draws(seed)).items()}


# --- loss ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("patch", [1, 2])
def test_garbage_in_joints_that_are_masked_does_not_change_the_loss(
    make_config: Config, conditions: Make, patch: int
) -> None:
    model = DiffusionGenerator(make_config(patch=patch)).eval()
    batch = batch_of(conditions())
    seen = batch.valid.repeat_interleave(3, dim=-1)
    spoilt = Batch(torch.where(seen, batch.x, torch.full_like(batch.x, 1e4)), batch.valid, batch.conditions)
    assert losses(model, spoilt) == losses(model, batch)


@pytest.mark.parametrize(("features", "patch"), [(66, 1), (66, 2), (263, 1)])
def test_garbage_beyond_the_end_does_not_change_the_loss(
    make_config: Config, conditions: Make, features: int, patch: int
) -> None:
    model = DiffusionGenerator(make_config(n_features=features, patch=patch)).eval()
    batch = batch_of(conditions(), features)
    if features == 263:  # no single joint can be masked in these
        batch.valid = torch.ones_like(batch.valid)
    batch.frame_mask = torch.arange(16) < torch.tensor([16, 10, 7, 3])[:, None]
    spoilt = Batch(
        torch.where(batch.frame_mask[..., None], batch.x, torch.full_like(batch.x, 1e4)),
        batch.valid ^ ~batch.frame_mask[..., None],
        batch.conditions,
        batch.frame_mask,
    )
    assert losses(model, spoilt) == pytest.approx(losses(model, batch), rel=1e-5)
    assert losses(model, batch) != losses(model, Batch(batch.x, batch.valid, batch.conditions))


def test_what_is_seen_does_change_the_loss(model: DiffusionGenerator, conditions: Make) -> None:
    batch = batch_of(conditions())
    moved = Batch(batch.x + 0.5, batch.valid, batch.conditions)
    assert losses(model, moved)["x0"] != losses(model, batch)["x0"]


def test_where_nothing_is_seen_there_is_no_loss(model: DiffusionGenerator, conditions: Make) -> None:
    batch = batch_of(conditions())
    batch.valid = torch.zeros_like(batch.valid)
    assert losses(model, batch) == {"x0": 0.0, "velocity": 0.0, "bone": 0.0, "total": 0.0}


def test_a_network_that_knows_the_answer_has_no_loss(
    model: DiffusionGenerator, conditions: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(conditions())
    monkeypatch.setattr(model.denoiser, "forward", lambda *_: batch.x)
    assert losses(model, batch)["total"] == 0.0


def test_the_parts_of_the_loss_by_hand(
    model: DiffusionGenerator, conditions: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All joints 0.3 too far along x: an error of x0, none of velocity, none of bones; one joint adds both."""
    batch = batch_of(conditions())
    batch.valid = torch.ones_like(batch.valid)
    shift = torch.tensor([0.3, 0.0, 0.0]).repeat(22)
    monkeypatch.setattr(model.denoiser, "forward", lambda *_: batch.x + shift)
    found = losses(model, batch)
    assert found["x0"] == pytest.approx(0.03, rel=1e-4)
    assert found["velocity"] == pytest.approx(0.0, abs=1e-10)
    assert found["bone"] == pytest.approx(0.0, abs=1e-6)
    shaking = torch.zeros(16, 66)
    shaking[::2, -1] = 0.2
    monkeypatch.setattr(model.denoiser, "forward", lambda *_: batch.x + shaking)
    found = losses(model, batch)
    assert found["velocity"] == pytest.approx(0.04 / 66, rel=1e-4)
    assert found["bone"] > 0


def test_bones_are_counted_in_percent_of_the_height(
    model: DiffusionGenerator, conditions: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.zeros(2, 16, 22, 3)
    for parent, joint in CANONICAL.bones:
        x[:, :, joint] = x[:, :, parent] + torch.tensor([0.0, 0.2, 0.0])
    x = (x.flatten(2) - model.mean) / model.std
    batch = Batch(x, torch.ones(2, 16, 22, dtype=torch.bool), conditions(b=2))
    longer = (1.1 * (x * model.std + model.mean) - model.mean) / model.std  # each bone 0.22 instead of 0.2: 2 %
    monkeypatch.setattr(model.denoiser, "forward", lambda *_: longer)
    assert losses(model, batch)["bone"] == pytest.approx(0.05 * 2.0**2, rel=1e-3)


def test_the_text_encoder_is_not_trained_with_it(model: DiffusionGenerator, conditions: Make) -> None:
    model.train()
    assert model.denoiser.training
    assert not model.text.training
    model.loss(batch_of(conditions()), Draws(0))["total"].backward()
    assert all(p.grad is None for p in model.text.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in model.denoiser.parameters())


def test_conditions_are_dropped_as_often_as_asked(model: DiffusionGenerator, conditions: Make) -> None:
    c = conditions(b=4000).but(
        has_text=torch.ones(4000, dtype=torch.bool),
        has_words=torch.ones(4000, dtype=torch.bool),
        scale=torch.zeros(4000, dtype=torch.long),
        person=torch.zeros(4000, dtype=torch.long),
    )
    dropped = model._dropped(c, Draws(0))
    shares = [float((~dropped.has_text).float().mean()), float((~dropped.has_words).float().mean())]
    assert shares == pytest.approx([model.config.drop_text, model.config.drop_words], abs=0.02)
    assert float((dropped.person < 0).float().mean()) == pytest.approx(model.config.drop_person, abs=0.02)
    assert float((dropped.scale < 0).float().mean()) == pytest.approx(model.config.drop_score, abs=0.02)


# --- use ----------------------------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_numbers(model: DiffusionGenerator, request_of: Ask) -> None:
    a, b = (model.sample(request_of()) for _ in range(2))
    assert a.shape == (3, 16, 66)
    assert torch.isfinite(a).all()
    assert torch.equal(a, b)
    torch.manual_seed(99)
    torch.rand(5)
    assert torch.equal(model.sample(request_of()), a)


def test_another_seed_gives_another_motion_and_so_does_the_next_of_the_same_seed(
    model: DiffusionGenerator, request_of: Ask
) -> None:
    a = model.sample(request_of(n=1))
    assert not torch.allclose(model.sample(request_of(n=1, seed=8)), a, atol=1e-2)
    assert not torch.allclose(model.sample(request_of(n=1, first=1)), a, atol=1e-2)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("scored", [False, True])
def test_the_first_of_many_is_the_only_one_and_a_batch_may_be_cut(
    model: DiffusionGenerator, request_of: Ask, eta: float, scored: bool
) -> None:
    whole = request_of(n=5, scored=scored, people=[0, 1, -1, 1, 0])
    many = model.sample(whole, eta=eta)

    def part(first: int, last: int) -> Request:
        lists = ("texts", "sides", "scales", "scores", "seconds", "people")
        return Request(**{k: getattr(whole, k)[first:last] for k in lists}, seed=whole.seed, first=first)

    assert torch.allclose(model.sample(part(0, 1), eta=eta), many[:1], atol=1e-4)
    assert torch.allclose(model.sample(part(2, 5), eta=eta), many[2:], atol=1e-4)


def guided(model: DiffusionGenerator, request: Request, monkeypatch: pytest.MonkeyPatch, **weights: float) -> Tensor:
    """What the sampler is handed as the network's opinion on its first noise."""
    opinions: list[Tensor] = []

    def one_look(predict: Callable[[Tensor, Tensor], Tensor], noise: Tensor, *_: object, **__: object) -> Tensor:
        opinions.append(predict(noise, torch.full((len(noise),), 0.6)))
        opinions.append(noise)
        return noise

    monkeypatch.setattr(family, "ddim", one_look)
    model.sample(request, **weights)  # type: ignore[arg-type]
    return torch.stack(opinions)


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        ({"guidance_text": 1.0, "guidance_score": 1.0}, lambda c: c),
        ({"guidance_text": 1.0, "guidance_score": 0.0}, lambda c: c.without_score()),
        ({"guidance_text": 0.0, "guidance_score": 0.0}, lambda c: c.without_score().without_text()),
    ],
)
def test_weights_of_1_and_0_leave_one_opinion(
    model: DiffusionGenerator,
    request_of: Ask,
    monkeypatch: pytest.MonkeyPatch,
    weights: dict[str, float],
    kept: Callable[[Conditions], Conditions],
) -> None:
    opinion, noise = guided(model, request_of(), monkeypatch, **weights)
    valid = torch.ones(3, 16, 22, dtype=torch.bool)
    expected = model.denoiser(noise, torch.full((3,), 0.6), valid, kept(model.conditions(request_of())))
    assert torch.allclose(opinion, expected, atol=1e-5)


def test_guidance_is_linear_in_its_weights(
    model: DiffusionGenerator, request_of: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(text: float, score: float) -> Tensor:
        return guided(model, request_of(), monkeypatch, guidance_text=text, guidance_score=score)[0]

    assert torch.allclose(at(2.5, 0) - at(0, 0), 2.5 * (at(1, 0) - at(0, 0)), atol=1e-4)
    assert torch.allclose(at(1, 3) - at(1, 0), 3 * (at(1, 1) - at(1, 0)), atol=1e-4)
    assert not torch.allclose(at(1, 1), at(1, 0), atol=1e-3)


def test_without_any_score_its_weight_means_nothing(model: DiffusionGenerator, request_of: Ask) -> None:
    request = request_of(scored=False)
    assert torch.equal(model.sample(request, guidance_score=1.0), model.sample(request, guidance_score=9.0))


def test_an_unscored_motion_is_the_same_beside_scored_ones(model: DiffusionGenerator, request_of: Ask) -> None:
    alone = model.sample(request_of(n=3, scored=False))
    beside = model.sample(request_of(n=3, scales=["fms", "fms", None]))
    assert torch.allclose(alone[2], beside[2], atol=1e-4)


def test_whose_manner_is_taken_changes_the_motion_and_without_anybody_it_is_nobodys(
    model: DiffusionGenerator, request_of: Ask
) -> None:
    first, second = (model.sample(request_of(people=[i] * 3)) for i in (0, 1))
    assert not torch.allclose(first, second, atol=1e-3)
    assert torch.equal(model.sample(request_of(people=[-1] * 3)), model.sample(request_of()))


def test_samples_are_in_the_units_of_the_data(make_config: Config, request_of: Ask) -> None:
    small = DiffusionGenerator(make_config()).eval()
    with torch.no_grad():
        small.denoiser.patch_out.weight.zero_()
        small.denoiser.patch_out.bias.fill_(2.0)
    # always predicts 2 in normalised units: 2 * std + mean
    assert torch.allclose(small.sample(request_of()), torch.tensor(2.0 * 0.5 + 0.1), atol=1e-5)


@pytest.mark.slow
def test_the_published_size_trains_a_step_and_samples(conditions: Make, request_of: Ask) -> None:
    """As published: d 512, 8 layers, 263 features, a token for each of 196 frames; shorter clips are padded."""
    paper = size("paper")
    assert (paper.d, paper.layers, paper.n_frames, paper.patch, paper.features) == (512, 8, 196, 1, "humanml3d")
    text = TextConfig(("deep_squat", "hurdle_step", "side_lunge"), d=paper.d_text)
    network = NetworkConfig(
        n_frames=paper.n_frames,
        n_features=263,
        n_masked=22,
        d=paper.d,
        layers=paper.layers,
        heads=paper.heads,
        patch=paper.patch,
        n_exercises=4,
        d_text=paper.d_text,
        n_people=2,
    )
    config = DiffusionConfig(text, network, (0.0,) * 263, (1.0,) * 263, ("fms",), paper.features)
    assert DiffusionConfig.from_json(config.as_json()) == config
    torch.manual_seed(0)
    model = DiffusionGenerator(config).train()
    batch = batch_of(conditions(b=2, d_text=paper.d_text), features=263, t=196)
    batch.valid = torch.ones_like(batch.valid)
    batch.frame_mask = torch.arange(196) < torch.tensor([196, 60])[:, None]
    optimiser = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=paper.learning_rate)
    before = losses(model.eval(), batch)["total"]
    model.train().loss(batch, Draws(0))["total"].backward()
    optimiser.step()
    assert losses(model.eval(), batch)["total"] < before
    assert model.sample(request_of(n=1), steps=2).shape == (1, 196, 263)


# --- configuration ------------------------------------------------------------------------------------------------


def test_a_configuration_survives_json(make_config: Config) -> None:
    config = make_config()
    assert DiffusionConfig.from_json(config.as_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"n_layers": 3},
        {"text": {"exercises": ["a"], "width": 3}},
        {"network": {"n_layers": 3}},
        {"text": {}},
        {"text": 3},
        {"network": [1]},
        {"mean": [0.0] * 65},
        {"std": [0.0] * 67},
        {"mean": 3},
        {"text": {"exercises": ["a", "b"], "d": 16, "heads": 2}},  # not as many as the denoiser has
        {"text": {"exercises": ["a", "b", "c"], "d": 32, "heads": 2}},  # not as wide as the denoiser wants
        {"scales": ["berg"]},
    ],
)
def test_a_foreign_configuration_is_refused(make_config: Config, change: dict[str, object]) -> None:
    with pytest.raises(UserError):
        DiffusionConfig.from_json({**make_config().as_json(), **change})


@pytest.mark.parametrize("missing", ["text", "network", "mean", "std", "scales"])
def test_a_configuration_lacks_nothing(make_config: Config, missing: str) -> None:
    data = {k: v for k, v in make_config().as_json().items() if k != missing}
    with pytest.raises(UserError):
        DiffusionConfig.from_json(data)


def test_an_unknown_key_is_named_with_the_known_ones(make_config: Config) -> None:
    with pytest.raises(UserError, match=r"'n_layers'.*guidance_text"):
        DiffusionConfig.from_json({**make_config().as_json(), "n_layers": 3})
