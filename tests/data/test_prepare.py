"""From raw recordings to clips: what is kept, what is made the same, and the cache."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import rehabmotion.data.prepare as module
from rehabmotion.data.corpora import CORPORA, Corpus
from rehabmotion.data.prepare import FPS, prepare, prepared
from rehabmotion.files import CACHE_VARIABLE
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.motion import CANONICAL, Motion, Score

Make = Callable[..., Motion]


@pytest.fixture
def make(standing: NDArray[np.float64]) -> Make:
    """A function that makes a raw recording: a shaky squat of a person of some size, somewhere in a room."""

    def recording(
        subject: str | None = "s1", n: int = 200, fps: float = 100.0, size: float = 1.0, seed: int = 0
    ) -> Motion:
        rng = np.random.default_rng(seed)
        t = np.linspace(0, 2 * np.pi, n)[:, None, None]
        down = 0.15 * (1 - np.cos(t)) * np.array([0.0, -1.0, 0.0]) * (standing[:, 1:2] > 0.5)
        positions = size * (standing + down + rng.normal(0, 0.003, (n, 22, 3)))
        placed = positions @ yaw_matrix(seed + 1.0).T + [2.0, 0.4, -1.0]
        return Motion(placed, fps, meta={"subject": subject, "exercise": "squat"}, scores=(Score("fms", 2),))

    return recording


def bones(motion: Motion) -> NDArray[np.float64]:
    x = motion.positions.astype(np.float64)
    return np.stack([np.linalg.norm(x[:, j] - x[:, p], axis=-1) for p, j in CANONICAL.bones], axis=1)


def test_a_clip_comes_out_at_30_fps_on_the_floor_facing_z_with_bones_that_stay(make: Make) -> None:
    (clip,) = prepare([make()])
    assert clip.fps == FPS == 30.0
    assert clip.seconds == pytest.approx(2.0, abs=0.04)
    assert np.ptp(bones(clip), axis=0).max() < 2e-6
    across = (clip.joint("left_hip") - clip.joint("right_hip"))[:10].mean(axis=0)
    assert abs(np.arctan2(-across[2], across[0])) < 1e-4
    assert abs(np.percentile(clip.positions[:, [7, 8, 10, 11], 1], 5)) < 1e-5
    assert (clip.scores, clip.meta["subject"]) == ((Score("fms", 2),), "s1")


def test_a_person_has_one_size_in_all_clips_and_another_person_another(make: Make) -> None:
    a, b, c = prepare([make("s1", seed=0), make("s1", seed=1), make("s2", size=1.2, seed=2)])
    assert np.allclose(bones(a)[0], bones(b)[0], atol=2e-6)
    ratio = bones(c)[0].sum() / bones(a)[0].sum()
    assert ratio == pytest.approx(1.2, rel=0.01)
    mirrored = [CANONICAL.bones.index((CANONICAL.parents[j], j)) for j in CANONICAL.indices("left_knee", "right_knee")]
    assert bones(a)[0, mirrored[0]] == pytest.approx(bones(a)[0, mirrored[1]], abs=2e-6)


def test_clips_of_nobody_are_each_a_person_of_their_own(make: Make) -> None:
    a, b = prepare([make(None, size=1.0), make(None, size=1.3)])
    assert bones(b)[0].sum() > 1.25 * bones(a)[0].sum()


def test_clips_too_short_or_without_a_pelvis_are_left_out(make: Make) -> None:
    blind = make(seed=3)
    valid = blind.valid.copy()
    valid[:, 0] = False
    kept = prepare([make(n=3), blind.but(valid=valid), make(seed=4)])
    assert len(kept) == 1


def test_garbage_under_the_mask_changes_nothing_that_is_seen(make: Make) -> None:
    rng = np.random.default_rng(5)
    raw = make()
    valid = rng.random(raw.valid.shape) < 0.9
    valid[:, CANONICAL.index("head")] = False
    spoilt = np.where(valid[..., None], raw.positions, rng.normal(0, 30, raw.positions.shape))
    (a,), (b,) = prepare([raw.but(valid=valid)]), prepare([raw.but(valid=valid, positions=spoilt)])
    assert np.array_equal(a.valid, b.valid)
    assert np.allclose(a.positions[a.valid], b.positions[b.valid], atol=1e-4)


def test_tremor_is_taken_out_and_the_movement_stays(make: Make) -> None:
    raw = make(n=400)
    (clip,) = prepare([raw])
    assert np.ptp(clip.positions[:, 0, 1]) == pytest.approx(np.ptp(raw.positions[:, 0, 1]), rel=0.1)
    jitter = [np.abs(np.diff(m.positions[:, 21, 1], n=2)).mean() * m.fps**2 for m in (raw, clip)]
    assert jitter[1] < 0.1 * jitter[0]


# --- the cache ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reads(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A corpus of six recordings in a folder of its own, and the list of the times it was read."""
    read: list[str] = []

    def load(name: str, _: Path | None) -> Iterator[Motion]:
        read.append(name)
        for i in range(6):
            yield make(f"s{i % 3}", seed=i).but(text=f"clip {i}", meta={"note": [i]})

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    tiny = Corpus("tiny", "tiny", "tiny", "", "open", lambda ms: [m.meta["subject"] == "s1" for m in ms])
    monkeypatch.setattr(module, "load_raw", load)
    monkeypatch.setitem(CORPORA, "tiny", tiny)
    monkeypatch.setattr(module, "corpus_root", lambda *_: tmp_path / "data")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return read


def test_it_is_prepared_once_and_comes_back_the_same(reads: list[str]) -> None:
    said: list[str] = []
    first, second = prepared("tiny", say=said.append), prepared("tiny", say=said.append)
    assert reads == ["tiny"]
    assert said == ["preparing tiny (first use)"]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.positions, b.positions)
        assert np.array_equal(a.valid, b.valid)
        assert (a.text, a.scores, a.fps) == (b.text, b.scores, b.fps)
        assert dict(a.meta) == dict(b.meta)


def test_the_splits_are_the_whole_and_share_nobody(reads: list[str]) -> None:
    train, val = prepared("tiny:train"), prepared("tiny:val")
    assert sorted(m.text for m in train + val) == [f"clip {i}" for i in range(6)]
    assert {m.meta["subject"] for m in val} == {"s1"}
    assert {m.meta["subject"] for m in train} == {"s0", "s2"}


@pytest.mark.parametrize("change", ["size", "date", "new file", "version"])
def test_changed_data_are_prepared_anew(
    reads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    prepared("tiny")
    data = tmp_path / "data" / "a.csv"
    if change == "size":
        data.write_text("12")
    elif change == "date":
        os.utime(data, (1, 1))
    elif change == "new file":
        (tmp_path / "data" / "b.csv").touch()
    else:
        monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    prepared("tiny")
    assert reads == ["tiny", "tiny"]


@pytest.mark.parametrize("cut", [0, 100, -50])
def test_a_damaged_cache_says_which_file_to_delete(reads: list[str], tmp_path: Path, cut: int) -> None:
    prepared("tiny")
    (cache,) = (tmp_path / "cache").rglob("*.npz")
    cache.write_bytes(cache.read_bytes()[:cut])
    with pytest.raises((OSError, ValueError), match=r"tiny-\w+\.npz"):
        prepared("tiny")


def test_no_clips_at_all_can_be_kept(reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_raw", lambda *_: iter(()))
    assert prepared("tiny") == prepared("tiny") == []
