"""Display matrices and sizes, by closed form."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision.clip_upright import EXIF_TURNS, QUARTERS, Turn, image_size, shown_size, turn_of_matrix

ONE = 1 << 16


def turned(image, turn: Turn):
    image = image.T if turn.swapped else image
    image = image[:, ::-1] if turn.flip_x else image
    return image[::-1] if turn.flip_y else image


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_matrix_moves_pixels_as_it_says(quarters, mirrored):
    """Each pixel (p, q) of a 3 x 2 picture goes to (a p + c q, b p + d q), shifted into view."""
    angle = np.pi / 2 * quarters
    a, b, c, d = np.round([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)]).astype(int)
    a, c = (-a, -c) if mirrored else (a, c)
    image = np.arange(6).reshape(2, 3)
    q, p = np.indices(image.shape)
    x, y = a * p + c * q, b * p + d * q
    x, y = x - x.min(), y - y.min()
    expected = np.empty((y.max() + 1, x.max() + 1), int)
    expected[y, x] = image
    turn, exact = turn_of_matrix([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30])
    assert exact
    np.testing.assert_array_equal(turned(image, turn), expected)


@pytest.mark.parametrize("left", [0, 90, 180, 270])
def test_angles_turn_to_the_left(left):
    image = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(turned(image, QUARTERS[left]), np.rot90(image, left // 90))


def test_the_eight_orientations_differ():
    image = np.arange(6).reshape(2, 3)
    assert len({turned(image, turn).tobytes() + bytes([turn.swapped]) for turn in EXIF_TURNS.values()}) == 8


def test_side_data_that_pyav_does_not_know_leaves_the_angle():
    """PyAV 18 raises ValueError for a frame that also carries EXIF data."""
    from rehabmotion.vision.clip_upright import turn_of_frame

    class Frame:
        rotation = -90

        @property
        def side_data(self):
            raise ValueError("31 is not a valid Type")

    assert turn_of_frame(Frame()) == (EXIF_TURNS[6], True)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((1768, 994), None, (1768, 994)),
        ((1768, 994), 640, (640, 360)),
        ((1080, 1920), 960, (540, 960)),
        ((64, 48), 64, (64, 48)),
        ((5000, 1), 10, (10, 1)),
    ],
)
def test_image_sizes(size, longest, expected):
    assert image_size(size, longest) == expected


def test_longest_is_at_least_a_pixel():
    with pytest.raises(UserError, match="longest"):
        image_size((64, 48), -3)


def test_shown_size_of_pal_wide_screen_standing():
    """720 x 576 with pixels 16/11 as wide as high is 1047 x 576; turned by a quarter it stands."""
    frame = SimpleNamespace(width=720, height=576)
    assert shown_size(frame, Turn(), Fraction(16, 11)) == (1047, 576)
    assert shown_size(frame, Turn(swapped=True), Fraction(16, 11)) == (576, 1047)
    assert shown_size(frame, Turn(), Fraction(0, 1)) == (720, 576)
