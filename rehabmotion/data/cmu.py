"""CMU motion capture: ASF/AMC clips cut into windows, with the database's own one-line descriptions.

Origin: Carnegie Mellon University Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, created with funding from
NSF EIA-0196217; descriptions compiled by B. Hahne (2008). Licence: free use, credit the database, do not resell the
data themselves.

Worked sample: 02_07.amc is 2,251 frames (18.8 s at 120 fps), described as "swordplay"; it gives four motions of 4.7 s,
subject "02", exercise None, text "swordplay".
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rehabmotion.data.windows import windows
from rehabmotion.errors import UserError
from rehabmotion.io.amc import AMC_MAP, read_amc
from rehabmotion.io.files import read_text
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import map_joints

SHORTEST_S, LONGEST_S = 2.0, 5.0
MAX_SPEED = 20.0  # m/s of any joint: a fast throw's hand reaches 15; more is a marker taken for another


def load(root: Path) -> Iterator[Motion]:
    """Yield windows of 2 to 5 s of every clip, by subject, clip and time.

    A clip is first parted where a joint jumps (faster than 20 m/s); each part is cut into the fewest equal windows of
    at most 5 s; parts shorter than 2 s are left out. meta: subject ("02"), clip ("02_07"), window (from 1),
    start_frame. text: the description of the whole clip; "" where the list says Unknown or does not have it.
    """
    texts = descriptions(Path(root) / "cmu-mocap-index.csv")
    paths = sorted(p for p in (Path(root) / "subjects").glob("*/*") if re.search(r"\.amc(\.gz)?$", p.name, re.I))
    if not paths:
        raise UserError(f"Expected CMU clips such as {Path(root) / 'subjects' / '01' / '01_08.amc'}, found none.")
    for path in paths:
        (recording,) = read_amc(path)
        try:
            motion = map_joints(recording, AMC_MAP)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        yield from _windows(motion.but(text=texts.get(path.name.split(".", 1)[0], "")))


def _windows(motion: Motion) -> Iterator[Motion]:
    number = 0
    for first, last in unbroken(motion):
        if (last - first) / motion.fps < SHORTEST_S:
            continue
        for start, end in windows(last - first, motion.fps, LONGEST_S):
            number += 1
            frames = slice(first + start, first + end)
            meta = {"window": number, "start_frame": first + start}
            yield motion.but(positions=motion.positions[frames], valid=motion.valid[frames], meta=meta)


def unbroken(motion: Motion) -> list[tuple[int, int]]:
    """Return (first, one past last) frames of the stretches in which no joint jumps."""
    speed = np.linalg.norm(np.diff(motion.positions, axis=0), axis=-1).max(axis=1, initial=0.0) * motion.fps
    edges = [0, *(np.flatnonzero(speed > MAX_SPEED) + 1).tolist(), motion.n_frames]
    return list(itertools.pairwise(edges))


def descriptions(path: Path) -> dict[str, str]:
    """Return clip id -> description of Hahne's list; "Unknown" is kept as "".

    The table starts after the line that begins with MOTION; rows without an id part the subjects.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise UserError(f"{path}: Expected a table with commas, could not read it ({error}).") from None
    header = next((i for i, row in enumerate(rows) if row and row[0].strip() == "MOTION"), None)
    if header is None:
        raise UserError(f"{path}: Expected the list of CMU clips with a line MOTION,DESCRIPTION..., got none.")
    texts: dict[str, str] = {}
    for row in rows[header + 1 :]:
        clip = row[0].strip() if row else ""
        if not re.fullmatch(r"\d+_\d+", clip):
            continue
        if len(row) < 2 or clip in texts:
            raise UserError(f"{path}: Expected each clip once with a description, got {clip[:40]} with none or twice.")
        text = " ".join(row[1].split())
        texts[clip] = "" if text.lower() == "unknown" else text
    if not texts:
        raise UserError(f"{path}: Expected descriptions under the line MOTION, got none. Is the file cut off?")
    return texts
