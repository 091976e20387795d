"""A run killed by the system at any moment goes on to the weights of one never killed; shards add up to one batch."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from rehabmotion.data.samples import Samples
from rehabmotion.models.diffusion import DiffusionGenerator
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, train

Make = Callable[[], DiffusionGenerator]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def command(run: Path, family: str, *more: str) -> list[str]:
    asked = ["--model", family, "--data", "simulator", "--size", "smoke", "--steps", "30", "--save-every", "7"]
    return [sys.executable, "-m", "rehabmotion.app.cli", "train", *asked, "--out", str(run), *more]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["diffusion", "gan"])  # one optimiser, and two
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(tmp_path: Path, family: str) -> None:
    """SIGKILL before anything is kept, after a checkpoint, and while the next is being written."""
    whole, run = tmp_path / "whole", tmp_path / "run"
    subprocess.run(command(whole, family), env=ENVIRONMENT, check=True, capture_output=True, timeout=600)
    rng = np.random.default_rng(0)
    for n_kept in (0, 7, 21):
        process = subprocess.Popen(
            command(run, family, "--resume"), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 300
        while time.monotonic() < until and process.poll() is None and not reached(run, n_kept):
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        assert not (run / "model.safetensors").exists()
    subprocess.run(command(run, family, "--resume"), env=ENVIRONMENT, check=True, capture_output=True, timeout=600)
    a, b = (load_file(folder / "model.safetensors") for folder in (whole, run))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def reached(run: Path, step: int) -> bool:
    """Whether the run has begun, for 0, or has a checkpoint of that step or a later one."""
    if step == 0:
        return (run / "run.json").exists()
    path = run / "checkpoints" / "last.safetensors"
    if not path.exists():
        return False
    data = path.read_bytes()
    header = data[8 : 8 + int.from_bytes(data[:8], "little")].decode()
    return int(header.split('\\"step\\": ')[1].split("}")[0]) >= step


def curve(run: Path) -> list[float]:
    rows = [line.split(",") for line in (run / "log.csv").read_text().splitlines()[1:]]
    return [float(value) for _, split, name, value in rows if (split, name) == ("train", "total")]


CONFIG = TrainingConfig(steps=3, batch_size=4, warm_up=1, ema=0.5)


def test_two_batches_added_up_are_one_of_twice_the_size(
    make_model: Make, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehabmotion.training.log.EVERY", 1)
    runs = {}
    for name, config in {
        "one": replace(CONFIG, batch_size=8),
        "two": replace(CONFIG, accumulate=2),
    }.items():
        model = make_model()
        for part in model.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        runs[name] = train(model, BatchMaker(samples, model.config), None, config, tmp_path / name)
    assert curve(tmp_path / "one") == pytest.approx(curve(tmp_path / "two"), rel=1e-4)
    pairs = zip(runs["one"].parameters(), runs["two"].parameters(), strict=True)
    assert max(float((a - b).abs().max()) for a, b in pairs) < 1e-3


@pytest.mark.slow
def test_two_processes_see_the_losses_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    """gloo: torchrun --nproc_per_node 2 with batches of 4 beside one process with batches of 8."""
    code = """
import sys
from pathlib import Path
import torch
import rehabmotion.training.log as log
from rehabmotion.data.samples import build_samples
from rehabmotion.data.simulator import simulate
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, train
from rehabmotion.workflows.sizes import Size
from rehabmotion.workflows.train import new_model
log.EVERY = 1
motions = [canonicalise(simulate("deep_squat", "both", seed, grade=1 + seed % 3)) for seed in range(6)]
samples = build_samples({"simulator": motions}, 16)
small = Size(16, 1, 2, steps=6, batch_size=4, text_steps=1, d_text=16, n_frames=16)
model = new_model("diffusion", samples, small, "ngram", 0, False, lambda _: None)
for part in model.modules():
    if isinstance(part, torch.nn.Dropout):
        part.p = 0.0
config = TrainingConfig(steps=6, batch_size=int(sys.argv[2]), warm_up=1)
train(model, BatchMaker(samples, model.config), None, config, Path(sys.argv[1]))
"""
    script = tmp_path / "train.py"
    script.write_text(code)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29517"]
    subprocess.run([sys.executable, script, tmp_path / "one", "8"], env=ENVIRONMENT, check=True, timeout=500)
    subprocess.run([*launch, script, tmp_path / "two", "4"], env=ENVIRONMENT, check=True, timeout=500)
    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert len(one) == 6
    assert one == pytest.approx(two, rel=1e-4)
    a, b = (load_file(tmp_path / name / "checkpoints" / "last.safetensors") for name in ("one", "two"))
    weights = [name for name in a if name.startswith("model.")]
    assert max(float((a[name].float() - b[name].float()).abs().max()) for name in weights) < 1e-3
