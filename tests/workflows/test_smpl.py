"""SMPL parameters and meshes, on a made body in the form of the model files: no licensed data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.geometry.kinematics import place_joints
from rehabmotion.io.npz import write_npz
from rehabmotion.io.smpl import Z_UP, SmplModel, read_smpl, smpl_parameters
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.body_fit import fit_body
from rehabmotion.workflows.smpl import _smplx_lbs, convert_to_smpl, smpl_joints, smpl_vertices

N_JOINTS = 55  # as SMPL-X: ours, jaw, eyes, fingers
PARENTS = (*CANONICAL.parents, *[15] * 3, *[20] * 15, *[21] * 15)


def made_model(rng: np.random.Generator, rest: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of a valid model: an octahedron around each joint, which the regressor finds as the mean of its corners.

    rest (22, 3). Two directions of shape stretch the body, as a whole and in the legs; eight are small and random.
    """
    joints = np.concatenate([rest, np.zeros((N_JOINTS - 22, 3))])
    for j in range(22, N_JOINTS):
        joints[j] = joints[PARENTS[j]] + rng.normal(0, 0.03, 3)
    ball = 0.05 * np.concatenate([np.eye(3), -np.eye(3)])
    vertices = (joints[:, None] + ball).reshape(-1, 3)
    corners = [(a, b, c) for a in (0, 3) for b in (1, 4) for c in (2, 5)]
    turned = [(a, b, c) if (a < 3) == ((b < 3) == (c < 3)) else (a, c, b) for a, b, c in corners]
    owner = np.repeat(np.arange(N_JOINTS), 6)
    shape = rng.normal(0, 0.002, (N_JOINTS, 3, 12))
    legs = np.array([0.0, 1.0, 0.0]) * np.minimum(joints - joints[0], 0)
    shape[..., 0], shape[..., 1] = 0.05 * (joints - joints[0]), 0.05 * legs
    above = np.where(np.arange(N_JOINTS) == 0, 2**32 - 1, PARENTS)  # as the files have it: -1 in 32 bits
    return {
        "v_template": vertices,
        "shapedirs": shape[owner],
        "posedirs": rng.normal(0, 1e-4, (len(vertices), 3, 9 * (N_JOINTS - 1))),
        "J_regressor": (owner == np.arange(N_JOINTS)[:, None]) / 6.0,
        "weights": (owner[:, None] == np.arange(N_JOINTS)).astype(float),
        "kintree_table": np.stack([above, np.arange(N_JOINTS)]).astype(np.uint32),
        "f": np.concatenate([np.array(turned) + 6 * j for j in range(N_JOINTS)]).astype(np.uint32),
        "part2num": np.array({"head": 15}, dtype=object),  # what the real files hold beside: never unpickled
    }


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made model as SMPLX_FEMALE.npz, its rest pose that of a person with the arms out."""
    rest = np.array(simulate("deep_squat", "both", 3).positions[0], dtype=float)
    side = np.sign(rest[:, 0])
    for name, child, out in (("shoulder", "elbow", 0.28), ("elbow", "wrist", 0.25)):
        for word in ("left", "right"):
            a, b = CANONICAL.indices(f"{word}_{name}", f"{word}_{child}")
            rest[b] = rest[a] + np.array([out * side[a], -0.02, 0.01])
    path = tmp_path_factory.mktemp("models") / "smplx" / "SMPLX_FEMALE.npz"
    path.parent.mkdir()
    np.savez(path, **made_model(np.random.default_rng(0), rest))
    return path


@pytest.fixture(scope="module")
def model(model_file: Path) -> SmplModel:
    return read_smpl(model_file)


@pytest.fixture(scope="module")
def lbs() -> Any:
    pytest.importorskip("smplx", reason="needs the extra: smpl (non-commercial, so not among those of tests)")
    return _smplx_lbs()


def posed(model: SmplModel, n_frames: int = 20) -> tuple[Motion, np.ndarray]:
    """A motion of the model's own joints under known betas and smooth, bounded turns; and the betas."""
    rng = np.random.default_rng(5)
    betas = rng.normal(0, 1, 10)
    t = np.linspace(0, 1, n_frames)[:, None, None]
    turns = 0.35 * (rng.normal(0, 1, (22, 3)) * np.sin(np.pi * t) + 0.2 * rng.normal(0, 1, (22, 3)))
    local = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(n_frames, 22, 3, 3)
    rest = model.shape.joints(betas)
    root = np.array([0.1, 0.9, -0.2]) + 0.1 * t[:, 0]
    x, _ = place_joints(local, rest - rest[list(CANONICAL.parents)], root, CANONICAL.parents)
    return Motion(x, 30.0), betas


