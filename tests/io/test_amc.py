"""ASF/AMC: a small skeleton whose positions are known in closed form, then HDM05 against its published positions."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.amc import AMC_MAP, describe, read_amc, skeleton_of
from rehabmotion.io.asf import read_asf
from rehabmotion.motion import CANONICAL
from rehabmotion.motion.retarget import map_joints

UNIT = 0.0254 / 0.45
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ASF = """# made by hand
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name thigh
    direction 0 -1 0
    length 2.0
    axis 0 0 20 XYZ
    dof rx rz
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
  begin
    id 2
    name fixed
    direction 0 0 1
    length 1.0
    axis 0 0 0 XYZ
  end
  begin
    id 3
    name shin
    direction 0 -1 0
    length 3.0
    axis 90 0 0 XYZ
    dof rx
  end
:hierarchy
  begin
    root thigh fixed
    thigh shin
  end
"""
STILL = "root 0 0 0 0 0 0\nthigh 0 0\nshin 0\n"


def write(folder: Path, frames: list[str], asf: str = ASF, head: str = ":FULLY-SPECIFIED\n:DEGREES\n") -> Path:
    (folder / "me.asf").write_text(asf)
    path = folder / "me_walk.amc"
    path.write_text(head + "".join(f"{i}\n{frame}" for i, frame in enumerate(frames, start=1)))
    return path


def positions(folder: Path, frame: str, asf: str = ASF) -> dict[str, np.ndarray]:
    """Return the one frame's bone ends in file units."""
    (motion,) = read_amc(write(folder, [frame], asf))
    return {name: motion.joint(name)[0] / UNIT for name in motion.skeleton.joint_names}


def test_at_rest_bones_hang_along_their_directions(tmp_path: Path):
    (motion,) = read_amc(write(tmp_path, [STILL, STILL]))
    assert motion.skeleton.joint_names == ("root", "thigh", "fixed", "shin")
    assert motion.skeleton.parents == (-1, 0, 0, 1)
    assert motion.fps == 120
    np.testing.assert_allclose(motion.positions[1] / UNIT, [[0, 0, 0], [0, -2, 0], [0, 0, 1], [0, -5, 0]], atol=1e-5)


def test_root_moves_all_and_its_unit_is_an_inch_over_the_header_length(tmp_path: Path):
    (motion,) = read_amc(write(tmp_path, [STILL.replace("root 0 0 0", "root 1 10 -2")]))
    np.testing.assert_allclose(motion.joint("root")[0], np.array([1, 10, -2]) * 0.0254 / 0.45, rtol=1e-6)
    (inches,) = read_amc(write(tmp_path, [STILL.replace("root 0 0 0", "root 1 10 -2")], ASF.replace("0.45", "1.0")))
    np.testing.assert_allclose(inches.joint("root")[0], np.array([1, 10, -2]) * 0.0254, rtol=1e-6)


def test_root_turns_about_z_last(tmp_path: Path):
    """Rz Ry Rx: 90 degrees about x brings the thigh (down) to -z, then 90 about z leaves it there."""
    at = positions(tmp_path, STILL.replace("root 0 0 0 0 0 0", "root 0 0 0 90 0 90"))
    np.testing.assert_allclose(at["thigh"], [0, 0, -2], atol=1e-5)
    np.testing.assert_allclose(at["fixed"], [1, 0, 0], atol=1e-5)  # z to -y by x, then to +x by z


def test_a_bone_turns_about_its_own_axes(tmp_path: Path):
    """The shin's frame is turned 90 degrees about x, but its x axis is the world's: 30 degrees swing it in y, z."""
    at = positions(tmp_path, STILL.replace("shin 0", "shin 30"))
    np.testing.assert_allclose(at["shin"], [0, -2 - 3 * np.cos(np.pi / 6), -3 * np.sin(np.pi / 6)], atol=1e-5)


def test_channels_go_to_the_axes_named_in_dof(tmp_path: Path):
    """thigh has rx and rz: L = C Rz Rx C^-1 with C 20 degrees about z, which commutes with Rz."""
    at = positions(tmp_path, STILL.replace("thigh 0 0", "thigh 0 90"))
    np.testing.assert_allclose(at["thigh"], [2, 0, 0], atol=1e-5)
    np.testing.assert_allclose(at["shin"], [5, 0, 0], atol=1e-5)  # the child turns with it
    np.testing.assert_allclose(at["fixed"], [0, 0, 1], atol=1e-5)  # its sibling does not
    c = Rotation.from_euler("z", 20, degrees=True)
    expected = (c * Rotation.from_euler("x", 90, degrees=True) * c.inv()).apply([0, -2, 0])
    at = positions(tmp_path, STILL.replace("thigh 0 0", "thigh 90 0"))
    np.testing.assert_allclose(at["thigh"], expected, atol=1e-5)


