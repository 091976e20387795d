"""Run as a program of its own: ezc3d reads one file, and one that crashes or stalls it takes nothing else along.

    python c3d_child.py FILE MEMORY     # writes an .npz to standard output; MEMORY in bytes, 0 for no limit

Of 400 files with one to four bytes changed at random, 15 ended ezc3d 1.7.2 by a segmentation fault and 2 made it run
for longer than 5 s.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

GROUPS = ("POINT", "TRIAL")
REFUSED = 3  # exit status: ezc3d said that it cannot read the file, and the last line on standard error says why


def main(path: str, memory: int) -> int:
    """Write what `read` gives as an .npz, the parameters in it as JSON; return the exit status."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no part of the answer
    _limit(memory)
    try:
        points, residuals, parameters = read(path)
    except Exception as error:  # whatever it raises is said to the parent, in a line
        print(" ".join(f"{type(error).__name__}: {error}".split())[:200], file=sys.stderr)
        return REFUSED
    packed = io.BytesIO()
    text = np.frombuffer(json.dumps(parameters).encode(), np.uint8)
    np.savez(packed, points=points, residuals=residuals, parameters=text)
    answer.write(packed.getvalue())
    answer.close()
    return 0


def read(path: str) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, dict[str, list[Any]]]]:
    """Return points (3, N, T) in file units, residuals (N, T) and the parameters of the groups of points."""
    import ezc3d

    file = ezc3d.c3d(path)
    residuals = file["data"]["meta_points"]["residuals"][0]
    return file["data"]["points"][:3], residuals, _parameters(file["parameters"])


def _limit(memory: int) -> None:
    """Let a size made up by a damaged file fail here, before the machine runs out of memory."""
    if memory:
        try:
            import resource
        except ImportError:  # Windows has no such limit
            return
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _parameters(groups: Any) -> dict[str, dict[str, list[Any]]]:
    """The values of the groups that tell about points, each as a flat list of numbers or text."""
    return {
        group: {
            name: [_plain(value) for value in np.ravel(np.asarray(parameter["value"], dtype=object))]
            for name, parameter in groups[group].items()
            if name != "__METADATA__"
        }
        for group in GROUPS
        if group in groups
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str):  # bytes that are no UTF-8 came as surrogates
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip(" \0")
    return float(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
