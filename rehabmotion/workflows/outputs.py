"""Where results are written: several files appear together and whole, or nothing does, not even their folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehabmotion.errors import UserError


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; what was written into it moves to `folder` at the end, made if missing.

    Files of the same name are replaced, others stay. An error or Ctrl-C inside leaves `folder` as it was, absent if
    it was absent. A place that cannot be written raises UserError at once, before any work.
    """
    try:
        stage = Path(tempfile.mkdtemp(dir=_standing(folder), prefix=".rehabmotion-"))
    except OSError as error:
        raise UserError(f"Expected a folder that can be written, got {folder} ({error.strerror}).") from None
    try:
        yield stage
        _move(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def check_new(folder: Path) -> None:
    """Raise UserError unless a folder is new or empty."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        what = "holds other files" if folder.is_dir() else "is a file"
        raise UserError(f"Expected a new or empty folder, {folder} {what}. Choose another --out.")


def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there: the same disk, so that moving is renaming."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _move(stage: Path, folder: Path) -> None:
    for path in sorted(stage.iterdir()):
        _check_room(path, folder / path.name)
    files = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in files:
            (folder / path).parent.mkdir(exist_ok=True)
            os.replace(stage / path, folder / path)
    except OSError as error:
        raise UserError(f"Expected to write into {folder}, could not ({error.strerror}).") from None


def _check_room(new: Path, there: Path) -> None:
    """Refuse a folder in the place of a file, the reverse, and a folder whose old frames would go on after ours."""
    if not new.is_dir():
        if there.is_dir():
            raise UserError(f"Expected to write the file {there}, a folder of that name is there. Move it.")
        return
    if not os.path.lexists(there):
        return
    if not there.is_dir():
        raise UserError(f"Expected to write the folder {there}, a file of that name is there. Move it.")
    names = {path.name for path in new.iterdir()}
    stale = {path.name for path in there.glob("frame_*.obj")} - names
    if stale:
        raise UserError(f"Expected {there} without frames of another motion, got {min(stale)}. Remove them.")
    for name in sorted(names):
        _check_room(new / name, there / name)
