"""Colours, and things in the way."""

from collections.abc import Callable

import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.models.direct import augment

ALL = {f.__name__: f for f in (augment.jitter_colours, augment.occlude, augment.erase, augment.paste_shapes)}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(b: int = 6, h: int = 40, w: int = 32) -> torch.Tensor:
    return torch.rand(b, 3, h, w, generator=seeded(1))


@pytest.mark.parametrize("change", ALL.values(), ids=ALL)
def test_pictures_stay_pictures_and_seeds_repeat(change: Callable[..., torch.Tensor]) -> None:
    x = images()
    before = x.clone()
    a, b, c = (change(x, seeded(s)) for s in (0, 0, 1))
    assert a.shape == x.shape
    assert a.min() >= 0
    assert a.max() <= 1
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(x, before)


@pytest.mark.parametrize("change", ALL.values(), ids=ALL)
def test_what_is_no_picture_is_refused(change: Callable[..., torch.Tensor]) -> None:
    for bad in (images()[0], images()[:, :2], images()[:0], (255 * images()).byte()):
        with pytest.raises(UserError, match="Expected images"):
            change(bad, seeded())


def test_an_erased_rectangle_is_one_of_the_size_that_is_allowed() -> None:
    x = torch.full((200, 3, 40, 32), -1.0)
    gone = (augment.erase(x, seeded()) >= 0).all(dim=1)
    part = gone.float().mean(dim=(1, 2))
    assert part.min() > 0.0
    assert part.max() < 1 / 3 + 0.06  # whole pixels
    for one in gone[:20]:
        rows, columns = one.any(dim=1), one.any(dim=0)
        assert torch.equal(one, rows[:, None] & columns)


def test_things_are_in_the_way_as_often_as_they_should() -> None:
    x = images(400, 16, 16)
    touched = (augment.occlude(x, seeded()) != x).flatten(1).any(dim=1).float().mean()
    assert 0.6 < float(touched) < 0.75  # a few shapes lie where no pixel's centre is
    assert torch.equal(augment.occlude(x, seeded(), chance=0.0), x)


def test_no_amount_changes_no_colour_and_greys_keep_their_hue() -> None:
    x = images()
    torch.testing.assert_close(augment.jitter_colours(x, seeded(), 0.0), x)
    grey = x[:, :1].expand(-1, 3, -1, -1)
    out = augment.jitter_colours(grey, seeded(), 0.3)
    torch.testing.assert_close(out[:, 0], out[:, 1], atol=1e-5, rtol=1e-5)
