"""`convert` and `show`: round trips by extension, several recordings, hostile files, nothing half-written."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion import files
from rehabmotion.app.cli import run
from rehabmotion.errors import UserError
from rehabmotion.io.npz import FIELDS, read_npz, write_npz
from rehabmotion.metrics.physical import bone_length_error
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.workflows import convert as workflow

Call = Callable[..., Any]


def names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", ["npz", "csv", "trc", "bvh"])
def test_round_trip_by_extension(call: Call, squat_npz: Path, tmp_path: Path, suffix: str) -> None:
    there, back = tmp_path / "out" / f"there.{suffix}", tmp_path / "out" / "back.npz"
    assert call("convert", squat_npz, there) == (0, f"{there}\n", "")
    assert call("convert", there, back) == (0, f"{back}\n", "")
    one, two = read_npz(squat_npz), read_npz(back)
    assert two.skeleton == CANONICAL
    assert two.fps == one.fps
    assert two.valid.all()
    assert np.abs(one.positions - two.positions).max() < 1e-3


def test_round_trip_by_humanml3d_features(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    """20 fps and one frame less, so the motions are compared where both have frames: every second of a third."""
    call("convert", squat_npz, tmp_path / "a.npy")
    call("convert", tmp_path / "a.npy", tmp_path / "b.npz")
    one, two = read_npz(squat_npz), read_npz(tmp_path / "b.npz")
    assert two.fps == 20
    n = min(len(one.positions[::3]), len(two.positions[::2]))
    assert np.abs(one.positions[::3][:n] - two.positions[::2][:n]).max() < 0.02


def test_a_page_is_written(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    assert call("convert", squat_npz, tmp_path / "a.html").code == 0
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("suffix", ["npz", "csv", "trc", "bvh", "npy"])
def test_gzip_is_read_as_it_is(call: Call, squat_npz: Path, tmp_path: Path, suffix: str) -> None:
    plain, packed = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix.upper()}.gz"
    call("convert", squat_npz, plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for source, out in ((plain, "plain.csv"), (packed, "packed.csv")):
        assert call("convert", source, tmp_path / out).code == 0
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "packed.csv").read_bytes()


def test_a_motion_file_keeps_its_joints_and_its_words(call: Call, tmp_path: Path) -> None:
    """It was brought to the canonical joints by name, and refused where the names were its own."""
    own = Motion(np.ones((5, 3, 3)), 50.0, Skeleton(("a", "b", "c"), (-1, 0, 1)), text="three points")
    write_npz(own, tmp_path / "own.npz")
    for suffix in ("npz", "csv", "trc", "html", "bvh"):
        assert call("convert", tmp_path / "own.npz", tmp_path / f"x.{suffix}").code == 0, suffix
    copy = read_npz(tmp_path / "x.npz")
    assert (copy.skeleton, copy.fps, copy.text) == (own.skeleton, 50.0, "three points")
    assert call("convert", tmp_path / "own.npz", tmp_path / "x.npy").is_mistake("own.npz", "canonical")


def masked(motion: Motion) -> Motion:
    """The motion with the head never seen and one foot lost for some frames."""
    valid = motion.valid.copy()
    valid[:, CANONICAL.index("head")] = False
    valid[5:9, CANONICAL.index("left_foot")] = False
    return motion.but(valid=valid)


def test_missing_joints_stay_missing_where_the_format_can_say_so(call: Call, squat: Motion, tmp_path: Path) -> None:
    write_npz(masked(squat), tmp_path / "a.npz")
    for suffix in ("csv", "trc", "npz"):
        assert call("convert", tmp_path / "a.npz", tmp_path / f"b.{suffix}").err == ""
        call("convert", tmp_path / f"b.{suffix}", tmp_path / "c.npz")
        assert np.array_equal(read_npz(tmp_path / "c.npz").valid, masked(squat).valid)


def test_placeholders_are_warned_of_where_it_cannot(call: Call, squat: Motion, tmp_path: Path) -> None:
    write_npz(masked(squat), tmp_path / "a.npz")
    result = call("convert", tmp_path / "a.npz", tmp_path / "b.bvh")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert "left_foot (at times), head." in result.err
    assert call("convert", tmp_path / "a.npz", tmp_path / "b.npy").is_mistake("a.npz", "head", "left_foot")
    assert names(tmp_path) == ["a.npz", "b.bvh"]


@pytest.mark.parametrize(("suffix", "made"), [("glb", "b.glb"), ("obj", "b")])
def test_bodies_are_written_with_a_warning_of_placeholders(
    call: Call, squat: Motion, tmp_path: Path, suffix: str, made: str
) -> None:
    write_npz(masked(squat.but(positions=squat.positions[:12], valid=squat.valid[:12])), tmp_path / "a.npz")
    result = call("convert", tmp_path / "a.npz", tmp_path / f"b.{suffix}")
    assert (result.code, result.out) == (0, f"{tmp_path / made}\n")
    assert result.err.count("\n") == 1
    assert "left_foot (at times), head." in result.err
    assert names(tmp_path) == sorted(["a.npz", made])


def test_a_body_of_another_skeleton_and_of_one_frame(call: Call, tmp_path: Path) -> None:
    own = Motion(np.array([[[0.0, 0, 0], [0, 1, 0], [1, 1, 0]]]), 50.0, Skeleton(("a", "b", "c"), (-1, 0, -1)))
    write_npz(own, tmp_path / "own.npz")
    assert call("convert", tmp_path / "own.npz", tmp_path / "x.glb").code == 0
    assert call("convert", tmp_path / "own.npz", tmp_path / "x.obj").code == 0
    assert names(tmp_path / "x") == ["body.mtl", "frame_0000.obj"]


def test_what_stands_in_the_way_of_a_body_is_told(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    (tmp_path / "y" / "frame_0000.obj").mkdir(parents=True)
    far = read_npz(squat_npz)
    far.positions[:, CANONICAL.index("left_wrist")] += 5000
    write_npz(far, tmp_path / "far.npz")
    before = names(tmp_path)
    assert call("convert", squat_npz, tmp_path / "x.obj").is_mistake("folder", str(tmp_path / "x"))
    assert call("convert", squat_npz, tmp_path / "y.obj").is_mistake("frame_0000.obj", "folder")
    assert call("convert", tmp_path / "far.npz", tmp_path / "z.glb").is_mistake("far.npz", "proportion")
    assert call("convert", squat_npz, tmp_path / "z.smpl.npz").is_mistake("--smpl", "z.smpl.npz")
    assert call("convert", squat_npz, tmp_path / "z.glb", "--smpl", tmp_path).is_mistake(".smpl.npz")
    assert names(tmp_path) == before


def test_a_missing_folder_of_smpl_models_is_told(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    pytest.importorskip("smplx", reason="needs the extra: smpl")
    result = call("convert", squat_npz, tmp_path / "z.smpl.npz", "--smpl", tmp_path / "missing")
    assert result.is_mistake("missing", "does not exist")
    assert names(tmp_path) == ["given"]


def test_several_recordings_become_numbered_bodies(call: Call, clips_npz: Path, tmp_path: Path) -> None:
    result = call("convert", clips_npz, tmp_path / "x.glb", "--from", "bandai")
    assert result.out.splitlines() == [str(tmp_path / f"x_{i:04d}.glb") for i in range(10)]


# --- several recordings in one file


def test_several_recordings_become_numbered_files(call: Call, clips_npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call("convert", clips_npz, out / "x.bvh", "--from", "bandai")
    assert result.code == 0
    assert result.out.splitlines() == [str(out / f"x_{i:04d}.bvh") for i in range(10)]
    assert names(out) == [f"x_{i:04d}.bvh" for i in range(10)]


@pytest.mark.parametrize("error", [UserError("Expected room, got none."), KeyboardInterrupt()])
def test_what_fails_at_the_third_recording_leaves_nothing(
    call: Call, clips_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    written = []

    def save(motions: Any, path: Path) -> None:
        if len(written) == 2:
            raise error
        path.write_bytes(b"whole")
        written.append(path)

    monkeypatch.setattr(workflow, "save", save)
    result = call("convert", clips_npz, tmp_path / "out" / "x.bvh", "--from", "bandai")
    assert result.code == (2 if isinstance(error, UserError) else 130)
    assert len(written) == 2
    assert not (tmp_path / "out").exists()


# --- mistakes


def archive(**changes: Any) -> bytes:
    """Return the bytes of a motion file of 4 frames with some arrays replaced; None leaves one out."""
    arrays: dict[str, Any] = {
        "positions": np.ones((4, 22, 3), np.float32),
        "fps": np.float64(30),
        "joint_names": np.array(CANONICAL.joint_names),
        "parents": np.array(CANONICAL.parents),
        "valid": np.ones((4, 22), bool),
        "text": np.array("squat"),
        "scores": np.array("[]"),
        "meta": np.array("{}"),
    }
    assert set(arrays) == set(FIELDS)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return buffer.getvalue()


def zip_bomb() -> bytes:
    """Return an archive of a few hundred kB that claims to hold 4 GiB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for i in range(64):
            packed.writestr(f"{i}.npy", bytes(1 << 20))
    data = bytearray(buffer.getvalue())
    for at in (m.start() for m in re.finditer(rb"PK\x01\x02", bytes(data))):
        data[at + 24 : at + 28] = (1 << 26).to_bytes(4, "little")
    return bytes(data)


