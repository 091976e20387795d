"""SMPL, SMPL+H and SMPL-X: the model's arrays from its `.npz`, and parameters of a motion as AMASS keeps them.

The models are licensed by the Max Planck Society to each user; none of them comes with this package. Loper et al.,
SMPL, SIGGRAPH Asia 2015; Pavlakos et al., SMPL-X, CVPR 2019; Mahmood et al., AMASS, ICCV 2019.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.files import write_atomic
from rehabmotion.io.npz_arrays import packed, read_arrays, require
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.body_fit import BodyFit, BodyShape

KINDS = {24: "smpl", 52: "smplh", 55: "smplx"}  # by the number of joints; the first 22 are ours in all of them
N_BETAS = 10  # SMPL-X keeps shape and expression in one array: the first 10 are shape in every version
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # AMASS has the floor at z = 0; a person who faced +z faces -y


@dataclass(frozen=True)
class SmplModel:
    """A body model's arrays, V vertices, K joints, B betas, P pose features; float64, metres, y up, facing +z."""

    kind: str
    gender: str
    v_template: NDArray[np.float64]  # (V, 3)
    shapedirs: NDArray[np.float64]  # (V, 3, B)
    posedirs: NDArray[np.float64]  # (V, 3, P)
    regressor: NDArray[np.float64]  # (K, V)
    weights: NDArray[np.float64]  # (V, K)
    parents: tuple[int, ...]
    faces: NDArray[np.int64]  # (F, 3)

    @property
    def shape(self) -> BodyShape:
        """The first 22 joints as a family of people."""
        regressor = self.regressor[: len(CANONICAL)]
        return BodyShape(regressor @ self.v_template, np.einsum("kv,vcb->kcb", regressor, self.shapedirs))


def read_smpl(path: Path) -> SmplModel:
    """Return the model of a `.npz` file, or of the only one in a folder. Nothing is unpickled.

    What is missing, or does not fit together, raises UserError.
    """
    path = _model_file(path)
    ranks: dict[str, tuple[str, int]] = {
        "v_template": ("f", 2),
        "shapedirs": ("f", 3),
        "posedirs": ("f", 3),
        "J_regressor": ("f", 2),
        "weights": ("f", 2),
        "kintree_table": ("iu", 2),
        "f": ("iu", 2),
    }
    z = read_arrays(path, ranks)
    n_vertices, n_joints = len(z["v_template"]), len(z["J_regressor"])
    require(n_joints in KINDS, path, f"{' or '.join(map(str, KINDS))} joints", n_joints)
    shapes = {
        "v_template": (n_vertices, 3),
        "shapedirs": (n_vertices, 3, z["shapedirs"].shape[2]),
        "posedirs": (n_vertices, 3, 9 * (n_joints - 1)),
        "J_regressor": (n_joints, n_vertices),
        "weights": (n_vertices, n_joints),
        "kintree_table": (2, n_joints),
        "f": (len(z["f"]), 3),
    }
    for name, shape in shapes.items():
        require(z[name].shape == shape, path, f"{name} of shape {shape}", z[name].shape)
        require(bool(np.isfinite(z[name]).all()), path, f"finite numbers in {name}", "NaN or infinity")
    above = z["kintree_table"][0].astype(np.int64)
    parents = (-1, *above[1:].tolist())
    require(parents[: len(CANONICAL)] == CANONICAL.parents, path, "the joints of SMPL in its order", parents)
    require(all(0 <= p < j for j, p in enumerate(parents) if j), path, "parents before children", parents)
    faces = z["f"].astype(np.int64)
    require(len(faces) > 0 and faces.min() >= 0 and faces.max() < n_vertices, path, "faces of its vertices", "others")
    return SmplModel(
        KINDS[n_joints],
        _gender(path),
        z["v_template"].astype(np.float64),
        z["shapedirs"][..., :N_BETAS].astype(np.float64),
        z["posedirs"].astype(np.float64),
        z["J_regressor"].astype(np.float64),
        z["weights"].astype(np.float64),
        parents,
        faces,
    )


def _model_file(path: Path) -> Path:
    if path.suffix.lower() == ".pkl":
        raise UserError(f"Expected a model in .npz, got {path}: pickles are not read. Save its arrays by numpy.savez.")
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"Expected an SMPL model, a .npz file or its folder, got {path}: it does not exist.")
        return path
    named = re.compile(r"(smpl.*|model)\.npz", re.IGNORECASE)  # SMPLX_MALE.npz, SMPL+H's neutral/model.npz
    found = sorted(p for pattern in ("*", "*/*") for p in path.glob(pattern) if named.fullmatch(p.name))
    if len(found) == 1:
        return found[0]
    if not found:
        got = "pickles only" if any(path.glob("**/*.pkl")) else "none"
        raise UserError(f"Expected an SMPL model in .npz in {path}, got {got}. Pickles are not read: get the .npz.")
    listed = ", ".join(str(file.relative_to(path)) for file in found[:6])
    raise UserError(f"Expected one SMPL model in {path}, got {len(found)}: {listed}. Name the file.")


def _gender(path: Path) -> str:
    """As the file or its folder is called: SMPLX_MALE.npz, neutral/model.npz."""
    for word in (path.stem.lower(), path.parent.name.lower()):
        for gender in ("neutral", "female", "male"):
            if gender in word:
                return gender
    return "neutral"


def smpl_parameters(fit: BodyFit, model: SmplModel, fps: float) -> dict[str, NDArray[Any]]:
    """Return the arrays of an AMASS file: poses (T, 3 K) axis-angle, trans (T, 3), betas, gender, mocap_framerate.

    World as in AMASS: metres, z up. Joints that we do not have (hands, jaw, eyes) are at rest.
    """
    n_frames = len(fit.root)
    poses = np.zeros((n_frames, len(model.parents), 3))
    poses[:, : len(CANONICAL)] = (
        Rotation.from_matrix(fit.rotations.reshape(-1, 3, 3)).as_rotvec().reshape(n_frames, -1, 3)
    )
    poses[:, 0] = Rotation.from_matrix(Z_UP @ fit.rotations[:, 0]).as_rotvec()
    return {
        "poses": poses.reshape(n_frames, -1),
        "trans": fit.root @ Z_UP.T - model.shape.joints(fit.betas)[0],  # SMPL turns the body about its pelvis at rest
        "betas": fit.betas,
        "gender": np.array(model.gender),
        "mocap_framerate": np.float64(fps),
        "surface_model_type": np.array(model.kind),
    }


def write_smpl(parameters: dict[str, NDArray[Any]], path: Path) -> None:
    """Write the arrays as `.npz` without pickles; the same arrays give the same bytes."""
    write_atomic(path, packed(parameters))
