"""How much clips differ from one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist


def apd(features: NDArray[np.floating]) -> float:
    """Return the average pairwise distance over features (N, ...): the mean Euclidean distance of all pairs.

    Yuan & Kitani 2020 (DLow). Fewer than two clips have no distance: NaN. Two clips at distance d give d.
    """
    if len(features) < 2:
        return float("nan")
    return float(pdist(features.reshape(len(features), -1)).mean())
