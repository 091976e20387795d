"""Follow people from image to image: who of the people found now is who of those found before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rehabmotion.errors import UserError
from rehabmotion.vision.track import Person

LOST_S = 1.0  # s that a person may be out of sight and still be the same
# lengths below are in body sizes, the diagonal of the box: 1.8 m or so of a standing person
_SLACK = 0.03  # spread of the points about the prediction, one image later: noise, limbs that swing
_SPEED_SPREAD = 0.2  # per s, once the speed is known
_SPEED = 1.0  # per s, the spread of speeds of people just found
_LEARN_S = 0.3  # s over which the speed is averaged
_GAIN = 0.6  # how far the expected place follows what was found
_REACH, _REACH_SPEED, _FARTHEST = 0.3, 0.7, 1.0  # farther than reach + speed * s out of sight is another person
_SIZE_SPREAD = 0.5  # of the log of the size: half a body may be hidden
_NEWCOMER = 4.0  # the cost of leaving one of the found unmatched
_FEWEST = 3  # points that begin a trail, or that make a distance
_OVERLAP = 0.2  # the share of points that two pieces of one body may have in common
_TRIM = 0.8  # the share of points, the nearest, that make a distance: the others may have jumped
_SAME = 0.02  # two findings this near are one person, found twice


@dataclass
class Trail:
    """One person's way through the clip: the numbers of the images, rising, and what was found in each."""

    frames: list[int]
    people: list[Person]
    size: float  # pixels, averaged
    velocity: NDArray[np.float64]  # pixels per s, (2,)
    offset: NDArray[np.float64]  # pixels, (2,): from where the last points are to where the motion so far has them
    known_s: float = 0.0  # how long the speed has been learnt

    @property
    def height(self) -> float:
        """The median height of the person's box, pixels."""
        boxes = np.array([person.box for person in self.people])
        return float(np.median(boxes[:, 3] - boxes[:, 1]))


@dataclass(frozen=True)
class Trails:
    """Everyone in a clip, in no special order. n_frames, fps: of the clip.

    doubles: findings left out, as someone was found twice; pieces: findings added to another piece of the same body.
    """

    trails: list[Trail]
    n_frames: int
    fps: float
    doubles: int
    pieces: int


def track(frames: Iterable[list[Person]], *, fps: float, lost_s: float = LOST_S) -> Trails:
    """Return who is who in images that follow one another at `fps` per s; frames are taken one by one and not kept.

    Each image's people are matched with the trails so far by the least sum of costs (Hungarian method, as in SORT,
    Bewley et al. 2016): minus the log density of the mean distance of the points, the farthest fifth left out, from
    where a steady motion would have brought them. The density has long tails, for jumps, and its spread grows with the
    time out of sight, so that of two trails that would fit, the one followed surely wins. The order of people within
    an image does not matter. A body found in two pieces, legs apart from trunk, is put together. After `lost_s` s out
    of sight, a person who returns is a new one. Points that jump stay as they are.

    Limit: two people alike who pass each other slowly (0.6 m/s), with findings missed, are swapped in 1 of 20 crossings
    of made walkers at 30 images/s, in 2 of 20 at 10; at 1.4 m/s in none.
    UserError: fps or lost_s out of range.
    """
    if not 0 < fps < math.inf:
        raise UserError(f"Expected fps > 0, got {fps:g}. Give the images per second.")
    if not 0 <= lost_s < math.inf:
        raise UserError(f"Expected lost_s of 0 s or more, got {lost_s:g}.")
    ended: list[Trail] = []
    live: list[Trail] = []
    number, doubles, pieces = -1, 0, 0
    for number, found in enumerate(frames):
        shown = [person for person in found if _count(person)]
        people = _distinct(shown)
        doubles += len(shown) - len(people)
        live, gone = _split(live, number, fps, lost_s)
        ended += gone
        cost = _costs(live, people, number, fps)
        pairs = _cheapest(cost)
        rest = [j for j in range(len(people)) if j not in pairs.values()]
        rest, joined = _join_pieces(cost, pairs, people, rest)
        pieces += joined
        for i, j in pairs.items():
            _extend(live[i], people[j], number, fps)
        live += [_begin(people[j], number) for j in rest if _count(people[j]) >= _FEWEST]
    return Trails(ended + live, number + 1, fps, doubles, pieces)


