"""Figures of a model trained on data whose terms keep it local: KIMORE, Bandai-Namco. Nothing of it is shipped.

    rehabmotion train --data kimore --init open --steps 800 --out runs/kimore
    python benchmarks/local_models.py kimore runs/kimore
    rehabmotion train --data bandai --init open --steps 800 --out runs/bandai
    python benchmarks/local_models.py bandai runs/bandai

For each held-out clip one motion is made with its caption, score and length; both sides are compared.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from common import clips, commit, to_the_right

from rehabmotion.data.captions import captions
from rehabmotion.data.prepare import prepared
from rehabmotion.metrics.diversity import apd
from rehabmotion.metrics.judges import Judge
from rehabmotion.metrics.memorisation import aligned_clip, copy_rate, nearest_distance
from rehabmotion.metrics.physical import foot_slide, jerk
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.workflows.api import Model, generate, load_model

MOST = 120  # held-out clips asked for


def asked(model: Model, real: list[Motion], seed: int = 0) -> list[Motion]:
    """Return one motion for each real clip: its words (the name of the exercise without a caption), score, length."""
    made = []
    for i, motion in enumerate(real):
        text = motion.text or captions(motion.meta["exercise"], motion.meta["side"], ("name",))[0]
        score = motion.scores[0] if motion.scores else None
        seconds = float(np.clip(motion.seconds, 1.0, 10.0))
        result = generate(model, text, score, seconds=seconds, seed=seed + i)
        made.append(result.motions[0].but(meta={"asked": label(motion)}))
    return made


def label(motion: Motion) -> str:
    """Return what a judge should say of a clip."""
    return str(motion.meta.get("exercise") or motion.meta.get("content"))


def figures(corpus: str, folder: str) -> dict[str, Any]:
    """Return how the made motions compare with the held-out ones."""
    training, held_out = prepared(f"{corpus}:train"), prepared(f"{corpus}:val")
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(held_out), min(MOST, len(held_out)), replace=False))
    real = [held_out[i] for i in rows]
    seen = np.flatnonzero(np.concatenate([m.valid for m in real]).all(axis=0))
    made = asked(load_model(folder), real)
    sample = [training[i] for i in rng.choice(len(training), min(600, len(training)), replace=False)]
    judge = Judge(n_kernels=2000).fit(_seen_clips(sample, seen), [label(m) for m in sample])
    return {
        "corpus": corpus,
        "commit": commit(),
        "n": len(made),
        "label_right": float(np.mean(judge.predict(_seen_clips(made, seen)) == [m.meta["asked"] for m in made])),
        "label_right_real": float(np.mean(judge.predict(_seen_clips(real, seen)) == [label(m) for m in real])),
        "jerk": [_mean(made, seen, jerk), _mean(real, seen, jerk)],
        "foot_slide_mm": [float(np.mean([foot_slide(m.positions, [7, 8]) for m in of])) for of in (made, real)],
        "apd": [apd(_seen_clips(of, seen)) for of in (made, real)],
        "copies": [copy_rate(_nearest(of, training, seen)) for of in (made, real)],
    }


def _seen_clips(motions: list[Motion], seen: np.ndarray) -> np.ndarray:
    """Bone directions of the bones whose both ends the corpus measures."""
    bones = [i for i, (a, b) in enumerate(CANONICAL.bones) if a in seen and b in seen]
    return clips(to_the_right(motions))[:, :, bones]


def _mean(motions: list[Motion], seen: np.ndarray, what: Any) -> float:
    return float(np.mean([what(m.positions[:, seen], m.fps) for m in motions]))


def _nearest(motions: list[Motion], training: list[Motion], seen: np.ndarray) -> np.ndarray:
    def aligned(of: list[Motion]) -> np.ndarray:
        return np.stack([aligned_clip(m.positions, 50)[:, seen] for m in of])

    return nearest_distance(aligned(motions), aligned(training))


if __name__ == "__main__":
    print(json.dumps(figures(sys.argv[1], sys.argv[2]), indent=1))
