"""Converts a motion file to the parameters or the meshes of SMPL, SMPL+H or SMPL-X, for those who have the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.smpl import SmplModel, read_smpl, smpl_parameters, write_smpl
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.body_fit import BodyFit, fit_body
from rehabmotion.viz.obj import check_length, vertex_normals, write_meshes
from rehabmotion.workflows.convert import SMPL, load, made, naming, numbered, warn_of_placeholders
from rehabmotion.workflows.outputs import staged

_AT_ONCE = 8  # frames of vertices in memory
Array = NDArray[np.floating]


def convert_to_smpl(
    source: Path,
    target: Path,
    model_path: Path,
    source_format: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Return the files written: parameters for a target in .smpl.npz, a folder of meshes for one in .obj.

    The mean distance of the model's joints from the motion's is said, as `smplx` computes them. All files appear, or
    none. Needs the extra: pip install "rehabmotion[smpl]".
    """
    as_meshes = target.suffix.lower() == ".obj"
    if not as_meshes and not target.name.lower().endswith(SMPL):
        raise UserError(f"Expected an output that ends in {SMPL} or .obj with --smpl, got {target}.")
    lbs = _smplx_lbs()
    model = read_smpl(model_path)
    motions = load(source, source_format)
    warn_of_placeholders(motions, target.suffix if as_meshes else SMPL, say)
    targets = numbered(target, len(motions))
    with staged(target.parent) as stage, naming(source):
        for motion, path in zip(motions, targets, strict=True):
            fit = fit_body(motion, model.shape)
            parameters = smpl_parameters(fit, model, motion.fps)
            say(f"{path.name}: {_error_line(motion, fit, smpl_joints(lbs, model, parameters))}")
            if as_meshes:
                check_length(motion)
                _write_meshes(lbs, model, parameters, stage / made(path).name)
            else:
                write_smpl(parameters, stage / path.name)
    return [made(path) for path in targets]


def _smplx_lbs() -> ModuleType:
    """The skinning functions of smplx. Its model classes unpickle what they load, so they are not used."""
    try:
        from smplx import lbs
    except ImportError:
        raise UserError('Converting to SMPL needs smplx. Install it with: pip install "rehabmotion[smpl]"') from None
    return lbs


def _error_line(motion: Motion, fit: BodyFit, joints: Array) -> str:
    off = 1000.0 * np.linalg.norm(joints - motion.positions, axis=-1)[motion.valid]
    betas = ", ".join(f"{beta:.1f}" for beta in fit.betas)
    return f"joints off by {off.mean():.1f} mm on average, {np.percentile(off, 95):.1f} mm at 95 %; betas {betas}"


def smpl_joints(lbs: ModuleType, model: SmplModel, parameters: dict[str, NDArray[Any]]) -> Array:
    """Return the joints (T, 22, 3) that smplx gives for AMASS parameters, metres, y up."""
    import torch

    rest = torch.from_numpy(model.regressor @ (model.v_template + model.shapedirs @ parameters["betas"]))
    poses = torch.from_numpy(parameters["poses"])
    turns = lbs.batch_rodrigues(poses.reshape(-1, 3)).reshape(len(poses), -1, 3, 3)
    parents = torch.tensor(model.parents)
    x, _ = lbs.batch_rigid_transform(turns, rest.expand(len(poses), -1, -1), parents, dtype=torch.float64)
    return _y_up(x[:, : len(CANONICAL)].numpy() + parameters["trans"][:, None])


def smpl_vertices(lbs: ModuleType, model: SmplModel, parameters: dict[str, NDArray[Any]]) -> Iterator[Array]:
    """Yield the vertices (V, 3) that smplx gives, frame by frame, metres, y up."""
    import torch

    given = (
        model.v_template,
        model.shapedirs,
        model.posedirs.reshape(3 * len(model.v_template), -1).T,
        model.regressor,
    )
    fixed = [torch.from_numpy(np.ascontiguousarray(array)) for array in given]
    parents, weights = torch.tensor(model.parents), torch.from_numpy(model.weights)
    poses, betas = torch.from_numpy(parameters["poses"]), torch.from_numpy(parameters["betas"])[None]
    for start in range(0, len(poses), _AT_ONCE):
        some = poses[start : start + _AT_ONCE]
        vertices, _ = lbs.lbs(betas.expand(len(some), -1), some, *fixed, parents, weights)
        yield from _y_up(vertices.numpy() + parameters["trans"][start : start + _AT_ONCE, None])


def _y_up(x: Array) -> Array:
    return np.stack([x[..., 0], x[..., 2], -x[..., 1]], axis=-1)


def _write_meshes(lbs: ModuleType, model: SmplModel, parameters: dict[str, NDArray[Any]], folder: Path) -> None:
    vertices = smpl_vertices(lbs, model, parameters)
    write_meshes(folder, ((v, vertex_normals(v, model.faces)) for v in vertices), [(model.kind, model.faces)])
