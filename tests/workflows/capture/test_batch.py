"""Many videos: broken ones are told, killed workers replaced, what is done is left alone.

Workers are processes of their own, so that the made detector comes to them through a module: `capture_made.safely`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import capture_made
import numpy as np
import pytest

from rehabmotion.app.cli import run
from rehabmotion.errors import UserError
from rehabmotion.io.npz import read_npz
from rehabmotion.workflows.capture import batch
from rehabmotion.workflows.capture.batch import capture
from rehabmotion.workflows.capture.run import CaptureConfig

Video = Callable[..., Path]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers use the made detector, two at a time."""
    monkeypatch.setattr(batch, "_safely", capture_made.safely)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Capture in this process, which is quick; return the list of videos that were begun."""
    begun: list[str] = []

    def together(paths: list[Path], out: Path, config: CaptureConfig, workers: int):
        for path in paths:
            begun.append(path.name)
            yield path, capture_made.safely(path, out, config)

    monkeypatch.setattr(batch, "_together", together)
    return begun


@pytest.fixture
def folder(video: Video) -> Path:
    """Two videos and a broken one between them."""
    path = video(12, "a.mp4")
    video(12, "c.mp4")
    (path.parent / "b.mp4").write_bytes(b"no video " * 50)
    return path.parent


def names(out: Path) -> list[str]:
    return sorted(p.name.removesuffix("_report.json") for p in out.glob("*_report.json"))


def test_a_broken_video_leaves_the_others_alone(
    folder: Path, config: CaptureConfig, tmp_path: Path, here: list[str]
) -> None:
    said: list[str] = []
    result = capture(folder, tmp_path / "out", config, say=said.append)
    assert [r["name"] for r in result["captured"]] == ["a", "c"]
    assert list(result["failed"]) == [str(folder / "b.mp4")]
    assert result["skipped"] == []
    assert names(tmp_path / "out") == ["a", "c"]
    assert sum(line.startswith("error: b.mp4: Expected a video") for line in said) == 1


def test_a_second_call_goes_on_where_the_first_stopped(
    folder: Path, config: CaptureConfig, tmp_path: Path, here: list[str]
) -> None:
    capture(folder, tmp_path / "out", config)
    (tmp_path / "out" / "c_report.json").unlink()  # as after a kill: the report comes last
    here.clear()
    again = capture(folder, tmp_path / "out", config)
    assert here == ["b.mp4", "c.mp4"]
    assert again["skipped"] == [str(folder / "a.mp4")]
    assert [r["name"] for r in again["captured"]] == ["c"]


def test_only_failures_are_an_error(folder: Path, config: CaptureConfig, tmp_path: Path, here: list[str]) -> None:
    for name in "ac":
        (folder / f"{name}.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match="none of 3 could"):
        capture(folder, tmp_path / "out", config)
    assert not (tmp_path / "out").exists()


def test_the_command_ends_with_0_if_some_were_captured(
    folder: Path, lifter: Path, tmp_path: Path, here: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["capture", str(folder), "--out", str(tmp_path / "out"), "--lifter", str(lifter), "--json"]
    assert run(arguments) == 0
    told = capsys.readouterr()
    assert list(json.loads(told.out)["failed"]) == [str(folder / "b.mp4")]
    assert "error: b.mp4" in told.err
    for name in "ac":
        (folder / f"{name}.mp4").write_bytes(b"no video")
    assert run([*arguments[:3], str(tmp_path / "new"), *arguments[4:]]) == 2
    assert not (tmp_path / "new").exists()


def test_names_that_would_meet_in_the_folder_are_refused(
    video: Video, config: CaptureConfig, tmp_path: Path, here: list[str]
) -> None:
    folder = video(5, "a.mp4").parent
    video(5, "a.mov")
    with pytest.raises(UserError, match='two called "a"'):
        capture(folder, tmp_path / "out", config)
    assert here == []


def test_keypoints_belong_to_one_video(folder: Path, config: CaptureConfig, tmp_path: Path, here: list[str]) -> None:
    with pytest.raises(UserError, match="one video with --keypoints"):
        capture(folder, tmp_path / "out", replace(config, keypoints=tmp_path / "k.csv"))


def test_an_error_that_is_no_users_stays_with_its_video(
    config: CaptureConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector whose process was killed raised RuntimeError in the parent, and the whole batch ended."""

    def ended(*_: object) -> None:
        raise RuntimeError("MediaPipe ended")

    monkeypatch.setattr(batch, "capture_one", ended)
    assert batch._safely(Path("a.mp4"), tmp_path, config) == "could not be captured (RuntimeError: MediaPipe ended)"


