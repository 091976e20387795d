"""Two processes by torchrun train one model: one folder, one set of weights."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehabmotion.models.store import load_model


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ["--data", "simulator", "--size", "smoke", "--steps", "3", "--out", str(run)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29511"]
    command = [*launch, "-m", "rehabmotion.app.cli", "train", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr[-2000:]
    model, provenance = load_model(run)
    assert provenance.training["training"]["steps"] == 3
    assert model.config.scales == ("fms", "sim")
    steps = [line for line in (run / "log.csv").read_text().splitlines() if line.startswith("3,validation,total,")]
    assert len(steps) == 1
