"""Forward kinematics in float32: milliseconds for 4,096 frames of an OpenSim model, forward only, on two threads.

python benchmarks/fk_speed.py [MODEL.osim]      # default: Rajagopal2016 of the data folder
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch
from common import commit

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.io.osim_models import open_osim

FRAMES, REPEATS = 4096, 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("REHABMOTION_DATA", ".")) / "opensim" / "opensim-models" / "Rajagopal2016.osim"
    parser.add_argument("model", nargs="?", default=str(default))
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    kinematics = Kinematics(open_osim(arguments.model), torch.float32)
    q = 0.3 * torch.randn(FRAMES, len(kinematics.names), generator=torch.Generator().manual_seed(0))
    taken = []
    with torch.no_grad():
        for _ in range(REPEATS):
            start = time.perf_counter()
            kinematics(q)
            taken.append(1000 * (time.perf_counter() - start))
    figures = {
        "commit": commit(),
        "model": Path(arguments.model).name,
        "frames": FRAMES,
        "cores": os.cpu_count(),
        "median_ms": round(statistics.median(taken[5:]), 1),
        "least_ms": round(min(taken), 1),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
