"""The prior: closed forms of the Wiener estimate, and what it must leave alone."""

import pytest
import torch
from scipy.fft import dct
from torch import Tensor

from rehabmotion.models.prior import CEILING, JITTER, LOOSE, Calm, SpectralPrior, dct_matrix, level_of
from rehabmotion.models.samplers import cosine_alpha_bar, cosine_levels, ddim

T, C = 16, 2


def fitted(deviation: float, total: float = 1e3) -> SpectralPrior:
    prior = SpectralPrior(T, C)
    prior.deviation.fill_(deviation)
    prior.total.fill_(total)
    prior.fitted.fill_(True)
    return prior


def test_the_transform_is_scipys() -> None:
    x = torch.randn(T, 3, generator=torch.Generator().manual_seed(0))
    expected = dct(x.numpy(), axis=0, norm="ortho")
    assert torch.allclose(dct_matrix(T) @ x, torch.from_numpy(expected), atol=1e-5)


def test_unfitted_it_believes_the_network_alone() -> None:
    painted, x_t = torch.randn(3, T, C), torch.randn(3, T, C)
    step = torch.tensor([0.0, 0.5, 1.0])
    prior = SpectralPrior(T, C)
    assert torch.equal(prior(painted, x_t, *cosine_levels(step)), painted)
    assert torch.equal(prior.loss_weight(*cosine_levels(step)), torch.ones(3))


@pytest.mark.parametrize("step", [0.02, 0.2, 0.7])
def test_the_estimate_weighs_expectation_and_input_by_their_variances(step: float) -> None:
    painted, x_t = torch.full((1, T, C), 2.0), torch.full((1, T, C), 3.0)
    a = float(cosine_alpha_bar(torch.tensor(step)))
    keep = 0.09 / (0.09 + (1 - a) / a)
    expected = keep * 3.0 / a**0.5 + (1 - keep) * 2.0
    got = fitted(0.3)(painted, x_t, *cosine_levels(torch.tensor([step])))
    assert torch.allclose(got, torch.full_like(got, expected), rtol=1e-4)


def test_a_clean_clip_passes_and_pure_noise_does_not() -> None:
    prior, x, painted = fitted(0.3), torch.randn(1, T, C), torch.randn(1, T, C)
    assert torch.allclose(prior(painted, x, *cosine_levels(torch.zeros(1))), x, atol=1e-4)
    assert torch.allclose(prior(painted, x, *cosine_levels(torch.ones(1))), painted, atol=1e-2)


