"""Gaps of one second in an arm or a leg of people the model never saw: how far off is what is filled in?

    python benchmarks/repair.py --model RUN [--out docs/results/repair]

Beside the model stands linear interpolation with a Savitzky-Golay filter, on the same gaps.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from common import SEED, bootstrap, commit
from numpy.typing import NDArray

from rehabmotion.data.prepare import prepared
from rehabmotion.data.spoil import LIMBS
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.workflows.mending import mend
from rehabmotion.workflows.repair import mender
from rehabmotion.workflows.studies.robustness import lines

SECONDS = 1.0
Rows = dict[tuple[str, str, str], list[float]]  # subject, exercise, limb -> mean distance of each gap, mm


def with_gap(motion: Motion, limb: str, rng: np.random.Generator) -> Motion:
    """Return the motion without a limb for a second, anywhere inside; of short ones a third is lost."""
    length = min(round(SECONDS * motion.fps), motion.n_frames // 3)
    first = int(rng.integers(1, motion.n_frames - length))
    valid, positions = motion.valid.copy(), motion.positions.copy()
    rows = np.ix_(range(first, first + length), CANONICAL.indices(*LIMBS[limb]))
    valid[rows], positions[rows] = False, 0.0
    return motion.but(valid=valid, positions=positions)


def far(positions: NDArray[np.floating], truth: Motion, spoilt: Motion) -> float:
    """Return the mean distance over the missing entries, mm."""
    return 1000 * float(np.linalg.norm(positions - truth.positions, axis=-1)[truth.valid & ~spoilt.valid].mean())


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="open")
    parser.add_argument("--each", type=int, default=2, help="Gaps for each person, exercise, quality and limb.")
    parser.add_argument("--out", type=Path, default=Path("docs/results/repair"))
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    model, rng = mender(arguments.model), np.random.default_rng(SEED)
    found: dict[str, Rows] = {"model": {}, "linear": {}}
    clips: dict[tuple[str, str, str], list[Motion]] = {}
    for motion in prepared("uiprmd:val", arguments.data_dir):
        key = str(motion.meta["subject"]), str(motion.meta["exercise"]), str(motion.scores[0])
        clips.setdefault(key, []).append(motion)
    for (subject, exercise, _), motions in clips.items():
        for limb in LIMBS:
            for i in rng.choice(len(motions), arguments.each, replace=False):
                spoilt = with_gap(motions[i], limb, rng)
                for name, positions in (("model", mend(spoilt, model).motion.positions), ("linear", lines(spoilt))):
                    found[name].setdefault((subject, exercise, limb), []).append(far(positions, motions[i], spoilt))
    figures = {
        "command": f"python benchmarks/repair.py --model {arguments.model}",
        "commit": commit(),
        "gaps": sum(map(len, found["model"].values())),
        "all": row(found, lambda _: True),
        **{limb: row(found, lambda key, limb=limb: key[2] == limb) for limb in LIMBS},
        **{e: row(found, lambda key, e=e: key[1] == e) for e in sorted({key[1] for key in found["model"]})},
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def row(found: dict[str, Rows], which: object) -> dict[str, object]:
    """Return the mean distance of model and straight line, mm, and their ratio with its interval over cells."""
    keys = [key for key in found["model"] if which(key)]  # type: ignore[operator]
    model, linear = ([float(np.mean(found[name][key])) for key in keys] for name in ("model", "linear"))
    ratios = [[a / b] for a, b in zip(model, linear, strict=True)]
    return {
        "model_mm": round(float(np.mean(model)), 1),
        "linear_mm": round(float(np.mean(linear)), 1),
        "ratio": round(float(np.mean(model) / np.mean(linear)), 3),
        "mean_of_ratios": round(float(np.mean(ratios)), 3),
        "mean_of_ratios_ci": [round(end, 3) for end in bootstrap(ratios)],
    }


if __name__ == "__main__":
    main()
