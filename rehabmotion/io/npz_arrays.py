"""Named arrays in an `.npz` archive: read as others publish it, without pickles, all of it checked; and packed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.files import MAX_BYTES, read_bytes

_KIND_NAMES = {"i": "whole numbers", "f": "floating point numbers", "U": "text"}


def load_named(path: Path, names: Sequence[str], what: str) -> dict[str, NDArray]:
    """Return the named arrays of an `.npz`, whatever they hold; `what` says in the error what such a file is.

    A damaged archive, one that unpacks to too much, a pickle or an absent array raises UserError.
    """
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > MAX_BYTES:
            raise UserError(f"{path}: Expected at most {MAX_BYTES >> 20} MiB unpacked, got {unpacked >> 20} MiB.")
        with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
            missing = [name for name in names if name not in loaded.files]
            if missing:
                raise UserError(f"{path}: Expected {what} it lacks {', '.join(missing)}.")
            return {name: loaded[name] for name in names}
    except UserError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many kinds on hostile bytes
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{path}: Expected a whole .npz without pickles, could not read it ({reason}).") from None


def read_arrays(path: Path, expected: Mapping[str, tuple[str, int]]) -> dict[str, NDArray]:
    """Return the arrays named in `expected`: name -> (dtype kinds such as "i" or "iu", number of dimensions).

    Anything else in the archive is left unread. A damaged archive, a pickle, an array that is absent or of another
    kind or rank raises UserError.
    """
    arrays = load_named(path, tuple(expected), f"the arrays {', '.join(expected)};")
    for name, (kinds, rank) in expected.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.ndim != rank:
            raise UserError(
                f"{path}: Expected {name} to hold {_KIND_NAMES.get(kinds[0], kinds)} in {rank} dimensions, got "
                f"{array.dtype} of shape {array.shape}."
            )
    return arrays


def require(condition: bool, path: Path, expected: str, got: object) -> None:
    """Raise UserError unless the condition holds; for what ties the arrays of an archive together."""
    if not condition:
        raise UserError(f"{path}: Expected {expected}, got {got}.")


def packed(arrays: Mapping[str, Any]) -> bytes:
    """Return an `.npz` archive of the arrays, without pickles; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
            # a fixed date: the clock must not change the bytes
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()
