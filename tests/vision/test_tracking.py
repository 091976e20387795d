"""Who is who: crossings, losses, shuffles, bodies in pieces; and the choice of one person."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision.choosing import Choice, choose, swapped_sides
from rehabmotion.vision.keypoint_files import read_keypoints
from rehabmotion.vision.points import MIRROR, NUMBER, POINTS
from rehabmotion.vision.track import Person, Track
from rehabmotion.vision.tracking import Trails, track

WALKS = "video/pose2sim_single"
_HEIGHTS = {"nose": 0.94, "neck": 0.84, "head_top": 1.0, "eye": 0.95, "ear": 0.94, "shoulder": 0.82, "hip": 0.53}


def walker(middle: float, floor: float, height: float, phase: float = 0.0, facing: float = 1.0) -> np.ndarray:
    """A walker from the side, (P, 2) pixels; phase of the gait in radians, thighs and arms swing by 25 degrees."""
    points = np.zeros((len(POINTS), 2))
    for name, i in NUMBER.items():
        part = name.partition("_")[2]
        swing = math.radians(25) * math.sin(phase + (math.pi if name.startswith("right") else 0))
        x, up = 0.0, _HEIGHTS.get(name, _HEIGHTS.get(part, 0.0))
        if part in ("elbow", "wrist", "thumb", "index", "pinky"):
            length = 0.18 if part == "elbow" else 0.33
            x, up = -length * math.sin(swing), 0.82 - length * math.cos(swing)
        elif part in ("knee", "ankle", "heel", "big_toe", "small_toe"):
            length = 0.25 if part == "knee" else 0.49
            x, up = length * math.sin(swing) + 0.08 * part.endswith("toe"), 0.53 - length * math.cos(swing)
        points[i] = middle + facing * x * height, floor - up * height
    return points


def person(points: np.ndarray, confidence: float = 0.9) -> Person:
    return Person(points.astype(np.float32), np.full(len(points), confidence, np.float32))


def crossing(
    seed: int, fps: float, missing: float = 0.1, hidden_s: float = 0.3, jitter: float = 3.0, slow: float = 1.0
):
    """Two walkers of 300 pixels who pass each other after 2 s of 4; frames, and the true places (2, T, P, 2).

    1.4 m/s of bodies of 1.75 m. The one behind is hidden for hidden_s s around the crossing; findings are missed and
    points left out at random, listed in random order.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(round(4 * fps)) / fps
    speed = 1.4 / 1.75 * 300 * slow  # pixels per s
    phases = rng.uniform(0, 2 * np.pi, 2)
    truth = np.array(
        [
            [
                walker(500 + sign * speed * (t - 2), 700 + 8 * k, 300, phases[k] + 2 * np.pi * 0.9 * t, sign)
                for t in times
            ]
            for k, sign in enumerate((1, -1))
        ]
    )
    frames = []
    for i, t in enumerate(times):
        people = []
        for k in range(2):
            if rng.random() < missing or (k == 1 and abs(t - 2) < hidden_s / 2):
                continue
            noisy = person(truth[k, i] + rng.normal(0, jitter, truth[k, i].shape))
            noisy.confidence[rng.random(len(POINTS)) < 0.15] = 0
            people.append(noisy)
        frames.append([people[j] for j in rng.permutation(len(people))])
    return frames, truth


def nearest(p: Person, truth: np.ndarray) -> int:
    seen = p.confidence > 0
    return int(np.argmin(np.linalg.norm(truth[:, seen] - p.points[seen], axis=-1).mean(axis=1)))


def pick(frames: list[list[Person]], which="largest", fps: float = 30.0, size=(1000, 800)) -> Choice:
    return choose(track(frames, fps=fps), which, times=np.arange(len(frames)) / fps, size=size)


def who(trails: Trails, truth: np.ndarray) -> list[set[int]]:
    """Which of the walkers (2, T, P, 2) each trail begins and ends as; at the crossing itself they lie too close."""
    found = []
    for trail in trails.trails:
        names = [nearest(p, truth[:, f]) for f, p in zip(trail.frames, trail.people, strict=True)]
        far = [abs(truth[0, f, 0, 0] - truth[1, f, 0, 0]) > 100 for f in trail.frames]
        found.append({name for name, apart in zip(names, far, strict=True) if apart})
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("fps", "options"),
    [
        (30, {}),
        (60, {}),
        (30, {"missing": 0.3}),
        (30, {"hidden_s": 0.7}),
        (30, {"hidden_s": 0, "jitter": 8}),
        (30, {"slow": 2}),
        (10, {}),
    ],
)
def test_two_people_who_cross_do_not_swap(fps, options, seed):
    frames, truth = crossing(seed, fps, **options)
    trails = track(frames, fps=fps)
    assert sorted(who(trails, truth), key=min) == [{0}, {1}]
    assert sum(len(t.frames) for t in trails.trails) + trails.doubles == sum(len(frame) for frame in frames)


