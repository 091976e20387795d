"""Meshes frame by frame: one topology, closed, outward, where the rig has them."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.motion import Motion
from rehabmotion.viz.mesh import rigged_body
from rehabmotion.viz.obj import MOST_FRAMES, vertex_normals, write_obj


@pytest.fixture(scope="module")
def squat() -> Motion:
    motion = simulate("deep_squat", "both", 6)
    return motion.but(positions=motion.positions[::40], valid=motion.valid[::40])


@pytest.fixture(scope="module")
def folder(squat: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("obj") / "squat"
    write_obj(squat, path)
    return path


def faces(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith(("f ", "g ", "usemtl "))]


def test_one_file_a_frame_with_the_same_faces(folder: Path, squat: Motion) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["body.mtl", *(f"frame_{t:04d}.obj" for t in range(squat.n_frames))]
    assert len({tuple(faces(folder / name)) for name in names[1:]}) == 1


def test_trimesh_finds_a_closed_outward_surface(folder: Path, squat: Motion) -> None:
    body = rigged_body(squat)
    for t in range(squat.n_frames):
        read = trimesh.load(folder / f"frame_{t:04d}.obj", force="mesh", process=False, skip_materials=True)
        mesh = trimesh.Trimesh(read.vertices, read.faces)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.volume == pytest.approx(
            trimesh.Trimesh(body.surface(t)[0], body.mesh.faces, process=False).volume, rel=1e-3
        )


def test_materials_are_defined(folder: Path) -> None:
    used = {line.split()[1] for line in faces(folder / "frame_0000.obj") if line.startswith("usemtl")}
    defined = {line.split()[1] for line in (folder / "body.mtl").read_text().splitlines() if line.startswith("newmtl")}
    assert used == defined == {"centre", "left", "right"}


def test_normals_of_a_cube() -> None:
    box = trimesh.creation.box()
    assert vertex_normals(box.vertices, box.faces) == pytest.approx(box.vertex_normals, abs=0.35)
    assert (vertex_normals(box.vertices, box.faces) * box.vertices).sum(axis=1).min() > 0


def test_an_hour_is_refused(tmp_path: Path) -> None:
    long = Motion(np.zeros((MOST_FRAMES + 1, 22, 3)), 30.0)
    with pytest.raises(UserError, match="10000 frames"):
        write_obj(long, tmp_path / "a")
    assert not (tmp_path / "a").exists()
