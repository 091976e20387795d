"""Other frame rates than the lifter's: tracks at even times, results back at the video's own frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from capture_made import points_of, squatter

from rehabmotion.io.storage import read_storage
from rehabmotion.io.trc import read_trc
from rehabmotion.vision.clip import open_clip
from rehabmotion.vision.track import Track
from rehabmotion.workflows.capture.files import even
from rehabmotion.workflows.capture.resample import at_rate, at_times
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one

Video = Callable[..., Path]


def check(path: Path, out: Path, config: CaptureConfig) -> np.ndarray:
    """Capture and check that coordinates have the frames' times; return them."""
    times = [frame.time for frame in open_clip(path)]
    report = capture_one(path, out, config, make=squatter())
    table = read_storage(out / f"{path.stem}.mot")
    assert table.times == pytest.approx(times, abs=1e-6)
    assert np.isfinite(table.values).all()
    assert report["seen"] == 1.0
    assert [f.time for f in open_clip(out / f"{path.stem}.mp4")] == pytest.approx(times, abs=2e-3)
    return table.times


def test_five_frames_a_second(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    check(video(10, rate=5), tmp_path / "out", config)
    assert read_trc(tmp_path / "out" / "cam03.trc")[0].fps == pytest.approx(5)


def test_two_hundred_and_forty(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    check(video(120, rate=240), tmp_path / "out", config)
    assert read_trc(tmp_path / "out" / "cam03.trc")[0].fps == pytest.approx(240, rel=0.01)


def test_a_phone_that_slows_down_in_the_dark(video: Video, config: CaptureConfig, tmp_path: Path) -> None:
    """Markers and motion have one rate, so they are put at even times; coordinates and overlay keep the frames'."""
    steps = [33] * 20 + [66] * 8 + [33] * 5 + [250] + [33] * 6
    times = check(video(41, times_ms=np.cumsum([0, *steps]).tolist()), tmp_path / "out", config)
    (markers,) = read_trc(tmp_path / "out" / "cam03.trc")
    assert markers.n_frames / markers.fps == pytest.approx(times[-1], rel=0.05)


def line(times: np.ndarray, seen: np.ndarray | None = None) -> Track:
    """Return a track whose one point moves 100 pixels a second to the right."""
    points = np.stack([100 * times, 50 + 0 * times], axis=1)[:, None].astype(np.float32)
    confidence = np.ones((len(times), 1), np.float32) if seen is None else seen[:, None].astype(np.float32)
    return Track(points * (confidence[..., None] > 0), confidence, None, times, (640, 480))


@pytest.mark.parametrize("fps", [5.0, 12.0, 29.97, 30.0, 59.94, 240.0])
def test_what_moves_evenly_still_does(fps: float) -> None:
    track = at_rate(line(np.arange(int(2 * fps)) / fps), 30.0)
    assert np.diff(track.times) == pytest.approx(1 / 30)
    assert track.seen.all()
    inside = slice(2, -2)  # at the ends, the mean of an interval leans inwards
    np.testing.assert_allclose(track.points[inside, 0, 0], 100 * track.times[inside], atol=0.8)


def test_frames_faster_than_the_rate_are_averaged() -> None:
    """At 240 frames/s noise of deviation 1 falls to sqrt(sum w^2) of the triangle over 15 frames: 0.29."""
    times = np.arange(2400) / 240
    noise = np.random.default_rng(0).normal(0, 1, (2400, 1, 2)).astype(np.float32)
    still = at_rate(Track(noise, np.ones((2400, 1), np.float32), None, times, (9, 9)), 30.0)
    assert still.points.std() == pytest.approx(0.29, abs=0.03)


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    times = np.arange(90) / 30
    seen = np.ones(90, bool)
    seen[20:29], seen[50:70] = False, False
    track = at_rate(line(times, seen), 30.0)
    assert track.seen[20:29].all()
    np.testing.assert_allclose(track.points[20:29, 0, 0], 100 * times[20:29], atol=0.1)
    assert not track.seen[51:69].any()


def test_a_point_that_was_never_seen_stays_so() -> None:
    times = np.arange(30) / 30
    assert not at_rate(line(times, np.zeros(30, bool)), 30.0).seen.any()


def test_values_at_other_times() -> None:
    values, times = np.array([[0.0, 1.0], [2.0, 3.0], [6.0, 3.0]]), np.array([0.0, 1.0, 3.0])
    found = at_times(values, times, np.array([-1.0, 0.5, 2.0, 3.0, 9.0]))
    np.testing.assert_allclose(found, [[0, 1], [1, 2], [4, 3], [6, 3], [6, 3]])
    assert at_times(values, times, times) == pytest.approx(values)


def test_even_frames_are_left_as_they_are_to_the_bit() -> None:
    values = np.random.default_rng(0).normal(size=(20, 3))
    found, fps = even(np.arange(20) / 30, values)
    assert (found == values).all()
    assert fps == pytest.approx(30)
    found, fps = even(np.array([0.0, 0.1, 0.3, 0.4]), np.array([0.0, 0.1, 0.3, 0.4]))
    assert fps == pytest.approx(7.5)
    assert found == pytest.approx(np.arange(4) / 7.5)


def test_the_made_person_stands_inside_the_picture() -> None:
    """What the tests of this folder rest on."""
    points = points_of(np.arange(48) / 30, 128, 96)
    assert (points > 0).all()
    assert (points < [128, 96]).all()
