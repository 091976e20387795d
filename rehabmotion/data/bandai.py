"""Bandai-Namco research motions 1 and 2: everyday actions in styles, with captions made of their labels.

Origin: github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset; M. Kobayashi, C.-C. Liao, K. Inoue,
S. Yojima, M. Takahashi, "Motion Capture Dataset for Practical Use of AI-based Motion Editing and Stylization",
arXiv 2306.08861, 2023. Copyright 2022 Bandai Namco Research Inc. Licence: CC BY-NC 4.0 (not for anything sold).
Changed: the archive holds joint positions in millimetres, not the rotations; some clips are left out.

Worked sample: clip dataset-2_walk_elderly_001, content "walk", style "elderly", gives one motion with the text
"an elderly person walks forward", subject None, exercise None.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rehabmotion.data.windows import windows
from rehabmotion.io.bandai import BANDAI_MAP, read_bandai
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import map_joints

ARCHIVE = "bandai_motion_30hz.npz"
LONGEST_S = 10.0

PEOPLE = {  # style -> who is seen
    "active": "an energetic person",
    "angry": "an angry person",
    "childish": "a childish person",
    "chimpira": "a swaggering person",
    "elderly": "an elderly person",
    "exhausted": "an exhausted person",
    "feminine": "a feminine person",
    "giant": "a giant, heavy person",
    "happy": "a happy person",
    "masculine": "a masculine person",
    "masculinity": "a masculine person",
    "musical": "a person in time with music",
    "normal": "a person",
    "not-confident": "a timid person",
    "old": "an old person",
    "proud": "a proud person",
    "sad": "a sad person",
    "tired": "a tired person",
    "youthful": "a youthful person",
}
ACTIONS = {  # content -> what is done
    "bow": "bows",
    "bye": "waves goodbye",
    "byebye": "waves goodbye with both hands",
    "call": "beckons someone to come",
    "dance-long": "dances",
    "dance-short": "dances",
    "dash": "sprints forward",
    "guide": "shows the way",
    "kick": "kicks with the right leg",
    "punch": "throws punches",
    "raise-up-both-hands": "raises both hands",
    "raise-up-left-hand": "raises the left hand",
    "raise-up-right-hand": "raises the right hand",
    "respond": "raises the left hand to answer",
    "run": "runs forward",
    "slash": "swings a sword",
    "walk": "walks forward",
    "walk-back": "walks backward",
    "walk-left": "walks forward and to the left",
    "walk-right": "walks forward and to the right",
    "walk-turn-left": "walks and turns to the left",
    "walk-turn-right": "walks and turns to the right",
    "wave-both-hands": "waves both hands",
    "wave-left-hand": "waves the left hand",
    "wave-right-hand": "waves the right hand",
}


def load(root: Path) -> Iterator[Motion]:
    """Yield the clips in the order of the archive, 30 fps; those over 10 s as the fewest equal windows of at most 10 s.

    meta: content, style, clip, index (of the clip: split by it, windows of one clip belong together), window (from 1);
    subject None, since the actors are not stated and all share one skeleton.
    """
    for motion in read_bandai(Path(root) / ARCHIVE):
        mapped = map_joints(motion, BANDAI_MAP)
        mapped = mapped.but(text=caption(str(motion.meta["content"]), str(motion.meta["style"])))
        for number, (first, last) in enumerate(windows(mapped.n_frames, mapped.fps, LONGEST_S), start=1):
            positions, valid = mapped.positions[first:last], mapped.valid[first:last]
            yield mapped.but(positions=positions, valid=valid, meta={"window": number, "start_frame": first})


def caption(content: str, style: str) -> str:
    """Return a sentence for a content and a style: ("bow", "tired") -> "a tired person bows"; "" for unknown ones."""
    if content not in ACTIONS or style not in PEOPLE:
        return ""
    return f"{PEOPLE[style]} {ACTIONS[content]}"
