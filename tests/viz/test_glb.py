"""The .glb, read back by its specification and by trimesh: nodes that walk as the motion does, accessors in order."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from rehabmotion.data.simulator import simulate
from rehabmotion.motion import CANONICAL, Motion, Score, Skeleton
from rehabmotion.viz.glb import write_glb
from rehabmotion.viz.mesh import rigged_body

DTYPES = {5126: "<f4", 5121: "<u1", 5123: "<u2", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A .glb taken apart: its JSON and its arrays, checked against sections 3.6 and 4.4 of the specification."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert (kind, size % 4) == (b"JSON", 0)
        self.json = json.loads(data[20 : 20 + size])
        rest, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert (kind, rest % 4) == (b"BIN\0", 0)
        self.data = data[28 + size :]
        assert self.json["buffers"] == [{"byteLength": len(self.data)}]

    def array(self, index: int) -> np.ndarray:
        accessor = self.json["accessors"][index]
        view = self.json["bufferViews"][accessor["bufferView"]]
        dtype, width = np.dtype(DTYPES[accessor["componentType"]]), WIDTHS[accessor["type"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteLength"] == accessor["count"] * width * dtype.itemsize
        values = np.frombuffer(self.data, dtype, accessor["count"] * width, view["byteOffset"]).reshape(-1, width)
        for name, least in (("min", values.min(axis=0)), ("max", values.max(axis=0))):
            if name in accessor:
                assert np.array_equal(np.array(accessor[name], dtype=dtype), least)
        return values

    def worlds(self, frame: int) -> np.ndarray:
        """Matrices (N, 4, 4) of all nodes in a frame, by their channels, else as they stand."""
        local = np.tile(np.eye(4), (len(self.json["nodes"]), 1, 1))
        values: list[dict[str, Any]] = [dict(node) for node in self.json["nodes"]]
        (animation,) = self.json["animations"]
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            values[channel["target"]["node"]][channel["target"]["path"]] = self.array(sampler["output"])[frame]
        for i, node in enumerate(values):
            local[i, :3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
            local[i, :3, 3] = node.get("translation", [0, 0, 0])
        out = np.zeros_like(local)
        waiting = [(i, np.eye(4)) for i in self.json["scenes"][0]["nodes"]]
        while waiting:
            i, above = waiting.pop()
            out[i] = above @ local[i]
            waiting += [(child, out[i]) for child in self.json["nodes"][i].get("children", [])]
        return out


@pytest.fixture(scope="module")
def squat() -> Motion:
    return simulate("deep_squat", "both", 6, grade=2).but(text="a person squats", scores=(Score("fms", 2),))


@pytest.fixture(scope="module")
def glb(squat: Motion, tmp_path_factory: pytest.TempPathFactory) -> Glb:
    path = tmp_path_factory.mktemp("glb") / "squat.glb"
    write_glb(squat, path)
    return Glb(path)


def test_nodes_are_the_joints_by_name(glb: Glb) -> None:
    names = [node["name"] for node in glb.json["nodes"]]
    assert tuple(names) == (*CANONICAL.joint_names, "person", "body")
    (skin,) = glb.json["skins"]
    assert [names[j] for j in skin["joints"]] == list(CANONICAL.joint_names)
    for child, parent in enumerate(CANONICAL.parents):
        above = [i for i, node in enumerate(glb.json["nodes"]) if child in node.get("children", [])]
        assert above == [parent if parent >= 0 else names.index("person")]


def test_forward_kinematics_of_the_nodes_is_the_motion(glb: Glb, squat: Motion) -> None:
    """Within 0.1 mm, in the axes of `person`, in every seventh frame."""
    person = len(CANONICAL)
    for t in range(0, squat.n_frames, 7):
        worlds = glb.worlds(t)
        joints = np.linalg.inv(worlds[person])[None] @ worlds[: len(CANONICAL)]
        assert np.abs(joints[:, :3, 3] - squat.positions[t]).max() < 1e-4


def test_the_animation_has_a_rotation_a_joint_and_moves_the_root(glb: Glb, squat: Motion) -> None:
    (animation,) = glb.json["animations"]
    channels = [(c["target"]["node"], c["target"]["path"]) for c in animation["channels"]]
    assert {node for node, path in channels if path == "rotation"} == set(range(22))
    assert (0, "translation") in channels
    assert len(channels) == len(set(channels))
    assert animation["extras"] == {"text": "a person squats", "scores": ["fms:2"]}
    for sampler in animation["samplers"]:
        assert glb.array(sampler["input"])[:, 0] == pytest.approx(np.arange(squat.n_frames) / 30, abs=1e-6)
        assert {"min", "max"} <= set(glb.json["accessors"][sampler["input"]])


def test_quaternions_are_unit_and_do_not_change_sign(glb: Glb) -> None:
    (animation,) = glb.json["animations"]
    for channel in animation["channels"]:
        if channel["target"]["path"] == "rotation":
            q = glb.array(animation["samplers"][channel["sampler"]]["output"]).astype(float)
            assert np.linalg.norm(q, axis=1) == pytest.approx(np.ones(len(q)), abs=1e-6)
            assert np.sum(q[1:] * q[:-1], axis=1).min() > 0.99  # 16 degrees a frame, and never the other sign


def test_the_skin_carries_the_surface_as_our_own_skinning_does(glb: Glb, squat: Motion) -> None:
    """Vertices by the formula of the specification: sum of weight, joint's world matrix, inverse bind matrix."""
    (mesh,), (skin,) = glb.json["meshes"], glb.json["skins"]
    attributes = mesh["primitives"][0]["attributes"]
    v, joints, weights = (glb.array(attributes[n]) for n in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
    inverse = glb.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    body = rigged_body(squat)
    for t in (0, squat.n_frames // 2):
        matrices = glb.worlds(t)[:22] @ inverse
        skinned = np.einsum("vk,vkab,vb->va", weights, matrices[joints], np.c_[v, np.ones(len(v))])[:, :3]
        assert skinned == pytest.approx(body.surface(t)[0], abs=1e-4)


def test_primitives_have_materials_and_indices_in_range(glb: Glb) -> None:
    (mesh,) = glb.json["meshes"]
    names = [glb.json["materials"][p["material"]]["name"] for p in mesh["primitives"]]
    assert names == ["centre", "left", "right"]
    count = glb.json["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]["count"]
    for primitive in mesh["primitives"]:
        assert glb.array(primitive["indices"]).max() < count
    left = glb.array(mesh["primitives"][1]["indices"])[:, 0]
    assert glb.array(mesh["primitives"][0]["attributes"]["POSITION"])[left, 0].min() > -0.06  # left is at +x


def test_trimesh_reads_it(squat: Motion, tmp_path: Path) -> None:
    """A reader of another make: three closed meshes, and nodes that stand as in the first frame."""
    write_glb(squat, tmp_path / "a.glb")
    scene = trimesh.load(tmp_path / "a.glb", process=False)
    assert len(scene.geometry) == 3
    for geometry in scene.geometry.values():
        used = trimesh.Trimesh(geometry.vertices, geometry.faces, process=True)
        assert used.is_watertight
        assert used.volume > 0
    wrist, _ = scene.graph.get("left_wrist")
    pelvis, _ = scene.graph.get("pelvis")
    moved = squat.joint("left_wrist")[0] - squat.joint("pelvis")[0]
    assert wrist[:3, 3] - pelvis[:3, 3] == pytest.approx(moved, abs=1e-4)


def test_one_frame_missing_joints_and_another_skeleton(squat: Motion, tmp_path: Path) -> None:
    write_glb(squat.but(positions=squat.positions[:1], valid=squat.valid[:1]), tmp_path / "one.glb")
    assert np.abs(Glb(tmp_path / "one.glb").worlds(0)[:22, 1, 3].min()) < 0.2
    valid = squat.valid.copy()
    valid[:, CANONICAL.index("head")] = False
    write_glb(squat.but(valid=valid), tmp_path / "ghost.glb")
    ghost = Glb(tmp_path / "ghost.glb")
    assert [m.get("alphaMode") for m in ghost.json["materials"]] == [None, None, None, "BLEND"]
    x = np.random.default_rng(0).normal(size=(5, 3, 3))
    own = Motion(x, 50.0, Skeleton(("größe", "b", 'c"'), (-1, -1, 1)))
    write_glb(own, tmp_path / "own.glb")
    worlds = Glb(tmp_path / "own.glb").worlds(3)
    assert worlds[:3, :3, 3] - worlds[3, :3, 3] == pytest.approx(x[3], abs=2e-4)


def test_the_same_motion_gives_the_same_bytes(squat: Motion, tmp_path: Path) -> None:
    for name in ("a.glb", "b.glb"):
        write_glb(squat, tmp_path / name)
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()