HOSTILE = {
    "empty": b"",
    "garbage": bytes(range(256)) * 8,
    "truncated": archive()[:-100],
    "half": archive()[: len(archive()) // 2],
    "zip bomb": zip_bomb(),
    "not an archive of arrays": b"PK\x05\x06" + bytes(18),
    "pickle": archive(text=np.array([{"a": 1}], dtype=object)),
    "pickled positions": archive(positions=np.array([None] * 4, dtype=object)),
    "no positions": archive(positions=None),
    "no mask": archive(valid=None),
    "NaN": archive(positions=np.full((4, 22, 3), np.nan, np.float32)),
    "infinity": archive(positions=np.full((4, 22, 3), np.inf, np.float32)),
    "too large for float32": archive(positions=np.full((4, 22, 3), 1e300)),
    "21 joints": archive(positions=np.ones((4, 21, 3), np.float32), valid=np.ones((4, 21), bool)),
    "no joints": archive(positions=np.ones((4, 0, 3)), joint_names=np.array([], "U1"), parents=np.array([], int)),
    "two numbers a joint": archive(positions=np.ones((4, 22, 2), np.float32)),
    "joints first": archive(positions=np.ones((22, 4, 3), np.float32)),
    "whole numbers": archive(positions=np.ones((4, 22, 3), int)),
    "zero frames": archive(positions=np.ones((0, 22, 3), np.float32), valid=np.ones((0, 22), bool)),
    "mask of numbers": archive(valid=np.ones((4, 22))),
    "mask of another length": archive(valid=np.ones((5, 22), bool)),
    "fps 0": archive(fps=np.float64(0)),
    "fps NaN": archive(fps=np.float64("nan")),
    "two rates": archive(fps=np.array([30.0, 60.0])),
    "a circle of parents": archive(parents=np.array([1, 0, *CANONICAL.parents[2:]])),
    "a parent that is not there": archive(parents=np.array([-1, 99, *CANONICAL.parents[2:]])),
    "repeated joints": archive(joint_names=np.array(["a"] * 22)),
    "a scale of its own": archive(scores=np.array('[{"scale": "borg", "value": 3}]')),
    "a grade of 0": archive(scores=np.array('[{"scale": "fms", "value": 0}]')),
    "scores that are no list": archive(scores=np.array("3")),
    "scores that are no JSON": archive(scores=np.array("[")),
    "scores too deep": archive(scores=np.array("[" * 100_000)),
    "meta that is no object": archive(meta=np.array("[1]")),
    "meta too deep": archive(meta=np.array('{"a":' * 100_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_motion_file_is_one_line_and_nothing_is_written(call: Call, tmp_path: Path, kind: str) -> None:
    (tmp_path / "bad.npz").write_bytes(HOSTILE[kind])
    for command, out in (("convert", [tmp_path / "new" / "x.bvh"]), ("show", ["--out", tmp_path / "new" / "x.html"])):
        result = call(command, tmp_path / "bad.npz", *out)
        assert result.is_mistake("bad.npz"), result
    assert names(tmp_path) == ["bad.npz"]


def test_a_chain_of_5000_joints_is_no_bvh(call: Call, tmp_path: Path) -> None:
    """It ended in a RecursionError."""
    chain = Skeleton(tuple(f"j{i}" for i in range(5000)), tuple(range(-1, 4999)))
    write_npz(Motion(np.ones((1, 5000, 3)), 30.0, chain), tmp_path / "long.npz")
    assert call("convert", tmp_path / "long.npz", tmp_path / "x.csv").code == 0
    assert call("convert", tmp_path / "long.npz", tmp_path / "x.bvh").is_mistake("long.npz", "500 joints")


OTHERS = ("a.bvh", "a.amc", "a.csv", "a.trc", "a.npy", "a.npz.gz", "a.bvh.gz")
CONTENTS = {
    "empty": b"",
    "garbage": bytes(range(256)) * 8,
    "words": b"HIERARCHY\nROOT hips\n{\n",
    "one line": b"time,pelvis_x,pelvis_y,pelvis_z\n",
    "a cut gzip": gzip.compress(b"HIERARCHY" * 1000)[:-20],
    "NaN": b"time,pelvis_x,pelvis_y,pelvis_z\n0,nan,nan,nan\n0.1,1,1,1\n",
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_damaged_files_are_one_line(call: Call, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(CONTENTS[content])
    result = call("convert", tmp_path / name, tmp_path / "new" / "x.npz")
    assert result.is_mistake(name), result
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("source_format", ["uiprmd-kinect", "uiprmd-vicon", "kimore", "mars", "fms", "bandai", "amc"])
def test_a_file_named_as_another_format_is_one_line(
    call: Call, squat_npz: Path, tmp_path: Path, source_format: str
) -> None:
    assert call("convert", squat_npz, tmp_path / "x.npz", "--from", source_format).is_mistake("squat")
    assert names(tmp_path) == ["given"]


def test_a_gzip_bomb_is_refused(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    (tmp_path / "a.bvh.gz").write_bytes(gzip.compress(bytes(1 << 24)))
    assert call("convert", tmp_path / "a.bvh.gz", tmp_path / "x.npz").is_mistake("a.bvh.gz", "MiB")


def test_what_cannot_be_converted_is_told(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "recording").write_text("1,2,3\n")
    (tmp_path / "file").write_text("mine")
    before = names(tmp_path)
    out = tmp_path / "x.npz"
    assert call("convert", tmp_path / "missing.npz", out).is_mistake("missing.npz", "existing")
    assert call("convert", tmp_path / "folder.npz", out).is_mistake("folder.npz", "folder")
    assert call("convert", tmp_path / "recording", out).is_mistake("--from", "uiprmd-kinect")
    assert call("convert", squat_npz, out, "--from", "c4d").is_mistake("c4d", "bvh")
    assert call("convert", squat_npz, tmp_path / "x.fbx").is_mistake("x.fbx", ".bvh", ".html")
    assert call("convert", squat_npz, tmp_path / "x").is_mistake("x", ".bvh")
    assert call("convert", squat_npz, tmp_path / "x.amc").is_mistake("x.amc", ".bvh")
    assert call("convert", squat_npz, tmp_path / "x.npz.gz").is_mistake("x.npz.gz")
    assert call("convert", squat_npz, tmp_path / "folder.npz").is_mistake("folder.npz")
    assert call("convert", squat_npz, tmp_path / "file" / "x.npz").is_mistake("folder")
    assert names(tmp_path) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_to_a_motion_file_is_read_or_refused(squat_npz: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed or cut anywhere: exit 0 or 2, never an exception."""
    whole = bytearray(squat_npz.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "bad.npz").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert run(["convert", str(tmp_path / "bad.npz"), str(tmp_path / "x.csv")]) in (0, 2)


# --- show


def panels(page: Path) -> list[dict[str, Any]]:
    """Return what a page plays."""
    match = re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page.read_text(), re.DOTALL)
    assert match
    return list(json.loads(match[1]))


def test_show_writes_one_page(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    assert call("show", squat_npz, "--out", out) == (0, f"{out}\n", "")
    assert names(tmp_path / "new") == ["page.html"]
    assert len(panels(out)) == 1


def test_show_writes_motion_html_by_default(
    call: Call, squat_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("show", squat_npz) == (0, "motion.html\n", "")


def test_rates_lengths_and_skeletons_may_differ(call: Call, squat: Motion, squat_npz: Path, tmp_path: Path) -> None:
    write_npz(squat.but(fps=100.0), tmp_path / "fast.npz")
    write_npz(Motion(np.ones((5, 3, 3)), 50.0, Skeleton(("a", "b", "c"), (-1, 0, 1))), tmp_path / "own.npz")
    call("convert", squat_npz, tmp_path / "slow.npy")
    sources = [squat_npz, tmp_path / "fast.npz", tmp_path / "own.npz", tmp_path / "slow.npy"]
    assert call("show", *sources, "--out", tmp_path / "page.html").code == 0
    shown = panels(tmp_path / "page.html")
    assert [panel["fps"] for panel in shown] == [30, 100, 50, 20]
    assert [len(panel["names"]) for panel in shown] == [22, 22, 3, 22]


def test_motions_of_one_name_are_told_apart_by_their_files(call: Call, squat_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "other.npz").write_bytes(squat_npz.read_bytes())
    call("show", squat_npz, tmp_path / "b" / "other.npz", "--out", tmp_path / "page.html")
    labels = [panel["label"] for panel in panels(tmp_path / "page.html")]
    assert labels[0].endswith("given/squat.npz")
    assert labels[1].endswith("b/other.npz")


def test_what_cannot_be_shown_is_told(call: Call, squat: Motion, squat_npz: Path, tmp_path: Path) -> None:
    unseen = squat.but(valid=np.zeros_like(squat.valid))
    write_npz(unseen, tmp_path / "unseen.npz")
    out = tmp_path / "new" / "page.html"
    assert call("show", squat_npz, tmp_path / "missing.npz", "--out", out).is_mistake("missing.npz")
    assert call("show", squat_npz, tmp_path / "unseen.npz", "--out", out).is_mistake("unseen.npz", "valid")
    assert call("show", *[squat_npz] * 13, "--out", out).is_mistake("12", "13")
    assert call("show", squat_npz, "--out", tmp_path / "new" / "page.mp4").is_mistake("page.mp4", ".html")
    assert call("show", squat_npz, "--out", tmp_path / "unseen.npz" / "page.html").is_mistake("folder")
    assert names(tmp_path) == ["given", "unseen.npz"]


# --- real recordings

NATIVE = {  # format -> a sample inside the data folder, and how many recordings it holds
    "uiprmd-kinect": ("uiprmd/Segmented Movements/Kinect/Positions/m01_s01_e01_positions.txt.gz", 1),
    "uiprmd-vicon": ("uiprmd/Segmented Movements/Vicon/Positions/m01_s01_e03_positions.txt.gz", 1),
    "kimore": ("kimore/kimore_patients_ex5.npz", 24),
    "mars": ("mars/synced_data/wooutlier/subject1/timesplit/kinect_data_test.csv.gz", 1),
    "amc": ("cmu/subjects/01/01_08.amc", 1),
    "bvh": ("bandai/bvh_samples/dataset-1_bye_normal_001.bvh", 1),
    "humanml3d": ("humanml3d/new_joint_vecs/012314.npy", 1),
}


@pytest.mark.parametrize("source_format", NATIVE)
def test_native_recordings_become_motion_files(call: Call, tmp_path: Path, data_dir: Path, source_format: str) -> None:
    sample, count = NATIVE[source_format]
    result = call("convert", data_dir / sample, tmp_path / "x.npz", "--from", source_format)
    assert (result.code, result.err) == (0, "")
    written = [Path(line) for line in result.out.splitlines()]
    assert len(written) == count
    motion = read_npz(written[0])
    assert motion.skeleton == CANONICAL
    assert bone_length_error(motion.positions, valid=motion.valid) < 1e-4
    left, right = (motion.joint(f"{side}_hip")[:10].mean(axis=0) for side in ("left", "right"))
    assert left[0] - right[0] > 0.9 * np.linalg.norm(left - right)  # the left hip at +x: facing +z
    seen = np.where(motion.valid, motion.positions[..., 1], np.nan)
    assert -0.3 < np.nanmin(seen) < 0.05
    assert 1.0 < np.nanmax(seen) < 2.6


def test_feet_stand_where_the_markers_saw_them(call: Call, tmp_path: Path, data_dir: Path) -> None:
    """Constant bones alone lifted the feet of a squatting person by 8 cm."""
    sample, _ = NATIVE["uiprmd-vicon"]
    call("convert", data_dir / sample, tmp_path / "x.npz", "--from", "uiprmd-vicon")
    motion = read_npz(tmp_path / "x.npz")
    for ankle in ("left_ankle", "right_ankle"):
        assert np.ptp(motion.joint(ankle)[:, 1]) < 0.02


def test_a_table_with_two_rates_is_refused(call: Call, tmp_path: Path) -> None:
    rows = "".join(f"{t},0,1,0\n" for t in (0, 0.1, 0.2, 0.25, 0.3))
    (tmp_path / "mixed.csv").write_text(f"time,pelvis_x,pelvis_y,pelvis_z\n{rows}")
    assert call("convert", tmp_path / "mixed.csv", tmp_path / "x.npz").is_mistake("mixed.csv", "even time steps")
