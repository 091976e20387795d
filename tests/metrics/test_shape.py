"""Clips as shapes: neither size nor duration is left in them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.metrics.shape import bone_directions, direction_clip, time_normalised
from rehabmotion.motion import CANONICAL


def test_time_is_stretched_by_lines_ends_kept() -> None:
    x = np.array([0.0, 1.0, 4.0])
    assert time_normalised(x, 5).tolist() == [0.0, 0.5, 1.0, 2.5, 4.0]
    assert time_normalised(x, 2).tolist() == [0.0, 4.0]
    assert np.array_equal(time_normalised(x, 3), x)


def test_one_frame_is_repeated() -> None:
    assert time_normalised(np.full((1, 2, 3), 7.0), 4).tolist() == np.full((4, 2, 3), 7.0).tolist()


@pytest.mark.parametrize("n", [2, 7, 250])
def test_every_axis_keeps_its_place(n: int) -> None:
    x = np.random.default_rng(n).normal(size=(n, 22, 3))
    out = time_normalised(x, 100)
    assert out.shape == (100, 22, 3)
    assert np.allclose(out[[0, -1]], x[[0, -1]])


def test_directions_have_length_1_whatever_the_size_and_place(standing: NDArray[np.float64]) -> None:
    d = bone_directions(standing[None])
    assert d.shape == (1, len(CANONICAL.bones), 3)
    assert np.allclose(np.linalg.norm(d, axis=-1), 1)
    assert np.allclose(bone_directions(1.7 * standing[None] + 5.0), d)
    assert np.allclose(bone_directions(np.zeros((1, 22, 3))), 0)


def test_a_slow_large_copy_is_the_same_clip(standing: NDArray[np.float64]) -> None:
    lean = np.linspace(0, 1, 41)[:, None, None] * np.array([0.0, 0.0, 0.3]) * (np.arange(22)[:, None] > 8)
    clip = standing + lean
    slow = 1.4 * time_normalised(clip, 121) + [3.0, 0.0, -1.0]
    assert np.allclose(direction_clip(clip, 41), direction_clip(slow, 41), atol=1e-9)
