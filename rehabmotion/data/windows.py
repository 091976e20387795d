"""Long clips cut into windows of equal length."""

from __future__ import annotations

import itertools
import math


def windows(n_frames: int, fps: float, longest_s: float) -> list[tuple[int, int]]:
    """Return (first, one past last) frames of the fewest equal windows, none longer than longest_s, that cover a clip.

    They touch and do not overlap; lengths differ by one frame at most. 11 s at 10 fps and 5 s give 3 windows:
    [(0, 37), (37, 73), (73, 110)].
    """
    count = max(1, math.ceil(n_frames / max(1, math.floor(longest_s * fps + 1e-9))))
    edges = [round(i * n_frames / count) for i in range(count + 1)]
    return list(itertools.pairwise(edges))
