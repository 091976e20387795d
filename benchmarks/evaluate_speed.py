"""Time and memory of `rehabmotion evaluate`: python benchmarks/evaluate_speed.py [--n 1000] [--out FILE.md]

Two folders of n simulated motions of 100 frames each, and a third for what the generator saw; every metric, 20 repeats,
2,000 bootstrap draws, nothing cached, 2 threads. Needs the extra `judges`; no data.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import commit

from rehabmotion.data.simulator import SIMULATED, simulate
from rehabmotion.io.npz import write_npz
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.workflows.evaluation.sides import caption_of

FRAMES = 100


def clip(number: int, seed: int) -> Motion:
    """Return one motion of 100 frames: an exercise in turn, one of 40 people, any score."""
    exercise = SIMULATED[number % len(SIMULATED)]
    sides = EXERCISES[exercise].sides
    score = float(np.random.default_rng([seed, number]).uniform(0, 100))
    motion = simulate(exercise, sides[number % len(sides)], 100_000 * seed + number, score=score)
    rows = np.linspace(0, motion.n_frames - 1, FRAMES).round().astype(int)
    motion = motion.but(positions=motion.positions[rows], valid=motion.valid[rows])
    return motion.but(text=caption_of(motion, number), meta={"subject": f"{seed}-{number % 40}"})


def main() -> None:
    """Make the folders, run the command, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/results/evaluate-speed.md"))
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, side in enumerate(("real", "generated", "train"), start=1):
            for i in range(arguments.n):
                write_npz(clip(i, seed), folder / side / f"{i:04d}.npz")
        for label, more in (("without --train", []), ("with --train", ["--train", str(folder / "train")])):
            command = [sys.executable, "-m", "rehabmotion.app.cli", "evaluate", "--real", str(folder / "real")]
            command += ["--generated", str(folder / "generated"), *more, "--out", str(folder / "out")]
            environment = os.environ | {"REHABMOTION_CACHE": str(folder / f"cache {label}"), "OMP_NUM_THREADS": "2"}
            started = time.perf_counter()
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            rows.append(f"| {label} | {seconds:.0f} s | {peak:.0f} MB so far | 180 s, 2,048 MB |")
    table = [
        "# Time and memory of `evaluate`",
        "",
        f"`python benchmarks/evaluate_speed.py --n {arguments.n}` (commit {commit()}): {arguments.n} against as many",
        f"simulated motions of {FRAMES} frames, all metrics, 20 repeats, 2,000 bootstrap draws, nothing cached, 2 CPU",
        "threads, start included.",
        "",
        "| folders | time | peak memory | aim |",
        "|---|---|---|---|",
        *rows,
    ]
    arguments.out.write_text("\n".join(table) + "\n", encoding="utf-8")
    print("\n".join(table))


if __name__ == "__main__":
    main()
