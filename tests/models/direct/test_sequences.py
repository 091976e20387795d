"""What every sequence network promises, and what each is by hand."""

import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.models.direct.sequence_parts import target_of
from rehabmotion.models.direct.sequence_state_space import StateSpace, scan
from rehabmotion.models.direct.sequence_tcn import Tcn
from rehabmotion.models.direct.sequence_transformer import Block
from rehabmotion.models.direct.sequences import SEQUENCES, SequenceModule, windows

SMALL = {"width": 0.0625, "depth": 0.34}
NETWORKS = sorted(set(SEQUENCES) - {"none"})


def small(name: str, frames: int = 27, causal: bool = False, seed: int = 0) -> SequenceModule:
    torch.manual_seed(seed)
    return SEQUENCES[name](7, 5, frames, causal, **SMALL)


def rows(b: int = 3, frames: int = 27) -> torch.Tensor:
    return torch.randn(b, frames, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", sorted(SEQUENCES))
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [27, 81])
def test_a_window_gives_numbers_for_its_target(name: str, causal: bool, frames: int) -> None:
    network = small(name, frames, causal).eval()
    raw = network(rows(2, frames))
    assert network.target == (frames - 1 if causal else frames // 2)
    assert raw.target.shape == (2, 5)
    assert raw.every is None or raw.every.shape == (2, frames, 5)
    one = network(rows(2, frames)[1:]).target
    torch.testing.assert_close(one[0], raw.target[1])  # alone as among others


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_and_slopes_reach_every_weight(name: str) -> None:
    a, b, c = (small(name, seed=s).eval()(rows()).target for s in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.allclose(a, c)
    network = small(name)
    raw = network(rows())
    g = torch.Generator().manual_seed(1)
    loss = (raw.target * torch.randn(raw.target.shape, generator=g)).sum()
    if raw.every is not None:
        loss = loss + (raw.every * torch.randn(raw.every.shape, generator=g)).sum()
    loss.backward()
    for key, p in network.named_parameters():
        assert p.grad is not None, key
        assert torch.isfinite(p.grad).all(), key
        assert p.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", NETWORKS)
def test_all_frames_of_a_window_matter(name: str) -> None:
    network, x = small(name).eval(), rows(1).requires_grad_()
    network(x).target.sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=2) > 0).all()


@pytest.mark.parametrize("name", sorted(SEQUENCES))
def test_other_windows_are_refused(name: str) -> None:
    network = small(name)
    for bad in (rows(2, 26), rows()[..., 1:], rows()[0]):
        with pytest.raises(UserError, match="Expected windows"):
            network(bad)


@pytest.mark.parametrize(("name", "frames"), [("tcn", 30), ("tcn", 1), ("strided_transformer", 30)])
def test_windows_a_network_cannot_have_are_refused(name: str, frames: int) -> None:
    with pytest.raises(UserError, match="a window of"):
        small(name, frames)


def test_edge_frames_are_repeated() -> None:
    x = torch.arange(4.0)[:, None]
    assert windows(x, 5, False)[..., 0].tolist() == [
        [0, 0, 0, 1, 2],
        [0, 0, 1, 2, 3],
        [0, 1, 2, 3, 3],
        [1, 2, 3, 3, 3],
    ]
    assert windows(x, 3, True)[..., 0].tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert windows(x[:1], 3, False).shape == (1, 3, 1)
    assert (target_of(243, False), target_of(243, True), target_of(1, False)) == (121, 242, 0)
    with pytest.raises(UserError, match="at least one frame"):
        windows(x[:0], 3, False)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_causal_target_does_not_see_what_comes(name: str) -> None:
    network = small(name, causal=True).eval()
    x = torch.randn(40, 7, generator=torch.Generator().manual_seed(2))
    later = x.clone()
    later[30:] = 9.0
    a, b = (network(windows(clip, 27, True)).target for clip in (x, later))
    torch.testing.assert_close(a[:30], b[:30])
    assert not torch.allclose(a[30], b[30], atol=1e-4)


