"""FMS recordings (Xing et al. 2022, Scientific Data 9:104): Azure Kinect skeletons as JSON, graded by three experts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.io.files import read_text
from rehabmotion.motion import Motion, Score, Skeleton
from rehabmotion.motion.exercises import FMS
from rehabmotion.motion.retarget import JointMap

FPS = 30.0
TILT_DEG = 6.0  # the cameras look down by this
GRADES = "experts_score.json"
MAX_JSON = 1 << 27  # characters: ten minutes of all that the recorder writes is a third of it

# fmt: off
AZURE = Skeleton(
    ("PELVIS", "SPINE_NAVEL", "SPINE_CHEST", "NECK",
     "CLAVICLE_LEFT", "SHOULDER_LEFT", "ELBOW_LEFT", "WRIST_LEFT", "HAND_LEFT", "HANDTIP_LEFT", "THUMB_LEFT",
     "CLAVICLE_RIGHT", "SHOULDER_RIGHT", "ELBOW_RIGHT", "WRIST_RIGHT", "HAND_RIGHT", "HANDTIP_RIGHT", "THUMB_RIGHT",
     "HIP_LEFT", "KNEE_LEFT", "ANKLE_LEFT", "FOOT_LEFT", "HIP_RIGHT", "KNEE_RIGHT", "ANKLE_RIGHT", "FOOT_RIGHT",
     "HEAD", "NOSE", "EYE_LEFT", "EAR_LEFT", "EYE_RIGHT", "EAR_RIGHT"),
    (-1, 0, 1, 2, 2, 4, 5, 6, 7, 8, 7, 2, 11, 12, 13, 14, 15, 14, 0, 18, 19, 20, 0, 22, 23, 24, 3, 26, 26, 26, 26, 26),
)
# fmt: on

_LIMBS: JointMap = {
    f"{side.lower()}_{ours}": {f"{theirs}_{side}": 1.0}
    for side in ("LEFT", "RIGHT")
    for ours, theirs in (
        ("hip", "HIP"),
        ("knee", "KNEE"),
        ("ankle", "ANKLE"),
        ("foot", "FOOT"),
        ("collar", "CLAVICLE"),
        ("shoulder", "SHOULDER"),
        ("elbow", "ELBOW"),
        ("wrist", "WRIST"),
    )
}
# Heights as in the other sources, on the proportions of the Kinect's model of a body: navel 18, chest 32, neck 53,
# head 60 cm above the pelvis. Set without a recording at hand.
FMS_MAP: JointMap = {
    **_LIMBS,
    "pelvis": {"PELVIS": 1.0},
    "spine1": {"PELVIS": 0.4, "SPINE_NAVEL": 0.6},
    "spine2": {"SPINE_NAVEL": 0.5, "SPINE_CHEST": 0.5},
    "spine3": {"SPINE_NAVEL": 0.15, "SPINE_CHEST": 0.85},
    "neck": {"SPINE_CHEST": 0.15, "NECK": 0.85},
    "head": {"HEAD": 1.0},
    "left_collar": {"SPINE_CHEST": 0.25, "CLAVICLE_LEFT": 0.4, "SHOULDER_LEFT": 0.35},
    "right_collar": {"SPINE_CHEST": 0.25, "CLAVICLE_RIGHT": 0.4, "SHOULDER_RIGHT": 0.35},
}
# The mapping of Bikov et al. 2024 as far as the paper tells: the neck is discarded, so head and nose stand for neck
# and head; navel to chest carries the whole spine, divided as SMPL's bones 3-6 and 6-9 are (14.3 and 5.7 cm).
FMS_PAPER_MAP: JointMap = {
    **_LIMBS,
    "pelvis": {"PELVIS": 1.0},
    "spine1": {"SPINE_NAVEL": 1.0},
    "spine2": {"SPINE_NAVEL": 0.29, "SPINE_CHEST": 0.71},
    "spine3": {"SPINE_CHEST": 1.0},
    "neck": {"HEAD": 1.0},
    "head": {"NOSE": 1.0},
}


def read_fms(path: Path, tilt_deg: float = TILT_DEG) -> list[Motion]:
    """Return the one episode of a JSON file on the 32 Azure Kinect joints: metres, y up, +z towards the camera, 30 fps.

    Frames without a body are masked, their placeholders interpolated; of several bodies the first is taken, as the
    authors do. meta: view, subject, exercise, side, repetition from a name such as front_s01_m03_e2.json; the grade is
    the rounded mean of the three in experts_score.json, looked for beside the file and in three folders above;
    meta["experts"] keeps all three.
    """
    path = Path(path)
    try:
        positions, valid = _joints(_json(path))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    meta = _meta_of_name(path)
    experts = _experts(path, meta)
    scores = (Score("fms", float(round(np.mean(experts)))),) if experts else ()
    world = level(positions, tilt_deg)
    return [
        Motion(
            positions=fill_gaps(world, valid).astype(np.float32),
            fps=FPS,
            skeleton=AZURE,
            valid=valid,
            scores=scores,
            meta=meta | ({"experts": experts} if experts else {}),
        )
    ]


def level(positions: NDArray[np.floating], tilt_deg: float = TILT_DEG) -> NDArray[np.floating]:
    """Return camera positions (..., 3), mm, x right, y down, z forward, as metres with y up and z towards the camera.

    The camera looks down by `tilt_deg`. (0, 0, 2000) mm at 6 degrees is (0, -0.20906, -1.98904) m.
    """
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    to_world = np.array([[1.0, 0.0, 0.0], [0.0, -c, -s], [0.0, s, -c]])
    return positions @ to_world.T / 1000.0


def align_navel(motions: Sequence[Motion], navel: Sequence[float]) -> list[Motion]:
    """Return the motions moved by one vector so that the mean of all seen SPINE_NAVEL positions is `navel` (3,), in m.

    The step of Bikov et al. 2024 towards the mean navel of HumanAct12, whose value the paper does not give. It changes
    nothing that is canonicalised afterwards.
    """
    j = AZURE.index("SPINE_NAVEL")
    seen = [motion.positions[motion.valid[:, j], j] for motion in motions]
    if not sum(map(len, seen)):
        raise UserError("Expected motions that show SPINE_NAVEL, got none.")
    shift = np.asarray(navel, dtype=float) - np.concatenate(seen).mean(axis=0, dtype=np.float64)
    return [motion.but(positions=motion.positions + shift) for motion in motions]


def _json(path: Path) -> Any:
    text = read_text(path)
    if len(text) > MAX_JSON:
        raise UserError(f"Expected at most {MAX_JSON >> 20} MiB of JSON, got {len(text) >> 20} MiB.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"Expected JSON, could not read it ({str(error)[:80]}).") from None


def _joints(data: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Positions (T, 32, 3) in mm, zero where no body is seen, and valid (T, 32)."""
    try:
        frames, total = data["frames"], data["total_frames"]
        seen = np.array([frame["num_bodies"] > 0 for frame in frames], dtype=bool)
        bodies = [frame["bodies"][0]["joint_positions"] for frame, is_seen in zip(frames, seen, strict=True) if is_seen]
        shown = np.array(bodies, dtype=np.float64)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"Expected total_frames, frames[].num_bodies and 32 x 3 joint_positions, got others ({str(error)[:80]})."
        ) from None
    if total != len(seen):
        raise UserError(f"Expected {str(total)[:20]} frames as total_frames says, got {len(seen)}. Copy it again.")
    if len(shown) == 0:
        raise UserError(f"Expected frames that show a body, got none in {len(seen)} frames.")
    if shown.shape[1:] != (len(AZURE), 3):
        raise UserError(f"Expected joint_positions of 32 x 3, got {' x '.join(map(str, shown.shape[1:]))}.")
    if not np.abs(shown).max() <= 1e9:  # also refuses NaN
        raise UserError("Expected finite joint_positions in millimetres, got NaN, infinity or one beyond 1e9.")
    positions = np.zeros((len(seen), len(AZURE), 3))
    positions[seen] = shown
    return positions, np.repeat(seen[:, None], len(AZURE), axis=1)


