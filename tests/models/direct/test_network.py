"""Both networks: parts in all combinations, the paper's configuration, and what is kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from person_made import papers_groups, papers_person
from safetensors.torch import load_file, save_file

from rehabmotion.biomech.description import Model
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.heads import HEADS
from rehabmotion.models.direct.losses import DirectLoss, Labels, LossConfig
from rehabmotion.models.direct.network import FrameConfig, FrameNetwork, Said, SequenceConfig, SequenceNetwork
from rehabmotion.models.direct.sequences import SEQUENCES
from rehabmotion.models.direct.targets import TargetsConfig

TINY = FrameConfig(backbone="resnet18", width=0.125, depth=0.5, image=64)
TINY_SEQUENCE = SequenceConfig(width=0.0625, depth=0.34, frames=27)
PAPERS = TargetsConfig(ends=("end0", "end1"), scale_groups=papers_groups())


def frames(config: FrameConfig, model: Model, seed: int = 0) -> FrameNetwork:
    torch.manual_seed(seed)
    return FrameNetwork(config, model)


def sequence(config: SequenceConfig, model: Model, seed: int = 0) -> SequenceNetwork:
    torch.manual_seed(seed)
    return SequenceNetwork(config, model)


def images(b: int = 2, size: int = 64) -> torch.Tensor:
    return torch.rand(b, 3, size, size, generator=torch.Generator().manual_seed(0))


def goal(network: FrameNetwork | SequenceNetwork, like: Said) -> Labels:
    """Return labels: every angle a fifth of its range from the middle."""
    e = like.estimate
    middle, half = (torch.tensor(x) for x in (network.targets.middle, network.targets.half))
    q = (middle + 0.4 * half).expand_as(e.coordinates)
    true = replace(e, root=torch.eye(3).expand_as(e.root), scales=torch.ones_like(e.scales), coordinates=q)
    places = network.layer(true)
    yes = torch.ones(1, dtype=torch.bool)
    return Labels(
        true.root,
        network.targets.ties.spread(true.scales),
        q,
        yes.expand(q.shape),
        places.joints,
        yes.expand(places.joints.shape[:-1]),
        places.markers,
        yes.expand(places.markers.shape[:-1]),
    )


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
@pytest.mark.parametrize("head", sorted(HEADS))
def test_every_backbone_goes_with_every_head(backbone: str, head: str, person: Model) -> None:
    network = frames(replace(TINY, backbone=backbone, head=head), person)
    said = network(images())
    assert said.places.joints.shape == (2, len(person.joints), 3)
    assert said.places.markers.shape == (2, len(person.markers), 3)
    loss = DirectLoss(LossConfig(), network.targets)(said.estimate, said.places, goal(network, said))
    loss["total"].backward()
    first, last = next(network.backbone.parameters()), network.out.weight
    for weight in (first, last):
        assert weight.grad is not None
        assert torch.isfinite(weight.grad).all()
        assert weight.grad.abs().max() > 0


def test_positions_alone_teach_angles_scales_and_the_root(person: Model) -> None:
    """Slopes go through the layer: every output has one, and a few steps of descent lose less."""
    network = frames(TINY, person)
    loss = DirectLoss(LossConfig(angle=0.0, scale=0.0), network.targets)
    said = network(images())
    loss(said.estimate, said.places, goal(network, said))["total"].backward()
    assert network.out.weight.grad is not None
    reached = network.out.weight.grad.abs().sum(dim=(1, 2, 3)) > 0
    n_root = 6
    assert reached[:n_root].all()
    assert reached[n_root:].float().mean() > 0.9  # a width along which no joint or marker lies moves nothing
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        said = network(images())
        total = loss(said.estimate, said.places, goal(network, said))["total"]
        total.backward()
        optimiser.step()
        losses.append(float(total.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_rehab37_gives_its_own_numbers() -> None:
    """23 angles beside the pelvis, 24 tied scales, 22 joints, the 43 markers that are chosen."""
    model = open_osim("rehab37")
    markers = tuple(m.name for m in model.markers if m.name.endswith("_study"))
    network = frames(replace(TINY, targets=TargetsConfig(markers=markers)), model)
    assert network.head.n_out == 6 + 24 + 23
    rows = network.rows(images(1))
    assert rows.shape == (1, 3 * (22 + len(markers)) + 3 * 22 + 9 + 23)


def test_rows_are_in_the_papers_order_and_come_back(person: Model) -> None:
    network = frames(TINY, person).eval()
    said = network(images())
    rows = network.rows(images())
    n_joints, n_markers, n_bodies = len(person.joints), len(person.markers), len(person.bodies)
    cuts = [3 * n_joints, 3 * n_markers, 3 * n_bodies, 9, len(network.targets.coordinates)]
    joints, markers, scales, root, q = rows.split(cuts, dim=1)
    assert torch.equal(joints, said.places.joints.flatten(1))
    assert torch.equal(markers, said.places.markers.flatten(1))
    assert torch.equal(scales, network.targets.ties.spread(said.estimate.scales).flatten(1))
    assert torch.equal(root, said.estimate.root.flatten(1))
    assert torch.equal(q, said.estimate.coordinates)
    back = network.features.split(rows)
    torch.testing.assert_close(back.scales, said.estimate.scales)
    assert torch.equal(back.root, said.estimate.root)


@pytest.mark.parametrize("name", sorted(SEQUENCES))
@pytest.mark.parametrize("head", sorted(HEADS))
def test_every_sequence_network_goes_with_every_head(name: str, head: str, person: Model) -> None:
    network = sequence(replace(TINY_SEQUENCE, sequence=name, head=head), person)
    g = torch.Generator().manual_seed(0)
    rows = torch.randn(2, 27, network.features.width, generator=g).requires_grad_()
    refined = network(rows)
    n = len(network.targets.coordinates)
    assert refined.target.estimate.coordinates.shape == (2, n)
    assert refined.every is None or refined.every.estimate.coordinates.shape == (2, 27, n)
    loss = DirectLoss(LossConfig(norm="l2"), network.targets)
    parts = [refined.target] + ([refined.every] if refined.every else [])
    total = sum(loss(p.estimate, p.places, goal(network, p))["total"] for p in parts)
    total.backward()
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()
    assert rows.grad[:, network.sequence.target].abs().max() > 0


@pytest.mark.parametrize("causal", [False, True])
def test_no_sequence_network_leaves_the_frames_as_they_are(causal: bool, person: Model) -> None:
    network = sequence(replace(TINY_SEQUENCE, sequence="none", causal=causal), person)
    first = frames(TINY, person).eval()
    said, rows = first(images(5)), first.rows(images(5)).detach()
    again = network.clip(rows)
    torch.testing.assert_close(again.estimate.coordinates, said.estimate.coordinates)
    torch.testing.assert_close(again.places.joints, said.places.joints)


def test_a_clip_is_its_windows_whatever_the_batch(person: Model) -> None:
    network = sequence(TINY_SEQUENCE, person).eval()
    rows = torch.randn(10, network.features.width, generator=torch.Generator().manual_seed(0))
    one, two = network.clip(rows), network.clip(rows, batch=3)
    assert one.estimate.coordinates.shape == (10, len(network.targets.coordinates))
    torch.testing.assert_close(one.places.markers, two.places.markers)
    middle = network(torch.cat([rows[:1].expand(9, -1), rows, rows[-1:].expand(8, -1)])[None]).target
    torch.testing.assert_close(middle.estimate.coordinates[0], one.estimate.coordinates[4])
    with pytest.raises(UserError, match="at least one frame"):
        network.clip(rows[:0])


@pytest.mark.parametrize("kind", ["frames", "sequence"])
def test_weights_and_settings_are_kept(kind: str, person: Model, tmp_path: Path) -> None:
    make, config = (frames, TINY) if kind == "frames" else (sequence, TINY_SEQUENCE)
    network = make(config, person)
    x = images() if kind == "frames" else torch.randn(2, 27, network.features.width)
    network.train()(x)  # norms see something
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    again = make(type(config).from_json(config.as_json()), person, seed=1)
    again.load_state_dict(load_file(tmp_path / "w.safetensors"))

    def answer(n: FrameNetwork | SequenceNetwork) -> torch.Tensor:
        said = n.eval()(x)
        return (said if kind == "frames" else said.target).places.markers

    assert torch.equal(answer(again), answer(network))
    assert torch.equal(answer(make(config, person)), answer(make(config, person)))
    assert not torch.equal(answer(make(config, person)), answer(make(config, person, seed=1)))


def test_images_that_do_not_fit_are_refused(person: Model) -> None:
    network = frames(TINY, person)
    whole = (255 * images()).to(torch.uint8)
    for bad in (images(size=128), images()[:, :1], images()[0], images().movedim(1, -1), whole):
        with pytest.raises(UserError, match=r"Expected images \(B, 3, 64, 64\)"):
            network(bad)
    with pytest.raises(UserError, match="Expected windows"):
        sequence(TINY_SEQUENCE, person)(torch.zeros(1, 27, 3))


@pytest.mark.slow
def test_the_papers_frame_network() -> None:
    """256 pixels, 126 outputs, 567 numbers a frame, 50 joints, 65 markers; one step of descent loses less."""
    network = frames(FrameConfig(PAPERS), papers_person())
    assert network.head.n_out == 126
    backbone = 25_028_904 - (2048 * 1000 + 1000)
    assert sum(p.numel() for p in network.parameters()) == backbone + 2048 * 126 + 126
    x = images(2, 256)
    assert network.backbone(x).shape == (2, 2048, 8, 8)
    said = network(x)
    assert said.places.joints.shape == (2, 50, 3)
    assert said.places.markers.shape == (2, 65, 3)
    assert network.features.join(said.estimate, said.places).shape == (2, 567)
    loss = DirectLoss(LossConfig(), network.targets)
    before = loss(said.estimate, said.places, goal(network, said))["total"]
    before.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=1e-3).step()
    said = network(x)
    assert float(loss(said.estimate, said.places, goal(network, said))["total"].detach()) < float(before.detach())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(SEQUENCES) - {"none"}))
def test_the_papers_sequence_networks(name: str) -> None:
    """243 frames of 567 numbers, 126 outputs, and for the transformer a second loss on all frames."""
    network = sequence(SequenceConfig(PAPERS, name), papers_person())
    rows = torch.randn(2, 243, 567, generator=torch.Generator().manual_seed(0))
    assert (network.features.width, network.head.n_out) == (567, 126)
    assert SequenceNetwork(SequenceConfig(PAPERS, "none", positions=False), papers_person()).features.width == 222
    loss = DirectLoss(LossConfig(norm="l2"), network.targets)

    def total() -> torch.Tensor:
        refined = network(rows)
        parts = [refined.target] + ([refined.every] if refined.every else [])
        return sum((loss(p.estimate, p.places, goal(network, p))["total"] for p in parts), torch.zeros(()))

    before = total()
    before.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    torch.optim.Adam(network.parameters(), lr=1e-3 if name != "tcn" else 1e-4).step()
    assert float(total().detach()) < float(before.detach())
