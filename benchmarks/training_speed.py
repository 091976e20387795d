"""What the training loop costs beside a bare one: python benchmarks/training_speed.py [--model NAME] [--size small].

Both train the same network on simulator clips, by turns, in one process. The bare loop has its batches at hand: loss,
gradients, AdamW, nothing else. Ours draws them, clips gradients, keeps the running average and a log. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import commit

from rehabmotion.data.prepare import prepared
from rehabmotion.data.samples import build_samples
from rehabmotion.models import MODELS
from rehabmotion.models.generator import Generator
from rehabmotion.models.trainable import Draws
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, train
from rehabmotion.workflows.sizes import size
from rehabmotion.workflows.train import new_model


def bare(model: Generator, batches: list[Any], steps: int) -> float:
    """Return seconds a step of a loop that does nothing but learn."""
    players = model.players
    optimisers = {name: torch.optim.AdamW(weights, lr=1e-4) for name, weights in players.items()}
    model.train()
    began = time.perf_counter()
    for step in range(steps):
        for turn, player in enumerate(model.turns):
            optimisers[player].zero_grad()
            batch = batches[(step * len(model.turns) + turn) % len(batches)]
            model.loss(batch, Draws(step), player)["total"].backward()
            optimisers[player].step()
    return (time.perf_counter() - began) / steps


def ours(model: Generator, maker: BatchMaker, config: TrainingConfig) -> float:
    """Return seconds a step of the loop that `rehabmotion train` runs."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        train(model, maker, None, config, Path(folder))
        return (time.perf_counter() - began) / config.steps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="diffusion", choices=sorted(MODELS))
    parser.add_argument("--size", default="small")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = size(arguments.size)
    samples = build_samples({"simulator": prepared("simulator:val")}, chosen.n_frames)
    model = new_model(arguments.model, samples, chosen, "ngram", 0, stopped=True, say=print)
    maker = BatchMaker(samples, model.config)
    config = TrainingConfig(steps=arguments.steps, batch_size=chosen.batch_size, save_every=10**9)
    batches = [maker.draw(model, step, chosen.batch_size) for step in range(8)]
    bare(model, batches, 3), ours(model, maker, TrainingConfig(3, chosen.batch_size))  # warm-up; words are remembered
    rounds = [(bare(model, batches, arguments.steps), ours(model, maker, config)) for _ in range(arguments.rounds)]
    ratios = sorted(b / a for a, b in rounds)
    figures = {
        "command": f"python benchmarks/training_speed.py --model {arguments.model} --size {arguments.size}",
        "commit": commit(),
        "cores": os.cpu_count(),
        "threads": arguments.threads,
        "bare_s": round(statistics.median(a for a, _ in rounds), 4),
        "ours_s": round(statistics.median(b for _, b in rounds), 4),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_range": [round(ratios[0], 3), round(ratios[-1], 3)],
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
