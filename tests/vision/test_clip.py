"""Video files in: upright pictures with rising times, and one clear line where a file is not what it should be."""

import sys
from fractions import Fraction
from itertools import islice, pairwise

import numpy as np
import pytest
from made_videos import corners, greys, number, quadrants, set_edit, set_matrix, write_image, write_sound, write_video

from rehabmotion.errors import UserError
from rehabmotion.vision.clip import Clip, open_clip

pytest.importorskip("av", reason="needs the extra: video")


def read(path, **options) -> tuple[Clip, list[int], list[float]]:
    clip = open_clip(path, **options)
    frames = list(clip)
    return clip, [number(f.image) for f in frames], [f.time for f in frames]


@pytest.mark.parametrize("rate", [5, 30, 240])
def test_each_frame_comes_once_at_its_time(tmp_path, rate):
    clip, numbers, times = read(write_video(tmp_path / "a.mp4", greys(8), rate=rate))
    assert (clip.name, clip.size, clip.fps, clip.n_frames) == ("a.mp4", (64, 48), rate, 8)
    assert numbers == list(range(8))
    np.testing.assert_allclose(times, np.arange(8) / rate, atol=1e-3 / rate)
    assert clip.scale == (1, 1)
    assert clip.warnings == []


def test_a_frame_is_rgb_bytes(tmp_path):
    frame = next(iter(open_clip(write_video(tmp_path / "a.mp4", [quadrants()]))))
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    assert corners(frame.image) == ["r", "g", "b", "k"]


@pytest.mark.parametrize("start", [0, 1000])
def test_times_of_a_variable_rate_are_those_of_presentation_from_0(tmp_path, start):
    times_ms = [0, 10, 110, 130, 500, 520]
    path = write_video(tmp_path / "a.mp4", greys(6), times_ms=[start + t for t in times_ms])
    clip, numbers, times = read(path)
    np.testing.assert_allclose(times, np.array(times_ms) / 1000, atol=1e-4)
    assert numbers == list(range(6))
    assert clip.warnings == []


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.mov", "mjpeg", "yuvj420p"),
        ("a.gif", "gif", "rgb8"),
    ],
)
def test_other_containers_give_the_same(tmp_path, name, codec, pixels):
    path = write_video(tmp_path / name, greys(8), rate=25, codec=codec, pixels=pixels)
    clip, numbers, times = read(path)
    assert np.abs(np.array(numbers) - np.arange(8)).max() <= 1  # old codecs blur from frame to frame
    np.testing.assert_allclose(times, np.arange(8) / 25, atol=1.1e-3)
    assert clip.warnings == []


def test_h264_in_avi_loses_no_frame(tmp_path):
    """AVI has no presentation times; those FFmpeg makes up jump back and forth, and 3 of 8 frames seemed repeated."""
    clip, numbers, times = read(write_video(tmp_path / "a.avi", greys(8)))
    assert numbers == list(range(8))
    np.testing.assert_allclose(times, np.arange(8) / 30, atol=1e-6)
    assert clip.warnings == []


def test_a_stream_without_times_is_spaced_evenly_and_says_so(tmp_path):
    path = write_video(tmp_path / "a.mpg", greys(6), form="h264")
    clip, numbers, times = read(path)
    assert numbers == list(range(6))
    np.testing.assert_allclose(times, np.arange(6) / clip.fps)
    assert "without a time: 6" in clip.warnings[0]


# what a phone writes when it was turned: the display matrix a, b, c, d; then the corners and whether it is upright
@pytest.mark.parametrize(
    ("matrix", "seen", "size"),
    [
        ((1, 0, 0, 1), "rgbk", (64, 48)),
        ((0, 1, -1, 0), "brkg", (48, 64)),  # a quarter turn to the right
        ((-1, 0, 0, -1), "kbgr", (64, 48)),
        ((0, -1, 1, 0), "gkrb", (48, 64)),
        ((-1, 0, 0, 1), "grkb", (64, 48)),  # a mirror, as some front cameras write
        ((0, 1, 1, 0), "rbgk", (48, 64)),
    ],
)
def test_pictures_stand_upright(tmp_path, matrix, seen, size):
    clip = open_clip(set_matrix(write_video(tmp_path / "a.mp4", [quadrants()] * 2), *matrix))
    frames = list(clip)
    assert clip.size == size
    assert clip.warnings == []
    assert [corners(f.image) for f in frames] == [list(seen)] * 2
    assert frames[0].image.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (0.7, 0.7, -0.7, 0.7)])
def test_a_turn_by_no_quarter_is_said(tmp_path, matrix):
    clip = open_clip(set_matrix(write_video(tmp_path / "a.mp4", [quadrants()]), *matrix))
    assert corners(next(iter(clip)).image) == ["r", "g", "b", "k"]
    assert "no quarter turn" in clip.warnings[0]