def test_papers_lstm_has_the_weights_of_three_layers_of_512() -> None:
    with torch.device("meta"):
        network = SEQUENCES["lstm"](567, 126, 243)

    def layer(n_in: int) -> int:
        return 2 * (4 * 512 * (n_in + 512) + 2 * 4 * 512)

    expected = layer(567) + 2 * layer(1024) + 1024 * 126 + 126
    assert sum(p.numel() for p in network.parameters()) == expected


def test_papers_tcn_has_five_convolutions_by_three() -> None:
    with torch.device("meta"):
        network = SEQUENCES["tcn"](567, 126, 243)
    threes = [p for p in network.parameters() if p.dim() == 3 and p.shape[2] == 3]
    assert len(threes) == 5
    assert sum(p.numel() for p in threes) == 3 * 1024 * (567 + 4 * 1024)


def test_papers_transformer_has_the_weights_of_six_blocks() -> None:
    with torch.device("meta"):
        network = SEQUENCES["strided_transformer"](567, 126, 243)
    d = 256
    block = 4 * (d * d + d) + (d * 2 * d + 2 * d) + (2 * d * d + d) + 4 * d
    expected = 567 * d + d + 6 * block + 2 * (d * 126 + 126)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert [b.stride for b in network.strided] == [3, 9, 9]
    assert [b.kept for b in network.strided] == [1, 4, 4]


def test_strides_keep_the_middle_or_the_last_frame() -> None:
    """The frames that are kept lead to the target."""
    for causal, strides in ((False, (3, 9, 9)), (True, (3, 9, 9)), (False, (3, 3, 9))):
        frames = torch.arange(torch.tensor(strides).prod())
        total = len(frames)
        for s in strides:
            frames = frames[(s - 1 if causal else s // 2) :: s]
        assert frames.tolist() == [target_of(total, causal)]


def test_a_strided_block_is_a_plain_one_seen_less_often() -> None:
    torch.manual_seed(0)
    plain, strided = Block(16), Block(16, 3, 1)
    strided.load_state_dict(plain.state_dict())
    x = torch.randn(2, 9, 16)
    torch.testing.assert_close(strided(x), plain(x)[:, 1::3])


def test_momentum_of_norms_can_be_lowered() -> None:
    network = Tcn(7, 5, 27, width=0.0625)
    network.set_momentum(0.001)
    assert {m.momentum for m in network.modules() if isinstance(m, torch.nn.BatchNorm1d)} == {0.001}


def test_a_scan_is_the_recurrence() -> None:
    g = torch.Generator().manual_seed(0)
    b, t, heads, p, n = 2, 12, 3, 4, 5
    x = torch.randn(b, t, heads, p, generator=g, dtype=torch.float64)
    decay = -torch.rand(b, t, heads, generator=g, dtype=torch.float64)
    write, read = torch.randn(2, b, t, n, generator=g, dtype=torch.float64)
    h, expected = torch.zeros(b, heads, p, n, dtype=torch.float64), []
    for k in range(t):
        h = h * decay[:, k, :, None, None].exp() + x[:, k, :, :, None] * write[:, k, None, None]
        expected.append((h * read[:, k, None, None]).sum(dim=-1))
    torch.testing.assert_close(scan(x, decay, write, read), torch.stack(expected, dim=1))


def test_a_scan_that_forgets_at_once_has_finite_slopes() -> None:
    decay = torch.full((1, 243, 2), -50.0, requires_grad=True)
    out = scan(torch.ones(1, 243, 2, 3), decay, torch.ones(1, 243, 4), torch.ones(1, 243, 4))
    torch.testing.assert_close(out, torch.full_like(out, 4.0))
    out.sum().backward()
    assert decay.grad is not None
    assert torch.isfinite(decay.grad).all()


def test_one_direction_of_a_state_space_does_not_see_what_comes() -> None:
    torch.manual_seed(0)
    layer, x = StateSpace(32), torch.randn(1, 10, 32)
    later = x.clone()
    later[:, 6:] += 1.0
    torch.testing.assert_close(layer(x)[:, :6], layer(later)[:, :6])
