"""The rig: forward kinematics by hand gives the positions back, rotations turn smoothly."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rehabmotion.data.simulator import simulate
from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.rig import Rig, rig


def walked(rigged: Rig) -> np.ndarray:
    """Forward kinematics from local rotations, offsets and places only, joint by joint."""
    n_frames, n_joints = rigged.rotations.shape[:2]
    turns, x = np.zeros((n_frames, n_joints, 3, 3)), np.zeros((n_frames, n_joints, 3))
    for joint in rigged.skeleton.order:
        parent = rigged.skeleton.parents[joint]
        at = np.tile(rigged.offsets[joint], (n_frames, 1)) if rigged.rigid[joint] else rigged.places[:, joint]
        if parent < 0:
            turns[:, joint], x[:, joint] = rigged.rotations[:, joint], at
        else:
            turns[:, joint] = turns[:, parent] @ rigged.rotations[:, joint]
            x[:, joint] = x[:, parent] + np.einsum("tab,tb->ta", turns[:, parent], at)
    return x


@pytest.mark.parametrize("exercise", ["deep_squat", "standing_shoulder_abduction", "rotary_stability_contralateral"])
def test_forward_kinematics_gives_the_positions_back(exercise: str) -> None:
    """Within 0.1 mm for bones that keep their lengths; only the pelvis and hips that are no rigid pair have places."""
    motion = simulate(exercise, "left" if exercise != "deep_squat" else "both", 4)
    rigged = rig(motion)
    assert np.abs(walked(rigged) - motion.positions).max() < 1e-4
    assert rigged.positions() == pytest.approx(walked(rigged), abs=1e-9)
    assert rigged.rigid.sum() >= 17


def test_bones_that_change_keep_their_places() -> None:
    x = np.random.default_rng(0).normal(size=(6, 22, 3)).astype(np.float32)
    assert np.abs(walked(rig(Motion(x, 30.0))) - x).max() < 5e-4


def test_loose_points_are_roots() -> None:
    x = np.random.default_rng(1).normal(size=(4, 3, 3))
    rigged = rig(Motion(x, 30.0, Skeleton(("a", "b", "c"), (-1, -1, 0))))
    assert not rigged.rigid[:2].any()
    assert walked(rigged) == pytest.approx(x, abs=2e-4)


@pytest.mark.parametrize(("exercise", "side"), [("deep_squat", "both"), ("standing_shoulder_abduction", "left")])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_joint_flips_from_frame_to_frame(exercise: str, side: str, seed: int) -> None:
    """No joint turns twice as fast as the fastest bone swings, 3 to 12 degrees a frame; a flip would be 90 or more."""
    motion = simulate(exercise, side, seed)
    rigged = rig(motion)
    bones = normalise(np.diff(motion.positions[:, list(CANONICAL.bones)], axis=2)[:, :, 0].astype(float))
    fastest = np.degrees(np.arccos(np.clip((bones[1:] * bones[:-1]).sum(axis=-1), -1, 1))).max()
    for turns in (rigged.rotations, rigged.frames):
        step = np.swapaxes(turns[:-1], -1, -2) @ turns[1:]
        assert np.degrees(Rotation.from_matrix(step.reshape(-1, 3, 3)).magnitude()).max() < 2 * fastest


def test_the_frames_are_rotations() -> None:
    rigged = rig(simulate("inline_lunge", "right", 5))
    for turns in (rigged.rotations, rigged.frames):
        assert np.swapaxes(turns, -1, -2) @ turns == pytest.approx(np.broadcast_to(np.eye(3), turns.shape), abs=1e-9)
        assert np.linalg.det(turns) == pytest.approx(np.ones(turns.shape[:2]))
    assert rigged.offsets[CANONICAL.index("left_elbow")][0] > 0.2  # at rest the arms are out to the sides
