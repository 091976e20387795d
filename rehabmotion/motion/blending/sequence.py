"""Motions one after the other and over one another, each body part with a row of its own.

Every part (legs, spine, head, each arm) is moved by one source at a time; where the source changes, the pose goes
over from one to the other within a window. The legs bring the place along: each source is turned and shifted so that
it begins where the one before ends, one foot standing still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rehabmotion.motion.blending.blend import blend_directions, blend_legs, minimum_jerk
from rehabmotion.motion.blending.clip import Clip, on_feet
from rehabmotion.motion.blending.parts import joints_of
from rehabmotion.motion.blending.poses import Poses, put_together
from rehabmotion.motion.blending.quiet import Quiet, spread_of, standing_pose, stands_easily

Array = NDArray[np.floating]
Source = Clip | Quiet

BRIEFEST = 0.6  # seconds; what would show for less between two others is left out
QUICKEST, SLOWEST = 0.4, 1.6  # seconds that going over takes
ASIDE = 0.3  # of a window: how far its middle lies on the side that gives way
HIDDEN = 0.3  # of a window's part beyond the edge of a stretch: how long a clip waits, so that little goes unseen
TOP_SPEED = 1.5  # m/s that the fastest joint may reach on the way


@dataclass(frozen=True)
class Stretch:
    """The time in seconds in which a part follows source number `source`; `rank`: beside a higher one it gives way."""

    source: int
    start: float
    end: float
    rank: int = 0

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Switch:
    """The window, centre and width in seconds, in which a part goes over from one stretch to the next."""

    centre: float
    width: float

    @property
    def start(self) -> float:
        """Seconds."""
        return self.centre - 0.5 * self.width

    @property
    def end(self) -> float:
        """Seconds."""
        return self.centre + 0.5 * self.width

    def rows(self, times: Array) -> NDArray[np.intp]:
        """Return the indices of times (T,) inside."""
        return np.flatnonzero(np.abs(times - self.centre) < 0.5 * self.width)

    def weight(self, times: Array) -> Array:
        """Return the share of the later source at times (T,)."""
        return minimum_jerk((times - self.centre) / self.width + 0.5)


Rows = Mapping[str, Sequence[Stretch]]


def laid_over(below: Sequence[Stretch], above: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches of one part: `above` where there are any, `below` elsewhere, in order and without gaps.

    `below` covers the whole plan. What would be left of it for less than BRIEFEST is left out.
    """
    first, last = below[0].start, below[-1].end
    cuts = [first, *(t for s in sorted(above, key=lambda s: s.start) for t in (s.start, s.end)), last]
    free = [
        replace(s, start=max(s.start, a), end=min(s.end, b))
        for a, b in zip(cuts[::2], cuts[1::2], strict=True)
        for s in below
        if min(s.end, b) - max(s.start, a) >= BRIEFEST
    ]
    return joined(sorted([*above, *free], key=lambda s: s.start), first, last)


def joined(stretches: Sequence[Stretch], start: float, end: float) -> list[Stretch]:
    """Return stretches that meet in the middle of what lies between them; the outer ones reach `start` and `end`."""
    meet = [start, *(0.5 * (a.end + b.start) for a, b in pairwise(stretches)), end]
    return [replace(s, start=a, end=b) for s, (a, b) in zip(stretches, pairwise(meet), strict=True)]


def switches(rows: Rows, sources: Sequence[Source], lengths: Array) -> dict[str, list[Switch]]:
    """Return the windows between the stretches of each part; parts that go over together take the same time.

    They take as long as the fastest joint needs, and less where a stretch is brief. Most of a window is taken from
    the stretch of lower rank.
    """
    widths: dict[tuple[int, int, float], float] = {}
    for part, row in rows.items():
        for a, b in pairwise(row):
            key = (a.source, b.source, b.start)
            needed = 1.875 * _distance(part, sources[a.source], sources[b.source], b.start, lengths) / TOP_SPEED
            widths[key] = max(widths.get(key, QUICKEST), min(needed, SLOWEST))
    for row in rows.values():
        for a, b in pairwise(row):
            key = (a.source, b.source, b.start)
            widths[key] = min(widths[key], *_rooms(a, b))
    return {
        part: [_window(a, b, widths[(a.source, b.source, b.start)]) for a, b in pairwise(row)]
        for part, row in rows.items()
    }


def _rooms(a: Stretch, b: Stretch) -> tuple[float, float]:
    """Return the widest windows that leave the middle of each stretch to itself."""
    least = min(a.rank, b.rank) if a.rank != b.rank else None
    return (
        (0.5 / (0.5 + ASIDE) if a.rank == least else 0.8) * a.length,
        (0.5 / (0.5 + ASIDE) if b.rank == least else 0.8) * b.length,
    )


def _window(a: Stretch, b: Stretch, width: float) -> Switch:
    return Switch(b.start + ASIDE * width * float(np.sign(a.rank - b.rank)), width)


def _distance(part: str, a: Source, b: Source, at: float, lengths: Array) -> float:
    """Return how far (m) the joint of a part that goes furthest has to go, seen from the pelvis; for feet the step."""
    poses = [source.poses(np.array([at])) for source in (a, b)]
    here, there = (put_together(p.placed(-float(p.heading()[0]), np.zeros(3)), lengths)[0] for p in poses)
    moved = (there - there[0]) - (here - here[0])
    furthest = float(np.linalg.norm(moved[joints_of([part])], axis=-1).max())
    if part != "legs":
        return furthest
    step = float(np.linalg.norm(spread_of(poses[1]) - spread_of(poses[0])))
    return max(furthest, step, abs(float(there[0, 1] - here[0, 1])))


