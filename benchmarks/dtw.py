"""Speed of the alignments in time against aeon and dtaidistance: python benchmarks/dtw.py --out docs/results/dtw.md.

Needs aeon and dtaidistance (pip install aeon dtaidistance). One thread each, everybody warmed up, the runs interleaved;
CPU time, which other programs on the machine distort less than the clock. Prints Markdown.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from aeon.distances import dtw_alignment_path
from common import commit
from dtaidistance import dtw_ndim
from threadpoolctl import threadpool_limits

from rehabmotion.metrics.warping import dtw_paths, wpd_pairs

CHANNELS = 66
Path_ = list[tuple[int, int]]
Aligner = Callable[[np.ndarray, np.ndarray], Path_]


def clips_of(lengths: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return clips (T_i, 66): one random walk, each at a pace of its own and with noise."""
    rng = np.random.default_rng(seed)
    walk = rng.normal(size=(80, CHANNELS)).cumsum(axis=0)
    clips = []
    for n in lengths:
        times = np.sort(rng.uniform(0, 79, n))
        exact = np.stack([np.interp(times, np.arange(80), channel) for channel in walk.T], axis=1)
        clips.append(exact + rng.normal(0, 0.1, exact.shape))
    return clips


def aeon_transposed(x: np.ndarray, y: np.ndarray) -> Path_:
    """Align by aeon on transposed views of (T, C): its loops then run along memory."""
    return dtw_alignment_path(x.T, y.T)[0]


def dtaidistance_c(x: np.ndarray, y: np.ndarray) -> Path_:
    """Align by dtaidistance's C library."""
    return dtw_ndim.warping_path(x, y, use_c=True)


def share_of(path: Path_, n: int, m: int) -> float:
    """Return WPD/T of a library's path."""
    cells = np.array(path)
    return float(np.sqrt(0.5) * np.abs(cells[:, 0] / n - cells[:, 1] / m).mean())


def jobs(x: list[np.ndarray], y: list[np.ndarray], task: str) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name; clips are in the layout that each documents, channels first for aeon."""
    first = [(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)) for a, b in zip(x, y, strict=True)]
    pairs = np.stack([np.arange(len(x)), np.arange(len(x)) + len(x)], axis=1)

    def loop(align: Aligner, items: list[tuple[np.ndarray, np.ndarray]], frames: int) -> Callable[[], object]:
        if task == "paths":
            return lambda: [align(a, b) for a, b in items]
        return lambda: [share_of(align(a, b), a.shape[frames], b.shape[frames]) for a, b in items]

    last = list(zip(x, y, strict=True))
    return {
        "ours": (lambda: dtw_paths(x, y)) if task == "paths" else (lambda: wpd_pairs([*x, *y], pairs)[1]),
        "aeon, channels first": loop(lambda a, b: dtw_alignment_path(a, b)[0], first, 1),
        "aeon, transposed view": loop(aeon_transposed, last, 0),
        "dtaidistance, C": loop(dtaidistance_c, last, 0),
    }


def seconds(run: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median CPU seconds of each; a first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in run}
    for _ in range(repeats + 1):
        for name, job in run.items():
            start = time.process_time()
            job()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def same_paths(x: list[np.ndarray], y: list[np.ndarray]) -> int:
    """Return how many of our paths are aeon's, cell by cell."""
    ours = dtw_paths(x, y)
    theirs = [np.array(aeon_transposed(a, b)) for a, b in zip(x, y, strict=True)]
    return sum(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def table(n_pairs: int, repeats: int) -> list[str]:
    """Return the lines of the table."""
    rng = np.random.default_rng(0)
    cases = {"100 frames": np.full(2 * n_pairs, 100), "60 to 120 frames": rng.integers(60, 121, 2 * n_pairs)}
    names = list(jobs([], [], "paths"))
    lines = [f"| clips | result | {' | '.join(names)} | same paths as aeon |", "|---" * (len(names) + 3) + "|"]
    for case, lengths in cases.items():
        clips = clips_of(lengths, seed=1)
        x, y = clips[:n_pairs], clips[n_pairs:]
        same = same_paths(x, y)
        for task in ("paths", "WPD/T"):
            taken = seconds(jobs(x, y, task), repeats)
            cells = [f"{1e3 * s / n_pairs:.3f} ms ({s / taken['ours']:.2f})" for s in taken.values()]
            lines.append(f"| {case} | {task} | {' | '.join(cells)} | {same} of {n_pairs} |")
    return lines


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with threadpool_limits(1):
        lines = table(arguments.pairs, arguments.repeats)
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "aeon", "numba", "dtaidistance"))
    page = [
        "# Alignments in time: speed",
        "",
        f"Made by `python benchmarks/dtw.py` (commit {commit()}); Python {platform.python_version()}, {packages}.",
        "",
        f"{arguments.pairs} pairs of clips of {CHANNELS} channels, float64: one random walk at different paces, noise.",
        f"CPU time of one pair, one thread each, median of {arguments.repeats} interleaved runs after one to warm up;",
        "in brackets the ratio to ours, above 1 where we are faster. aeon compiles by numba and documents arrays with",
        "channels first; transposed views of arrays with time first suit its loops better, so they are listed too.",
        "",
        *lines,
    ]
    text = "\n".join(page) + "\n"
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
