"""Schedule and sampler, apart from any network."""

import pytest
import torch
from torch import Tensor

from rehabmotion.models.samplers import cosine_alpha_bar, cosine_levels, ddim, mixed, straight_levels, straight_ode


def test_the_signal_falls_from_all_to_almost_nothing_and_never_rises() -> None:
    a = cosine_alpha_bar(torch.linspace(0, 1, 1001))
    assert a[0] == 1.0
    assert a[-1] == pytest.approx(1e-6)
    assert (a.diff() <= 0).all()
    assert (a.diff()[:990] < 0).all()


def test_half_way_is_nearly_half_of_the_variance() -> None:
    # cos^2 of (0.5 + s) / (1 + s) * pi / 2 over cos^2 of s / (1 + s) * pi / 2, s = 0.008
    assert float(cosine_alpha_bar(torch.tensor(0.5))) == pytest.approx(0.4938436, abs=1e-6)


@pytest.mark.parametrize("step", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_noise_keeps_the_variance_of_unit_data(step: float) -> None:
    g = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(50, 40, 60, generator=g), torch.randn(50, 40, 60, generator=g)
    x = mixed(x0, noise, cosine_levels(torch.full((50,), step)))
    a = float(cosine_alpha_bar(torch.tensor(step)))
    assert float(x.var()) == pytest.approx(1.0, rel=0.02)
    assert float((x * x0).mean()) == pytest.approx(a**0.5, abs=0.01)
    assert float((x * noise).mean()) == pytest.approx((1 - a) ** 0.5, abs=0.01)


def test_each_clip_of_a_batch_has_its_own_step() -> None:
    x0, noise = torch.ones(2, 3, 4), torch.zeros(2, 3, 4)
    x = mixed(x0, noise, cosine_levels(torch.tensor([0.0, 1.0])))
    assert torch.equal(x[0], x0[0])
    assert torch.allclose(x[1], torch.full((3, 4), 1e-3))


@pytest.mark.parametrize("n_steps", [1, 2, 10, 50])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_predictor_that_knows_the_answer_is_believed_exactly(n_steps: int, eta: float) -> None:
    g = torch.Generator().manual_seed(1)
    answer, noise = torch.randn(3, 8, 5, generator=g), torch.randn(3, 8, 5, generator=g)
    assert torch.equal(ddim(lambda x, step: answer, noise, n_steps, eta, g), answer)


def test_the_predictor_is_told_the_share_of_noise_from_1_downwards() -> None:
    seen: list[tuple[float, int]] = []

    def predict(x: Tensor, step: Tensor) -> Tensor:
        seen.append((round(float(step[0]), 4), len(step)))
        return x

    ddim(predict, torch.zeros(6, 2), 4)
    assert seen == [(1.0, 6), (0.75, 6), (0.5, 6), (0.25, 6)]


def gaussian(deviation: float) -> object:
    """The best predictor where all data are N(0, deviation^2): E[x0 | x_t], linear in x_t."""

    def predict(x: Tensor, step: Tensor) -> Tensor:
        a = cosine_alpha_bar(step[:1])
        return a.sqrt() * deviation**2 / (a * deviation**2 + 1 - a) * x

    return predict


def test_without_fresh_noise_gaussian_data_are_the_noise_scaled() -> None:
    # the probability flow from N(0, 1) to N(0, s^2) is x -> s x
    noise = torch.randn(4, 10, generator=torch.Generator().manual_seed(2))
    x = ddim(gaussian(0.3), noise, 400)  # type: ignore[arg-type]
    assert torch.allclose(x, 0.3 * noise, atol=0.01)


def test_with_fresh_noise_gaussian_data_keep_their_deviation() -> None:
    g = torch.Generator().manual_seed(3)
    x = ddim(gaussian(0.3), torch.randn(2000, 10, generator=g), 400, eta=1.0, generator=g)  # type: ignore[arg-type]
    assert float(x.std()) == pytest.approx(0.3, rel=0.03)


def test_fresh_noise_of_each_motion_comes_from_its_own_stream() -> None:
    """Cut in two, a batch once got other noise in its second half."""
    noise = torch.randn(3, 5, 20, generator=torch.Generator().manual_seed(4))

    def sample(rows: slice) -> Tensor:
        streams = [torch.Generator().manual_seed(i) for i in range(3)][rows]
        return ddim(gaussian(1.0), noise[rows], 5, eta=1.0, generator=streams)  # type: ignore[arg-type]

    assert torch.equal(sample(slice(0, 3))[1:], sample(slice(1, 3)))


def gaussian_x0(x: Tensor, step: Tensor) -> Tensor:
    """The best estimate of x0 of deviation 2 on a straight path: E[x0 | x] = (1 - s) 4 x / ((1 - s)^2 4 + s^2)."""
    s = step[:, None]
    return (1 - s) * 4 * x / ((1 - s) ** 2 * 4 + s**2)


@pytest.mark.parametrize(("heun", "order"), [(False, 1), (True, 2)])
def test_straight_paths_end_where_the_exact_flow_ends_with_the_order_of_the_steps(heun: bool, order: int) -> None:
    """For Gaussian data of deviation 2 the exact flow maps noise n to 2 n."""
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    errors = [float((straight_ode(gaussian_x0, noise, n, heun=heun) - 2 * noise).abs().max()) for n in (32, 64)]
    assert errors[1] < 0.1
    assert errors[0] / errors[1] == pytest.approx(2.0**order, rel=0.35)


def test_a_straight_path_has_both_ends() -> None:
    x0, noise = torch.ones(2, 3, 4), torch.zeros(2, 3, 4)
    x = mixed(x0, noise, straight_levels(torch.tensor([0.25, 1.0])))
    assert torch.equal(x[0], torch.full((3, 4), 0.75))
    assert torch.equal(x[1], noise[1])
