"""glTF 2.0 in one binary file: the body, its skeleton and its motion, for Blender, three.js and their like.

Layout of the file: Khronos, glTF 2.0 Specification, 2021, sections 3 (JSON) and 4 (GLB).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.files import write_atomic
from rehabmotion.motion import Motion
from rehabmotion.viz.body import CENTRE, GHOST, LEFT, RIGHT
from rehabmotion.viz.mesh import RiggedBody, rigged_body
from rehabmotion.viz.scene import SIDES

NAMES = {CENTRE: "centre", LEFT: "left", RIGHT: "right", GHOST: "not measured"}
_NOTICE = "Made with RehabMotion. Not a medical device."
_COMPONENT = {"<f4": 5126, "<u1": 5121, "<u2": 5123, "<u4": 5125}
_SHAPE = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_VERTICES, _FACES = 34962, 34963  # what a buffer view is for


def write_glb(motion: Motion, path: Path) -> None:
    """Write the motion as an animated, skinned body: metres, y up, seconds; any skeleton.

    One node a joint, of its name, under a node `person` that lifts the soles onto y = 0; within `person` the joints
    stand where the motion has them, to 0.1 mm. Rotation channels for all joints, translation channels for roots and
    for joints that leave their place on the parent. Times are t / fps. Placeholders of missing joints are written like
    any other joint: the format has no mask.
    """
    write_atomic(path, glb_bytes(rigged_body(motion)))


def glb_bytes(body: RiggedBody) -> bytes:
    """Return the file. The same body gives the same bytes."""
    data = _Data()
    skeleton, n_joints = body.motion.skeleton, len(body.motion.skeleton)
    nodes = _nodes(body)
    times = data.add(np.arange(body.motion.n_frames) / body.motion.fps, bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    for joint in range(n_joints):
        for path, values in _tracks(body, joint).items():
            target = {"node": joint, "path": path}
            channels.append({"sampler": len(samplers), "target": target})
            samplers.append({"input": times, "output": data.add(values), "interpolation": "LINEAR"})
    inverse = np.tile(np.eye(4), (n_joints, 1, 1))
    inverse[:, :3, :3] = body.rest_axes  # columns first: the array holds each matrix turned over
    inverse[:, 3, :3] = -np.einsum("jba,jb->ja", body.rest_axes, body.rest)
    primitives, sides = _primitives(body, data)
    roots = [joint for joint, parent in enumerate(skeleton.parents) if parent < 0]
    person = {"name": "person", "translation": [0.0, body.lift, 0.0], "children": roots}
    scores = [str(score) for score in body.motion.scores]
    document = {
        "asset": {"version": "2.0", "generator": "RehabMotion", "extras": {"notice": _NOTICE}},
        "scene": 0,
        "scenes": [{"name": "motion", "nodes": [n_joints, n_joints + 1]}],
        "nodes": [*nodes, person, {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [{"name": "body", "primitives": primitives}],
        "materials": [_material(side) for side in sides],
        "skins": [
            {
                "name": "person",
                "joints": list(range(n_joints)),
                "skeleton": n_joints,
                "inverseBindMatrices": data.add(inverse),
            }
        ],
        "animations": [
            {
                "name": str(body.motion.meta.get("exercise") or "motion"),
                "samplers": samplers,
                "channels": channels,
                "extras": {"text": body.motion.text, "scores": scores},
            }
        ],
        "accessors": data.accessors,
        "bufferViews": data.views,
        "buffers": [{"byteLength": len(data.bytes)}],
    }
    return _binary(document, bytes(data.bytes))


def _tracks(body: RiggedBody, joint: int) -> dict[str, NDArray[np.floating]]:
    """A joint's channels: path -> values (T, 4) or (T, 3)."""
    tracks = {"rotation": _quaternions(body.rig.rotations[:, joint])}
    if not body.rig.rigid[joint]:
        tracks["translation"] = body.rig.places[:, joint]
    return tracks


def _quaternions(rotations: NDArray[np.floating]) -> NDArray[np.floating]:
    """Quaternions (T, 4) as x, y, z, w, of the two signs always the one nearer to the frame before."""
    q = Rotation.from_matrix(rotations).as_quat()
    turned = np.cumsum(np.einsum("ta,ta->t", q[1:], q[:-1]) < 0) % 2 == 1
    q[1:][turned] *= -1
    return q


def _nodes(body: RiggedBody) -> list[dict[str, Any]]:
    """One node a joint, standing as in the first frame: what a viewer shows that does not play."""
    skeleton, at = body.motion.skeleton, np.where(body.rig.rigid[:, None], body.rig.offsets, body.rig.places[0])
    nodes = []
    for joint, name in enumerate(skeleton.joint_names):
        turn = Rotation.from_matrix(body.rig.rotations[0, joint]).as_quat()
        node: dict[str, Any] = {"name": name, "translation": at[joint].tolist(), "rotation": turn.tolist()}
        children = [child for child, parent in enumerate(skeleton.parents) if parent == joint]
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def _primitives(body: RiggedBody, data: _Data) -> tuple[list[dict[str, Any]], list[int]]:
    """The triangles by side, each with its material, on shared vertices; and the sides in the order of materials."""
    mesh = body.mesh
    joints = mesh.joints.astype("<u2" if len(body.motion.skeleton) > 256 else "<u1")
    attributes = {
        "POSITION": data.add(mesh.vertices, _VERTICES, bounds=True),
        "NORMAL": data.add(mesh.normals, _VERTICES),
        "JOINTS_0": data.add(joints, _VERTICES),
        "WEIGHTS_0": data.add(mesh.weights, _VERTICES),
    }
    sides = sorted(set(mesh.sides.tolist()))
    index = "<u2" if len(mesh.vertices) < 65535 else "<u4"
    faces = [data.add(mesh.faces[mesh.sides == side].ravel().astype(index), _FACES) for side in sides]
    return [{"attributes": attributes, "indices": f, "material": m} for m, f in enumerate(faces)], sides


def _material(side: int) -> dict[str, Any]:
    shade = SIDES[side] / 255.0
    linear = np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)  # sRGB, IEC 61966-2-1
    ghost = side == GHOST
    surface = {
        "baseColorFactor": [*linear.round(5).tolist(), 0.35 if ghost else 1.0],
        "metallicFactor": 0.0,
        "roughnessFactor": 0.6,
    }
    return {"name": NAMES[side], "pbrMetallicRoughness": surface} | ({"alphaMode": "BLEND"} if ghost else {})


@dataclass
class _Data:
    """The binary chunk as it grows, with a view and an accessor for each array."""

    bytes: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, array: NDArray[Any], target: int | None = None, bounds: bool = False) -> int:
        """Append an array (N, ...), floats as 32 bits, at a multiple of 4 bytes; return its accessor."""
        kept = np.ascontiguousarray(array, dtype="<f4" if array.dtype.kind == "f" else array.dtype)
        view = {"buffer": 0, "byteOffset": len(self.bytes), "byteLength": kept.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        self.bytes += kept.tobytes() + bytes(-kept.nbytes % 4)
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": _COMPONENT[kept.dtype.str.replace("|", "<")],
            "count": len(kept),
            "type": _SHAPE[kept.shape[1:]],
        }
        if bounds:
            accessor |= {"min": kept.min(axis=0).reshape(-1).tolist(), "max": kept.max(axis=0).reshape(-1).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _binary(document: dict[str, Any], data: bytes) -> bytes:
    """Header, JSON chunk padded with blanks, binary chunk padded with zeros."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(data)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<III", 0x46546C67, 2, total) + chunks
