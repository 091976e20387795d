"""Which clips a path stands for."""

import os
from pathlib import Path

import pytest

from rehabmotion.errors import UserError
from rehabmotion.vision.clip import sources
from rehabmotion.vision.images import natural_key


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_a_file_is_one_clip(tmp_path):
    path = fill(tmp_path, "a.mp4") / "a.mp4"
    assert sources(path) == sources(str(path)) == [path]


def test_a_folder_of_images_is_one_clip(tmp_path):
    fill(tmp_path, "2.PNG", "10.jpg", "1.webp", "b.bmp", "c.JPEG", "times.csv", ".hidden.mp4")
    assert sources(tmp_path) == [tmp_path]


def test_a_folder_of_videos_is_a_batch_in_natural_order(tmp_path):
    fill(tmp_path, "take10.mp4", "Take2.MOV", "take1.avi", "notes.txt", "._take1.mp4")
    (tmp_path / "inner.mp4").mkdir()
    assert [p.name for p in sources(tmp_path)] == ["take1.avi", "Take2.MOV", "take10.mp4"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.png", "b.png", "a.mp4"], "2 images and 1 videos"),
        ([], "got neither"),
        (["a.txt", "photo.heic"], "got neither"),
    ],
)
def test_mixed_and_empty_folders_are_refused_in_one_line(tmp_path, names, words):
    with pytest.raises(UserError, match=words) as error:
        sources(fill(tmp_path / "x.mp4", *names))
    assert "\n" not in str(error.value)


def test_a_webcam_is_passed_on():
    assert [str(p) for p in sources("webcam:0")] == ["webcam:0"]


def test_missing_unreadable_and_endless_paths_are_refused(tmp_path):
    with pytest.raises(UserError, match="existing"):
        sources(tmp_path / "gone.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match="existing"):
        sources(tmp_path / "link.mp4")
    with pytest.raises(UserError, match="empty"):
        sources(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_keep_us_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(UserError, match="neither"):
        sources(tmp_path / "a.mp4")


def test_natural_order():
    names = ["b1", "a10.png", "a2.png", "A3.png", "a02.png", "10", "9", "a", ""]
    ordered = [p.name for p in sorted(map(Path, names), key=natural_key)]
    assert ordered == ["", "9", "10", "a", "a02.png", "a2.png", "A3.png", "a10.png", "b1"]
