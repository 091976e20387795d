"""Speed of generation on this machine: python benchmarks/speed.py [--model open]. Prints JSON; two threads.

One motion of 5 s and 32 of them after loading; the whole command from start to files, and its peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from common import commit

from rehabmotion.workflows.api import Model, generate, load_model


def seconds_for(model: Model, samples: int, repeats: int) -> float:
    """Return the median seconds for `samples` motions of 5 s with a score."""
    taken = []
    for seed in range(repeats + 1):
        start = time.perf_counter()
        generate(model, "a person performs a deep squat", "uiprmd:1", seconds=5.0, samples=samples, seed=seed)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])  # the first warms up


def command_seconds(model: str, repeats: int = 3) -> tuple[float, float]:
    """Return the median seconds of the whole command, and the peak memory of its processes in MB."""
    taken = []
    for seed in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            arguments = ["generate", "a deep squat", "--score", "fms:2", "--seed", str(seed), "--model", model]
            command = [sys.executable, "-m", "rehabmotion.app.cli", *arguments, "--out", str(Path(folder) / "out")]
            subprocess.run(command, check=True, capture_output=True)
            taken.append(time.perf_counter() - start)
    return statistics.median(taken), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="open")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    model = load_model(arguments.model)
    command, memory = command_seconds(arguments.model)
    figures = {
        "commit": commit(),
        "cores": os.cpu_count(),
        "one_motion_s": round(seconds_for(model, 1, 10), 3),
        "32_motions_s": round(seconds_for(model, 32, 3), 3),
        "command_s": round(command, 2),
        "command_peak_mb": round(memory),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
