"""A track at the lifter's rate, and what was lifted back at the video's own frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from rehabmotion.geometry.signal import between_frames
from rehabmotion.vision.track import Track

Array = NDArray[np.float64]
BRIDGE = 0.35  # s: the longest gap between two sightings of a point that is drawn straight


def at_rate(track: Track, fps: float) -> Track:
    """Return a track at even times. Where frames come faster, those of an interval are averaged by confidence."""
    times = np.arange(track.times[0], track.times[-1] + 0.5 / fps, 1.0 / fps)
    t, p = len(times), track.points.shape[1]
    points, confidence = np.zeros((t, p, 2), np.float32), np.zeros((t, p), np.float32)
    world = None if track.world is None else np.zeros((t, p, 3), np.float32)
    for j in range(p):
        seen = np.flatnonzero(track.confidence[:, j] > 0)
        if not len(seen):
            continue
        weight = _weights(times, track.times[seen], track.confidence[seen, j].astype(np.float64), fps)
        total = weight.sum(axis=1)
        share = diags_array(1 / np.maximum(total, 1e-12)) @ weight
        shown = total > 0
        points[:, j] = share @ track.points[seen, j]
        if world is not None and track.world is not None:
            world[:, j] = share @ track.world[seen, j]
        confidence[:, j] = np.where(shown, share @ track.confidence[seen, j], 0.0)
    return Track(points, confidence, world, times, track.size)


def _weights(times: Array, seen: Array, confidence: Array, fps: float) -> csr_array:
    """Return how much each sighting counts at each time (T, S): triangles of an interval, or of the gap around it.

    Sparse: a clip of ten minutes has 18,000 of both.
    """
    before = np.clip(np.searchsorted(seen, times, side="right") - 1, 0, len(seen) - 1)
    after = np.minimum(before + 1, len(seen) - 1)
    gap = seen[after] - seen[before]
    share = np.clip((times - seen[before]) / np.maximum(gap, 1e-9), 0, 1)
    near = np.minimum(np.abs(times - seen[before]), np.abs(seen[after] - times)) <= 0.6 / fps
    drawn = ((gap <= BRIDGE) & (times >= seen[0]) & (times <= seen[-1])) | near
    first = np.searchsorted(seen, times - 1.0 / fps, side="right")
    last = np.searchsorted(seen, times + 1.0 / fps, side="left")
    rows, columns, values = [], [], []
    for i in np.flatnonzero(drawn):
        if last[i] - first[i] >= 2:
            inside = np.arange(first[i], last[i])
            value = (1.0 - np.abs(seen[inside] - times[i]) * fps) * confidence[inside]
        else:
            inside = np.array([before[i], after[i]])
            value = np.array([1 - share[i], share[i]]) * confidence[inside] + 1e-9
        rows += [i] * len(inside)
        columns += inside.tolist()
        values += value.tolist()
    return csr_array((values, (rows, columns)), shape=(len(times), len(seen)))


def at_times(values: Array, times: Array, wanted: Array) -> Array:
    """Return values (T, ...) at other times, in straight lines; before and behind, the first and the last."""
    return np.asarray(between_frames(values, np.interp(wanted, times, np.arange(len(times)))))