def _meta_of_name(path: Path) -> dict[str, Any]:
    fields = path.name.partition(".")[0].split("_")
    movement = re.fullmatch(r"m(\d\d)", fields[2]) if len(fields) >= 4 else None
    if movement is None or not 1 <= int(movement[1]) <= len(FMS):
        return {"source": "fms"}
    exercise, side = FMS[int(movement[1]) - 1]
    episode = fields[-1]
    number = re.sub(r"\D", "", episode)
    return {
        "source": "fms",
        "view": fields[0],
        "subject": fields[1],
        "exercise": exercise,
        "side": side,
        "repetition": int(number) if number else None,
        "movement": fields[2],
        "episode": episode,
    }


def _experts(path: Path, meta: dict[str, Any]) -> list[float]:
    """The three grades of an episode, [] where there is no grade file or it does not name the episode."""
    grades = next((p / GRADES for p in path.absolute().parents[:4] if (p / GRADES).is_file()), None)
    if grades is None or "movement" not in meta:
        return []
    try:
        table = _json(grades)
    except UserError as error:
        raise UserError(f"{grades}: {error}") from None
    try:
        experts = table[meta["subject"]][meta["movement"]][meta["episode"]]
    except (KeyError, TypeError, IndexError):
        return []
    if not (isinstance(experts, list) and len(experts) == 3 and all(grade in (1, 2, 3) for grade in experts)):
        raise UserError(f"{grades}: Expected three grades of 1 to 3 for {path.name}, got {str(experts)[:40]}.")
    return [float(e) for e in experts]
