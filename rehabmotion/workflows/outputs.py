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


def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there: the same disk, so that moving is renaming."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _move(stage: Path, folder: Path) -> None:
    names = sorted(path.name for path in stage.iterdir())
    taken = [name for name in names if (folder / name).is_dir()]
    if taken:
        raise UserError(f"Expected to write the file {folder / taken[0]}, a folder of that name is there. Move it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            os.replace(stage / name, folder / name)
    except OSError as error:
        raise UserError(f"Expected to write into {folder}, could not ({error.strerror}).") from None
