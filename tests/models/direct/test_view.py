"""Roll, zoom and shift: the picture another camera would have taken, and its labels."""

import math

import numpy as np
import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.losses import Labels
from rehabmotion.models.direct.view import View, inside, some_view, view_of

SIZE, FOCAL = (64, 48), 80.0


def one(roll: float = 0.0, zoom: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> View:
    return view_of(torch.tensor([roll]), torch.tensor([zoom]), torch.tensor([shift]), torch.tensor([FOCAL]), SIZE)


def seen(points: torch.Tensor, focal: float = FOCAL) -> torch.Tensor:
    return points[..., :2] / points[..., 2:] * focal + torch.tensor(SIZE) / 2


def test_points_turned_with_the_camera_are_seen_where_the_homography_puts_them() -> None:
    points = torch.tensor([[[0.1, -0.2, 3.0], [-0.5, 0.4, 2.0], [0.3, 0.3, 5.0]]])
    view = one(0.3, 1.2, (5.0, -7.0))
    moved = points @ view.rotation.transpose(1, 2)
    np.testing.assert_allclose(view.pixels(seen(points)), seen(moved, 1.2 * FOCAL), atol=1e-4)
    np.testing.assert_allclose(torch.linalg.det(view.rotation), 1.0, atol=1e-6)


def test_what_lay_aside_is_in_the_middle() -> None:
    """Whatever the roll and the zoom."""
    aside = torch.tensor([[[32.0 + 9, 24.0 - 4]]])
    np.testing.assert_allclose(one(0.7, 1.3, (9.0, -4.0)).pixels(aside)[0, 0], [32.0, 24.0], atol=1e-4)


def test_a_roll_is_clockwise_and_a_zoom_magnifies() -> None:
    right = torch.tensor([[[32.0 + 10, 24.0]]])
    np.testing.assert_allclose(one(math.pi / 2).pixels(right)[0, 0], [32.0, 34.0], atol=1e-4)
    np.testing.assert_allclose(one(zoom=2.0).pixels(right)[0, 0], [52.0, 24.0], atol=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_pictures_are_sampled_where_the_homography_says(mode: str) -> None:
    x = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(one().images(x, mode), x, atol=1e-4, rtol=1e-4)
    half = one(math.pi).images(x, mode)
    torch.testing.assert_close(half, x.flip(2, 3), atol=1e-3, rtol=1e-3)
    dot = torch.zeros(1, 3, 48, 64)
    dot[:, :, 20:23, 38:41] = 1.0  # its middle at 39.5, 21.5
    view = one(0.4, 1.1, (4.0, 2.0))
    out = view.images(dot, mode)[0, 0]
    rows, columns = torch.meshgrid(torch.arange(48) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    found = [float((out * x).sum() / out.sum()) for x in (columns, rows)]
    np.testing.assert_allclose(found, view.pixels(torch.tensor([[[39.5, 21.5]]]))[0, 0], atol=0.5)


def test_labels_turn_with_the_camera(layer: SkeletalLayer) -> None:
    n_c, n_b = len(layer.targets.coordinates), len(layer.targets.model.bodies)
    root, q = torch.eye(3).double().expand(3, 3, 3), torch.full((3, n_c), 0.1).double()
    scales = torch.ones(3, n_b, 3).double()
    places = layer.places(root, q, scales)
    yes = torch.ones(1, dtype=torch.bool)
    labels = Labels(
        root,
        scales,
        q,
        yes.expand(3, n_c),
        places.joints,
        yes.expand(3, layer.n_joints),
        places.markers,
        yes.expand(3, layer.n_markers),
    )
    view = some_view(3, FOCAL, SIZE, torch.Generator().manual_seed(0))
    turned = view.labels(labels)
    again = layer.places(turned.root, turned.coordinates, turned.scales)
    torch.testing.assert_close(turned.joints, again.joints)
    torch.testing.assert_close(turned.markers, again.markers)
    assert not torch.allclose(turned.joints, labels.joints)


def test_views_at_random_are_the_papers() -> None:
    a, b = (some_view(500, 200.0, (256, 256), torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(a.homography, b.homography)
    centre = torch.tensor([[[128.0, 128.0]]]).expand(500, 1, 2)
    back = View(a.rotation, torch.linalg.inv(a.homography)).pixels(centre)[:, 0] - 128.0
    far = torch.linalg.vector_norm(back, dim=1)
    assert 25.0 < float(far.max()) <= 25.7
    assert 0.45 < float((far < 25.6 / 2**0.5).float().mean()) < 0.55  # even over the disc
    zoom = torch.linalg.det(a.homography) ** 0.5
    assert 0.7 < float(zoom.min()) < float(zoom.max()) < 1.35


def test_pixels_beyond_the_picture() -> None:
    pixels = torch.tensor([[0.0, 0.0], [64.0, 48.0], [-0.1, 5.0], [5.0, 48.1]])
    assert inside(pixels, SIZE).tolist() == [True, True, False, False]


def test_what_is_no_view_is_refused() -> None:
    for bad in ({"zoom": 0.0}, {"zoom": -1.0}, {"roll": math.nan}, {"shift": (math.inf, 0.0)}):
        with pytest.raises(UserError, match="Expected finite"):
            one(**bad)
    for mode, images in (("cubic", torch.zeros(1, 3, 8, 8)), ("nearest", torch.zeros(2, 3, 8, 8))):
        with pytest.raises(UserError, match="images"):
            one().images(images, mode)