def test_files_of_a_configuration_are_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifter: Path
) -> None:
    """A cluster's workers stand in another folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("own.osim", "net.onnx", "rehab37"):
        Path(name).touch()
    config = CaptureConfig(osim="own.osim", detector="rtmpose:net.onnx", keypoints=Path("k.csv"), lifter="lifter")
    found = batch._absolute(config)
    assert found == replace(
        config, osim=str(tmp_path / "own.osim"), detector=f"rtmpose:{tmp_path / 'net.onnx'}",
        keypoints=tmp_path / "k.csv",
    )  # fmt: skip
    assert batch._absolute(CaptureConfig()) == CaptureConfig()


def same_outputs(one: Path, other: Path) -> None:
    """Check that two folders hold the same visible files, and the same motions within rounding."""
    visible = [sorted(p.name for p in folder.iterdir() if p.name[0] != ".") for folder in (one, other)]
    assert visible[0] == visible[1]
    for path in one.glob("*.npz"):
        np.testing.assert_allclose(read_npz(path).positions, read_npz(other / path.name).positions, atol=1e-4)


@pytest.mark.slow
def test_a_killed_worker_is_replaced(video: Video, config: CaptureConfig, tmp_path: Path, made: None) -> None:
    folder = video(12, "a.mp4").parent
    for name in "bcd":
        video(12, f"{name}.mp4")
    capture(folder, tmp_path / "whole", config)
    (folder / "b.killonce").touch()
    result = capture(folder, tmp_path / "out", config)
    assert sorted(r["name"] for r in result["captured"]) == ["a", "b", "c", "d"]
    assert result["failed"] == {}
    same_outputs(tmp_path / "whole", tmp_path / "out")


@pytest.mark.slow
def test_a_video_that_always_kills_its_worker_does_not_take_the_others_along(
    video: Video, config: CaptureConfig, tmp_path: Path, made: None
) -> None:
    """Tried again in one pool, the videos behind it were lost with it every time."""
    folder = video(12, "a.mp4").parent
    for name in "bc":
        video(12, f"{name}.mp4")
    (folder / "a.kill").touch()
    result = capture(folder, tmp_path / "out", config)
    assert sorted(r["name"] for r in result["captured"]) == ["b", "c"]
    assert "killed 3 times" in result["failed"][str(folder / "a.mp4")]


@pytest.mark.slow
def test_a_ray_cluster_of_two_workers_gives_the_same_with_one_killed(
    video: Video, config: CaptureConfig, tmp_path: Path, made: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason='needs Ray: pip install "rehabmotion[ray]"')
    folder = video(12, "a.mp4").parent
    for name in "bc":
        video(12, f"{name}.mp4")
    capture(folder, tmp_path / "whole", config)
    (folder / "b.killonce").touch()
    helpers = str(Path(capture_made.__file__).parent)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": helpers}}
    )
    try:
        result = capture(folder, tmp_path / "out", config, ray="auto")
    finally:
        ray.shutdown()
    assert not (folder / "b.killonce").exists()
    assert sorted(r["name"] for r in result["captured"]) == ["a", "b", "c"]
    same_outputs(tmp_path / "whole", tmp_path / "out")
