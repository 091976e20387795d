"""One round cone or two, and the poses they stand in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rehabmotion.viz.rendering.lens import Lens
from rehabmotion.viz.rendering.trace import Cones

Maker = Callable[..., Cones]


@pytest.fixture
def cones() -> Maker:
    """A function that makes cones, each on a body of its own: low, high, length, and (3, 3) own axes -> body."""

    def make(*each: tuple[float, float, float], shape: np.ndarray | None = None) -> Cones:
        low, high, length = (np.array(column, float) for column in zip(*each, strict=True))
        n = len(each)
        shapes = np.broadcast_to(np.eye(3) if shape is None else shape, (n, 3, 3))
        return Cones(np.arange(n), low, high, length, shapes, np.zeros((n, 3)))

    return make


@pytest.fixture
def ahead() -> Callable[..., Lens]:
    """A function that makes a camera at ground's origin that looks along z, y down."""
    return lambda size=200, focal=200.0: Lens(size, focal, np.eye(3), np.zeros(3))
