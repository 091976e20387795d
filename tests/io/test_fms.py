"""FMS episodes: the tilt by hand, names, grades, gaps, hostile JSON."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io import fms
from rehabmotion.io.fms import AZURE, FMS_MAP, FMS_PAPER_MAP, align_navel, level, read_fms
from rehabmotion.motion import CANONICAL, EXERCISES, Motion
from rehabmotion.motion.retarget import JointMap, map_joints

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# heights of a standing body in the camera's frame, mm: y down, 2.5 m away, the person's left at +x
HEIGHTS = {"PELVIS": 0, "SPINE_NAVEL": 180, "SPINE_CHEST": 320, "NECK": 530, "HEAD": 600, "NOSE": 610}
SIDES = {"CLAVICLE": (45, 490), "SHOULDER": (180, 460), "ELBOW": (200, 190), "WRIST": (210, -50), "HIP": (90, 0)}
SIDES |= {"KNEE": (95, -410), "ANKLE": (95, -800), "FOOT": (95, -860)}


def body(tilt_deg: float = 6.0) -> np.ndarray:
    """Joint positions (32, 3) as a camera that looks down by the tilt sees them; level() undoes it."""
    world = np.zeros((32, 3))
    for j, name in enumerate(AZURE.joint_names):
        part, _, side = name.rpartition("_")
        x, y = SIDES.get(part, (20, 550)) if side in ("LEFT", "RIGHT") else (0, HEIGHTS[name])
        world[j] = [-x if side == "RIGHT" else x, y, 120 if part == "FOOT" else 0]
    world += [0, 0, -2500]
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    return world @ np.array([[1, 0, 0], [0, -c, -s], [0, s, -c]])


def episode(n: int = 20, empty: tuple[int, ...] = ()) -> dict[str, Any]:
    frames = [
        {"frame_id": t, "num_bodies": 0, "bodies": []}
        if t in empty
        else {"frame_id": t, "num_bodies": 1, "bodies": [{"joint_positions": np.add(body(), [t, 0, 0]).tolist()}]}
        for t in range(n)
    ]
    return {"total_frames": n, "frames": frames}


def read(tmp_path: Path, data: Any, name: str = "front_s07_m03_e2.json") -> Motion:
    (tmp_path / name).write_text(data if isinstance(data, str) else json.dumps(data))
    (motion,) = read_fms(tmp_path / name)
    return motion


def test_the_tilt_by_hand() -> None:
    """The point 2 m straight ahead of the lens lies 2 sin 6 deg below it, 2 cos 6 deg away."""
    assert level(np.array([0.0, 0.0, 2000.0])) == pytest.approx([0, -0.20905693, -1.98904379], abs=1e-8)
    assert level(np.array([1000.0, 0.0, 0.0])) == pytest.approx([1, 0, 0])
    assert level(np.array([0.0, -1000.0, 0.0]), tilt_deg=0) == pytest.approx([0, 1, 0])
    turn = level(1000 * np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)  # a mirror image would be -1


def test_an_episode(tmp_path: Path) -> None:
    motion = read(tmp_path, episode())
    assert motion.skeleton is AZURE
    assert (motion.fps, motion.n_frames) == (30, 20)
    assert motion.valid.all()
    assert (motion.joint("HEAD") - motion.joint("PELVIS"))[0] == pytest.approx([0, 0.6, 0], abs=1e-6)
    assert (motion.joint("HIP_LEFT") - motion.joint("HIP_RIGHT"))[0] == pytest.approx([0.18, 0, 0], abs=1e-6)
    assert motion.joint("FOOT_LEFT")[0, 2] > motion.joint("ANKLE_LEFT")[0, 2]  # towards the camera
    assert motion.joint("PELVIS")[5, 0] == pytest.approx(0.005)
    wanted = {"source": "fms", "view": "front", "subject": "s07", "exercise": "hurdle_step", "side": "left"}
    assert {key: motion.meta[key] for key in wanted} == wanted
    assert (motion.meta["repetition"], motion.scores) == (2, ())


def test_the_tree_is_that_of_the_sdk() -> None:
    parents = [-1, 0, 1, 2, 2, 4, 5, 6, 7, 8, 7, 2, 11, 12, 13, 14, 15, 14, 0, 18, 19, 20, 0, 22, 23, 24, 3] + [26] * 5
    assert list(AZURE.parents) == parents
    assert AZURE.joint_names[18] == "HIP_LEFT"
    assert AZURE.joint_names[26] == "HEAD"


@pytest.mark.parametrize("movement", range(1, 16))
def test_movements_are_our_exercises(tmp_path: Path, movement: int) -> None:
    meta = read(tmp_path, episode(2), f"front_s01_m{movement:02d}_e1.json").meta
    assert meta["side"] in EXERCISES[meta["exercise"]].sides


@pytest.mark.parametrize("name", ["walk.json", "front_s01_m16_e1.json", "front_s01_m00_e1.json", "a_b.json"])
def test_a_name_that_tells_nothing_leaves_the_meta_empty(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, episode(2), name).meta["exercise"] is None


def test_frames_without_a_body_are_masked(tmp_path: Path) -> None:
    motion = read(tmp_path, episode(10, empty=(0, 4)))
    assert np.flatnonzero(~motion.valid.all(axis=1)).tolist() == [0, 4]
    assert motion.joint("PELVIS")[4, 0] == pytest.approx(0.004)  # a placeholder between its neighbours


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize(("experts", "grade"), [([2, 2, 3], 2), ([3, 3, 2], 3), ([1, 2, 3], 2), ([1, 1, 1], 1)])
def test_the_grade_is_the_rounded_mean(tmp_path: Path, depth: int, experts: list[int], grade: int) -> None:
    folder = tmp_path.joinpath(*["deeper"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "experts_score.json").write_text(json.dumps({"s07": {"m03": {"e2": experts}}}))
    motion = read(folder, episode(2))
    assert [str(score) for score in motion.scores] == [f"fms:{grade}"]
    assert motion.meta["experts"] == experts


def test_an_episode_without_grades_has_no_score(tmp_path: Path) -> None:
    (tmp_path / "experts_score.json").write_text('{"s01": {"m03": {"e2": [1, 2, 3]}}}')
    assert read(tmp_path, episode(2)).scores == ()


@pytest.mark.parametrize("grades", ["[", "[0, 1, 2]", "[1, 2]", "[1, 2, 2.5]", '"good"', "[1, 2, NaN]"])
def test_bad_grades_are_refused(tmp_path: Path, grades: str) -> None:
    (tmp_path / "experts_score.json").write_text('{"s07": {"m03": {"e2": ' + grades + "}}}")
    with pytest.raises(UserError, match=r"experts_score\.json"):
        read(tmp_path, episode(2))


@pytest.mark.parametrize("joint_map", [FMS_MAP, FMS_PAPER_MAP])
def test_both_maps_give_22_joints(tmp_path: Path, joint_map: JointMap) -> None:
    for sources in joint_map.values():
        assert sum(sources.values()) == pytest.approx(1)
    motion = map_joints(read(tmp_path, episode(3)), joint_map)
    assert set(joint_map) == set(CANONICAL.joint_names)
    assert motion.valid.all()
    heights = [motion.joint(n)[0, 1] for n in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert heights == sorted(heights)


def test_the_maps_differ_in_neck_and_head(tmp_path: Path) -> None:
    motion = read(tmp_path, episode(3))
    ours, paper = map_joints(motion, FMS_MAP), map_joints(motion, FMS_PAPER_MAP)
    assert paper.joint("neck") == pytest.approx(motion.joint("HEAD"))
    assert paper.joint("head") == pytest.approx(motion.joint("NOSE"))
    assert ours.joint("head") == pytest.approx(motion.joint("HEAD"))
    assert paper.joint("spine3") == pytest.approx(motion.joint("SPINE_CHEST"))
    assert ours.joint("neck")[0, 1] - ours.joint("pelvis")[0, 1] == pytest.approx(0.5, abs=0.01)


def test_navels_are_aligned_by_one_vector(tmp_path: Path) -> None:
    one, two = read(tmp_path, episode(4)), read(tmp_path, episode(8))
    moved = align_navel([one, two], (0.1, 1.0, 0.2))
    navels = np.concatenate([motion.joint("SPINE_NAVEL") for motion in moved])
    assert navels.mean(axis=0) == pytest.approx([0.1, 1.0, 0.2], abs=1e-6)
    shifts = [(m.positions - o.positions)[0, 0] for m, o in zip(moved, (one, two), strict=True)]
    assert shifts[0] == pytest.approx(shifts[1], abs=1e-6)
    with pytest.raises(UserError, match="SPINE_NAVEL"):
        align_navel([], (0, 1, 0))


def changed(**changes: Any) -> dict[str, Any]:
    return {**episode(3), **changes}


def with_joints(joints: Any) -> dict[str, Any]:
    data = episode(3)
    data["frames"][1]["bodies"][0]["joint_positions"] = joints
    return data


BAD: dict[str, Any] = {
    "not json": "{",
    "list": "[]",
    "number": "3",
    "null": "null",
    "deep": "[" * 100_000,
    "huge integer": "9" * 5000,
    "no frames": changed(frames=[], total_frames=0),
    "all empty": episode(3, empty=(0, 1, 2)),
    "cut": changed(total_frames=4),
    "a billion frames": changed(total_frames=10**12),
    "frames of words": changed(frames=["a", "b", "c"]),
    "bodies missing": changed(frames=[{"num_bodies": 1}] * 3),
    "bodies empty": changed(frames=[{"num_bodies": 1, "bodies": []}] * 3),
    "31 joints": with_joints(body()[:31].tolist()),
    "flat": with_joints(body().ravel().tolist()),
    "transposed": changed(
        frames=[{"num_bodies": 1, "bodies": [{"joint_positions": body().T.tolist()}]}] * 3,
    ),
    "words": with_joints([["x", "y", "z"]] * 32),
    "nan": with_joints([[float("nan")] * 3] * 32),
    "infinite": with_joints([[1e300] * 3] * 32),
    "beyond any float": with_joints([[10**400, 0, 0]] * 32),
    "none": with_joints(None),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, BAD[name])
    assert "front_s07_m03_e2.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fms, "MAX_JSON", 1 << 20)
    path = tmp_path / "front_s07_m03_e2.json.gz"
    path.write_bytes(gzip.compress(b" " * ((1 << 20) + 1), 1))
    with pytest.raises(UserError, match="MiB"):
        read_fms(path)


@quick
@given(st.integers(0, 2000), st.binary(max_size=30), st.integers(0, 30))
def test_garbage_raises_user_error_only(tmp_path: Path, cut: int, garbage: bytes, skip: int) -> None:
    data = json.dumps(episode(1)).encode()
    (tmp_path / "front_s07_m03_e2.json").write_bytes(data[:cut] + garbage + data[cut + skip :])
    try:
        (motion,) = read_fms(tmp_path / "front_s07_m03_e2.json")
    except UserError:
        return
    assert np.isfinite(motion.positions).all()


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["frames", "total_frames", "num_bodies", "bodies", "joint_positions"]), inner, max_size=5
        )
    ),
    max_leaves=8,
)


@settings(quick, max_examples=30)
@given(any_json)
def test_other_json_raises_user_error_only(tmp_path: Path, data: Any) -> None:
    with pytest.raises(UserError):
        read(tmp_path, data)
