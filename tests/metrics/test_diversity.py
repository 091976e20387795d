"""Average pairwise distance: closed forms and invariances."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.metrics.diversity import apd


def test_two_clips_at_distance_d_give_d() -> None:
    clips = np.zeros((2, 10, 22, 3))
    clips[1, 4, 7] = [3.0, 0.0, 4.0]
    assert apd(clips) == pytest.approx(5.0)


@pytest.mark.parametrize("n", [2, 4, 10])
def test_half_of_the_points_here_and_half_there(n: int) -> None:
    points = np.zeros((n, 3))
    points[n // 2 :, 0] = 2.0
    assert apd(points) == pytest.approx(2.0 * n / (2 * (n - 1)))


def test_the_distance_of_two_normal_points_in_16_dimensions() -> None:
    assert apd(np.random.default_rng(0).normal(size=(1500, 16))) == pytest.approx(5.5692092434, rel=0.01)


def test_copies_have_none_and_a_single_clip_has_no_distance() -> None:
    assert apd(np.ones((5, 7))) == 0.0
    assert math.isnan(apd(np.ones((1, 7))))


def test_order_turning_and_shifting_change_nothing() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 3))
    moved = Rotation.random(rng=1).apply(x[rng.permutation(12)]) + 9.0
    assert apd(moved) == pytest.approx(apd(x))
