"""Reading and writing bytes: gzip as it is, sizes bounded, outputs whole or not at all."""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError

CACHE_VARIABLE = "REHABMOTION_CACHE"
MAX_BYTES = 1 << 30  # of one input file, unpacked: half an hour of 100 Hz markers is a fifth of it


def cache_folder() -> Path:
    """Return the folder of what is made or fetched once: REHABMOTION_CACHE, else the user's. It may not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("rehabmotion", appauthor=False)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz. Too large, missing or broken raises UserError."""
    path = Path(path)
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"Expected an existing file, got {path}.") from None
    except IsADirectoryError:
        raise UserError(f"Expected a file, got the folder {path}.") from None
    except PermissionError:
        raise UserError(f"Expected a file that can be read, got {path}: permission denied.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: Expected a whole file, could not read it ({error}).") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{path}: Expected at most {MAX_BYTES >> 20} MiB unpacked. Cut the recording.")
    if not data:
        raise UserError(f"{path}: Expected a motion, got an empty file.")
    return data


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8, else Latin-1 (old motion files)."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_table(
    path: Path, delimiter: str = ",", skip_rows: int = 0, n_columns: int | None = None
) -> NDArray[np.float64]:
    """Return a numeric text table (rows, columns); a ragged row or a word is refused with its line number."""
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if number <= skip_rows or not line.strip():
            continue
        cells = line.strip().rstrip(delimiter).split(delimiter)
        if n_columns is not None and len(cells) != n_columns:
            raise UserError(f"{path} line {number}: Expected {n_columns} columns, got {len(cells)}.")
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError:
            raise UserError(f"{path} line {number}: Expected numbers, got {line.strip()[:40]!r}.") from None
        if len(rows[-1]) != len(rows[0]):
            raise UserError(f"{path} line {number}: Expected {len(rows[0])} columns, got {len(rows[-1])}.")
    if not rows:
        raise UserError(f"{path}: Expected at least one frame, got none.")
    return np.array(rows)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that it appears whole or not at all. An unwritable place raises UserError."""
    path = Path(path)
    payload = data.encode("utf-8") if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UserError(f"Expected a folder that can be written, got {path.parent} ({error.strerror}).") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(payload)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise UserError(f"Expected to write {path}, could not ({error.strerror}).") from None
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
