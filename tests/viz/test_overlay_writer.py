"""Videos of frames with times of their own: the times are kept, the file is whole or absent."""

from pathlib import Path

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.overlay_writer import OverlayWriter

av = pytest.importorskip("av", reason="needs the extra: video")
BLACK = np.zeros((48, 64, 3), np.uint8)


def write(path: Path, times: list[float], image: np.ndarray = BLACK, fps: float = 30.0) -> None:
    with OverlayWriter(path, (image.shape[1], image.shape[0]), fps) as video:
        for time in times:
            video.add(image, time)


def test_times_are_kept_to_a_tick_and_the_length_is_theirs(tmp_path: Path) -> None:
    """From the first frame on. Stored out of their order, uneven frames made a video of 0.6 s that lasts 2 s."""
    times = [5.0, 5.04, 5.1, 5.5, 5.52, 7.0]
    write(tmp_path / "new" / "a.mp4", times)
    with av.open(str(tmp_path / "new" / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.time_base.denominator == 90_000
        shown = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
        assert container.duration / 1e6 >= 2.0
    np.testing.assert_allclose(shown, np.array(times) - 5.0, atol=1 / 90000)
    assert [p.name for p in tmp_path.rglob("*")] == ["new", "a.mp4"]


def test_its_colours_are_told(tmp_path: Path) -> None:
    """Untold, browsers took the green of a 720-row video 25 levels darker, and left and right in another hue."""
    write(tmp_path / "a.mp4", [0.0])
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        smpte170m, limited = 6, 1
        assert [int(context.colorspace), int(context.color_primaries), int(context.color_trc)] == [smpte170m] * 3
        assert int(context.color_range) == limited


def test_pictures_survive(tmp_path: Path) -> None:
    image = BLACK.copy()
    image[:, :32] = (47, 134, 220)
    image[:, 32:] = (234, 138, 36)
    write(tmp_path / "a.mp4", [0, 0.1, 0.2], image)
    with av.open(str(tmp_path / "a.mp4")) as container:
        last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1].astype(int)
    assert np.abs(last[24, [16, 48]] - image[24, [16, 48]]).max() < 12


@pytest.mark.parametrize(("size", "kept"), [((7, 5), (6, 4)), ((3, 2), (2, 2)), ((64, 49), (64, 48))])
def test_odd_sizes_lose_a_column_or_a_row(tmp_path: Path, size: tuple[int, int], kept: tuple[int, int]) -> None:
    write(tmp_path / "a.mp4", [0, 1], np.zeros((size[1], size[0], 3), np.uint8))
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height) == kept


@pytest.mark.parametrize(
    ("second", "time", "why"),
    [
        (BLACK, 0.0, "rise"),
        (BLACK, 1e-9, "rise"),
        (BLACK, -1.0, "rise"),
        (BLACK, float("nan"), "time in seconds"),
        (BLACK, float("inf"), "time in seconds"),
        (BLACK, 1e300, "a day at most"),
        (BLACK[:40], 1.0, r"an image \(48, 64, 3\)"),
        (BLACK.astype(float), 1.0, "bytes"),
    ],
)
def test_a_wrong_frame_is_refused_and_leaves_what_was_there(
    tmp_path: Path, second: np.ndarray, time: float, why: str
) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("before")
    with pytest.raises(UserError, match=why), OverlayWriter(path, (64, 48), 30) as video:  # noqa: PT012
        video.add(BLACK, 0.0)
        video.add(second, time)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_ctrl_c_leaves_nothing_not_even_the_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), OverlayWriter(tmp_path / "out" / "a.mp4", (64, 48), 30) as video:  # noqa: PT012
        video.add(BLACK, 0.0)
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource
    import signal

    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(UserError, match=r"write the video a\.mp4, could not"):
            write(tmp_path / "a.mp4", [i / 30 for i in range(20)], noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, told)
    assert not list(tmp_path.iterdir())


def test_no_frame_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a frame or more"):
        write(tmp_path / "a.mp4", [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(1, 10), (10, 0), (-4, 4), (20_000, 4)])
def test_sizes_that_no_video_has_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="2 x 2 to"):
        OverlayWriter(tmp_path / "a.mp4", size, 30)


@pytest.mark.parametrize("fps", [0.0, -30.0, float("nan"), float("inf")])
def test_rates_that_no_camera_has_are_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(UserError, match="fps"):
        OverlayWriter(tmp_path / "a.mp4", (64, 48), fps)


def test_a_place_that_cannot_be_written_is_told_before_any_frame(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="can be written"), OverlayWriter(tmp_path / "file" / "a.mp4", (64, 48), 30):
        pytest.fail("opened")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UserError, match="a folder of that name"), OverlayWriter(tmp_path / "folder.mp4", (64, 48), 30):
        pytest.fail("opened")


def test_a_name_with_a_colon_is_a_name(tmp_path: Path) -> None:
    """FFmpeg takes "a:b.mp4" for a protocol."""
    write(tmp_path / "12:30.mp4", [0.0])
    assert (tmp_path / "12:30.mp4").stat().st_size > 500