def settled(rows: Rows, windows: Mapping[str, Sequence[Switch]], sources: Sequence[Source]) -> list[Source]:
    """Return the sources, clips played in the time that the windows leave them.

    A clip begins when the share HIDDEN of its way into view is done; it ends alike.
    """
    found = list(sources)
    for part, row in rows.items():
        for number, stretch in enumerate(row):
            slot, clip = sources[stretch.source], found[stretch.source]
            if isinstance(clip, Quiet):
                continue
            start, end = clip.start, clip.end
            if number and stretch.start <= slot.start:
                start = max(start, stretch.start + HIDDEN * (windows[part][number - 1].end - stretch.start))
            if number + 1 < len(row) and stretch.end >= slot.end:
                end = min(end, stretch.end - HIDDEN * (stretch.end - windows[part][number].start))
            found[stretch.source] = replace(clip, start=start, end=end)
    return found


def compose(
    rows: Rows, windows: Mapping[str, Sequence[Switch]], sources: Sequence[Source], times: Array, lengths: Array
) -> Array:
    """Return positions (T, 22, 3), metres, at times (T,) seconds, of a body with bone lengths (22,)."""
    legs = _legs(rows["legs"], windows["legs"], sources, times, lengths)
    directions = legs.directions.copy()
    for part in (part for part in rows if part != "legs"):
        joints = joints_of([part])
        directions[:, joints] = _directions(joints, rows[part], windows[part], sources, times)
    return put_together(replace(legs, directions=directions), lengths)


def _shown(windows: Sequence[Switch], times: Array) -> list[NDArray[np.intp]]:
    """Return the indices of times (T,) from the middle of one window to that of the next, for each stretch."""
    edges = np.searchsorted(times, [w.centre for w in windows])
    return np.split(np.arange(len(times)), edges)


def _directions(
    joints: list[int], row: Sequence[Stretch], windows: Sequence[Switch], sources: Sequence[Source], times: Array
) -> Array:
    """Return the directions (T, len(joints), 3) of one part."""
    found = np.zeros((len(times), len(joints), 3))
    for stretch, shown in zip(row, _shown(windows, times), strict=True):
        found[shown] = sources[stretch.source].poses(times[shown]).directions[:, joints]
    for window, (a, b) in zip(windows, pairwise(row), strict=True):
        inside = window.rows(times)
        before, after = (sources[s.source].poses(times[inside]) for s in (a, b))
        found[inside] = blend_directions(before, after, window.weight(times[inside]), joints)
    return found


def _legs(
    row: Sequence[Stretch], windows: Sequence[Switch], sources: Sequence[Source], times: Array, lengths: Array
) -> Poses:
    """Return the poses whose pelvis and legs go through the stretches, each placed where the one before ends."""
    shown = _shown(windows, times)
    now = _Placed(_with_feet(0, row, sources, None, lengths), 0.0, np.zeros(3))
    found = now.poses(times)
    for number, window in enumerate(windows, start=1):
        before, middle = now, np.array([window.centre])
        source = _with_feet(number, row, sources, before.poses(middle), lengths)
        now = _Placed(source, *placing(before.poses(middle), source.poses(middle), lengths))
        found.put(shown[number], now.poses(times[shown[number]]))
        inside = window.rows(times)
        ways = before.poses(times[inside]), now.poses(times[inside])
        found.put(inside, blend_legs(*ways, window.weight(times[inside]), lengths))
    return found


@dataclass(frozen=True)
class _Placed:
    """A source turned by `yaw` radians and shifted by `shift` (3,) metres."""

    source: Source
    yaw: float
    shift: Array

    def poses(self, times: Array) -> Poses:
        return self.source.poses(times).placed(self.yaw, self.shift)


def _with_feet(
    number: int, row: Sequence[Stretch], sources: Sequence[Source], before: Poses | None, lengths: Array
) -> Source:
    """Return the source of a stretch; somebody who stands quietly keeps the feet where they are, if they stand easily.

    Else they stand as the next motion begins, so that one step is enough; or side by side.
    """
    source = sources[row[number].source]
    if isinstance(source, Clip):
        return source
    after = None
    if number + 1 < len(row):
        after = sources[row[number + 1].source].poses(np.array([row[number].end]))
    for pose in (before, after):
        if pose is not None and source.upright and stands_easily(pose):
            return source.but(standing_pose(source.pose, lengths, spread_of(pose)))
    return source


def placing(ends: Poses, begins: Poses, lengths: Array) -> tuple[float, Array]:
    """Return yaw (radians) and shift (3,) that put the pose `begins` where `ends` stands (both T = 1).

    Heading is that of the pelvis. One foot that stands in both keeps its place: of two, the one that leaves the pelvis
    nearer to the origin, so that nobody wanders off.
    """
    yaw = float(ends.heading()[0] - begins.heading()[0])
    turned = begins.placed(yaw, np.zeros(3))
    stands = on_feet(put_together(ends, lengths))[0] & on_feet(put_together(begins, lengths))[0]
    shifts = [(ends.ankles[0, i] - turned.ankles[0, i]) * np.array([1.0, 0.0, 1.0]) for i in (0, 1)]
    chosen = [shift for shift, ok in zip(shifts, stands, strict=True) if ok] or shifts
    return yaw, min(chosen, key=lambda shift: float(np.hypot(*(turned.root[0] + shift)[[0, 2]])))
