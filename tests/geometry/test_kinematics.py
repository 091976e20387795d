"""A tree of bones: positions by closed form, rotations that reach what a tree can reach."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from rehabmotion.geometry import kinematics
from rehabmotion.geometry.kinematics import place_joints, reach
from rehabmotion.motion import CANONICAL

ARM = np.array([[0, 0, 0], [1.0, 0, 0], [1.0, 0, 0]])  # a root and two bones of 1 m along x


def about_z(*degrees: float) -> np.ndarray:
    return Rotation.from_euler("z", np.array(degrees)[:, None], degrees=True).as_matrix()[None]


def test_two_bones_by_hand() -> None:
    """Shoulder up by 90 degrees, elbow back by 90: 1 m up, then 1 m along x."""
    x, turns = place_joints(about_z(90, -90, 0), ARM, np.zeros((1, 3)), (-1, 0, 1))
    assert x[0] == pytest.approx(np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0]]), abs=1e-12)
    assert turns[0, 2] == pytest.approx(np.eye(3), abs=1e-12)


def test_a_reachable_target_is_reached() -> None:
    target = place_joints(about_z(50, -70, 0), ARM, np.array([[0.2, 0.1, 0.3]]), (-1, 0, 1))[0]
    local, root = reach(about_z(10, -10, 0), ARM, np.zeros((1, 3)), (-1, 0, 1), target, np.ones((1, 3)))
    assert place_joints(local, ARM, root, (-1, 0, 1))[0] == pytest.approx(target, abs=1e-5)


def test_the_whole_body_is_reached_in_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """More frames than are solved at a time; turns of up to half a radian from where it starts."""
    monkeypatch.setattr(kinematics, "_CHUNK", 16)
    rng = np.random.default_rng(3)
    offsets = rng.normal(0, 0.2, (22, 3))
    true = Rotation.from_rotvec(rng.normal(0, 0.3, (40 * 22, 3))).as_matrix().reshape(40, 22, 3, 3)
    target, _ = place_joints(true, offsets, np.zeros((40, 3)), CANONICAL.parents)
    start = np.tile(np.eye(3), (40, 22, 1, 1))
    local, root = reach(start, offsets, np.zeros((40, 3)), CANONICAL.parents, target, np.ones((40, 22)))
    off = np.linalg.norm(place_joints(local, offsets, root, CANONICAL.parents)[0] - target, axis=-1)
    assert off.mean() < 1e-3


def test_twist_that_cannot_be_seen_stays() -> None:
    """A forearm turned about itself by 30 degrees: no joint tells, so it is kept."""
    start = np.stack([np.eye(3), Rotation.from_euler("x", 30, degrees=True).as_matrix(), np.eye(3)])[None]
    target, _ = place_joints(start, ARM, np.zeros((1, 3)), (-1, 0, 1))
    local, _ = reach(start, ARM, np.zeros((1, 3)), (-1, 0, 1), target, np.ones((1, 3)))
    assert local == pytest.approx(start, abs=1e-9)


def test_a_target_out_of_reach_is_neared_as_well_as_scipy_does() -> None:
    """Full Gauss-Newton steps swung a stretched limb about, and ended farther away than they had begun."""
    rng = np.random.default_rng(4)
    offsets = rng.normal(0, 0.2, (22, 3))
    true = Rotation.from_rotvec(rng.normal(0, 0.3, (22, 3))).as_matrix()[None]
    target, _ = place_joints(true, 1.15 * offsets, np.zeros((1, 3)), CANONICAL.parents)  # longer bones than ours
    local, root = reach(true, offsets, np.zeros((1, 3)), CANONICAL.parents, target, np.ones((1, 22)))

    def residuals(p: np.ndarray) -> np.ndarray:
        turns = Rotation.from_rotvec(p[:66].reshape(22, 3)).as_matrix()[None]
        return (place_joints(turns, offsets, p[None, 66:], CANONICAL.parents)[0] - target).ravel()

    start = np.concatenate([Rotation.from_matrix(true[0]).as_rotvec().ravel(), np.zeros(3)])
    ours = np.concatenate([Rotation.from_matrix(local[0]).as_rotvec().ravel(), root[0]])
    best = least_squares(residuals, start)
    assert (residuals(ours) ** 2).sum() < 0.5 * (residuals(start) ** 2).sum()
    assert (residuals(ours) ** 2).sum() < 1.02 * (best.fun**2).sum()


def test_weight_0_is_not_pulled_at() -> None:
    target = place_joints(about_z(0, 0, 0), ARM, np.zeros((1, 3)), (-1, 0, 1))[0]
    wild = target.copy()
    wild[0, 2] = 50.0
    local, root = reach(about_z(0, 0, 0), ARM, np.zeros((1, 3)), (-1, 0, 1), wild, np.array([[1.0, 1.0, 0.0]]))
    assert place_joints(local, ARM, root, (-1, 0, 1))[0] == pytest.approx(target, abs=1e-12)
