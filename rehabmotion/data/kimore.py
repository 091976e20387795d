"""KIMORE: patients doing five exercises for low back pain, one motion per labelled repetition, clinical score 0-100.

Origin: M. Capecci et al., "The KIMORE Dataset: KInematic Assessment of MOvement and Clinical Scores for Remote
Monitoring of Physical REhabilitation", IEEE TNSRE 27(7), 2019; skeletons and scores as redistributed with
MSD-IRIMAS/Weighted-ShapeDBA-4-Rehab, repetition boundaries of bruceyo/EGCN (Yu et al., IJCAI 2022). Licence: none is
stated for the data, and these are patients: internal research only; publish neither recordings nor weights from which
one could be recovered. Cite Capecci et al.

Worked sample: the first recording of kimore_patients_ex3.npz (subject S_ID4, stroke, score 40) spans 1172 raw frames
at 30 fps, 39.0 s, in 748: 19.1 fps. Its first labelled repetition, frames 83.6 to 153.7 with direction 1, is a motion
of 71 frames, 3.7 s: exercise "trunk_rotation", side "right", score kimore:40.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from rehabmotion.data.kimore_sensor import levelled, sensor_pitch, with_lost_legs_masked
from rehabmotion.io.kimore import read_kimore, to_canonical
from rehabmotion.motion import Motion
from rehabmotion.motion.exercises import KIMORE

RINGING = 15  # frames at both ends of a recording that oscillate from the source's resampling
LEAST_KEPT = 0.75  # of a repetition, after the ringing ends are cut
LEAST_SEEN = 0.5  # of its frames must show the pelvis
SIDES = {"lateral_trunk_tilt": {0: "left", 1: "right"}, "trunk_rotation": {0: "left", 1: "right"}}


def load(root: Path) -> Iterator[Motion]:
    """Yield one motion per labelled repetition on the canonical skeleton, by exercise, subject number and time.

    `root` holds kimore_patients_ex1.npz to ex5.npz. The rate is the true one of each recording (9 to 82 fps). Every
    subject's recordings are levelled (meta["tilt_deg"]) and masked where the sensor lost the legs; head and feet are
    not in the source and masked throughout. Left out: recordings whose true length is unknown (subject 50, exercise
    1), repetitions of which more than a quarter lies in the 15 ringing frames at either end, and those whose pelvis
    is lost in more than half of the frames: 61 of 810. The side is that of rep_dir: where the trunk bends or turns
    to. meta["direction"] keeps it for pelvis_rotation, whose two directions the source does not name.
    """
    recordings = [motion for n in range(1, 6) for motion in read_kimore(Path(root) / f"kimore_patients_ex{n}.npz")]
    for motion in sorted(_prepared(recordings), key=_order):
        yield from _repetitions(motion)


def _order(motion: Motion) -> tuple[int, int]:
    return KIMORE.index(motion.meta["exercise"]), motion.meta["subject_number"]


def _prepared(recordings: list[Motion]) -> list[Motion]:
    by_subject: dict[str, list[Motion]] = defaultdict(list)
    for motion in recordings:
        by_subject[motion.meta["subject"]].append(_without_ends(motion))
    prepared = []
    for own in by_subject.values():
        pitch = sensor_pitch(own)
        prepared += with_lost_legs_masked([levelled(motion, pitch) for motion in own])
    return prepared


def _without_ends(motion: Motion) -> Motion:
    kept = slice(RINGING, motion.n_frames - RINGING)
    return motion.but(positions=motion.positions[kept], valid=motion.valid[kept])


def _repetitions(motion: Motion) -> Iterator[Motion]:
    """Cut a recording without its ends at its labels, which count the ends too."""
    if not motion.meta["fps_known"]:
        return
    mapped = to_canonical(motion)
    pelvis = mapped.skeleton.index("pelvis")
    for number, (start, end, direction) in enumerate(motion.meta["repetitions"], start=1):
        first = max(0, round(start) - RINGING)
        last = min(mapped.n_frames - 1, round(end) - RINGING)
        if last - first < LEAST_KEPT * (end - start) or mapped.valid[first : last + 1, pelvis].mean() < LEAST_SEEN:
            continue
        side = SIDES.get(motion.meta["exercise"], {}).get(direction, motion.meta["side"])
        yield mapped.but(
            positions=mapped.positions[first : last + 1],
            valid=mapped.valid[first : last + 1],
            meta={"repetition": number, "side": side, "direction": direction, "repetitions": None},
        )
