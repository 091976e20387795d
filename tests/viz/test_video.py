"""Videos and filmstrips: whole, repeatable, of the right length, and showing the motion."""

import struct
import sys

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz import video
from rehabmotion.viz.camera import Camera
from rehabmotion.viz.scene import draw_stage, empty_stage
from rehabmotion.viz.stage import set_stage
from rehabmotion.viz.video import render_png, write_mp4


def decoded(path) -> np.ndarray:
    av = pytest.importorskip("av", reason="needs the extra: video")
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 30
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_frame_count_is_that_of_the_longest_motion_at_30_per_second(squat, tmp_path):
    write_mp4([("short", squat(4, fps=20)), ("long", squat(5, fps=10))], tmp_path / "two.mp4")
    frames = decoded(tmp_path / "two.mp4")
    assert frames.shape == (15, 480, 1280, 3)
    # the short one has ended after 0.2 s and holds its last frame; the long one still moves
    held, moving = frames[12:14, 60:420, 40:600], frames[12:14, 60:420, 680:1240]
    assert (
        np.abs(np.diff(held.astype(float), axis=0)).mean() < 0.5 * np.abs(np.diff(moving.astype(float), axis=0)).mean()
    )


def test_same_motion_same_bytes_and_no_litter(squat, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_mp4([("squat", squat(6))], tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_colours_survive_the_encoding(squat, tmp_path):
    """Left is blue, right is orange, in the decoded picture too."""
    write_mp4([("squat", squat(1))], tmp_path / "one.mp4")
    frame = decoded(tmp_path / "one.mp4")[0].astype(int)
    for colour in ((47, 134, 220), (234, 138, 36)):
        near = np.abs(frame - np.array(colour)).max(axis=-1) < 30
        assert near.sum() > 500


def test_without_pyav_the_remedy_is_named(squat, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[video\]"'):
        write_mp4([("squat", squat(2))], tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 13])
def test_number_of_panels_is_bounded(squat, tmp_path, count):
    with pytest.raises(UserError, match="1 to 12"):
        write_mp4([("squat", squat(2))] * count, tmp_path / "a.mp4")


def test_a_failure_leaves_nothing_behind(squat, tmp_path, monkeypatch):
    def fail(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(video, "draw_stage", fail)
    with pytest.raises(KeyboardInterrupt):
        write_mp4([("squat", squat(2))], tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_the_users_error(squat, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="can be written"):
        render_png(squat(2), tmp_path / "file" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match="could not"):
        render_png(squat(2), tmp_path / "folder.png")


def test_filmstrip_has_its_size(squat, tmp_path):
    render_png(squat(30), tmp_path / "a.png", n_frames=3)
    assert struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24]) == (720, 320)
    with pytest.raises(UserError, match="n_frames"):
        render_png(squat(30), tmp_path / "a.png", n_frames=0)


def test_person_stands_where_the_camera_projects_it(squat):
    """Pixels of the left hand's colour are found where the wrist projects, and the head is grey."""
    stage = set_stage(squat(1))
    camera = Camera(320, 240, stage.height, stage.radius)
    pixels = draw_stage(camera, empty_stage(camera), stage, 0.0).astype(int)
    for name, blue in (("left_wrist", True), ("right_wrist", False)):
        x, y = camera.project(stage.positions[0, stage.motion.skeleton.index(name)])[:2].astype(int)
        red, _, b = pixels[y, x]
        assert (b > red + 60) == blue


def test_masked_joints_are_not_drawn(squat):
    motion = squat(1)
    valid = motion.valid.copy()
    valid[:, motion.skeleton.indices("left_elbow", "left_wrist")] = False
    stage, whole = set_stage(motion.but(valid=valid)), set_stage(motion)
    camera = Camera(320, 240, whole.height, whole.radius, yaw=0.0)
    empty = empty_stage(camera)
    drawn = [draw_stage(camera, empty, s, 0.0).astype(int) for s in (whole, stage)]
    blue = [((p[..., 2] - p[..., 0]) > 60).sum() for p in drawn]
    assert blue[1] < 0.75 * blue[0]
