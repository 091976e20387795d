"""Joint angles of recorded people: corpora through scaling and inverse kinematics of rehab37, kept in the cache folder.

Networks that see people learn from them. A person is scaled once, from frames of all that is recorded of them.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.description import Model
from rehabmotion.biomech.inverse import Solution, inverse_kinematics
from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.biomech.scaling import Scaled, fit_scales
from rehabmotion.data.corpora import corpus_root, split_name
from rehabmotion.data.prepare import cache_folder, fingerprint, prepared
from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes, write_atomic
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.io.uiprmd_vicon import read_uiprmd_vicon
from rehabmotion.motion import Motion
from rehabmotion.workflows.markers import Seen, of_motion

VERSION = 1  # raise when labels change
MARKERS = "uiprmd-vicon"
EVERY = 3  # of the markers' 100 frames a second
FEWEST = 12  # markers in a frame that is solved
LOOKED_AT = 4  # frames of each clip from which a person's size is found


@dataclass(frozen=True)
class Take:
    """One clip: meta of the motion it is from, its score (`uiprmd:1`, or nothing), coordinates q (T, C) of rehab37
    (rad, m), what they miss (T,) m, factors of the person's bodies (B, 3).
    """

    meta: dict[str, Any]
    score: str
    q: NDArray[np.float32]
    rms: NDArray[np.float32]
    fps: float
    scales: NDArray[np.float32]


def labels(name: str, data_dir: Path | None = None, say: Callable[[str], None] = lambda _: None) -> list[Take]:
    """Return the clips of a corpus (`uiprmd-vicon`, or a name that `prepared` knows); made once, minutes to an hour."""
    held = fingerprint(split_name(name)[0], data_dir)
    digest = hashlib.sha256(f"{VERSION}:{held}".encode() + shipped_osim("rehab37").read_bytes()).hexdigest()[:16]
    path = cache_folder() / "labels" / f"{name.replace(':', '-')}-{digest}.npz"
    if not path.exists():
        say(f"solving {name} (first use)")
        write_atomic(path, _pack(solved_corpus(name, data_dir, say)))
    return _unpack(path)


def solved_corpus(name: str, data_dir: Path | None, say: Callable[[str], None]) -> list[Take]:
    """Return the clips of a corpus, solved person by person."""
    joints = name != MARKERS
    takes = list[Take]()
    for who, own in by_person(recorded(name, data_dir)):
        found = solved(own, joints, 1 if joints else EVERY)
        takes += [
            Take(
                {**motion.meta, "person": who},
                str(motion.scores[0]) if motion.scores else "",
                solution.q.numpy().astype(np.float32),
                solution.rms.numpy().astype(np.float32),
                motion.fps / (1 if joints else EVERY),
                scaled.scales.numpy().astype(np.float32),
            )
            for motion, scaled, _, solution in found
        ]
        if found:
            rms = 1000 * np.median(np.concatenate([s.rms.numpy() for *_, s in found]))
            say(f"{name}: {who}, {len(found)} clips, median error {rms:.1f} mm")
    return takes


def recorded(name: str, data_dir: Path | None = None) -> list[Motion]:
    """Return the motions of a corpus as they are solved: markers of UI-PRMD, canonical joints of the others."""
    if name != MARKERS:
        return prepared(name, data_dir)
    root = corpus_root(MARKERS, data_dir)
    if root is None:
        raise UserError("Expected the markers of UI-PRMD in the data folder. Set REHABMOTION_DATA.")
    return list(read_uiprmd_vicon(root / "vicon_markers_100hz.npz"))


def by_person(motions: Iterable[Motion]) -> list[tuple[str, list[Motion]]]:
    """Return who is seen, and their motions; a clip of nobody named is a person of its own."""
    groups: dict[str, list[Motion]] = {}
    for number, motion in enumerate(motions):
        groups.setdefault(str(motion.meta.get("subject") or f"clip {number}"), []).append(motion)
    return sorted(groups.items())


def solved(motions: Sequence[Motion], joints: bool, every: int) -> list[tuple[Motion, Scaled, Seen, Solution]]:
    """Return the clips of one person: the person's model, what was seen in each `every`-th frame, the solution.

    Clips with fewer than four frames that show 12 markers are left out.
    """
    model = open_osim("rehab37")
    if joints:  # a joint's centre is where it is
        model = model.with_markers(replace(marker, fixed=True) for marker in model.markers)
    seen = [(m, _cut(of_motion(m, model, joints, "x"), every)) for m in motions]
    seen = [(m, s) for m, s in seen if len(s.times) > 3]
    if not seen:
        return []
    scaled = _sized(model, [s for _, s in seen])
    kinematics = Kinematics(scaled.model)
    found = list[tuple[Motion, Scaled, Seen, Solution]]()
    for _, group in groupby(seen, key=lambda pair: str(pair[0].meta.get("exercise"))):
        clips = list(group)
        target, valid = (torch.cat([getattr(s, part) for _, s in clips]) for part in ("target", "valid"))
        whole = inverse_kinematics(kinematics, target, valid, scales=scaled.scales)
        ends = np.cumsum([len(s.times) for _, s in clips])
        for (motion, s), end in zip(clips, ends.tolist(), strict=True):
            part = slice(end - len(s.times), end)
            found.append((motion, scaled, s, Solution(whole.q[part], whole.errors[part], whole.limited[part])))
    return found


def _sized(model: Model, seen: Sequence[Seen]) -> Scaled:
    looked = [_cut(s, max(1, len(s.times) // LOOKED_AT)) for s in seen]
    target, valid = (torch.cat([getattr(s, part) for s in looked]) for part in ("target", "valid"))
    return fit_scales(model, target, valid)


def _cut(seen: Seen, every: int) -> Seen:
    rows = [i for i in range(0, len(seen.times), every) if int(seen.valid[i].sum()) >= FEWEST]
    return Seen(seen.name, seen.target[rows], seen.valid[rows], seen.times[rows], seen.joints, seen.unused)


def _pack(takes: Sequence[Take]) -> bytes:
    buffer = io.BytesIO()
    people = {take.meta["person"]: take.scales for take in takes}
    np.savez(
        buffer,
        q=np.concatenate([take.q for take in takes]),
        rms=np.concatenate([take.rms for take in takes]),
        scales=np.stack(list(people.values())),
        people=np.array(list(people)),
        records=np.array(
            json.dumps([{"meta": t.meta, "score": t.score, "frames": len(t.q), "fps": t.fps} for t in takes])
        ),
    )
    return buffer.getvalue()


def _unpack(path: Path) -> list[Take]:
    with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as arrays:
        q, rms, records = arrays["q"], arrays["rms"], json.loads(str(arrays["records"]))
        people = dict(zip(arrays["people"].tolist(), arrays["scales"], strict=True))
    ends = np.cumsum([record["frames"] for record in records]).tolist()
    return [
        Take(
            r["meta"],
            r["score"],
            q[e - r["frames"] : e],
            rms[e - r["frames"] : e],
            r["fps"],
            people[r["meta"]["person"]],
        )
        for r, e in zip(records, ends, strict=True)
    ]