def test_jitter_of_the_network_is_taken_away_where_clips_have_none() -> None:
    prior = fitted(0.0)
    prior.total[T // 2 :] = 0.0
    painted = torch.randn(1, T, C)
    spectrum = prior.dct @ prior(painted, torch.zeros(1, T, C), *cosine_levels(torch.ones(1)))
    assert spectrum[:, T // 2 :].abs().max() < 1e-4
    assert torch.allclose(spectrum[:, : T // 2], (prior.dct @ painted)[:, : T // 2], rtol=1e-3, atol=1e-4)


def test_deviations_are_those_within_groups() -> None:
    """Two people, each at a level of their own, repeating with deviation 0.02: the levels do not count."""
    g = torch.Generator().manual_seed(0)
    levels = torch.randn(2, T, C, generator=g).repeat_interleave(200, dim=0)
    x = 5.0 * levels + 0.02 * torch.randn(400, T, C, generator=g)
    prior = SpectralPrior(T, C)
    prior.fit(x, torch.arange(2).repeat_interleave(200), torch.ones(400, C, dtype=torch.bool))
    assert prior.fitted
    assert prior.deviation.mean() == pytest.approx(0.02, rel=0.02)
    expected = (prior.dct @ x).square().mean(dim=0).sqrt()
    assert torch.allclose(prior.total, expected, rtol=1e-4)


def test_slow_deviations_of_the_whole_body_are_left_to_the_network() -> None:
    x = 3.0 * torch.randn(100, T, C, generator=torch.Generator().manual_seed(0))
    prior = SpectralPrior(T, C)
    prior.fit(x, torch.zeros(100, dtype=torch.long), torch.ones(100, C, dtype=torch.bool))
    assert (prior.deviation == LOOSE).all()


def test_channels_that_were_not_seen_do_not_count() -> None:
    x = torch.randn(50, T, C, generator=torch.Generator().manual_seed(0))
    seen = torch.ones(50, C, dtype=torch.bool)
    seen[25:, 1] = False
    garbage = x.clone()
    garbage[25:, :, 1] = 1e6
    priors = [SpectralPrior(T, C) for _ in range(2)]
    for prior, clips in zip(priors, (x, garbage), strict=True):
        prior.fit(clips, torch.zeros(50, dtype=torch.long), seen)
    assert torch.equal(priors[0].deviation, priors[1].deviation)
    assert torch.equal(priors[0].total, priors[1].total)


def test_without_repetitions_it_stays_unfitted() -> None:
    prior = SpectralPrior(T, C)
    prior.fit(torch.randn(5, T, C), torch.full((5,), -1), torch.ones(5, C, dtype=torch.bool))
    assert not prior.fitted


def test_nearly_clean_clips_weigh_more_in_the_loss_but_not_without_end() -> None:
    weights = fitted(0.1).loss_weight(*cosine_levels(torch.tensor([1.0, 0.5, 0.1, 0.0])))
    assert weights[0] == pytest.approx(1.0, abs=1e-4)
    assert (weights.diff() > 0).all()
    assert weights[-1] == CEILING


def test_sampling_a_known_deviation_gives_it_back() -> None:
    """The network paints 0: what is sampled is the deviation alone, of its own size at each frequency."""
    prior = fitted(0.0)
    prior.deviation[:] = torch.linspace(0.5, 0.05, T)[:, None]
    noise = torch.randn(4000, T, C, generator=torch.Generator().manual_seed(0))

    def predict(x: Tensor, step: Tensor) -> Tensor:
        return prior(torch.zeros_like(x), x, *cosine_levels(step))

    spectrum = prior.dct @ ddim(predict, noise, 200, power=2.0)
    assert torch.allclose(spectrum.square().mean(dim=0).sqrt(), prior.deviation, rtol=0.06)


# --- calm -----------------------------------------------------------------------------------------------------------


def calm_with_one_cell() -> Calm:
    """Exercise 1, scale 0, low level: slow waves of 1 and nothing fast."""
    calm = Calm(2, 2, T, 1)
    calm.spectrum[1, 0, 0, :4] = 1.0
    calm.known[1, 0, 0] = True
    return calm


def ask(exercise: int, scale: int, score: float, someone: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One request's numbers."""
    return torch.tensor([exercise]), torch.tensor([scale]), torch.tensor([score]), torch.tensor([someone])


def test_what_a_simulated_level_never_has_is_taken_away() -> None:
    calm, x = calm_with_one_cell(), torch.randn(1, T, 3)
    before, after = calm.dct @ x, calm.dct @ calm(x, *ask(1, 0, 0.1, False))
    assert after[:, 4:].abs().max() < 1e-4
    assert torch.allclose(after[:, :4], before[:, :4] / (1 + JITTER**2), atol=1e-4)


@pytest.mark.parametrize("other", [(0, 0, 0.1, False), (1, 1, 0.1, False), (1, -1, 0.1, False), (1, 0, 0.5, False),
                                   (1, 0, 0.1, True)])  # fmt: skip
def test_other_exercises_scales_levels_and_people_stay_as_they_are(other: tuple[int, int, float, bool]) -> None:
    x = torch.randn(1, T, 3)
    assert torch.equal(calm_with_one_cell()(x, *ask(*other)), x)


def test_calm_is_learnt_from_cells_with_clips_enough() -> None:
    calm = Calm(2, 1, T, 1)
    x = 0.5 * torch.randn(400, T, 3, generator=torch.Generator().manual_seed(0))
    cell = torch.tensor([[0, 0, 2]] * 395 + [[1, 0, 0]] * 5)
    calm.fit(x, cell)
    assert calm.known.nonzero().tolist() == [[0, 0, 2]]
    assert torch.allclose(calm.spectrum[0, 0, 2], torch.tensor(0.5), rtol=0.1)


def test_levels_are_low_middle_and_high() -> None:
    assert level_of(torch.tensor([0.0, 0.2, 0.5, 0.7, 1.0])).tolist() == [0, 0, 1, 1, 2]
