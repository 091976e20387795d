"""Drawn clips: labels that agree with kinematics and with the pictures, chance by seed, people kept apart on disk."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.viz.rendering.views import Cameras
from rehabmotion.workflows import rendered
from rehabmotion.workflows.labels import Take
from rehabmotion.workflows.rendered import (
    OF_CLIP,
    Render,
    Rendered,
    joined,
    open_rendered,
    render_clip,
    render_clips,
    rendered_corpus,
    split,
    write_rendered,
    write_video,
)

BODY = Kinematics(open_osim("rehab37"))
SMALL = Render(size=64, every=5)
SCALES = np.random.default_rng(0).uniform(0.9, 1.1, (22, 3)).astype(np.float32)


def squat(person: str = "s01", n: int = 20) -> Take:
    """Return a squat of somebody who has turned to the left, 0.3 m above where they should stand."""
    q = BODY.default.numpy()[None].repeat(n, 0).astype(np.float32)
    bend = np.sin(np.linspace(0, np.pi, n, dtype=np.float32)) ** 2
    for side in "rl":
        for name, most in (("hip_flexion", 1.4), ("knee_angle", 1.7), ("ankle_angle", 0.5), ("arm_flex", 1.3)):
            q[:, BODY.names.index(f"{name}_{side}")] = most * bend
    q[:, BODY.names.index("pelvis_rotation")] = 0.7
    q[:, BODY.names.index("pelvis_ty")] += 0.3 - 0.35 * bend
    meta = {"person": person, "subject": person, "exercise": "squat"}
    return Take(meta, "uiprmd:1", q, np.full(n, 0.02, np.float32), 100 / 3, SCALES)


@pytest.fixture(scope="module")
def drawn() -> Rendered:
    return render_clips([squat(), squat("s06", 11)], Render(size=48, every=5, views=2))


def test_shapes_and_kinds(drawn: Rendered) -> None:
    n, m = len(drawn), len(BODY.model.markers)
    shapes = {
        "images": (n, 3, 48, 48), "q": (n, 37), "root": (n, 3, 3), "joints": (n, 22, 3), "markers": (n, m, 3),
        "joint_pixels": (n, 22, 2), "marker_pixels": (n, m, 2), "joint_inside": (n, 22), "marker_inside": (n, m),
        "clip": (n,), "scales": (4, 22, 3), "camera": (4, 3, 3), "person": (4,),
    }  # fmt: skip
    assert {name: getattr(drawn, name).shape for name in shapes} == shapes
    assert drawn.images.dtype == np.uint8
    assert set(drawn.clip) == {0, 1, 2, 3}
    assert list(drawn.person) == ["s01", "s01", "s06", "s06"]
    assert all(len(getattr(drawn, f.name)) == (4 if f.name in OF_CLIP else n) for f in fields(Rendered))
    assert 2 * 4 + 2 * 2 <= n <= 2 * 4 + 2 * 3


def test_places_follow_from_root_angles_and_factors(drawn: Rendered) -> None:
    """What a network's kinematic layer makes of the labels are the labels: the pelvis's coordinates are not needed."""
    q = torch.from_numpy(drawn.q.astype(np.float64))
    q[:, :6] = 0
    scales = torch.from_numpy(drawn.scales[drawn.clip].astype(np.float64))
    pose, markers = BODY(q, scales), BODY.markers(q, scales)
    for own, label in ((pose.positions, drawn.joints), (markers, drawn.markers)):
        there = np.einsum("nij,nkj->nki", drawn.root, (own - pose.positions[:, :1]).numpy())
        np.testing.assert_allclose(there, label, atol=1e-5)


def test_pixels_follow_from_places_and_focal_length(drawn: Rendered) -> None:
    places = drawn.joints + drawn.origin[:, None]
    focal = drawn.focal[drawn.clip][:, None, None]
    np.testing.assert_allclose(24 + focal * places[..., :2] / places[..., 2:], drawn.joint_pixels, atol=0.01)
    inside = ((drawn.joint_pixels >= 0) & (drawn.joint_pixels < 48)).all(axis=-1)
    np.testing.assert_array_equal(inside, drawn.joint_inside)
    assert drawn.joint_inside.mean() > 0.95


def test_the_pelvis_stands_where_camera_and_coordinates_say(drawn: Rendered) -> None:
    """q is of ground with the floor at y = 0; the unscaled pelvis's origin is its translation."""
    ground = drawn.q[:, 3:6]
    seen = np.einsum("nij,nj->ni", drawn.camera[drawn.clip], ground - drawn.place[drawn.clip])
    np.testing.assert_allclose(seen, drawn.origin, atol=1e-5)
    lowest = (np.einsum("nji,nkj->nki", drawn.camera[drawn.clip], drawn.joints + drawn.origin[:, None]))[..., 1].min()
    assert lowest + drawn.place[0, 1] > -2  # no fall through the floor by metres
    assert (drawn.floor > 0.1).all()  # the squat hovered


