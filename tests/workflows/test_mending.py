"""Mending with a model that knows the answer, one that knows nothing, and real limits on what may be moved."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.features.canonical import height_proxy
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.geometry.signal import sample_at
from rehabmotion.models.denoising import DenoisingGenerator
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.workflows.mending import MendingConfig, mend
from rehabmotion.workflows.repair import repaired

LEFT_ARM = CANONICAL.indices("left_shoulder", "left_elbow", "left_wrist")


class Oracle:
    """Answers with the true motion, or with that motion out of place, whatever it is shown."""

    def __init__(self, truth: Motion, off: float = 0.0) -> None:
        self.truth, self.off = canonicalise(truth), off
        self.config = type("C", (), {"network": type("N", (), {"n_frames": 64})()})()

    def mend(self, x: torch.Tensor, seen: torch.Tensor, seconds: list[float], seed: int = 0) -> torch.Tensor:
        poses = self.truth.positions.astype(np.float64) / height_proxy(self.truth) + self.off
        n, size = len(poses), min(len(poses), max(2, round(4.0 * self.truth.fps)))
        starts = sorted({min(s, n - size) for s in range(0, max(1, n - size // 2), max(1, size // 2))})
        times = np.linspace(0, size - 1, 64)
        return torch.tensor(np.stack([sample_at(poses[s : s + size], times, np.arange(size)) for s in starts])).flatten(
            2
        )


def squat() -> Motion:
    motion = canonicalise(simulate("deep_squat", "both", 3, grade=3))
    return motion.but(positions=motion.positions @ yaw_matrix(0.7).T.astype(np.float32) + np.float32(0.3))


def with_gap(motion: Motion, joints: list[int], first: int, last: int) -> Motion:
    valid = motion.valid.copy()
    valid[first:last, joints] = False
    positions = motion.positions.copy()
    positions[first:last, joints] = 0.0
    return motion.but(valid=valid, positions=positions)


def gap_error(motion: Motion, truth: Motion, spoilt: Motion) -> float:
    far: NDArray[np.floating] = np.linalg.norm(motion.positions - truth.positions, axis=-1)
    return float(far[~spoilt.valid].mean())


def test_a_model_that_knows_the_answer_fills_a_gap_with_it_wherever_the_person_stands() -> None:
    truth = squat()
    spoilt = with_gap(truth, list(LEFT_ARM), 30, 60)
    result = mend(spoilt, Oracle(truth))  # type: ignore[arg-type]
    assert result.motion.valid.all()
    assert gap_error(result.motion, truth, spoilt) < 0.004
    assert result.moved.max() < 0.01
    assert (result.filled == ~spoilt.valid).all()
    assert result.motion.fps == truth.fps


def test_what_the_model_says_is_bent_to_meet_what_was_measured() -> None:
    """A model that puts the arm 10 cm too far: both ends of the gap stay where they were measured."""
    truth = squat()
    spoilt = with_gap(truth, list(LEFT_ARM), 30, 60)
    result = mend(spoilt, Oracle(truth, off=0.08))  # type: ignore[arg-type]
    assert gap_error(result.motion, truth, spoilt) < 0.01
    step = np.linalg.norm(np.diff(result.motion.positions[28:62, list(LEFT_ARM)], axis=0), axis=-1)
    assert step.max() < 2.5 * np.linalg.norm(np.diff(truth.positions[:, list(LEFT_ARM)], axis=0), axis=-1).max() + 0.01


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.2])
def test_no_measured_joint_moves_more_than_30_mm(noise: float) -> None:
    truth = squat()
    rng = np.random.default_rng(0)
    rough = truth.but(positions=truth.positions + noise * rng.standard_normal(truth.positions.shape))
    spoilt = with_gap(rough, [20], 10, 20)
    result = mend(spoilt, Oracle(truth))  # type: ignore[arg-type]
    far = np.linalg.norm(result.motion.positions.astype(np.float64) - spoilt.positions, axis=-1)
    assert far[spoilt.valid].max() <= 0.03
    assert np.allclose(result.moved[spoilt.valid], far[spoilt.valid], atol=1e-6)


def test_jitter_is_less_afterwards() -> None:
    truth = squat()
    rng = np.random.default_rng(0)
    rough = truth.but(positions=truth.positions + 0.01 * rng.standard_normal(truth.positions.shape))
    result = mend(rough, Oracle(truth))  # type: ignore[arg-type]
    before, after = (np.linalg.norm(m.positions - truth.positions, axis=-1).mean() for m in (rough, result.motion))
    assert after < 0.75 * before


def test_filled_joints_have_their_bones_length() -> None:
    truth = squat()
    spoilt = with_gap(truth, list(LEFT_ARM), 20, 70)
    result = mend(spoilt, Oracle(truth, off=0.05)).motion  # type: ignore[arg-type]
    for joint in LEFT_ARM[1:]:
        bone = np.linalg.norm(
            result.positions[20:70, joint] - result.positions[20:70, CANONICAL.parents[joint]], axis=-1
        )
        assert bone.std() < 1e-3


def test_spans_are_marked_and_marks_of_before_are_kept() -> None:
    truth = squat()
    spoilt = with_gap(with_gap(truth, [20], 5, 8), [20], 40, 41).but(meta={"filled": {"head": [[0, 3]]}})
    result = repaired(spoilt, Oracle(truth))  # type: ignore[arg-type]
    assert result.motion.meta["filled"] == {"head": [[0, 3]], CANONICAL.joint_names[20]: [[5, 7], [40, 40]]}
    json.dumps(dict(result.motion.meta))


def test_a_joint_that_was_never_seen_is_the_models() -> None:
    truth = squat()
    spoilt = with_gap(truth, [15], 0, truth.n_frames)
    result = mend(spoilt, Oracle(truth))  # type: ignore[arg-type]
    assert gap_error(result.motion, truth, spoilt) < 0.02


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_few_frames_are_enough(frames: int) -> None:
    truth = squat()
    short = truth.but(positions=truth.positions[:frames], valid=truth.valid[:frames])
    result = mend(short, Oracle(short), MendingConfig())  # type: ignore[arg-type]
    assert result.motion.n_frames == frames
    assert np.isfinite(result.motion.positions).all()


def test_without_hips_there_is_nothing_to_hold_on_to() -> None:
    truth = squat()
    spoilt = with_gap(truth, list(CANONICAL.indices("left_hip", "right_hip")), 0, truth.n_frames)
    with pytest.raises(UserError, match="pelvis and hips"):
        mend(spoilt, Oracle(truth))  # type: ignore[arg-type]


def test_a_model_that_was_not_trained_to_mend_says_so(tmp_path: Path) -> None:
    class Plain(DenoisingGenerator):
        def __init__(self) -> None:
            torch.nn.Module.__init__(self)
            self.config = Oracle(squat()).config
            self.config.network.observes = False

    with pytest.raises(UserError, match="not trained to mend"):
        mend(squat(), Plain())
