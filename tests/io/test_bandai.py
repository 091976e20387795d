"""The Bandai-Namco archive: joint_Root is masked, sides and axes are right in the real clips."""

from pathlib import Path

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io.bandai import BANDAI_MAP, read_bandai
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import map_joints


def archive(path: Path, joints: list[str], lengths: tuple[int, ...] = (3,)) -> Path:
    """Write an archive of still clips, joint j at (j, 2 j, 3 j) cm."""
    still = np.arange(len(joints))[:, None] * np.array([10, 20, 30])
    pos_d = np.zeros((3 * len(joints), sum(lengths)), dtype=np.int16)
    pos_d[:, 0] = still.ravel()
    n = len(lengths)
    np.savez(
        path,
        pos_d=pos_d,
        start=np.cumsum([0, *lengths[:-1]]),
        length=np.array(lengths),
        name=np.array([f"dataset-2_walk_elderly_{i:03d}" for i in range(n)]),
        content=np.array(["walk"] * n),
        style=np.array(["elderly"] * n),
        joints=np.array(joints),
        parents=np.array([-1] + [0] * (len(joints) - 1)),
        fps=np.float32(30),
        unit_mm=np.float32(1),
    )
    return path


JOINTS = ["joint_Root", *sorted({source for sources in BANDAI_MAP.values() for source in sources})]


def test_the_root_of_the_room_is_masked_and_nothing_else(tmp_path: Path):
    (motion,) = read_bandai(archive(tmp_path / "x.npz", JOINTS))
    assert motion.meta["source"] == "bandai"
    assert motion.meta["subject"] is None
    assert not motion.valid[:, 0].any()
    assert motion.valid[:, 1:].all()
    np.testing.assert_allclose(motion.positions[0, 2], [0.02, 0.04, 0.06], rtol=1e-6)


def test_other_joints_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"x\.npz: Expected the joints"):
        read_bandai(archive(tmp_path / "x.npz", ["joint_Root", "Hips", "Spine"]))


def test_map_is_whole_and_sums_to_one():
    assert set(BANDAI_MAP) == set(CANONICAL.joint_names)
    assert all(sum(sources.values()) == pytest.approx(1) for sources in BANDAI_MAP.values())


@pytest.fixture(scope="module")
def clips(data_dir: Path) -> list[Motion]:
    return read_bandai(data_dir / "bandai" / "bandai_motion_30hz.npz")


def test_real_archive_has_2759_clips_of_one_skeleton(clips: list[Motion]):
    assert len(clips) == 2759
    assert sum(clip.n_frames for clip in clips) == 363_014
    thighs = [np.linalg.norm(c.joint("LowerLeg_L") - c.joint("UpperLeg_L"), axis=-1)[0] for c in clips[::50]]
    assert np.ptp(thighs) < 0.003  # millimetres are rounded


def test_real_hands_rise_on_the_side_the_label_names(clips: list[Motion]):
    for clip in clips[::7]:
        content = clip.meta["content"]
        if content in ("raise-up-left-hand", "raise-up-right-hand"):
            left, right = (clip.joint(f"Hand_{s}")[:, 1].max() for s in "LR")
            assert (left > right) == (content == "raise-up-left-hand")


def test_real_people_stand_on_the_floor_and_face_along_their_toes(clips: list[Motion]):
    for clip in clips[::100]:
        mapped = map_joints(clip, BANDAI_MAP)
        assert -0.05 < np.percentile(mapped.joint("left_foot")[:, 1], 5) < 0.12
        across = (mapped.joint("left_hip") - mapped.joint("right_hip")).mean(axis=0)
        toes = (mapped.joint("left_foot") - mapped.joint("left_ankle")).mean(axis=0)
        assert np.cross(across, [0, 1, 0]) @ toes > 0  # left x up = forward
