"""What every backbone promises; published sizes; what each is by hand."""

import pytest
import torch
from torch import nn

from rehabmotion.errors import UserError
from rehabmotion.models.direct.backbone_mobileone import MobileOne
from rehabmotion.models.direct.backbone_parts import Backbone, CentredConv, conv, deepened, rounded
from rehabmotion.models.direct.backbones import BACKBONES

SMALL = {"width": 0.25, "depth": 0.34}


@pytest.fixture(params=sorted(BACKBONES))
def name(request: pytest.FixtureRequest) -> str:
    """The name of each backbone."""
    return request.param


def small(name: str, seed: int = 0, **changes: float) -> Backbone:
    torch.manual_seed(seed)
    return BACKBONES[name](**{**SMALL, **changes})


def images(b: int = 2, size: int = 64) -> torch.Tensor:
    return torch.randn(b, 3, size, size, generator=torch.Generator().manual_seed(0))


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("centre", [False, True])
def test_maps_have_the_shape_that_is_said(name: str, centre: bool) -> None:
    backbone = small(name, centre=centre).eval()
    for size in (64, 96):
        out = backbone(images(1, size))
        assert out.shape == (1, backbone.channels, size // backbone.stride, size // backbone.stride)
        assert torch.isfinite(out).all()
    assert backbone(images(1, 64)[..., :32]).shape[-1] == 32 // backbone.stride


def test_small_ones_are_small(name: str) -> None:
    assert n_parameters(small(name)) < 2_000_000


def test_the_same_seed_gives_the_same_map_and_another_another(name: str) -> None:
    a, b, c = (small(name, seed).eval()(images()) for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.allclose(a, c)


def test_slopes_reach_every_weight(name: str) -> None:
    backbone = small(name)
    if name == "convnext":  # its blocks begin a millionth strong
        for part in backbone.modules():
            if hasattr(part, "share"):
                nn.init.ones_(part.share)
    out = backbone(images(4))
    (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    for key, p in backbone.named_parameters():
        assert p.grad is not None, key
        assert torch.isfinite(p.grad).all(), key
        assert p.grad.abs().max() > 0, key


@pytest.mark.parametrize("shape", [(2, 3, 63, 64), (2, 1, 64, 64), (3, 64, 64), (2, 3, 0, 64), (2, 3, 64, 8)])
def test_images_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="Expected images"):
        small(name)(torch.zeros(shape))


PUBLISHED = {  # with a classifier of 1000 classes; what of that is not the backbone
    "resnext50": (25_028_904, 2048 * 1000 + 1000),
    "resnet50": (25_557_032, 2048 * 1000 + 1000),
    "resnet18": (11_689_512, 512 * 1000 + 1000),
    "convnext": (28_589_128, 768 * 1000 + 1000),
    "efficientnet": (5_288_548, 1280 * 1000 + 1000),
    "mobilenetv3": (5_483_032, 960 * 1280 + 1280 + 1280 * 1000 + 1000),
    "vit": (22_050_664, 384 * 1000 + 1000 + 197 * 384 + 384),  # learnt places and a class token
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_full_ones_have_the_published_number_of_weights(name: str) -> None:
    total, beside = PUBLISHED[name]
    with torch.device("meta"):
        assert n_parameters(BACKBONES[name]()) == total - beside


def test_mobileone_has_4_8_million_once_fused() -> None:
    """4.8 million with a classifier of 1280 x 1000, as published for S1."""
    fused = MobileOne().fuse()
    assert n_parameters(fused) + 1280 * 1000 + 1000 == pytest.approx(4.8e6, abs=0.05e6)


@pytest.mark.parametrize("centre", [False, True])
def test_fused_branches_give_the_same_map(centre: bool) -> None:
    backbone = small("mobileone", centre=centre).double()
    for _ in range(2):
        backbone(3 * images().double() + 1)  # norms that have seen something
    for part in backbone.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.5, 0.5)
    before = backbone.eval()(images().double())
    after = backbone.fuse().fuse()(images().double())
    torch.testing.assert_close(after, before)


def test_strides_that_keep_the_middle_start_at_the_second_pixel() -> None:
    """Five strides see 256 pixels at 16, 48, ..., 240 where the last is centred, at 0, 32, ..., 224 where not."""

    def seen_at(kernel: int, centre: bool) -> list[float]:
        layers = [conv(1, 1, kernel, 2, centre=centre and i == 4) for i in range(5)]
        for layer in layers:
            nn.init.zeros_(layer.weight)
            with torch.no_grad():
                layer.weight[..., kernel // 2, kernel // 2] = 1.0
        row = torch.arange(256.0).expand(1, 1, 256, 256)
        return nn.Sequential(*layers)(row)[0, 0, 3].tolist()

    for kernel in (1, 3, 5):
        assert seen_at(kernel, True) == [16.0 + 32 * i for i in range(8)]
        assert seen_at(kernel, False) == [32.0 * i for i in range(8)]


@pytest.mark.parametrize("name", ["resnext50", "resnet18", "efficientnet", "mobilenetv3", "mobileone"])
def test_centre_striding_is_in_the_last_stride_only(name: str) -> None:
    backbone = BACKBONES[name](**SMALL, centre=True)
    strides = [part for part in backbone.modules() if isinstance(part, nn.Conv2d) and part.stride[0] == 2]
    centred = [isinstance(part, CentredConv) for part in strides]
    assert sum(centred) in (1, 2)  # a block and what goes past it
    assert all(centred[-sum(centred) :])
    plain = BACKBONES[name](**SMALL)
    assert not any(isinstance(part, CentredConv) for part in plain.modules())
    plain.load_state_dict(backbone.state_dict())
    assert not torch.allclose(plain.eval()(images()), backbone.eval()(images()))


def test_vit_tells_places_apart() -> None:
    """One patch moved elsewhere changes more than the order of the cells."""
    backbone = small("vit").eval()
    x = torch.zeros(2, 3, 64, 64)
    x[0, :, :16, :16] = 1.0
    x[1, :, 16:32, 32:48] = 1.0
    out = backbone(x)
    assert not torch.allclose(out[0, :, 0, 0], out[1, :, 1, 2], atol=1e-4)


def test_dials() -> None:
    assert [rounded(n) for n in (16, 17, 3, 4.0, 91)] == [16, 16, 8, 8, 88]
    assert [deepened(3, d) for d in (0.01, 0.34, 1.0, 2.0)] == [1, 2, 3, 6]
