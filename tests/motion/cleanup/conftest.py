"""Someone who stands for two seconds, and motions of the simulator's floor."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.motion import Motion


@pytest.fixture
def still(standing: NDArray[np.float64]) -> Motion:
    """The standing person, 60 frames at 30 fps, knees a little bent."""
    return Motion(np.repeat(standing[None], 60, axis=0), 30.0, meta={"exercise": "squat"})
