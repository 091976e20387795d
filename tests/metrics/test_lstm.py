"""The paper's grade classifier: its size, its loss by hand, and waves of two speeds."""

import math

import numpy as np
import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.metrics.lstm import GradeNetwork, LstmJudge, focal_loss


def test_the_network_has_the_parameters_of_the_paper() -> None:
    assert sum(p.numel() for p in GradeNetwork(360, 3).parameters()) == 231_723


def test_focal_loss_of_an_undecided_answer_is_a_quarter_of_ln_2() -> None:
    loss = focal_loss(torch.zeros(1, 2, dtype=torch.float64), torch.tensor([1]))
    assert float(loss) == pytest.approx(0.1732867951, abs=1e-10)
    assert float(loss) == pytest.approx(math.log(2) / 4)


def test_focal_loss_without_gamma_is_the_cross_entropy() -> None:
    logits = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(20) % 4
    expected = torch.nn.functional.cross_entropy(logits, labels)
    assert float(focal_loss(logits, labels, gamma=0.0)) == pytest.approx(float(expected), abs=1e-12)


def test_focal_loss_all_but_ignores_what_is_sure_already() -> None:
    sure, unsure = torch.tensor([[6.0, 0.0]]), torch.tensor([[0.5, 0.0]])
    label = torch.tensor([0])
    share = float(focal_loss(sure, label) / focal_loss(unsure, label))
    plain = float(focal_loss(sure, label, 0.0) / focal_loss(unsure, label, 0.0))
    assert share < 1e-3 * plain


def waves(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    fast = np.arange(n) % 2
    wave = np.sin(2 * np.pi * np.where(fast == 1, 4, 1)[:, None] * np.linspace(0, 1, 40) + rng.uniform(0, 1, (n, 1)))
    return wave[:, :, None, None] + rng.normal(0, 0.1, (n, 40, 2, 3)), fast


def test_it_tells_waves_of_two_speeds_apart_repeats_itself_and_draws_from_no_common_seed() -> None:
    clips, fast = waves(48)
    before = torch.get_rng_state()
    judge = LstmJudge(seed=1, epochs=25, batch_size=8).fit(clips[:32], fast[:32])
    assert torch.equal(torch.get_rng_state(), before)
    assert judge.classes == [0, 1]
    assert (judge.predict(clips[32:]) == fast[32:]).all()
    assert ((judge.margin(clips[32:]) > 0) == (fast[32:] == 1)).all()
    again = LstmJudge(seed=1, epochs=25, batch_size=8).fit(clips[:32], fast[:32])
    assert np.array_equal(again.margin(clips), judge.margin(clips))


def test_another_seed_is_another_judge() -> None:
    clips, fast = waves(8)
    a, b = (LstmJudge(seed=seed, epochs=1).fit(clips, fast).margin(clips) for seed in (0, 1))
    assert not np.allclose(a, b)


def test_frames_that_make_no_whole_chunk_are_refused() -> None:
    with pytest.raises(UserError, match="multiple of 5 frames, got 58"):
        LstmJudge().fit(np.zeros((2, 58, 2, 3)), [0, 1])