def test_order_within_an_image_does_not_matter():
    frames, _ = crossing(1, 30)
    one, other = track(frames, fps=30), track([frame[::-1] for frame in frames], fps=30)
    for a in one.trails:
        assert any(
            a.frames == b.frames and all(p is q for p, q in zip(a.people, b.people, strict=True)) for b in other.trails
        )


def test_a_person_alone_is_found_in_every_image_whatever_the_speed():
    """Standing still, then off at 3 m/s, and back: no image may be lost."""
    x = 300 + np.concatenate([np.zeros(30), np.arange(30) * 17.0, 510 - np.arange(30) * 17.0])
    got = pick([[person(walker(v, 700, 300, 0.3 * i))] for i, v in enumerate(x)])
    assert (got.people, got.share, got.swapped) == (1, 1.0, [])
    assert got.track.seen.all()
    np.testing.assert_allclose(got.track.points[40], walker(x[40], 700, 300, 12.0), atol=1e-3)


def test_a_fall_to_the_floor_keeps_the_person():
    """Half a second from upright to lying: the box turns from tall to wide."""
    standing = walker(500, 700, 300)
    frames = []
    for i in range(60):
        angle = np.clip((i - 20) / 15, 0, 1) * np.pi / 2
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        frames.append([person((standing - [500, 700]) @ turn.T + [500, 700])])
    assert pick(frames).share == 1.0


@pytest.mark.parametrize(("gap_s", "people"), [(0.5, 1), (0.9, 1), (1.5, 2)])
def test_lost_for_up_to_a_second(gap_s, people):
    frames = [[person(walker(300 + 4 * i, 700, 300))] for i in range(120)]
    for i in range(40, 40 + round(gap_s * 30)):
        frames[i] = []
    got = pick(frames)
    assert got.people == people
    assert got.track.seen.sum() == (120 - round(gap_s * 30) if people == 1 else 40)


def test_someone_else_far_away_does_not_become_the_one_who_left():
    frames = [[person(walker(200, 700, 300))] for _ in range(30)] + [[person(walker(800, 700, 300))] for _ in range(30)]
    assert pick(frames).people == 2


def test_someone_found_twice_is_one():
    rng = np.random.default_rng(0)
    frames = [
        [person(walker(300 + i, 700, 300) + rng.normal(0, 1, (31, 2)), 0.5 + 0.1 * k) for k in (0, 1)]
        for i in range(30)
    ]
    got = pick(frames)
    assert got.people == 1
    assert (got.track.confidence == np.float32(0.6)).all()
    assert "Findings of someone found twice in one image, left out: 30." in got.notes


def test_a_body_in_two_pieces_is_put_together():
    """OpenPose listed trunk and legs of one man as two people in one of 100 images: his trunk was gone there."""
    frames = [[person(walker(300 + i, 700, 300))] for i in range(30)]
    legs = np.array([any(p in name for p in ("hip", "knee", "ankle", "heel", "toe")) for name in POINTS])
    upper, lower = person(frames[12][0].points), person(frames[12][0].points)
    upper.confidence[legs], lower.confidence[~legs] = 0, 0
    for pieces in ([upper, lower], [lower, upper]):
        got = pick([*frames[:12], pieces, *frames[13:]])
        assert got.people == 1
        assert (got.track.confidence[12] > 0).all()
        assert "Findings of a part of a body, added to the rest of it: 1." in got.notes


def test_a_point_that_jumps_stays_as_it_is():
    frames = [[person(walker(300 + i, 700, 300))] for i in range(30)]
    frames[10][0].points[NUMBER["left_wrist"]] = 900, 20
    got = pick(frames)
    assert got.share == 1.0
    assert got.track.points[10, NUMBER["left_wrist"]].tolist() == [900, 20]


def test_the_largest_and_the_numbered():
    """From left to right: a small one for 60 images, a tall one for 60, and late a giant for 12 at the far left."""
    frames = [[person(walker(700, 700, 300)), person(walker(400, 650, 150))] for _ in range(60)]
    for i in range(40, 52):
        frames[i].append(person(walker(100, 750, 600)))
    sizes = {}
    for which in ("largest", 1, 2, 3, "2"):
        got = pick(frames, which)
        sizes[which] = (got.person, round(got.track.points[45, 0, 0]))
    middle = [round(walker(x, 0, h)[0, 0]) for x, h in ((400, 150), (700, 300), (100, 600))]
    assert sizes == {
        "largest": (2, middle[1]),
        1: (1, middle[0]),
        2: (2, middle[1]),
        "2": (2, middle[1]),
        3: (3, middle[2]),
    }
    got = pick(frames, 3)
    assert (got.people, got.share, got.track.size) == (3, 0.2, (1000, 800))
    assert got.notes == ["3 people were found; person 3, seen in 20 % of the images, was taken."]
    assert not got.track.seen[:40].any()
    assert not got.track.seen[52:].any()


