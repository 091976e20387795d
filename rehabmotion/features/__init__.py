"""Motion <-> model tensor: encode, decode, statistics. FEATURES lists the representations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rehabmotion.features import canonical, humanml3d
from rehabmotion.features.canonical import Encoded, Statistics
from rehabmotion.motion import Motion


@dataclass(frozen=True)
class FeatureSet:
    """One representation: `encode(motion, n_frames)`, `decode(x, seconds, height, fps)`, `fit(x, mask)`."""

    n_features: int
    encode: Callable[[Motion, int], Encoded]
    decode: Callable[..., Motion]
    fit: Callable[..., Statistics]


FEATURES = {
    "canonical": FeatureSet(66, canonical.encode, canonical.decode, canonical.fit_statistics),
    "humanml3d": FeatureSet(263, humanml3d.encode, humanml3d.decode, humanml3d.fit_statistics),
}

__all__ = ["FEATURES", "Encoded", "FeatureSet", "Statistics"]