def test_joints_of_the_bodys_own_are_found_again(model: SmplModel) -> None:
    """The model's own joints come back within a millimetre; bones within three, for shapes are pulled to the mean."""
    motion, betas = posed(model)
    fit = fit_body(motion, model.shape)
    off = np.linalg.norm(fit.positions - motion.positions, axis=-1)
    assert off.mean() < 1e-3
    assert off.max() < 4e-3
    bones = [
        np.linalg.norm(np.diff(model.shape.joints(b)[list(CANONICAL.bones)], axis=1), axis=-1)
        for b in (betas, fit.betas)
    ]
    assert np.abs(bones[0] - bones[1]).max() < 3e-3


def test_smplx_agrees_about_the_joints(lbs: Any, model: SmplModel) -> None:
    """What the file says, put through smplx's own kinematics, is what the fit said: z-up, pelvis, parents and all."""
    motion, _ = posed(model)
    fit = fit_body(motion, model.shape)
    parameters = smpl_parameters(fit, model, 30.0)
    assert parameters["poses"].shape == (20, 3 * N_JOINTS)
    assert not parameters["poses"].reshape(20, -1, 3)[:, 22:].any()
    assert smpl_joints(lbs, model, parameters) == pytest.approx(fit.positions, abs=1e-7)


def test_smplx_agrees_about_the_vertices(lbs: Any, model: SmplModel) -> None:
    """The regressor finds the joints again in the posed mesh, but for what the pose blends in."""
    motion, _ = posed(model, 3)
    fit = fit_body(motion, model.shape)
    parameters = smpl_parameters(fit, model, 30.0)
    for t, vertices in enumerate(smpl_vertices(lbs, model, parameters)):
        assert model.regressor[:22] @ vertices == pytest.approx(fit.positions[t], abs=5e-3)
    assert t == 2


def test_another_person_is_fitted_to_a_few_millimetres(model: SmplModel) -> None:
    """A simulated deep squat, not of the model's making: bones of another build, joints nearby; no jump, no shaking."""
    motion = simulate("deep_squat", "both", 11)
    fit = fit_body(motion, model.shape)
    assert np.linalg.norm(fit.positions - motion.positions, axis=-1).mean() < 0.015
    turns = Rotation.from_matrix((np.swapaxes(fit.rotations[:-1], -1, -2) @ fit.rotations[1:]).reshape(-1, 3, 3))
    assert np.degrees(turns.magnitude()).max() < 12
    assert np.abs(fit.betas).max() < 6


def test_missing_joints_do_not_count(model: SmplModel) -> None:
    """Placeholders far away move neither shape nor pose of what was seen."""
    motion, _ = posed(model)
    seen = motion.valid.copy()
    seen[:, CANONICAL.indices("left_wrist", "head")] = False
    wild = motion.positions.copy()
    wild[~seen] = 7.0
    fits = [fit_body(Motion(x, 30.0, valid=seen), model.shape) for x in (motion.positions, wild)]
    off = np.linalg.norm(fits[1].positions - motion.positions, axis=-1)[seen]
    assert off.mean() < 2e-3
    assert fits[1].betas == pytest.approx(fits[0].betas)