def test_who_is_found_a_few_images_late_still_counts_from_the_left():
    frames = [[person(walker(700, 700, 300)), person(walker(400, 700, 300))] for _ in range(60)]
    frames[0], frames[1] = frames[0][:1], frames[1][:1]
    assert round(float(np.median(pick(frames, 1).track.points[5, :, 0]))) < 500


@pytest.mark.parametrize("which", [0, 4, -1, "4", "9" * 30])
def test_a_number_out_of_range_says_how_many_were_found(which):
    frames = [[person(walker(x, 700, 200)) for x in (200, 500, 800)] for _ in range(10)]
    with pytest.raises(UserError, match="3 people were found"):
        pick(frames, which)


@pytest.mark.parametrize("which", ["tallest", "", "1.5", "²"])
def test_other_words_are_refused(which):
    with pytest.raises(UserError, match='Expected "largest" or the number'):
        pick([[person(walker(200, 700, 200))]], which)


@pytest.mark.parametrize("frames", [[], [[]] * 5, [[person(np.ones((31, 2)), 0.0)]]])
def test_nobody_found(frames):
    with pytest.raises(UserError, match="found none"):
        pick(frames)


def test_one_image_is_enough_and_flickers_are_left_out():
    assert pick([[person(walker(200, 700, 200))]]).share == 1.0
    frames = [[person(walker(200, 700, 200))] for _ in range(60)]
    frames[30].append(person(walker(800, 700, 600)))
    got = pick(frames)
    assert got.people == 1
    assert got.notes[1] == "Findings seen for less than 0.25 s, left out: 1."


def test_world_points_come_along():
    world = np.random.default_rng(0).normal(size=(31, 3)).astype(np.float32)
    here = person(walker(200, 700, 200))
    frames = [[Person(here.points, here.confidence, world)], [], [here]]
    got = pick(frames, fps=10).track
    np.testing.assert_array_equal(got.world[0], world)
    assert (got.world[1:] == 0).all()
    assert pick([[here]]).track.world is None


def test_swapped_sides_are_counted_and_left():
    frames = [[person(walker(300 + i, 700, 300, 0.5 * np.pi + 0.02 * i))] for i in range(30)]
    for i in (10, 20):
        frames[i] = [person(frames[i][0].points[list(MIRROR)])]
    got = pick(frames)
    assert got.swapped == [10, 20]
    assert got.notes[-1] == "Images in which left and right seem swapped: 2, the first is 10."
    np.testing.assert_array_equal(got.track.points[10], frames[10][0].points)


def test_wild_points_do_no_harm():
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(40):
        people = [
            Person(rng.uniform(-1e6, 1e6, (31, 2)).astype(np.float32), rng.random(31).astype(np.float32))
            for _ in range(4)
        ]
        people += [person(np.full((31, 2), 7.0)), person(np.full((31, 2), 9.0))]
        people[-1].confidence[2:] = 0
        frames.append(people)
    got = pick(frames)
    assert np.isfinite(got.track.points).all()


@pytest.mark.parametrize(("fps", "lost_s"), [(0, 1), (-30, 1), (math.nan, 1), (math.inf, 1), (30, -1), (30, math.nan)])
def test_rates_out_of_range(fps, lost_s):
    with pytest.raises(UserError, match=r"Expected (fps|lost_s)"):
        track([], fps=fps, lost_s=lost_s)


def test_frames_are_taken_one_by_one_and_only_people_kept():
    taken = itertools.count()

    def frames():
        for i in range(300):
            next(taken)
            image = np.zeros(1_000_000, np.uint8)  # what a clip would hold at this moment
            yield [person(walker(300, 700, 300))] if i % 50 == 0 and image is not None else []

    tracemalloc.start()
    trails = track(frames(), fps=30)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (trails.n_frames, next(taken)) == (300, 300)
    assert peak < 4e6


@pytest.mark.parametrize("camera", ["cam01", "cam02"])
@pytest.mark.parametrize("trial", ["S00_P00_T00_StaticTrial", "S00_P00_T01_BalancingTrial"])
def test_the_largest_of_real_folders_is_the_person_wanted(data_dir, trial, camera):
    """In 1 of 200 images the person is in two pieces; the reference has the trunk alone, the track both."""
    found = read_keypoints(data_dir / WALKS / trial / "pose" / f"{camera}_json")
    wanted = read_keypoints(data_dir / WALKS / trial / "pose-associated" / f"{camera}_json")
    rng = np.random.default_rng(0)
    shuffled = [[frame[i] for i in rng.permutation(len(frame))] for frame in found.frames]
    for frames in (found.frames, shuffled):
        got = pick(frames, fps=60)
        assert got.share == 1.0
        for i, (reference,) in enumerate(wanted.frames):
            seen = reference.confidence > 0
            np.testing.assert_array_equal(got.track.points[i, seen], reference.points[seen])


def test_swapped_sides_of_nobody():
    none = np.zeros((5, 31, 2), np.float32)
    assert swapped_sides(Track(none, none[..., 0], None, np.arange(5.0), (1, 1))) == []
