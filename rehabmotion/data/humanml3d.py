"""HumanML3D: everyday motions with captions, for those who have prepared the full set.

Origin: github.com/EricGuo5513/HumanML3D; C. Guo et al., "Generating Diverse and Natural 3D Human Motions From Text",
CVPR 2022. Licence: index, splits, texts and statistics MIT; the motions come from AMASS and HumanAct12, under their own
terms (research only), and must be prepared by each user.

Worked sample: clip 012314 (AMASS Eyes Japan, "tennis-15-first service"): 170 frames of 22 joints at 20 frames per
second, subject "Eyes_Japan_Dataset/yamaoka"; its features are in new_joint_vecs/012314.npy.

Folder: new_joints/NAME.npy; texts/NAME.txt with lines caption#tokens#from#to (seconds, 0 and 0 = the whole clip);
train.txt, val.txt, test.txt; index.csv. Names that begin with M are mirrored copies of the same person.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text
from rehabmotion.io.humanml3d import read_humanml3d
from rehabmotion.motion import Motion
from rehabmotion.motion.transforms import trim

DAMAGED = ("007975", "M007975")  # the published preparation leaves NaN in this clip


def load(root: Path, split: str | None = None) -> Iterator[Motion]:
    """Yield the clips at 20 fps, in the order of their names or of the list `split` ("train", "val", "test").

    text is the first caption of the whole clip ("" without texts), meta["captions"] has all of them; a caption of a
    part of the clip gives one more motion, cut to it, with meta["part_s"]. meta: name, mirrored, subject (from
    index.csv), split (the list that names it), the last two None where those files are absent. Listed clips that are
    not there are passed over, none at all is an error; so are parts that leave nothing of the clip, and the one clip
    known to hold NaN.
    """
    root = Path(root)
    subjects = _subjects(root / "index.csv")
    lists = [(part, root / f"{part}.txt") for part in ("train", "val", "test")]
    splits = {name: part for part, path in lists if path.is_file() for name in read_text(path).split()}
    for name in _names(root, split):
        (motion,) = read_humanml3d(root / "new_joints" / f"{name}.npy")
        mirrored = name.startswith("M")
        person = subjects.get(name.removeprefix("M"))
        motion = motion.but(meta={"subject": person, "mirrored": mirrored, "split": splits.get(name)})
        yield from _captioned(motion, root / "texts" / f"{name}.txt")


def _names(root: Path, split: str | None) -> list[str]:
    there = {path.stem for path in (root / "new_joints").glob("*.npy")}
    listed = sorted(there) if split is None else read_text(root / f"{split}.txt").split()
    names = [name for name in listed if name in there and name not in DAMAGED]
    if not names:
        wanted = f"clips of {split}.txt" if split else "NAME.npy files"
        raise UserError(f"Expected {wanted} in {root / 'new_joints'}, got none. Prepare HumanML3D first.")
    return names


def _subjects(index: Path) -> dict[str, str]:
    """Clip name -> set and person. The person is a folder, in HumanAct12 the first letters of the file: P11G01..."""
    if not index.is_file():
        return {}
    subjects = {}
    for number, line in enumerate(read_text(index).splitlines()[1:], start=2):
        try:
            path, _start, _end, name = line.rsplit(",", 3)
            corpus, person, *_folders, file = PurePosixPath(path).parts[1:]
        except ValueError:
            raise UserError(f"{index} line {number}: Expected source_path,start,end,name, got {line[:40]!r}.") from None
        subjects[name.removesuffix(".npy")] = f"{corpus}/{file[:3] if corpus == 'humanact12' else person}"
    return subjects


def _captioned(motion: Motion, texts: Path) -> Iterator[Motion]:
    """The whole clip with its captions, then one cut for each caption of a part."""
    lines = list(_lines(texts)) if texts.is_file() else []
    whole = [caption for caption, start_s, end_s in lines if start_s == end_s == 0]
    if whole or not lines:
        yield motion.but(text=whole[0] if whole else "", meta={"captions": whole})
    for caption, start_s, end_s in lines:
        if round(start_s * motion.fps) < min(round(end_s * motion.fps), motion.n_frames):
            part = trim(motion, start_s, end_s)
            yield part.but(text=caption, meta={"captions": [caption], "part_s": [start_s, end_s]})


def _lines(texts: Path) -> Iterator[tuple[str, float, float]]:
    for number, line in enumerate(read_text(texts).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            caption, _, start_s, end_s = line.rsplit("#", 3)
            times = [0.0 if math.isnan(float(t)) else float(t) for t in (start_s, end_s)]  # nan is published for "all"
        except ValueError:
            raise UserError(f"{texts} line {number}: Expected caption#tokens#from#to, got {line[:40]!r}.") from None
        if not 0 <= times[0] <= 1e6 or not 0 <= times[1] <= 1e6:
            raise UserError(f"{texts} line {number}: Expected from and to in seconds, got {start_s} and {end_s}.")
        yield caption.strip(), times[0], times[1]