def test_radians_read_the_same(tmp_path: Path):
    degrees = positions(tmp_path, STILL.replace("shin 0", "shin 30"))["shin"]
    asf = ASF.replace("angle deg", "angle rad").replace("axis 0 0 20", f"axis 0 0 {np.radians(20)}")
    path = write(
        tmp_path, [STILL.replace("shin 0", f"shin {np.radians(30)}")], asf.replace("90 0 0", "1.570796 0 0"), ""
    )
    np.testing.assert_allclose(read_amc(path)[0].joint("shin")[0] / UNIT, degrees, atol=1e-5)


def test_latin_1_and_crlf_are_read(tmp_path: Path):
    """HDM05 files have a u umlaut (byte FC) in line 1 and CRLF line ends."""
    path = write(tmp_path, [STILL])
    path.write_bytes(b"#!OML:ASF X:\\f\xfcr Bonn\r\n" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_amc(path)[0].n_frames == 1


def test_the_skeleton_is_found_by_the_beginning_of_the_name(tmp_path: Path):
    for name in ("01.asf", "HDM_bd.asf", "HDM_bk.asf", "notes.txt"):
        (tmp_path / name).touch()
    assert skeleton_of(tmp_path / "01_08.amc").name == "01.asf"
    assert skeleton_of(tmp_path / "HDM_bk_squat1Reps_013_120.amc").name == "HDM_bk.asf"
    with pytest.raises(UserError, match=r"one \.asf beside it, got 3"):
        skeleton_of(tmp_path / "02_01.amc")


def test_a_lone_or_a_named_skeleton_serves_any_motion(tmp_path: Path):
    path = write(tmp_path, [STILL]).rename(tmp_path / "other.amc")
    assert read_amc(path)[0].n_frames == 1
    named = (tmp_path / "me.asf").rename(tmp_path / "elsewhere.txt")
    with pytest.raises(UserError, match="got 0"):
        read_amc(path)
    assert read_amc(path, asf=named)[0].n_frames == 1


def test_names_tell_source_subject_and_exercise():
    assert describe("02_07.amc")["subject"] == "02"
    assert describe("02_07.amc.gz")["source"] == "cmu"
    squat = describe("HDM_bk_squat1Reps_013_120.amc")
    assert (squat["source"], squat["subject"], squat["exercise"], squat["side"]) == ("hdm05", "bk", "squat", "both")
    assert "exercise" not in describe("HDM_bd_depositFloorR_001_120.amc")
    assert describe("walk.amc")["source"] == "amc"


@pytest.mark.parametrize(
    ("amc", "words"),
    [
        (":DEGREES\n", "at least one frame"),
        ("1\nroot 0 0 0 0 0 0\nthigh 0 0\n", "number 1 lacks shin. Is the file cut off"),
        ("1\nroot 0 0 0 0 0 0\n2\n" + STILL, "number 1 lacks thigh"),
        ("1\n" + STILL + "3\n" + STILL, "line 5: Expected frame 2, got 3"),
        ("1\nhead 0\n" + STILL, "line 2: Expected a frame number or a bone with channels"),
        ("1\nfixed 0\n" + STILL, "line 2: Expected a frame number or a bone with channels"),
        ("1\n" + STILL + "shin 0\n", "line 5: Expected a frame number"),
        ("1\n" + STILL.replace("thigh 0 0", "thigh 0"), "line 3: Expected 2 numbers for thigh"),
        ("1\n" + STILL.replace("shin 0", "shin x"), "line 4: Expected 1 numbers for shin"),
        ("1\n" + STILL.replace("shin 0", "shin nan"), "NaN or a huge one for shin in frame 1"),
        ("1\n" + STILL.replace("shin 0", "shin 1e999"), "NaN or a huge one for shin"),
        (":RADIANS\n1\n" + STILL, "line 1: Expected the angle unit of the skeleton"),
        ("root 0 0 0 0 0 0\n", "line 1: Expected a frame number"),
    ],
)
def test_bad_motions_are_refused(tmp_path: Path, amc: str, words: str):
    path = write(tmp_path, [], head=amc)
    with pytest.raises(UserError, match=words) as caught:
        read_amc(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("length 0.45", "length 0", "positive length under :units"),
        ("length 0.45", "", "positive length under :units"),
        ("angle deg", "angle grad", "angle deg or rad"),
        ("axis 0 0 20 XYZ", "axis 0 0 20 ZYX", "line 18: Expected axis order XYZ"),
        ("dof rx rz", "dof rx tz", "line 19: Expected channels out of rx ry rz"),
        ("direction 0 -1 0\n    length 2.0", "direction 0 nan 0\n    length 2.0", "line 16: Expected 3 numbers"),
        ("direction 0 0 1", "direction 0 0 7", "unit direction"),
        ("length 3.0", "length -3.0", "each bone with a name"),
        ("order TX TY TZ RX RY RZ", "order TX TY TZ", "six root channels"),
        ("root thigh fixed", "root thigh", "over exactly the bones, 'fixed'"),
        ("thigh shin", "calf shin", "over exactly the bones, 'calf'"),
        ("thigh shin", "thigh shin shin", "one parent"),
        ("    root thigh fixed\n    thigh shin", "    root fixed\n    thigh shin\n    shin thigh", "tree of joints"),
        ("name fixed", "name shin", "over exactly the bones|names that differ"),
    ],
)
def test_bad_skeletons_are_refused(tmp_path: Path, old: str, new: str, words: str):
    assert old in ASF
    path = write(tmp_path, [STILL], ASF.replace(old, new))
    with pytest.raises(UserError, match=words) as caught:
        read_amc(path)
    assert "me.asf" in str(caught.value)


