"""The body on its rig: every vertex stays near its bone, the surface is closed, the soles stand on the floor."""

import numpy as np
import pytest
import trimesh

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.viz.body import GHOST
from rehabmotion.viz.mesh import RiggedBody, rigged_body

BONES = np.array(CANONICAL.bones)


def from_bones(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Distance (V,) from points to the nearest bone of joints (22, 3), as a segment."""
    start, end = joints[BONES[:, 0]], joints[BONES[:, 1]]
    along = np.einsum("vba,ba->vb", points[:, None] - start, end - start) / np.sum((end - start) ** 2, axis=1)
    foot = start + np.clip(along, 0, 1)[..., None] * (end - start)
    return np.linalg.norm(points[:, None] - foot, axis=-1).min(axis=1)


@pytest.fixture(scope="module", params=[("deep_squat", "both"), ("standing_shoulder_abduction", "left")])
def body(request: pytest.FixtureRequest) -> RiggedBody:
    return rigged_body(simulate(*request.param, 6))


def test_every_vertex_stays_near_its_bones_in_every_frame(body: RiggedBody) -> None:
    """Hands, toes and crown reach up to 15 cm beyond the last joint; nothing else is as far as that from a bone."""
    for t in range(0, body.motion.n_frames, 6):
        x, _ = body.surface(t)
        off = from_bones(x - [0, body.lift, 0], body.positions[t])
        assert off.max() < 0.25
        assert np.percentile(off, 90) < 0.14
        # and near the joint that carries it, too: within the bone below it and a palm's breadth
        carrier = body.positions[t, body.mesh.joints[:, 0]]
        assert np.linalg.norm(x - [0, body.lift, 0] - carrier, axis=1).max() < 0.55


def test_the_surface_is_closed_and_looks_outward_in_every_frame(body: RiggedBody) -> None:
    volumes = []
    for t in range(0, body.motion.n_frames, 20):
        x, normals = body.surface(t)
        mesh = trimesh.Trimesh(x, body.mesh.faces, process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.area_faces.min() > 0
        assert (np.einsum("va,va->v", mesh.vertex_normals, normals) > 0).mean() > 0.99
        assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(len(normals)))
        volumes.append(mesh.volume)
    assert min(volumes) > 0.05
    assert max(volumes) < 1.15 * min(volumes)  # a knee or a hip that folds up would lose its part


def test_weights_are_shares(body: RiggedBody) -> None:
    assert body.mesh.weights.sum(axis=1) == pytest.approx(np.ones(len(body.mesh.weights)))
    assert (body.mesh.weights >= 0).all()
    trunk = (body.mesh.weights[:, 1] > 0).sum()
    assert 100 < trunk < 0.4 * len(body.mesh.weights)  # only the trunk bends


def test_soles_stand_on_the_floor(body: RiggedBody) -> None:
    lowest = min(body.surface(t)[0][:, 1].min() for t in range(0, body.motion.n_frames, 10))
    assert abs(lowest) < 0.01
    assert 0.02 < body.lift < 0.09


def test_a_trunk_that_stays_as_it_is_does_not_bend_its_surface(standing: np.ndarray) -> None:
    """The rest pose takes over the trunk of a person who only stands: neck, shoulders and chest are as they were built.

    Built for straight shoulders and bent to sloping ones, the chest had a dent at the neck.
    """
    body = rigged_body(Motion(np.repeat(standing[None], 5, axis=0), 30.0))
    trunk = body.mesh.weights[:, 1] > 0
    x = body.surface(3)[0][trunk]
    built = body.mesh.vertices[trunk]
    frames, rest = body.rig.frames[3, 0], body.rest[0]
    moved = (built - rest) @ frames.T + body.positions[3, 0] + [0, body.lift, 0]
    assert x == pytest.approx(moved, abs=1e-6)


def masked(motion: Motion, *names: str) -> Motion:
    valid = motion.valid.copy()
    valid[:, CANONICAL.indices(*names)] = False
    return motion.but(valid=valid)


def test_what_was_never_seen_has_no_surface_and_a_head_is_a_ghost() -> None:
    whole = simulate("deep_squat", "both", 6)
    body = rigged_body(masked(whole, "left_wrist", "head"))
    assert CANONICAL.index("left_wrist") not in body.mesh.joints[body.mesh.weights > 0]
    assert (body.mesh.sides == GHOST).any()
    assert not (rigged_body(whole).mesh.sides == GHOST).any()


def test_one_frame_another_skeleton_and_joints_in_one_point() -> None:
    points = np.array([[[0.0, 0, 0], [0, 0.5, 0], [0.3, 0.5, 0]]])
    for parents in ((-1, 0, 1), (-1, -1, 0)):
        body = rigged_body(Motion(points, 30.0, Skeleton(("a", "b", "c"), parents)))
        x, _ = body.surface(0)
        assert trimesh.Trimesh(x, body.mesh.faces, process=False).is_watertight
    assert np.isfinite(rigged_body(Motion(np.ones((3, 22, 3)), 30.0)).surface(2)[0]).all()
    with pytest.raises(UserError, match="valid joints"):
        rigged_body(Motion(points, 30.0, Skeleton(("a", "b", "c"), (-1, 0, 1)), valid=np.zeros((1, 3), bool)))
