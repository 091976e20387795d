"""HumanML3D `.npy`: joint positions (T, 22, 3) or the 263 features (T, 263), 20 frames per second."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.humanml3d import (
    FPS,
    N_FEATURES,
    N_JOINTS,
    decode_humanml3d,
    encode_humanml3d,
    place_humanml3d,
)
from rehabmotion.io.files import read_bytes, write_atomic
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import JointMap
from rehabmotion.motion.transforms import resample

HUMANML3D_MAP: JointMap = {name: {name: 1.0} for name in CANONICAL.joint_names}


def read_humanml3d(path: Path) -> list[Motion]:
    """Return the one motion of a HumanML3D `.npy`, 20 fps, on the canonical joints.

    Joint positions (T, 22, 3) in metres are taken as they are; features (T, 263) are decoded and must not be
    normalised (multiply by Std and add Mean first). Pickles, other shapes, NaN and cut files raise UserError.
    """
    array = read_npy(path)
    is_features = array.ndim == 2 and array.shape[1] == N_FEATURES
    if not is_features and (array.ndim != 3 or array.shape[1:] != (N_JOINTS, 3)):
        raise UserError(f"{path}: Expected joints (T, {N_JOINTS}, 3) or features (T, {N_FEATURES}), got {array.shape}.")
    content = "features" if is_features else "joints"
    meta = {"source": "humanml3d", "name": Path(path).name.split(".")[0], "content": content}
    try:
        return [Motion(positions=decode_humanml3d(array) if is_features else array, fps=FPS, meta=meta)]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_humanml3d(motion: Motion, path: Path) -> None:
    """Write the motion as features (T-1, 263), float32: at 20 fps, on the floor at the origin, facing +z at first.

    Bones keep their lengths: the published clips all have those of one body (`geometry.humanml3d.uniform_skeleton`).
    The format cannot mask joints, so a motion with missing ones raises UserError, as does one on other joints.
    """
    if motion.skeleton.joint_names != CANONICAL.joint_names:
        raise UserError(f"Expected the {N_JOINTS} canonical joints for HumanML3D, got {len(motion.skeleton)} others.")
    missing = np.array(CANONICAL.joint_names)[~motion.valid.all(axis=0)]
    if len(missing):
        raise UserError(f"Expected all 22 joints in every frame for HumanML3D, missing at times: {', '.join(missing)}.")
    features = encode_humanml3d(place_humanml3d(resample(motion, FPS).positions))
    buffer = io.BytesIO()
    npy.write_array(buffer, features.astype(np.float32), allow_pickle=False)
    write_atomic(path, buffer.getvalue())


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array of a `.npy` of real numbers; the size its header claims must be the size of the file."""
    data = read_bytes(path)
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
    except Exception as error:  # numpy parses the header as Python text, which can fail in many ways
        reason = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise UserError(f"{path}: Expected a .npy file, could not read its header ({reason}).") from None
    if dtype.hasobject or dtype.kind not in "fiu":
        raise UserError(f"{path}: Expected an array of real numbers without pickles, got {dtype}.")
    claimed, there = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    if claimed != there:
        raise UserError(f"{path}: Expected {claimed} bytes of numbers for shape {shape}, got {there}. Copy it again.")
    if min(shape, default=1) < 1:
        raise UserError(f"{path}: Expected at least one frame, got shape {shape}.")
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran else "C")