def _count(person: Person) -> int:
    return int((person.confidence > 0).sum())


def _size(person: Person) -> float:
    left, top, right, bottom = person.box
    return max(1.0, math.hypot(right - left, bottom - top))


def _begin(person: Person, number: int) -> Trail:
    return Trail([number], [person], _size(person), np.zeros(2), np.zeros(2))


def _split(live: list[Trail], number: int, fps: float, lost_s: float) -> tuple[list[Trail], list[Trail]]:
    """Return the trails that may go on and those out of sight for too long."""
    longest = 1 + lost_s * fps + 1e-6
    ended = [trail for trail in live if number - trail.frames[-1] > longest]
    return [trail for trail in live if number - trail.frames[-1] <= longest], ended


def _extend(trail: Trail, person: Person, number: int, fps: float) -> None:
    """Add what was found to a trail; learn its speed from the median shift of the points."""
    last = trail.people[-1]
    step = (number - trail.frames[-1]) / fps
    common = (last.confidence > 0) & (person.confidence > 0)
    if common.sum() >= _FEWEST:
        shift = np.median(person.points[common].astype(float) - last.points[common], axis=0)
        # one wrong match at a crossing must not carry the trail away: the next one is expected between old and new
        trail.offset = (1 - _GAIN) * (trail.offset + trail.velocity * step - shift)
        trail.known_s += step
        # a plain mean at first, so that the first noisy step does not weigh for long
        share = max(1 - math.exp(-step / _LEARN_S), step / trail.known_s)
        trail.velocity = trail.velocity + share * (shift / step - trail.velocity)
    trail.size += 0.1 * (_size(person) - trail.size)
    trail.frames.append(number)
    trail.people.append(person)


def _costs(trails: list[Trail], people: list[Person], number: int, fps: float) -> NDArray[np.float64]:
    """Return the cost (trails, people) of taking each for each, infinite where they are too far apart."""
    if not trails or not people:
        return np.zeros((len(trails), len(people)))
    waits = np.array([(number - trail.frames[-1]) / fps for trail in trails])
    sizes = np.array([trail.size for trail in trails])
    moves = np.array([trail.velocity for trail in trails]) * waits[:, None]
    moves += np.array([trail.offset for trail in trails])
    expected = np.array([trail.people[-1].points for trail in trails]) + moves[:, None]
    distances = _distances(expected, [trail.people[-1] for trail in trails], people) / sizes[:, None]
    unsure = np.exp(-np.array([trail.known_s for trail in trails]) / _LEARN_S)
    spread = _SLACK + (_SPEED_SPREAD + (_SPEED - _SPEED_SPREAD) * unsure) * waits
    growth = np.log(np.array([_size(person) for person in people])[None] / sizes[:, None])
    far = 1.5 * np.log1p((distances / spread[:, None]) ** 2)  # 1.5: Student's t with one degree of freedom, in a plane
    cost = far + 2 * np.log(spread)[:, None] + (growth / _SIZE_SPREAD) ** 2 / 2
    allowed = distances <= np.minimum(_REACH + _REACH_SPEED * waits, _FARTHEST)[:, None]
    cost[~allowed] = np.inf
    return np.asarray(cost)


def _cheapest(cost: NDArray[np.float64]) -> dict[int, int]:
    """Return the pairs trail: person of the least sum; people may stay unmatched at a newcomer's price, trails free."""
    n_trails, n_people = cost.shape
    apart = np.full((n_people, n_people), 1e9)
    np.fill_diagonal(apart, _NEWCOMER)
    whole = np.vstack([np.where(np.isfinite(cost), cost, 1e9), apart])
    rows, columns = linear_sum_assignment(whole)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {i: j for i, j in pairs if i < n_trails and math.isfinite(cost[i, j])}


