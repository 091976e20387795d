"""The denoising network: shapes, masks, and that every weight learns."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rehabmotion.models.blocks import sinusoids
from rehabmotion.models.denoiser import Conditions, Denoiser, NetworkConfig

TINY = NetworkConfig(n_frames=16, d=32, layers=2, heads=2, n_exercises=4, d_text=16, dropout=0.0, n_people=2)
Make = Callable[..., Conditions]


def network(**changes: object) -> Denoiser:
    """A tiny network in which nothing is zero any more."""
    torch.manual_seed(0)
    net = Denoiser(replace(TINY, **changes)).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn_like(p))
    return net


def inputs(b: int = 4, t: int = 16, features: int = 66, joints: int = 22) -> tuple[Tensor, Tensor, Tensor]:
    """x, step and valid of a batch."""
    g = torch.Generator().manual_seed(1)
    valid = torch.rand(b, t, joints, generator=g) < 0.8
    return torch.randn(b, t, features, generator=g), torch.linspace(0.1, 0.9, b), valid


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("features", [66, 263])
def test_what_comes_out_has_the_shape_of_what_went_in(conditions: Make, patch: int, features: int) -> None:
    x, step, valid = inputs(features=features)
    out = network(patch=patch, n_features=features)(x, step, valid, conditions())
    assert out.shape == x.shape
    assert torch.isfinite(out).all()


def test_a_new_network_starts_with_blocks_that_let_everything_pass(conditions: Make) -> None:
    # adaLN-Zero: neither self-attention nor feed-forward has a say before training
    net = Denoiser(TINY).eval()
    x, step, valid = inputs()
    before = net(x, step, valid, conditions())
    with torch.no_grad():
        for block in net.blocks:
            for part in (block.self_attention, block.forward_part):
                for p in part.parameters():  # type: ignore[union-attr]
                    p.normal_()
    assert torch.equal(net(x, step, valid, conditions()), before)


@pytest.mark.parametrize("patch", [1, 2])
def test_frames_beyond_the_end_are_not_looked_at(conditions: Make, patch: int) -> None:
    net, (x, step, valid) = network(patch=patch), inputs()
    real = torch.arange(16) < torch.tensor([16, 10, 4, 2])[:, None]
    garbage = torch.where(real[..., None], x, 1e3 * torch.randn_like(x))
    a = net(x, step, valid, conditions(), real)
    b = net(garbage, step, valid & real[..., None], conditions(), real)
    assert torch.allclose(a[real], b[real], atol=1e-5)
    unmasked = net(garbage, step, valid, conditions())
    assert not torch.allclose(a[real], unmasked[real], atol=1e-2)


def test_a_mask_of_real_frames_alone_is_no_mask(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    everything = torch.ones(4, 16, dtype=torch.bool)
    assert torch.allclose(net(x, step, valid, conditions(), everything), net(x, step, valid, conditions()), atol=1e-6)


def test_which_joints_are_real_is_told_to_the_network(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    other = valid.clone()
    other[:, 3, 5] = ~other[:, 3, 5]
    assert not torch.allclose(net(x, step, valid, conditions()), net(x, step, other, conditions()), atol=1e-5)


def test_words_behind_the_mask_are_not_read(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    c = conditions()
    garbage = torch.where(c.word_mask[..., None], c.words, torch.full_like(c.words, 50.0))
    assert torch.allclose(net(x, step, valid, c), net(x, step, valid, c.but(words=garbage)), atol=1e-5)


def test_without_text_nothing_of_the_text_is_read(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    a, b = conditions(seed=0), conditions(seed=5)
    told = b.but(**{k: getattr(a, k) for k in ("scale", "score", "person", "seconds")})
    assert torch.allclose(net(x, step, valid, a.without_text()), net(x, step, valid, told.without_text()), atol=1e-5)
    assert not torch.allclose(net(x, step, valid, a), net(x, step, valid, told), atol=1e-3)


def test_without_a_score_its_value_is_not_read_and_0_is_a_score(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    a, b = conditions().but(score=torch.zeros(4)), conditions().but(score=torch.ones(4))
    out = {k: net(x, step, valid, c) for k, c in (("a", a), ("b", b))}
    assert torch.equal(net(x, step, valid, a.without_score()), net(x, step, valid, b.without_score()))
    scored = conditions().scale >= 0
    assert not torch.allclose(out["a"][scored], out["b"][scored], atol=1e-3)
    assert torch.equal(out["a"][~scored], out["b"][~scored])
    assert not torch.allclose(out["a"][scored], net(x, step, valid, a.without_score())[scored], atol=1e-3)


@pytest.mark.parametrize("field", ["exercise", "side", "pooled", "seconds", "words", "person"])
def test_every_condition_is_heard(conditions: Make, field: str) -> None:
    net, (x, step, valid) = network(), inputs()
    c = conditions()
    other = c.but(**{field: getattr(c, field).roll(1, dims=0)})
    assert not torch.allclose(net(x, step, valid, c), net(x, step, valid, other), atol=1e-4)
    assert not torch.allclose(net(x, step, valid, c), net(x, step.flip(0), valid, c), atol=1e-4)


def test_motions_of_a_batch_do_not_see_one_another(conditions: Make) -> None:
    net, (x, step, valid) = network(), inputs()
    c = conditions()
    alone = c.but(**{k: v[:1] for k, v in c.__dict__.items()})
    assert torch.allclose(net(x, step, valid, c)[:1], net(x[:1], step[:1], valid[:1], alone), atol=1e-5)


@pytest.mark.parametrize("patch", [1, 2])
def test_gradients_reach_every_weight(conditions: Make, patch: int) -> None:
    net, (x, step, valid) = network(patch=patch).train(), inputs(b=12)
    net(x, step, valid, conditions(b=12)).square().sum().backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert still == []


def test_joined_batches_are_one_after_the_other(conditions: Make) -> None:
    a, b = conditions(b=2), conditions(b=3, seed=1)
    both = Conditions.cat([a, b])
    assert len(both.scale) == 5
    assert torch.equal(both.words[2:], b.words)


def test_sinusoids_have_the_wavelengths_asked_for() -> None:
    s = sinusoids(torch.tensor([0.0, 0.25, 1.0]), 8, fastest=1.0)
    assert s.shape == (3, 8)
    assert torch.allclose(s[:, 0], torch.tensor([0.0, 1.0, 0.0]), atol=1e-5)  # sine of wavelength 1
    assert torch.allclose(s[0, 4:], torch.ones(4))
