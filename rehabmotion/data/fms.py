"""FMS: the Functional Movement Screen of 45 people, Azure Kinect, graded by three experts.

Origin: Q.-J. Xing et al., "Functional movement screen dataset collected with two Azure Kinect depth sensors",
Scientific Data 9:104, 2022; names and layout after github.com/sselab2021/FMS_human_3d-skeleton_by_Azure-Kinect (MIT).
Licence: see the article; nothing of the data comes with this package, you bring your own copy.

Worked sample: Skeleton data/Front/front_s01_m03_e2.json is the second episode of subject s01's hurdle step, left leg
up: exercise "hurdle_step", side "left", repetition 2; experts [2, 2, 3] give the score fms:2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.io.fms import FMS_MAP, GRADES, read_fms
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import JointMap, map_joints

LEAST_VALID = 0.9  # of the frames: the authors' own figures drop episodes at or below it


def load(root: Path, joint_map: JointMap = FMS_MAP) -> Iterator[Motion]:
    """Yield one motion per episode of the front camera, sorted by path, on the canonical joints at 30 fps.

    Found by name: FRONT_SUBJECT_mNN_EPISODE.json anywhere below root, where FRONT is a field or a folder that begins
    with "front". Episodes that show a body in at most 90 % of their frames are left out. `joint_map` may be
    FMS_PAPER_MAP.
    """
    root = Path(root)
    episodes = (path for pattern in ("*.json", "*.json.gz") for path in root.rglob(pattern) if path.name != GRADES)
    paths = sorted(path for path in episodes if _is_front(path, root))
    if not paths:
        raise UserError(f"Expected episodes such as Front/front_s01_m03_e2.json below {root}, got none.")
    for path in paths:
        (motion,) = read_fms(path)
        if motion.meta["exercise"] is None:
            raise UserError(f"{path}: Expected a name VIEW_SUBJECT_mNN_EPISODE.json with m01 to m15.")
        if motion.valid.all(axis=1).mean() > LEAST_VALID:
            yield map_joints(motion, joint_map)


def _is_front(path: Path, root: Path) -> bool:
    folders = path.relative_to(root).parts[:-1]
    return any(part.casefold().startswith("front") for part in (*folders, path.name.partition("_")[0]))