def _join_pieces(
    cost: NDArray[np.float64], pairs: dict[int, int], people: list[Person], rest: list[int]
) -> tuple[list[int], int]:
    """Add those of the rest that are pieces of a matched body to it, in `people`; return who remains, how many went."""
    remaining = []
    for j in rest:
        i = _other_piece(cost[:, j], pairs, people, j)
        if i is None:
            remaining.append(j)
        else:
            people[pairs[i]] = _joined(people[pairs[i]], people[j])
    return remaining, len(rest) - len(remaining)


def _other_piece(cost: NDArray[np.float64], pairs: dict[int, int], people: list[Person], j: int) -> int | None:
    """Return the trail of which person j is another piece of the body than the one it was matched with, if any.

    The piece lies where the trail expects those points, and has few of the points of the other piece.
    """
    for i in sorted(pairs, key=lambda i: float(cost[i])):
        common = ((people[pairs[i]].confidence > 0) & (people[j].confidence > 0)).sum()
        if math.isfinite(cost[i]) and common <= _OVERLAP * min(_count(people[j]), _count(people[pairs[i]])):
            return i
    return None


def _joined(one: Person, other: Person) -> Person:
    """Return two pieces as one person, each point as the surer piece has it."""
    surer = (other.confidence > one.confidence)[:, None]
    points = np.where(surer, other.points, one.points)
    world = one.world if one.world is None or other.world is None else np.where(surer, other.world, one.world)
    return Person(points, np.maximum(one.confidence, other.confidence), world)


def _distances(expected: NDArray[np.float64], ones: list[Person], others: list[Person]) -> NDArray[np.float64]:
    """Return the mean distance (ones, others), pixels, of the points seen in both, of ones where they are `expected`.

    expected (ones, P, 2). The farthest fifth of the points is left out. Where too few were seen in both, the distance
    of the boxes' middles stands in.
    """
    seen = np.array([one.confidence > 0 for one in ones])
    there = np.array([other.confidence > 0 for other in others])
    points = np.array([other.points for other in others], float)
    offsets = expected[:, None] - points[None]
    distances = np.hypot(offsets[..., 0], offsets[..., 1])
    common = seen[:, None] & there[None]
    distances[~common] = np.inf
    distances.sort(axis=-1)
    count = common.sum(axis=-1)
    used = np.ceil(_TRIM * count)[..., None]
    mean = np.where(np.arange(common.shape[-1]) < used, distances, 0).sum(axis=-1) / np.maximum(used[..., 0], 1)
    if (count >= _FEWEST).all():
        return np.asarray(mean)
    between = _middles(expected, seen)[:, None] - _middles(points, there)[None]
    return np.where(count >= _FEWEST, mean, np.hypot(between[..., 0], between[..., 1]))


def _middles(points: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the middles (N, 2) of the boxes of points (N, P, 2) that were seen (N, P)."""
    low = np.where(seen[..., None], points, np.inf).min(axis=1)
    high = np.where(seen[..., None], points, -np.inf).max(axis=1)
    return (low + high) / 2


def _distinct(people: list[Person]) -> list[Person]:
    """Return the people of one image, of two findings of one body the better seen. Each has a point or more."""
    rest = sorted(people, key=lambda person: -float(person.confidence.sum()))
    if len(rest) < 2:
        return rest
    points = np.array([person.points for person in rest], float)
    near = _distances(points, rest, rest) <= _SAME * np.array([_size(person) for person in rest])[:, None]
    kept: list[int] = []
    for i in range(len(rest)):
        if not any(near[i, j] for j in kept):
            kept.append(i)
    return [rest[i] for i in kept]
