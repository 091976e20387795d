"""Reading BVH: closed forms, what the format leaves open, real files against positions published beside them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.io.bvh import read_bvh
from rehabmotion.motion import Motion

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LEG = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Knee
  {
    OFFSET 0 -40 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    JOINT Ankle
    {
      OFFSET 0 -42 0
      CHANNELS 3 Zrotation Yrotation Xrotation
      End Site
      {
        OFFSET 0 0 15
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 0 0 0 0 0 0 0 0 0
10 90 5 90 0 0 90 0 0 0 0 0
"""


def read(tmp_path: Path, text: str, unit: str | None = None) -> Motion:
    (tmp_path / "a.bvh").write_text(text)
    (motion,) = read_bvh(tmp_path / "a.bvh", unit)
    return motion


def test_forward_kinematics_by_hand(tmp_path: Path) -> None:
    """Second frame: the root turned 90 degrees about z carries -y to +x; the knee then turns about that bone's x."""
    motion = read(tmp_path, LEG)
    assert motion.skeleton.joint_names == ("Hips", "Knee", "Ankle")
    assert motion.skeleton.parents == (-1, 0, 1)
    assert (motion.fps, motion.meta["unit"], motion.meta["name"]) == (30.0, "cm", "a")
    assert motion.positions[0] == pytest.approx(np.array([[0, 0.9, 0], [0, 0.5, 0], [0, 0.08, 0]]), abs=1e-6)
    # knee: (0.1, 0.9, 0.05) + Rz(90)(0, -0.4, 0); shank: Rz(90) Rx(90) (0, -0.42, 0) = Rz(90)(0, 0, -0.42)
    expected = np.array([[0.1, 0.9, 0.05], [0.5, 0.9, 0.05], [0.5, 0.9, -0.37]])
    assert motion.positions[1] == pytest.approx(expected, abs=1e-6)


def test_rotations_apply_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Z then X is not X then Z: Rz(90) Rx(90) carries -y to -z, Rx(90) Rz(90) carries it to +x."""
    row = "0 90 0 90 90 0 0 0 0 0 0 0"
    text = LEG.replace("Frames: 2", "Frames: 1").rsplit("\n", 3)[0] + f"\n{row}\n"
    shank = read(tmp_path, text).positions[0]
    assert shank[1] - shank[0] == pytest.approx([0, 0, -0.4], abs=1e-6)
    swapped = text.replace("Zrotation Xrotation Yrotation", "Xrotation Zrotation Yrotation")
    shank = read(tmp_path, swapped).positions[0]
    assert shank[1] - shank[0] == pytest.approx([0.4, 0, 0], abs=1e-6)


def test_position_channels_replace_the_offset(tmp_path: Path) -> None:
    """Adding both would double the bone: the joint sits where its channels say, in its parent's frame."""
    text = LEG.replace("CHANNELS 3 Xrotation", "CHANNELS 6 Yposition Xposition Zposition Xrotation")
    text = text.replace("0 90 0 0 0 0 0 0 0 0 0 0", "0 90 0 0 0 0 -41 1 0 0 0 0 0 0 0")
    text = text.replace("10 90 5 90 0 0 90 0 0 0 0 0", "10 90 5 90 0 0 -41 1 0 0 0 0 0 0 0")
    motion = read(tmp_path, text)
    assert motion.positions[0, 1] == pytest.approx([0.01, 0.49, 0], abs=1e-6)
    assert motion.positions[1, 1] == pytest.approx([0.1 + 0.41, 0.91, 0.05], abs=1e-6)


def test_a_lone_position_channel_leaves_the_other_offsets(tmp_path: Path) -> None:
    text = LEG.replace("CHANNELS 3 Xrotation Yrotation Zrotation", "CHANNELS 1 Xposition")
    text = text.replace("0 90 0 0 0 0 0 0 0 0 0 0", "0 90 0 0 0 0 3 0 0 0")
    text = text.replace("10 90 5 90 0 0 90 0 0 0 0 0", "0 90 0 0 0 0 3 0 0 0")
    assert read(tmp_path, text).positions[0, 1] == pytest.approx([0.03, 0.5, 0], abs=1e-6)


def test_loose_layout_is_read(tmp_path: Path) -> None:
    """Braces on the joint's line, tabs, CRLF, names with spaces, several roots, no End Site."""
    text = (
        "HIERARCHY\r\nROOT a b {\r\n\tOFFSET 0 0 0\r\n\tCHANNELS 3 Xposition Yposition Zposition\r\n"
        "\tJOINT c { OFFSET 0 0 50 }\r\n}\r\nROOT d\r\n{\r\nOFFSET 1 2 3\r\nCHANNELS 0\r\n}\r\n"
        "MOTION\r\nFrames:\t1\r\nFrame  Time: 0.01\r\n0 1 0\r\n\r\n"
    ).replace("c { OFFSET 0 0 50 }", "c {\r\n OFFSET 0 0 50\r\n }")
    motion = read(tmp_path, text)
    assert motion.skeleton.joint_names == ("a b", "c", "d")
    assert motion.skeleton.parents == (-1, 0, -1)
    assert motion.positions[0] == pytest.approx(np.array([[0, 0.01, 0], [0, 0.01, 0.5], [0.01, 0.02, 0.03]]))


@pytest.mark.parametrize(("scale", "unit"), [(0.01, "m"), (1.0, "cm"), (10.0, "mm")])
def test_the_unit_is_told_from_the_size_of_the_limbs(tmp_path: Path, scale: float, unit: str) -> None:
    text = LEG.replace("-40", f"{-40 * scale}").replace("-42", f"{-42 * scale}")
    motion = read(tmp_path, text)
    assert motion.meta["unit"] == unit
    assert np.linalg.norm(motion.positions[0, 2] - motion.positions[0, 1]) == pytest.approx(0.42, abs=1e-5)


