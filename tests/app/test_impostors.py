"""Four sets of motions that pretend: the metrics meant for each must catch it, with an interval that says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rehabmotion.data.simulator import simulate
from rehabmotion.io.npz import write_npz
from rehabmotion.motion import Motion, Score
from rehabmotion.workflows.evaluation.sides import caption_of
from rehabmotion.workflows.evaluation.suite import Asked, compare
from rehabmotion.workflows.generate import Ask, generate_each
from rehabmotion.workflows.models import open_model

pytestmark = pytest.mark.slow

EXERCISES = ("deep_squat", "side_lunge", "standing_shoulder_abduction", "sit_to_stand", "hurdle_step", "arm_lift")
N = 120


def simulated(seed: int, people: int = 12) -> list[Motion]:
    """N repetitions by `people` people, a score uniform on 0..100 each, with words."""
    motions = []
    for i in range(N):
        exercise = EXERCISES[i % len(EXERCISES)]
        side = "right" if exercise in ("side_lunge", "standing_shoulder_abduction", "hurdle_step") else "both"
        motion = simulate(exercise, side, 10_000 * seed + i, score=float((37 * i) % 101))
        motion = motion.but(meta={"subject": f"{seed}-{i % people}"})
        motions.append(motion.but(text=caption_of(motion, i)))
    return motions


def frozen(motions: list[Motion]) -> list[Motion]:
    """Each clip as one pose of its own, held."""
    return [m.but(positions=np.repeat(m.positions[m.n_frames // 3][None], m.n_frames, axis=0)) for m in motions]


def noisy(motions: list[Motion]) -> list[Motion]:
    """White noise of 3 cm on every joint."""
    rng = np.random.default_rng(0)
    return [m.but(positions=m.positions + rng.normal(0, 0.03, m.positions.shape)) for m in motions]


def shuffled(motions: list[Motion]) -> list[Motion]:
    """The words of another clip."""
    order = np.random.default_rng(0).permutation(len(motions))
    return [m.but(text=motions[i].text) for m, i in zip(motions, order, strict=True)]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of each set, and of the shipped model, against the same real side."""
    root = tmp_path_factory.mktemp("impostors")
    real, train, others = simulated(1), simulated(2), simulated(3)
    model, provenance = open_model()
    asks = [Ask(m.text, Score("sim", m.scores[0].value), m.seconds) for m in others]
    sets = {
        "real": real,
        "train": train,
        "shipped": list(generate_each(model, provenance, asks, seed=0)),
        "frozen": frozen(others),
        "noise": noisy(others),
        "copies": train,
        "shuffled": shuffled(others),
    }
    for name, motions in sets.items():
        for i, motion in enumerate(motions):
            write_npz(motion, root / name / f"{i:03d}.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REHABMOTION_CACHE", str(root / "cache"))
        asked = Asked(str(root / "real"), "", str(root / "train"), n_draws=1000)
        return {
            name: compare(replace(asked, generated=str(Path(root, name)))).report["metrics"]
            for name in ("shipped", "frozen", "noise", "copies", "shuffled")
        }


@pytest.mark.parametrize(
    ("impostor", "metrics"),
    [
        ("frozen", ("jerk", "rom_error", "coverage")),
        ("noise", ("fid", "kid", "jerk")),
        ("copies", ("memorisation",)),
        ("shuffled", ("r_precision_1", "mm_dist", "exercise_accuracy")),
    ],
)
def test_it_is_caught(figures: dict[str, Any], impostor: str, metrics: tuple[str, ...]) -> None:
    for name in metrics:
        figure = figures[impostor][name]
        low, high = figure["ci"]
        assert not low <= figure["real"] <= high, (name, figure)
    if impostor == "copies":
        assert figures[impostor]["memorisation"]["value"] < 0.1


@pytest.mark.parametrize("impostor", ["frozen", "noise"])
def test_it_is_farther_from_real_than_the_shipped_model(figures: dict[str, Any], impostor: str) -> None:
    for name in ("fid", "kid"):
        assert figures[impostor][name]["value"] > figures["shipped"][name]["value"], name