def test_joints_lie_on_the_person_in_the_picture() -> None:
    """Two people of one pose before one room: pixels that differ are persons and their shadows; joints are on them."""
    take, how = squat(n=8), Render(size=96, every=8, cameras=Cameras(fov_deg=(50, 50)))
    still = render_clip(take, how, 3)
    with pytest.MonkeyPatch.context() as patch:
        seen = list[np.ndarray]()
        draw = rendered.Scene.draw

        def kept(self, rotations, positions):  # type: ignore[no-untyped-def]
            frame = draw(self, rotations, positions)
            seen.append(frame.cover)
            return frame

        patch.setattr(rendered.Scene, "draw", kept)
        again = render_clip(take, how, 3)
    np.testing.assert_array_equal(still.images, again.images)
    for cover, pixels, inside in zip(seen, still.joint_pixels, still.joint_inside, strict=True):
        column, row = np.floor(pixels[inside]).astype(int).T
        assert distance_transform_edt(cover < 0.5)[row, column].max() <= 1.5


def test_chance_is_the_seeds_the_clips_and_the_views() -> None:
    take = squat(n=6)
    one = render_clip(take, SMALL, 4)
    np.testing.assert_array_equal(one.images, render_clip(take, SMALL, 4).images)
    for other in (
        render_clip(take, SMALL, 5),
        render_clip(take, SMALL, 4, 1),
        render_clip(take, replace(SMALL, seed=1), 4),
    ):
        assert not np.allclose(other.focal, one.focal)
    parts = joined([render_clips([take], SMALL, 7), render_clips([take], SMALL, 8)])
    whole = render_clips([take, take], SMALL, 7)
    np.testing.assert_array_equal(parts.images, whole.images)
    np.testing.assert_array_equal(parts.clip, whole.clip)


def test_frames_are_chosen_evenly() -> None:
    whole = render_clip(squat(n=20), Render(size=16, every=1))
    np.testing.assert_allclose(whole.times, np.arange(20) * 0.03, atol=1e-6)
    few = render_clip(squat(n=20), Render(size=16, every=1, most=3))
    np.testing.assert_allclose(few.times, np.array([0, 10, 19]) * 0.03, atol=0.031)
    third = render_clip(squat(n=20), Render(size=16, every=3))
    np.testing.assert_allclose(np.diff(third.times), 0.09, atol=1e-6)
    assert len(render_clip(squat(n=1), Render(size=16, every=50))) == 1  # a short clip shows a frame all the same