def test_missing_files_are_user_errors(tmp_path: Path):
    for path in (tmp_path / "no.amc", tmp_path / "no" / "no.amc"):
        with pytest.raises(UserError):
            read_amc(path)
    with pytest.raises(UserError):
        read_asf(tmp_path / "no.asf")


WORDS = st.sampled_from(
    [":root", ":bonedata", "begin", "end", "root", "thigh", "dof", "rx", "1", "nan", "-3", "\x00", "ü"]
)


@QUICK
@given(st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=40).map(lambda w: " ".join(w).encode())))
def test_garbage_raises_only_user_errors(tmp_path: Path, data: bytes):
    path = write(tmp_path, [STILL])
    path.write_bytes(data)
    with pytest.raises(UserError):
        read_amc(path)
    (tmp_path / "me.asf").write_bytes(data)
    with pytest.raises(UserError):
        read_asf(tmp_path / "me.asf")


@QUICK
@given(st.integers(0, len(ASF)), st.integers(0, 200))
def test_truncation_gives_user_errors_or_whole_frames(tmp_path: Path, cut_asf: int, cut_amc: int):
    path = write(tmp_path, [STILL, STILL])
    path.write_text(path.read_text()[:cut_amc])
    with contextlib.suppress(UserError):
        assert read_amc(path)[0].positions.shape[1:] == (4, 3)
    (tmp_path / "me.asf").write_text(ASF[:cut_asf])
    if cut_asf < ASF.index("thigh shin"):
        with pytest.raises(UserError):
            read_asf(tmp_path / "me.asf")


@QUICK
@given(st.lists(st.floats(-720, 720), min_size=9, max_size=9))
def test_bone_lengths_never_change(tmp_path: Path, angles: list[float]):
    v = [f"{a:.4f}" for a in angles]
    frame = f"root {' '.join(v[:6])}\nthigh {v[6]} {v[7]}\nshin {v[8]}\n"
    at = positions(tmp_path, frame)
    assert np.linalg.norm(at["thigh"] - at["root"]) == pytest.approx(2, abs=2e-3)
    assert np.linalg.norm(at["shin"] - at["thigh"]) == pytest.approx(3, abs=2e-3)


def test_map_sums_to_one_and_covers_all_joints():
    assert set(AMC_MAP) == set(CANONICAL.joint_names)
    assert all(sum(sources.values()) == pytest.approx(1) for sources in AMC_MAP.values())
    for name in CANONICAL.joint_names:
        if name.startswith("left_"):
            other = {("r" + s[1:] if s[0] == "l" and s != "lowerback" else s): w for s, w in AMC_MAP[name].items()}
            assert AMC_MAP["right_" + name[5:]] == other


def test_hdm05_samples_agree_with_the_published_positions(data_dir: Path):
    """All ten native samples against hdm05_motion_120hz.npz, which rounds to 0.1 mm."""
    folder = data_dir / "hdm05"
    z = np.load(folder / "hdm05_motion_120hz.npz")
    x = np.cumsum(z["pos_d"], axis=1, dtype=np.int16).T.reshape(-1, 31, 3) * 1e-4
    bones = {"bd": (0.414, 0.394), "bk": (0.445, 0.476), "dg": (0.378, 0.442), "tr": (0.407, 0.445)}
    paths = sorted((folder / "amc_samples").glob("*.amc"))
    assert len(paths) == 10
    for path in paths:
        (motion,) = read_amc(path)
        clip = z["name"].tolist().index(path.stem)
        expected = x[z["start"][clip] :][: z["length"][clip]]
        got = motion.positions[:, motion.skeleton.indices(*z["joints"].tolist())]
        np.testing.assert_allclose(got, expected, atol=6e-5)
        femur = np.linalg.norm(motion.joint("lfemur") - motion.joint("lhipjoint"), axis=-1)
        tibia = np.linalg.norm(motion.joint("ltibia") - motion.joint("lfemur"), axis=-1)
        np.testing.assert_allclose(femur, bones[motion.meta["subject"]][0], atol=6e-4)
        np.testing.assert_allclose(tibia, bones[motion.meta["subject"]][1], atol=6e-4)


def test_a_standing_man_has_canonical_proportions(data_dir: Path):
    (motion,) = read_amc(data_dir / "hdm05/amc_samples/HDM_bk_squat1Reps_013_120.amc")
    mapped = map_joints(motion, AMC_MAP)
    hips = 0.5 * (mapped.joint("left_hip") + mapped.joint("right_hip"))[0]
    heights = [float((mapped.joint(n)[0] - hips)[1]) for n in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    np.testing.assert_allclose(heights, [0.03, 0.12, 0.26, 0.32, 0.52, 0.65], atol=0.04)
