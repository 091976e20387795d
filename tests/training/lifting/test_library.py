"""Windows drawn from clips: the seed alone decides, angles stay in their ranges, corpora come by their shares."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.training.lifting.library import GIRTH, SIZE, SURE, UNSURE, Library, _at


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_draw_depends_on_the_seed_alone(library: Library) -> None:
    one = library.draw(rng(3), 8)
    library.draw(rng(5), 8)  # what was drawn before does not matter
    again, other = library.draw(rng(3), 8), library.draw(rng(4), 8)
    for name in ("q", "tied", "sure"):
        assert (getattr(one, name) == getattr(again, name)).all()
    assert (one.q != other.q).any()


def test_drawing_leaves_the_clips_as_they_are(library: Library) -> None:
    before = [clip.q.copy() for clip in library.clips]
    library.draw(rng(0), 64)
    assert all((clip.q == was).all() for clip, was in zip(library.clips, before, strict=True))


def test_angles_stay_inside_their_ranges(library: Library) -> None:
    q = library.draw(rng(1), 200).q[..., library.swings]
    low, high = library.low[library.swings], library.high[library.swings]
    assert (q >= low - 1e-5).all()
    assert (q <= high + 1e-5).all()
    assert np.isfinite(q).all()


def test_locked_coordinates_stay(library: Library) -> None:
    q = library.draw(rng(1), 50).q
    for name in ("subtalar_angle_r", "mtp_angle_l", "wrist_flex_r", "wrist_dev_l"):
        assert np.abs(q[..., library.names.index(name)]).max() == 0


def test_shapes_and_sizes(library: Library) -> None:
    windows = library.draw(rng(2), 400)
    assert windows.q.shape == (400, 24, len(library.names))
    assert windows.tied.shape == (400, 24)
    assert windows.q.dtype == windows.tied.dtype == np.float32
    spread = np.log(windows.tied.reshape(400, -1, 3)).std(axis=(0, 1))
    assert spread == pytest.approx([GIRTH, SIZE, GIRTH], rel=0.1)
    assert set(windows.sure.tolist()) == {SURE["uiprmd-vicon"], np.float32(UNSURE)}


def test_corpora_come_by_their_shares_and_what_is_done_equally_often(library: Library) -> None:
    """uiprmd-vicon 1 and cmu 0.5; tasks 0, 1 and 2 a third each, though task 0 has two clips."""
    weight: Counter[tuple[str, str]] = Counter()
    for clip, share in zip(library.clips, library.weight, strict=True):
        weight[clip.corpus, clip.label] += float(share)
    assert weight["uiprmd-vicon", "task 0"] == pytest.approx(1 / 1.5 / 3)
    assert weight["uiprmd-vicon", "task 1"] == pytest.approx(1 / 1.5 / 3)
    assert weight["cmu", "walk"] == pytest.approx(0.5 / 1.5 / 2)


def test_people_begin_near_the_origin_and_face_any_way(library: Library) -> None:
    q = library.draw(rng(6), 300).q
    tx, tz, turn = (library.names.index(f"pelvis_{n}") for n in ("tx", "tz", "rotation"))
    assert np.abs(q[:, 12, [tx, tz]]).max() < 1.0
    assert np.histogram(np.mod(q[:, 12, turn], 2 * np.pi), 4, (0, 2 * np.pi))[0].min() > 40


def test_fixed_gives_the_middle_of_a_clip_untouched(library: Library) -> None:
    windows = library.fixed(np.array([0, 2, 3]))
    assert windows.q[0] == pytest.approx(library.clips[0].q[18:42])
    assert windows.q[1][[0, -1]] == pytest.approx(library.clips[2].q[[0, -1]])  # too short: slowed down
    assert windows.q[2] == pytest.approx(np.repeat(library.clips[3].q, 24, axis=0))
    legs = windows.tied.reshape(3, -1, 3)[:, [2, 3], 1]
    assert legs.mean(axis=1) == pytest.approx(1.0)


def test_behind_its_end_a_clip_runs_back() -> None:
    q = np.arange(4, dtype=np.float32)[:, None]
    assert _at(q, np.array([0, 0.5, 3, 4, 5.5, 6, 7, -1])).ravel() == pytest.approx([0, 0.5, 3, 2, 0.5, 0, 1, 1])


def test_no_clips_are_refused(library: Library) -> None:
    with pytest.raises(UserError, match="clips to learn from"):
        Library([], library.model, 24)
