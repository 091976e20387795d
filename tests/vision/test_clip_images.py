"""Folders of images in."""

import numpy as np
import pytest
from made_videos import corners, greys, number, quadrants, set_orientation, write_image, write_video

from rehabmotion.errors import UserError
from rehabmotion.vision.clip import open_clip
from rehabmotion.vision.images import exif_orientation

pytest.importorskip("av", reason="needs the extra: video")


def pngs(folder, images, name="im{}.png"):
    folder.mkdir(exist_ok=True)
    return [write_image(folder / name.format(i), image, "png", "rgb24") for i, image in enumerate(images)]


def test_images_come_in_natural_order_at_the_rate(tmp_path):
    pngs(tmp_path / "walk", greys(12))
    clip = open_clip(tmp_path / "walk", fps=25)
    frames = list(clip)
    assert (clip.name, clip.size, clip.fps, clip.n_frames, clip.warnings) == ("walk", (64, 48), 25, 12, [])
    assert [number(f.image) for f in frames] == list(range(12))
    assert [f.time for f in frames] == [i / 25 for i in range(12)]
    assert open_clip(tmp_path / "walk").fps == 30


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.png", "png", "rgb24"),
        ("a.png", "png", "rgba"),
        ("a.png", "png", "rgb48be"),
        ("a.jpg", "mjpeg", "yuvj420p"),
        ("a.JPEG", "mjpeg", "yuvj444p"),
        ("a.bmp", "bmp", "bgr24"),
        ("a.webp", "libwebp", "bgra"),
    ],
)
def test_every_kind_shows_its_colours(tmp_path, name, codec, pixels):
    path = write_image(tmp_path / name, quadrants(), codec, pixels)
    for source in (path, tmp_path):
        (frame,) = open_clip(source)
        assert frame.image.shape == (48, 64, 3)
        assert corners(frame.image) == ["r", "g", "b", "k"]


def test_png_is_exact(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (48, 63, 3), np.uint8)
    pngs(tmp_path, [image])
    np.testing.assert_array_equal(next(iter(open_clip(tmp_path))).image, image)


# EXIF 2.32: where the stored upper-left quadrant is shown, told by all four corners
ORIENTATIONS = ["rgbk", "grkb", "kbgr", "bkrg", "rbgk", "brkg", "kgbr", "gkrb"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_photos_stand_upright(tmp_path, orientation, order):
    path = write_image(tmp_path / "a.jpg", quadrants(), "mjpeg", "yuvj420p")
    clip = open_clip(set_orientation(path, orientation, order))
    assert corners(next(iter(clip)).image) == list(ORIENTATIONS[orientation - 1])
    assert clip.size == ((48, 64) if orientation > 4 else (64, 48))


@pytest.mark.parametrize("cut", [1, 5, 9, 15])
def test_a_broken_orientation_is_upright(tmp_path, cut):
    path = set_orientation(write_image(tmp_path / "a.jpg", quadrants(), "mjpeg", "yuvj420p"), 6)
    data = path.read_bytes()
    at = data.index(b"Exif\0\0") + 6 + cut + 4
    assert exif_orientation(data[:at]) == 1


def test_images_of_another_size_are_refused_by_name(tmp_path):
    pngs(tmp_path, [*greys(2), greys(1, 32, 24)[0]])
    clip = open_clip(tmp_path)
    with pytest.raises(UserError, match=r"im2\.png: Expected 64 x 48 pixels as in im0\.png, got 32 x 24"):
        list(clip)
    with pytest.raises(UserError, match=r"im2\.png"):
        list(open_clip(tmp_path, longest=16))


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:40], lambda data: b"text"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_broken_image_is_left_out_and_its_time_stays_free(tmp_path, spoil, which):
    path = pngs(tmp_path, greys(3))[which]
    path.write_bytes(spoil(path.read_bytes()))
    clip = open_clip(tmp_path, fps=10)
    assert [round(f.time * 10) for f in clip] == [i for i in range(3) if i != which]
    assert len(clip.warnings) == 1
    assert path.name in clip.warnings[0]


def test_only_broken_images_are_refused(tmp_path):
    for path in pngs(tmp_path, greys(2)):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"im1\.png"):
        open_clip(tmp_path)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_the_rate_is_checked(tmp_path, fps):
    pngs(tmp_path, greys(1))
    with pytest.raises(UserError, match="fps"):
        open_clip(tmp_path, fps=fps)


def test_a_folder_of_videos_is_no_clip(tmp_path):
    write_video(tmp_path / "a.mp4", greys(1))
    with pytest.raises(UserError, match="one by one"):
        open_clip(tmp_path)


def test_longest(tmp_path):
    pngs(tmp_path, [quadrants()])
    clip = open_clip(tmp_path, longest=32)
    assert next(iter(clip)).image.shape == (24, 32, 3)
    assert (clip.size, clip.image_size, clip.scale) == ((64, 48), (32, 24), (0.5, 0.5))
