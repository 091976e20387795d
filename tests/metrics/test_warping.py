"""Alignments in time: closed forms, two libraries, and what must not matter."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.metrics import warping
from rehabmotion.metrics.warping import draw_pairs, dtw_paths, wpd, wpd_pairs, wpd_per_frame

Array = NDArray[np.float64]


def random_clips(lengths: list[int], channels: int = 6, seed: int = 0) -> list[Array]:
    """One random walk, each time at a pace of its own and with noise (T_i, C): best paths wander and are unique."""
    rng = np.random.default_rng(seed)
    walk = np.random.default_rng(99).normal(size=(50, channels)).cumsum(axis=0)
    times = [np.sort(rng.uniform(0, 49, n)) for n in lengths]
    exact = [np.stack([np.interp(t, np.arange(50), c) for c in walk.T], axis=1) for t in times]
    return [clip + rng.normal(0, 0.1, clip.shape) for clip in exact]


def path_by_loops(x: Array, y: Array) -> list[tuple[int, int]]:
    """The textbook recursion, cell by cell; of equal steps the diagonal one."""
    cost = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    sums = np.full((len(x) + 1, len(y) + 1), np.inf)
    sums[0, 0] = 0.0
    for i in range(len(x)):
        for j in range(len(y)):
            sums[i + 1, j + 1] = cost[i, j] + min(sums[i, j], sums[i, j + 1], sums[i + 1, j])
    i, j = len(x), len(y)
    path = [(i - 1, j - 1)]
    while (i, j) != (1, 1):
        i, j = min((i - 1, j - 1), (i - 1, j), (i, j - 1), key=lambda cell: sums[cell])
        path.append((i - 1, j - 1))
    return path[::-1]


# --- closed forms -------------------------------------------------------------------------------------------------


def test_a_step_that_comes_a_frame_earlier() -> None:
    x, y = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    assert dtw_paths([x], [y])[0].tolist() == [[0, 0], [1, 0], [2, 1], [2, 2]]
    assert wpd(x, y) == pytest.approx(math.sqrt(2) / 4, abs=1e-12)  # L = 4
    assert wpd_per_frame(x, y) == pytest.approx(math.sqrt(2) / 12, abs=1e-12)


def test_a_step_that_comes_two_frames_earlier() -> None:
    x, y = np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    assert len(dtw_paths([x], [y])[0]) == 6
    assert wpd(x, y) == pytest.approx(math.sqrt(2) / 2, abs=1e-12)
    assert wpd_per_frame(x, y) == pytest.approx(0.1767766953, abs=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_a_clip_with_itself_stays_on_the_diagonal_even_where_it_pauses(offset: float) -> None:
    """A pause has many best paths; rounding in the matrix product once chose among them."""
    walk = random_clips([60], channels=66, seed=3)[0] * 0.1 + offset
    paused = np.repeat(walk, np.where(np.arange(60) % 10 == 0, 8, 1), axis=0)
    assert dtw_paths([paused], [paused.copy()])[0].tolist() == [[t, t] for t in range(len(paused))]
    assert wpd(paused, paused) == 0.0
    assert wpd(np.ones((30, 4)), np.full((30, 4), 7.0)) == 0.0  # everything ties


def test_the_farthest_path_there_is_comes_near_the_bound() -> None:
    n = 400
    late, early = np.zeros(n), np.ones(n)
    late[-1], early[0] = 1.0, 0.0
    assert wpd_per_frame(late, early) == pytest.approx(math.sqrt(2) / 4, rel=0.01)


def test_one_frame_is_aligned_with_all() -> None:
    assert dtw_paths([np.zeros((1, 2))], [np.zeros((1, 2))])[0].tolist() == [[0, 0]]
    assert wpd(np.array([0.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(math.sqrt(0.5))  # 0, 1, 2 frames off
    assert wpd(np.array([1.0, 2.0, 3.0]), np.array([0.0])) == pytest.approx(math.sqrt(0.5))


def test_unequal_lengths_leave_a_trace_of_their_own() -> None:
    x = np.arange(10.0)
    path = [(i, j) for i in range(10) for j in (2 * i, 2 * i + 1)]  # every frame twice
    expected = math.sqrt(0.5) * np.mean([abs(i / 10 - j / 20) for i, j in path])
    assert wpd_per_frame(x, np.repeat(x, 2)) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected < 1 / 10 - 1 / 20


# --- other implementations ----------------------------------------------------------------------------------------

LENGTHS = [25, 40, 33, 25, 1, 60, 47, 2]


def test_paths_are_those_of_the_textbook_recursion() -> None:
    x, y = random_clips(LENGTHS, seed=1), random_clips(LENGTHS[::-1], seed=2)
    for ours, a, b in zip(dtw_paths(x, y), x, y, strict=True):
        assert [tuple(cell) for cell in ours.tolist()] == path_by_loops(a, b)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=8), st.lists(st.integers(0, 1), min_size=1, max_size=8))
def test_of_equal_steps_the_diagonal_one_is_taken(a: list[int], b: list[int]) -> None:
    x, y = np.array(a, float), np.array(b, float)
    ours = [tuple(cell) for cell in dtw_paths([x], [y])[0].tolist()]
    assert ours == path_by_loops(x[:, None], y[:, None])


def test_paths_are_those_of_aeon() -> None:
    distances = pytest.importorskip("aeon.distances", reason="aeon is the reference of this test")
    x, y = random_clips(LENGTHS, channels=66, seed=3), random_clips(LENGTHS[::-1], channels=66, seed=4)
    for ours, a, b in zip(dtw_paths(x, y), x, y, strict=True):
        path, _ = distances.dtw_alignment_path(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T))
        assert [tuple(cell) for cell in ours.tolist()] == path


def test_paths_are_those_of_dtaidistance() -> None:
    dtw_ndim = pytest.importorskip("dtaidistance.dtw_ndim", reason="dtaidistance is the reference of this test")
    x, y = random_clips(LENGTHS, seed=5), random_clips(LENGTHS[::-1], seed=6)
    for ours, a, b in zip(dtw_paths(x, y), x, y, strict=True):
        assert [tuple(cell) for cell in ours.tolist()] == dtw_ndim.warping_path(a, b)


# --- many pairs ---------------------------------------------------------------------------------------------------


def test_many_pairs_in_chunks_are_pairs_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warping, "CHUNK_PAIRS", 5)
    clips = random_clips([20 + 3 * k for k in range(9)])
    pairs = draw_pairs(9, 23, seed=0)
    frames, share = wpd_pairs(clips, pairs)
    assert frames == pytest.approx([wpd(clips[i], clips[j]) for i, j in pairs], abs=1e-12)
    assert share == pytest.approx([wpd_per_frame(clips[i], clips[j]) for i, j in pairs], abs=1e-12)
    assert len(np.unique(frames)) > 10  # not one and the same number


def test_clips_may_be_one_array_of_joints_in_float32() -> None:
    clips = np.stack(random_clips([30] * 4, channels=66)).astype(np.float32)
    pairs = np.array([[0, 1], [2, 3], [3, 0]])
    frames, share = wpd_pairs(clips.reshape(4, 30, 22, 3), pairs)
    assert frames == pytest.approx(wpd_pairs(list(clips), pairs)[0])
    assert share == pytest.approx(frames / 30)  # equal lengths
    assert (frames > 0).all()


def test_no_pairs_give_no_numbers() -> None:
    frames, share = wpd_pairs(np.zeros((3, 5, 2)), np.empty((0, 2), int))
    assert frames.shape == share.shape == (0,)
    assert dtw_paths([], []) == []


def test_memory_stays_below_300_mb_for_long_clips() -> None:
    clips = random_clips([600] * 4, channels=3)
    tracemalloc.start()
    wpd_pairs(clips, np.tile(draw_pairs(4, 20, seed=0), (2, 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6


# --- what must not matter -----------------------------------------------------------------------------------------


def test_a_common_isometry_changes_nothing_and_order_of_the_two_neither() -> None:
    x, y = (clip.reshape(-1, 2, 3) for clip in random_clips([40, 55]))
    turn = Rotation.random(rng=0).as_matrix()
    before = wpd(x, y), wpd_per_frame(x, y)
    assert (wpd(x @ turn.T + 500.0, y @ turn.T + 500.0), wpd_per_frame(3 * x, 3 * y)) == pytest.approx(before)
    assert (wpd(y, x), wpd_per_frame(y, x)) == pytest.approx(before)
    assert before[0] > 0.5  # there is something to change


def test_wpd_grows_with_the_length_of_clips_and_its_share_does_not() -> None:
    def clips(n: int) -> list[Array]:
        t = np.linspace(0, 2 * np.pi, n)
        phases = np.random.default_rng(0).uniform(-0.5, 0.5, 8)
        return [np.stack([np.sin(t + phase), np.cos(t + phase)], axis=1) for phase in phases]

    pairs = draw_pairs(8, 12, seed=1)
    short, long = wpd_pairs(clips(50), pairs), wpd_pairs(clips(200), pairs)
    assert long[0].mean() / short[0].mean() == pytest.approx(4, rel=0.1)
    assert long[1].mean() == pytest.approx(short[1].mean(), rel=0.1)


# --- drawing pairs ------------------------------------------------------------------------------------------------


def test_pairs_are_of_two_clips_and_every_clip_comes_about_as_often() -> None:
    pairs = draw_pairs(6, 6000, seed=0)
    assert pairs.shape == (6000, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    for column in pairs.T:
        assert np.bincount(column, minlength=6) == pytest.approx(1000, rel=0.15)


def test_with_labels_both_are_of_one_class_and_lonely_clips_are_left_out() -> None:
    labels = np.array(["squat", "lunge", "squat", "alone", "lunge", "squat"])
    pairs = draw_pairs(6, 3000, seed=0, labels=labels.tolist())
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert np.bincount(pairs[:, 0], minlength=6) == pytest.approx([600, 600, 600, 0, 600, 600], abs=90)


def test_a_seed_repeats() -> None:
    assert np.array_equal(draw_pairs(10, 20, seed=3), draw_pairs(10, 20, seed=3))
    assert not np.array_equal(draw_pairs(10, 20, seed=3), draw_pairs(10, 20, seed=4))


# --- mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "labels"), [(0, None), (1, None), (3, ["a", "b", "c"]), (3, ["a", "a"])])
def test_nothing_to_pair_is_refused(n: int, labels: list[str] | None) -> None:
    with pytest.raises(UserError, match="Expected"):
        draw_pairs(n, 5, seed=0, labels=labels)


def test_clips_that_do_not_go_together_are_refused() -> None:
    clips = random_clips([10, 12, 9])
    for x, y in (
        (clips[0], clips[1][:, :5]),
        (clips[0], clips[1][:0]),
        (clips[0], np.where(clips[1] == clips[1][3], np.nan, clips[1])),
    ):
        with pytest.raises(UserError, match="Expected"):
            wpd(x, y)
    for pairs in (np.array([[0, 3]]), np.array([[-1, 0]]), np.array([0, 1]), np.array([[0.0, 1.0]])):
        with pytest.raises(UserError, match="Expected"):
            wpd_pairs(clips, pairs)
    with pytest.raises(UserError, match="as many clips"):
        dtw_paths(clips, clips[:2])


def test_a_clip_with_holes_is_named_even_where_the_first_frame_has_none() -> None:
    clips = random_clips([10, 12, 9])
    clips[2][5] = np.nan
    assert np.isfinite(wpd_pairs(clips, np.array([[0, 1]]))[0]).all()  # not asked for
    with pytest.raises(UserError, match="clip 2"):
        wpd_pairs(clips, np.array([[0, 1], [1, 2]]))