@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (0, 1, -1, 0)])
def test_longest_scales_down_and_positions_map_back(tmp_path, matrix):
    """A white spot 8 pixels wide, its middle at (100, 60): found again to half a pixel of the original."""
    image = np.zeros((120, 240, 3), np.uint8)
    image[56:64, 96:104] = 255
    path = set_matrix(write_video(tmp_path / "a.mp4", [image]), *matrix)
    clip = open_clip(path, longest=90)
    small = next(iter(clip)).image
    assert small.shape == (*clip.image_size[::-1], 3)
    assert (max(clip.image_size), max(clip.size)) == (90, 240)
    weight = small.mean(axis=2) * (small.mean(axis=2) > 60)
    y, x = ((np.indices(weight.shape) + 0.5) * weight).sum(axis=(1, 2)) / weight.sum()
    place = np.array([x, y]) / clip.scale
    np.testing.assert_allclose(place, (100, 60) if matrix[0] else (60, 100), atol=0.5)


def test_longest_never_enlarges(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", greys(1)), longest=1000)
    assert clip.image_size == clip.size == (64, 48)


@pytest.mark.parametrize(("aspect", "size", "said"), [((16, 11), (93, 48), 0), ((5, 1), (64, 48), 1)])
def test_pixels_that_are_not_square_become_so(tmp_path, aspect, size, said):
    clip = open_clip(write_video(tmp_path / "a.mp4", [quadrants()], aspect=Fraction(*aspect)))
    assert next(iter(clip)).image.shape == (size[1], size[0], 3)
    assert clip.size == size
    assert len(clip.warnings) == said


def test_iterating_again_decodes_again_and_two_at_once_do_not_meet(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", greys(6)))
    first, second = iter(clip), iter(clip)
    assert [number(f.image) for f in islice(first, 3)] == [0, 1, 2]
    assert [number(f.image) for f in second] == list(range(6))
    assert [number(f.image) for f in first] == [3, 4, 5]
    assert [number(f.image) for f in clip] == list(range(6))


def test_decoding_is_lazy(tmp_path, monkeypatch):
    """Three frames of 200 are taken; hardly more than what the decoder's threads need has been read."""
    from rehabmotion.vision import clip_av

    n_read = 0
    original = clip_av._packets

    def counted(*args):
        nonlocal n_read
        for packet in original(*args):
            n_read += 1
            yield packet

    monkeypatch.setattr(clip_av, "_packets", counted)
    clip = open_clip(write_video(tmp_path / "a.mp4", greys(200)))
    assert len(list(islice(clip, 3))) == 3
    assert n_read < 150


def test_a_truncated_video_gives_what_is_whole_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    path = write_video(tmp_path / "a.mp4", [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)])
    whole = [f.image for f in open_clip(path)]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    clip = open_clip(path)
    frames = list(clip)
    assert 15 < len(frames) < 45
    for frame in frames[:-5]:
        np.testing.assert_array_equal(frame.image, whole[round(frame.time * 30)])
    assert any("of 2.00 s: it is cut off" in line for line in clip.warnings)
    n = len(clip.warnings)
    assert len(list(clip)) == len(frames)
    assert len(clip.warnings) == n  # said once


def test_a_trimmed_video_is_not_called_cut_off(tmp_path):
    """A phone's trimming keeps all frames in the file and shows some."""
    path = write_video(tmp_path / "a.mp4", greys(60))
    clip, numbers, _ = read(set_edit(path, 1000))
    assert numbers == list(range(30))
    assert clip.warnings == []


def test_a_last_frame_that_is_shown_for_long_is_no_cut(tmp_path):
    """As in a screen recording at rest: 10 frames in 0.1 s, the last for 3 s."""
    times_ms = list(range(0, 100, 10))
    path = write_video(tmp_path / "a.mp4", greys(10), times_ms=times_ms, codec="mpeg4", hold_ms=3000)
    clip, _, times = read(path)
    np.testing.assert_allclose(times, np.arange(10) / 100, atol=1e-4)
    assert clip.fps == pytest.approx(10 / 3.09)  # the mean
    assert clip.warnings == []


def test_pictures_that_change_size_end_the_clip(tmp_path):
    """Transport streams can simply be joined."""
    parts = [write_video(tmp_path / f"{w}.ts", greys(6, w, 48), codec="mpeg2video") for w in (64, 96)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    clip, numbers, _ = read(path)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 3  # the last suffer from the joint
    assert any("change from 64 x 48 to 96 x 48" in line for line in clip.warnings)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"It was a dark and stormy night.\n" * 50, "could not read bad.mp4"),
        (bytes(10_000), "bad.mp4"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.mp4\n#EXT-X-ENDLIST\n", "could not read bad.mp4"),
        (b"ffconcat version 1.0\nfile a.mp4\n", "could not read bad.mp4"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, data, words):
    write_video(tmp_path / "a.mp4", greys(2))
    (tmp_path / "bad.mp4").write_bytes(data)
    with pytest.raises(UserError, match=words):
        open_clip(tmp_path / "bad.mp4")


@pytest.mark.parametrize("keep", [40, 0.3])
def test_an_mp4_without_its_index_is_refused(tmp_path, keep):
    data = write_video(tmp_path / "a.mp4", greys(30)).read_bytes()
    (tmp_path / "b.mp4").write_bytes(data[: keep if keep > 1 else int(keep * len(data))])
    with pytest.raises(UserError, match=r"b\.mp4"):
        open_clip(tmp_path / "b.mp4")


def test_sound_only_is_refused(tmp_path):
    with pytest.raises(UserError, match="sound only"):
        open_clip(write_sound(tmp_path / "a.mp4"))


def test_a_folder_named_as_a_video_and_a_missing_path_are_refused(tmp_path):
    (tmp_path / "x.mp4").mkdir()
    with pytest.raises(UserError, match="got neither"):
        open_clip(tmp_path / "x.mp4")
    with pytest.raises(UserError, match="existing"):
        open_clip(tmp_path / "y.mp4")
    with pytest.raises(UserError):
        open_clip("a\0b.mp4")


def test_a_file_that_vanishes_is_refused_when_read(tmp_path):
    path = write_video(tmp_path / "a.mp4", greys(2))
    clip = open_clip(path)
    path.unlink()
    with pytest.raises(UserError, match=r"a\.mp4"):
        list(clip)


@pytest.mark.parametrize("name", ["a:b.mp4", "img%03d.mp4", "no suffix", "ÄÖ 深.mp4"])
def test_odd_names(tmp_path, monkeypatch, name):
    """FFmpeg takes what stands before a colon for a protocol, and %03d for a series of files."""
    write_video(tmp_path / "a.mp4", greys(2)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(list(open_clip(name))) == 2


def test_an_image_alone_named_as_a_video_is_one_frame(tmp_path):
    write_image(tmp_path / "a.png", quadrants(), "png", "rgb24").rename(tmp_path / "a.mp4")
    assert [corners(f.image) for f in open_clip(tmp_path / "a.mp4")] == [["r", "g", "b", "k"]]


def test_options_are_checked(tmp_path):
    path = write_video(tmp_path / "a.mp4", greys(2))
    with pytest.raises(UserError, match="longest"):
        open_clip(path, longest=0)
    with pytest.raises(UserError, match="fps only with images"):
        open_clip(path, fps=30)


def test_without_pyav_the_remedy_is_named(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", greys(2))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[video\]"'):
        open_clip(path)


def test_damage_anywhere_gives_frames_or_one_line(tmp_path):
    """Bytes changed at random: whole images with rising times, or a UserError, never another exception."""
    rng = np.random.default_rng(3)
    data = write_video(tmp_path / "a.mp4", [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8)]).read_bytes()
    for _ in range(30):
        spoilt = bytearray(data)
        for place in rng.integers(0, len(data), 8):
            spoilt[place] = rng.integers(256)
        (tmp_path / "b.mp4").write_bytes(spoilt)
        try:
            clip = open_clip(tmp_path / "b.mp4")
            frames = list(islice(clip, 100))
        except UserError:
            continue
        assert all(f.image.shape == (*clip.image_size[::-1], 3) for f in frames)
        assert all(a.time < b.time for a, b in pairwise(frames))


@pytest.mark.slow
def test_8k_is_scaled_down(tmp_path):
    clip = open_clip(write_video(tmp_path / "a.mp4", [quadrants(7680, 4320)] * 2, codec="mpeg4"), longest=640)
    assert (clip.size, clip.image_size, clip.scale) == ((7680, 4320), (640, 360), (1 / 12, 1 / 12))
    assert [corners(f.image) for f in clip] == [["r", "g", "b", "k"]] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "fps", "n"),
    [
        ("sports2d/demo.mp4", (1768, 994), 30, 230),
        ("pose2sim_single/S00_P00_T01_BalancingTrial/videos/cam01.mp4", (1080, 1920), 60, 100),
        ("pose2sim_single/S00_P00_T01_BalancingTrial/videos/cam02.mp4", (1080, 1920), 60, 100),
    ],
)
def test_real_videos(data_dir, name, size, fps, n):
    path = data_dir / "video" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    clip = open_clip(path, longest=320)
    times = np.array([f.time for f in clip])
    assert (clip.size, clip.fps, clip.n_frames, clip.warnings) == (size, fps, n, [])
    np.testing.assert_allclose(times, np.arange(n) / fps, atol=1e-4)