def test_parameters_are_written_as_amass_has_them(lbs: Any, model_file: Path, tmp_path: Path) -> None:
    write_npz(simulate("deep_squat", "both", 7), tmp_path / "a.npz")
    said: list[str] = []
    out = tmp_path / "out" / "a.smpl.npz"
    assert convert_to_smpl(tmp_path / "a.npz", out, model_file.parent.parent, None, said.append) == [out]
    with np.load(out) as z:  # no pickles
        assert z["poses"].shape[1] == 3 * N_JOINTS
        assert z["trans"].shape == (len(z["poses"]), 3)
        assert z["betas"].shape == (10,)
        assert (float(z["mocap_framerate"]), str(z["gender"]), str(z["surface_model_type"])) == (
            30.0,
            "female",
            "smplx",
        )
        assert z["trans"][:, 2].mean() > z["trans"][:, 1].mean()  # z up
    (line,) = said
    assert "mm on average" in line


def test_meshes_are_one_file_a_frame(lbs: Any, model_file: Path, tmp_path: Path) -> None:
    write_npz(simulate("deep_squat", "both", 7).but(**cut(4)), tmp_path / "a.npz")
    assert convert_to_smpl(tmp_path / "a.npz", tmp_path / "a.obj", model_file) == [tmp_path / "a"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [f"frame_{t:04d}.obj" for t in range(4)]
    mesh = trimesh.load(tmp_path / "a" / "frame_0003.obj", force="mesh", process=False)
    assert mesh.is_watertight
    assert mesh.volume > 0


def cut(n: int) -> dict[str, np.ndarray]:
    """The first frames of the squat, as fields."""
    motion = simulate("deep_squat", "both", 7)
    return {"positions": motion.positions[:n], "valid": motion.valid[:n]}


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "lacks": lambda z: z.pop("weights"),
    "55 joints": lambda z: z.update(J_regressor=z["J_regressor"][:54]),
    "posedirs of shape": lambda z: z.update(posedirs=z["posedirs"][..., :-1]),
    "finite": lambda z: z.update(v_template=z["v_template"] * np.nan),
    "in its order": lambda z: z.update(kintree_table=z["kintree_table"][:, ::-1]),
    "faces": lambda z: z.update(f=z["f"] + 10_000),
    "dimensions": lambda z: z.update(shapedirs=np.array([1, 2])),
    "pickles": lambda z: z.update(weights=np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("says", DAMAGE)
def test_a_model_that_does_not_fit_together_is_refused(model_file: Path, tmp_path: Path, says: str) -> None:
    with np.load(model_file, allow_pickle=True) as z:
        arrays = dict(z)
    DAMAGE[says](arrays)
    np.savez(tmp_path / "SMPLX_MALE.npz", **arrays)
    with pytest.raises(UserError, match=says):
        read_smpl(tmp_path)


def test_the_place_of_the_model_is_told(model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_smpl(tmp_path / "missing")
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(b"x")
    with pytest.raises(UserError, match="pickles only"):
        read_smpl(tmp_path)
    with pytest.raises(UserError, match="pickles are not read"):
        read_smpl(tmp_path / "SMPL_NEUTRAL.pkl")
    for name in ("SMPLX_MALE.npz", "SMPLX_NEUTRAL.npz"):
        (tmp_path / name).write_bytes(model_file.read_bytes())
    with pytest.raises(UserError, match=r"got 2: SMPLX_MALE.npz, SMPLX_NEUTRAL.npz"):
        read_smpl(tmp_path)
    assert read_smpl(tmp_path / "SMPLX_MALE.npz").gender == "male"


def test_another_skeleton_and_another_ending_are_refused(model: SmplModel, model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="22 canonical"):
        fit_body(Motion(np.ones((2, 3, 3)), 30.0, Skeleton(("a", "b", "c"), (-1, 0, 1))), model.shape)
    with pytest.raises(UserError, match=r"\.smpl\.npz or \.obj"):
        convert_to_smpl(tmp_path / "a.npz", tmp_path / "a.glb", model_file)


def test_without_smplx_the_remedy_is_named(model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smplx", None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[smpl\]"'):
        convert_to_smpl(tmp_path / "a.npz", tmp_path / "a.smpl.npz", model_file)
    assert list(tmp_path.iterdir()) == []


def test_z_up_is_a_turn() -> None:
    assert Z_UP @ np.array([0.0, 1.0, 0.0]) == pytest.approx([0, 0, 1])
    assert np.linalg.det(Z_UP) == pytest.approx(1)