def test_the_unit_of_cmu_conversions_is_known_by_a_joint(tmp_path: Path) -> None:
    text = LEG.replace("-40", "-7.2").replace("-42", "-7.5").replace("Knee", "LHipJoint")
    motion = read(tmp_path, text)
    assert motion.meta["unit"] == "cmu"
    assert np.linalg.norm(motion.positions[0, 1] - motion.positions[0, 0]) == pytest.approx(7.2 * 0.0254 / 0.45)


def test_the_unit_may_be_given(tmp_path: Path) -> None:
    assert read(tmp_path, LEG, unit="mm").positions[0, 0, 1] == pytest.approx(0.09)
    with pytest.raises(UserError, match="unit"):
        read(tmp_path, LEG, unit="ell")


BAD = {
    "no bvh": "hello",
    "empty tree": "HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 1\n0\n",
    "no motion": LEG.split("MOTION")[0],
    "nothing after motion": LEG.split("Frames")[0],
    "brace": LEG.replace("}\nMOTION", "MOTION"),
    "brace too many": LEG.replace("}\nMOTION", "}\n}\nMOTION"),
    "no offset": LEG.replace("    OFFSET 0 -40 0\n", ""),
    "offset of two": LEG.replace("OFFSET 0 -40 0", "OFFSET 0 -40"),
    "offset nan": LEG.replace("OFFSET 0 -40 0", "OFFSET 0 nan 0"),
    "offset huge": LEG.replace("OFFSET 0 -40 0", "OFFSET 0 1e300 0"),
    "channel count": LEG.replace("CHANNELS 3 Z", "CHANNELS 4 Z"),
    "channel count huge": LEG.replace("CHANNELS 3 Z", "CHANNELS 99999999999999999999 Z"),
    "channel name": LEG.replace("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation"),
    "channel twice": LEG.replace("Zrotation Yrotation Xrotation", "Zrotation Zrotation Xrotation"),
    "same name twice": LEG.replace("JOINT Ankle", "JOINT Knee"),
    "joint outside": LEG.replace("ROOT", "JOINT", 1),
    "root inside": LEG.replace("JOINT Knee", "ROOT Knee"),
    "unknown word": LEG.replace("OFFSET 0 -40 0", "OFSET 0 -40 0"),
    "frames too many": LEG.replace("Frames: 2", "Frames: 3"),
    "frames too few": LEG.replace("Frames: 2", "Frames: 1"),
    "frames a billion": LEG.replace("Frames: 2", "Frames: 999999999999"),
    "no frames": LEG.split("Frames:")[0] + "Frames: 0\nFrame Time: 0.03\n",
    "frame time zero": LEG.replace("0.0333333", "0"),
    "frame time word": LEG.replace("0.0333333", "fast"),
    "short row": LEG[:-3] + "\n",
    "long row": LEG.replace("0 90 0 0", "0 0 90 0 0"),
    "nan": LEG.replace("10 90 5", "10 nan 5"),
    "word": LEG.replace("10 90 5", "10 x 5"),
    "all in one point": LEG.replace("-40", "0").replace("-42", "0"),
    "deep": "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + "".join(f"JOINT j{i}\n{{\nOFFSET 0 1 0\n" for i in range(2000)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, BAD[name])
    assert "a.bvh" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_line_of_a_fault_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 25: Expected finite"):
        read(tmp_path, BAD["nan"])
    with pytest.raises(UserError, match="line 8"):
        read(tmp_path, BAD["offset of two"])


@quick
@given(st.integers(0, len(LEG)), st.binary(max_size=60), st.integers(0, 40))
def test_garbage_raises_user_error_only(tmp_path: Path, cut: int, garbage: bytes, skip: int) -> None:
    """A good file with bytes overwritten or cut off anywhere: a motion or a UserError, nothing else."""
    data = LEG.encode()
    (tmp_path / "a.bvh").write_bytes(data[:cut] + garbage + data[cut + skip :])
    try:
        (motion,) = read_bvh(tmp_path / "a.bvh")
    except UserError:
        return
    assert np.isfinite(motion.positions).all()


@quick
@given(st.lists(st.sampled_from([*LEG.split(), "{", "}", "\n", "nan", "1e999", "-1"]), max_size=60))
def test_shuffled_words_raise_user_error_only(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "a.bvh").write_text("HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + " ".join(words).replace(" \n ", "\n"))
    with pytest.raises(UserError):
        read_bvh(tmp_path / "a.bvh")


def test_real_files_give_the_positions_published_beside_them(data_dir: Path) -> None:
    """24 native files against positions kept as whole millimetres: equal to the rounding."""
    packed = np.load(data_dir / "bandai" / "bandai_motion_30hz.npz")
    every = np.cumsum(packed["pos_d"], axis=1, dtype=np.int16).T.reshape(-1, len(packed["joints"]), 3)
    names = packed["name"].tolist()
    paths = sorted((data_dir / "bandai" / "bvh_samples").glob("*.bvh"))
    assert len(paths) >= 20
    for path in paths:
        (motion,) = read_bvh(path)
        start, length = (int(packed[key][names.index(path.stem)]) for key in ("start", "length"))
        assert (motion.fps, motion.meta["unit"], motion.n_frames) == (30, "cm", length)
        assert motion.skeleton.joint_names == tuple(packed["joints"].tolist())
        assert 1000 * motion.positions == pytest.approx(every[start : start + length], abs=0.51)
