"""Bandai-Namco research motions as one archive of joint positions (the native BVH files: io/bvh.py)."""

from __future__ import annotations

from pathlib import Path

from rehabmotion.io.bvh_names import BANDAI
from rehabmotion.io.clip_archive import read_clips
from rehabmotion.io.npz_arrays import require
from rehabmotion.motion import Motion

BANDAI_MAP = BANDAI  # the joints of the archive are those of the BVH files


def read_bandai(path: Path) -> list[Motion]:
    """Return the clips of `bandai_motion_30hz.npz`, whole, on its 22 joints, metres, y up, 30 fps.

    joint_Root is no point of the body (it stays at the origin of the room), so it is masked. meta: content and style,
    as the set names them, and index. The subject stays None: which of the three actors is seen is not stated.
    """
    motions = read_clips(path, labels=("content", "style"))
    names = motions[0].skeleton.joint_names
    needed = {source for sources in BANDAI_MAP.values() for source in sources} | {"joint_Root"}
    require(needed <= set(names), path, f"the joints {' '.join(sorted(needed))}", " ".join(names)[:300])
    return [_without_root(motion).but(meta={"source": "bandai"}) for motion in motions]


def _without_root(motion: Motion) -> Motion:
    valid = motion.valid.copy()
    valid[:, motion.skeleton.index("joint_Root")] = False
    return motion.but(valid=valid)