def test_files_keep_people_apart_and_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    takes = [squat("s01", 6), squat("s06", 6), squat("s01", 6), squat("../p q", 6)]
    monkeypatch.setattr(rendered, "PER_FILE", 3)
    said = list[str]()
    files = write_rendered(takes, tmp_path / "out", SMALL, said.append)
    assert len(said) == sum(len(own) for own in files.values())
    assert sorted(files) == ["../p q", "s01", "s06"]
    assert {path.parent for own in files.values() for path in own} == {tmp_path / "out"}
    back = joined(open_rendered(path) for path in files["s01"])
    wanted = joined(render_clip(takes[i], SMALL, i) for i in (0, 2))
    for field in fields(Rendered):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(wanted, field.name))
    assert write_rendered(takes, tmp_path / "out", SMALL, said.append) == files
    assert len(said) == sum(len(own) for own in files.values())  # nothing was drawn again
    assert split({k: v for k, v in files.items() if k[0] == "s"}, "uiprmd-vicon", "val") == files["s06"]
    assert split({k: v for k, v in files.items() if k[0] == "s"}, "uiprmd-vicon", "train") == files["s01"]
    with pytest.raises(UserError, match='"test"'):
        split(files, "uiprmd-vicon", "test")


def test_a_corpus_is_drawn_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path))
    monkeypatch.setattr(rendered, "labels", lambda name, data_dir, say: [squat("s01", 6), squat("s06", 6)])
    monkeypatch.setattr(rendered, "corpus_root", lambda name, data_dir: Path("nowhere"))
    files = rendered_corpus("uiprmd-vicon", SMALL)
    assert sorted(files) == ["s01", "s06"]
    assert tmp_path in files["s01"][0].parents
    monkeypatch.setattr(rendered, "labels", lambda *_: pytest.fail("drawn twice"))
    assert rendered_corpus("uiprmd-vicon", SMALL) == files


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, data in (("a.npz", b"PK\x03\x04 no"), ("b.npz", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match="Expected"):
            open_rendered(tmp_path / name)
    np.savez(tmp_path / "c.npz", images=np.zeros(3))
    with pytest.raises(UserError, match="drawn frames"):
        open_rendered(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", **{f.name: np.array([{}], object) for f in fields(Rendered)})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="drawn frames"):
        open_rendered(tmp_path / "d.npz")


@pytest.mark.parametrize("wrong", [{"size": 8}, {"size": 5000}, {"every": 0}, {"views": 0}, {"most": -1}, {"seed": -1}])
def test_impossible_wishes_are_refused(wrong) -> None:
    with pytest.raises(UserError, match="Expected"):
        Render(**wrong)


def test_impossible_takes_are_refused() -> None:
    take = squat(n=6)
    bad = take.q.copy()
    bad[:, 7] = np.nan
    for q, word in ((take.q[:0], "frame"), (take.q[:, :30], "coordinates"), (bad, "numbers")):
        with pytest.raises(UserError, match=word):
            render_clip(replace(take, q=q), SMALL)
    with pytest.raises(UserError, match="factors"):
        render_clip(replace(take, scales=0 * take.scales), SMALL)
    with pytest.raises(UserError, match="most"):
        write_rendered([replace(take, q=take.q.repeat(200, axis=0))], Path("nowhere"), Render(size=512, every=1))
    with pytest.raises(UserError, match="at least one clip"):
        render_clips([], SMALL)


def test_a_clip_is_written_for_people(drawn: Rendered, tmp_path: Path) -> None:
    write_video(drawn, tmp_path / "clip.png", 3)
    assert (tmp_path / "clip.png").read_bytes().startswith(b"\x89PNG")
    av = pytest.importorskip("av")
    write_video(drawn, tmp_path / "clip.mp4", 2, "hip_flexion_l")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].width == 384
        times = drawn.times[drawn.clip == 2]
        assert container.streams.video[0].frames == 1 + int((times[-1] - times[0]) * 30)
    for path, clip, coordinate in (("x.gif", 0, "knee_angle_r"), ("x.png", 9, "knee_angle_r"), ("x.png", 0, "knee")):
        with pytest.raises(UserError, match="Expected"):
            write_video(drawn, tmp_path / path, clip, coordinate)
    assert not (tmp_path / "x.png").exists()
