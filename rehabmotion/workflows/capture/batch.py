"""Many videos: each in a process of its own, or on a Ray cluster; one that fails leaves the others alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rehabmotion.errors import UserError
from rehabmotion.vision.clip import sources
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one, name_of
from rehabmotion.workflows.lifter import OSIM, SHIPPED_LIFTER

Say = Callable[[str], None]
TRIES = 3  # of a video whose worker was killed
ANSWER_S = 10.0  # how long a cluster is waited for


def capture(
    source: Path | str,
    out: Path,
    config: CaptureConfig,
    ray: str | None = None,
    say: Say = lambda _: None,
    progress: Callable[[int, int | None], None] = lambda *_: None,
) -> dict[str, Any]:
    """Capture a video, a folder of images or a folder of videos into `out`; return what --json prints.

    Videos of a folder whose report lies in `out` already, whole, are not captured again. One that cannot be captured is
    told and the others go on: that is no error, `failed` says why; only if none can, UserError. ray: "auto" or the
    address of a cluster.
    """
    found = sources(source)
    if len(found) == 1 and ray is None:
        return {"captured": [capture_one(found[0], out, config, progress)], "failed": {}, "skipped": []}
    if config.keypoints is not None and len(found) > 1:
        raise UserError("Expected one video with --keypoints, got a folder of several. Capture them one by one.")
    _check_names(found)
    done = [path for path in found if _is_done(out, path)]
    left = [path for path in found if path not in done]
    for path in done:
        say(f"{path.name}: captured before, left as it is")
    reports, failed = list[dict[str, Any]](), dict[str, str]()
    results = _by_ray(left, out, config, ray) if ray is not None else _by_processes(left, out, config)
    for path, report in results:
        if isinstance(report, str):
            failed[str(path)] = report
            say(f"error: {path.name}: {report}")
        else:
            reports.append(report)
            say(f"{path.name}: {report['frames']} frames, person seen in {100 * report['seen']:.0f} %")
    if failed and not reports and not done:
        raise UserError(
            f"Expected a video that can be captured, none of {len(found)} could: {next(iter(failed.values()))}"
        )
    return {"captured": reports, "failed": failed, "skipped": [str(path) for path in done]}


def _check_names(found: list[Path]) -> None:
    names = [name_of(path) for path in found]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f'Expected videos with different names, got two called "{name}". Rename one.')


def _is_done(out: Path, path: Path) -> bool:
    """Return whether a video's files are there: the report is among those that appear together."""
    return (out / f"{name_of(path)}_report.json").is_file()


def _safely(path: Path, out: Path, config: CaptureConfig) -> dict[str, Any] | str:
    """Return the report of a video, or in one line why there is none. Runs in a worker."""
    import torch

    torch.set_num_threads(1)
    try:
        return capture_one(path, out, config)
    except UserError as error:
        return str(error)
    except Exception as error:  # ours or a library's: the other videos are not to be lost to it
        return f"could not be captured ({type(error).__name__}: {error})"


def _by_processes(left: list[Path], out: Path, config: CaptureConfig) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    """Yield reports as they come. A worker that dies takes those beside it along: each is tried again, all alone."""
    died: list[Path] = []
    for path, report in _together(left, out, config, os.cpu_count() or 1):
        if report is None:
            died.append(path)
        else:
            yield path, report
    for path in died:
        report = None
        for _ in range(TRIES - 1):
            report = report or next(_together([path], out, config, 1))[1]
        yield path, report or f"its worker was killed {TRIES} times; is there enough memory?"


def _together(
    paths: list[Path], out: Path, config: CaptureConfig, workers: int
) -> Iterator[tuple[Path, dict[str, Any] | str | None]]:
    """Yield reports of videos captured side by side, None of those whose workers died."""
    if not paths:
        return
    pool = ProcessPoolExecutor(min(len(paths), workers), mp_context=get_context("spawn"))
    try:
        jobs = {pool.submit(_safely, path, out, config): path for path in paths}
        for job in as_completed(jobs):
            try:
                yield jobs[job], job.result()
            except BrokenProcessPool:
                yield jobs[job], None
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C no further video is begun


def _by_ray(
    left: list[Path], out: Path, config: CaptureConfig, address: str
) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    """Yield reports as they come from a Ray cluster that sees the same folders; lost workers are replaced by Ray."""
    try:
        import ray
    except ImportError:
        raise UserError('--ray needs Ray. Install it with: pip install "rehabmotion[ray]"') from None
    if not ray.is_initialized():
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False)
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"Expected a Ray cluster at {address}, could not join it ({reason}).") from None
    remote = ray.remote(max_retries=TRIES)(_safely)
    config = _absolute(config)
    jobs = {remote.remote(path.absolute(), out.absolute(), config): path for path in left}
    while jobs:
        ready, _ = ray.wait(list(jobs))
        for job in ready:
            path = jobs.pop(job)
            try:
                yield path, ray.get(job)
            except ray.exceptions.RayError as error:
                yield path, f"its worker was lost ({str(error).splitlines()[0]})"


def _knock(address: str) -> None:
    """Raise OSError or ValueError unless something listens at HOST:PORT: Ray itself would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()


def _absolute(config: CaptureConfig) -> CaptureConfig:
    """Return a configuration whose files are found from another working folder, as a cluster's workers have."""

    def whole(name: str) -> str:
        return str(Path(name).absolute()) if Path(name).exists() else name

    detector, colon, file = config.detector.partition(":")
    keypoints = None if config.keypoints is None else config.keypoints.absolute()
    lifter = config.lifter if config.lifter == SHIPPED_LIFTER else whole(config.lifter)
    osim = config.osim if config.osim == OSIM else whole(config.osim)
    return replace(
        config, osim=osim, detector=detector + colon + (file and whole(file)), keypoints=keypoints, lifter=lifter
    )
