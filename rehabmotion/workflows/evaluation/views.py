"""What the metrics read of a side: features, labels, shapes, numbers of each clip. Features are kept in the cache."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from rehabmotion.data.prepare import cache_folder
from rehabmotion.files import write_atomic
from rehabmotion.metrics import angles, physical
from rehabmotion.metrics.memorisation import aligned_clip
from rehabmotion.metrics.shape import bone_directions, direction_clip
from rehabmotion.models.evaluator import Evaluator
from rehabmotion.models.text import OTHER, TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.workflows.evaluation.sides import Side, caption_of, fingerprint
from rehabmotion.workflows.models import open_model

Numbers = NDArray[np.float64]
ALIGNED_FRAMES = 25
SURE = 0.5  # a reading of words below this confidence is no label


class View:
    """A side through the eyes of an evaluator."""

    def __init__(self, side: Side, evaluator: Evaluator) -> None:
        self.side, self.evaluator = side, evaluator

    def __len__(self) -> int:
        return len(self.side)

    @property
    def motions(self) -> Sequence[Motion]:
        """The clips."""
        return self.side.motions

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> View:
        """Return the view of some of the clips; features that are known go along."""
        chosen = View(self.side.take(rows), self.evaluator)
        known = self.__dict__
        index = np.asarray(rows, int)
        for name in ("features", "points", "directions", "captions", "exercises", "ids", "physical"):
            if name in known:
                value = known[name]
                if isinstance(value, dict):
                    chosen.__dict__[name] = {key: numbers[index] for key, numbers in value.items()}
                elif isinstance(value, list):
                    chosen.__dict__[name] = [value[i] for i in index]
                else:
                    chosen.__dict__[name] = value[index]
        return chosen

    # --- labels -------------------------------------------------------------------------------------------------

    @cached_property
    def captions(self) -> list[str]:
        """The words of each clip; "" where nobody says what it shows."""
        return [caption_of(motion, number) for number, motion in enumerate(self.motions)]

    @cached_property
    def exercises(self) -> list[str]:
        """What each clip was asked to be: its words where they name an exercise, else its label; "" if neither."""
        return [exercise for exercise, _ in self.ids]

    @cached_property
    def ids(self) -> list[tuple[str, str]]:
        """(exercise, side) of each clip. Clips that are no known exercise are told apart by their words alone."""
        read = _readings([motion.text for motion in self.motions])
        return [_asked(m, one) for m, one in zip(self.motions, read, strict=True)]

    def scores(self, scale: str) -> Numbers:
        """Return the values (N,) of a scale, NaN where a clip has none."""
        of = [next((s.value for s in m.scores if s.scale == scale), np.nan) for m in self.motions]
        return np.array(of, np.float64)

    # --- features -----------------------------------------------------------------------------------------------

    @cached_property
    def features(self) -> Numbers:
        """(N, 16) principal components of the evaluator's features."""
        return self._embedded["features"]

    @cached_property
    def points(self) -> Numbers:
        """(N, d) motions in the space they share with texts."""
        return self._embedded["points"]

    @cached_property
    def _embedded(self) -> dict[str, Numbers]:
        path = cache_folder() / "features" / f"{fingerprint(self.motions, weights_key(self.evaluator))}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in ("features", "points")}
        motions = list(self.motions)
        found = {
            "features": self.evaluator.features(motions).astype(np.float64),
            "points": self.evaluator.embed_motions(motions).astype(np.float64),
        }
        buffer = io.BytesIO()
        np.savez(buffer, features=found["features"], points=found["points"])
        write_atomic(path, buffer.getvalue())
        return found

    @cached_property
    def directions(self) -> Numbers:
        """(N, 100, 21, 3) bone directions over normalised time."""
        return np.stack([direction_clip(motion.positions) for motion in self.motions])

    @cached_property
    def sequences(self) -> list[Numbers]:
        """Bone directions (T, 63) of each clip at its own rate."""
        return [bone_directions(motion.positions).reshape(motion.n_frames, -1) for motion in self.motions]

    @cached_property
    def aligned(self) -> Numbers:
        """(N, 25, 22, 3) positions over normalised time, metres."""
        return np.stack([aligned_clip(motion.positions, ALIGNED_FRAMES) for motion in self.motions])

    # --- numbers of each clip -----------------------------------------------------------------------------------

    @cached_property
    def physical(self) -> dict[str, Numbers]:
        """Each clip's slide, skate and penetration of the feet (NaN on the floor), jerk, bone error, mm and m/s3."""
        rows = [_physical(motion) for motion in self.motions]
        return {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}

    @cached_property
    def rom(self) -> Numbers:
        """(N, A) range of motion of each angle, degrees."""
        return np.stack([angles.rom_vector(motion.positions, motion.valid) for motion in self.motions])


def weights_key(evaluator: Evaluator) -> str:
    """Return a short hash of an evaluator's weights."""
    digest = hashlib.sha256()
    for name, value in sorted(evaluator.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _physical(motion: Motion) -> dict[str, float]:
    x, fps, valid = motion.positions, motion.fps, motion.valid
    exercise = EXERCISES.get(str(motion.meta.get("exercise")))
    stands = exercise is None or exercise.posture == "standing"  # lying and kneeling people have no standing feet
    return {
        "foot_slide": physical.foot_slide(x, valid=valid) if stands else float("nan"),
        "foot_skate": physical.foot_skate(x, fps, valid=valid) if stands else float("nan"),
        "penetration": physical.penetration(x, valid=valid) if stands else float("nan"),
        "jerk": physical.jerk(x, fps, valid),
        "bone_error": 1000.0 * physical.bone_length_error(x, valid=valid),
    }


@cache
def _reader() -> TextEncoder | HubTextEncoder:
    """Return what reads words for all sides: the shipped model's text encoder, opened once."""
    return open_model()[0].text


def _readings(texts: Sequence[str]) -> list[dict[str, object] | None]:
    """Return what each text is read as, None for no words or words of no known exercise."""
    distinct = sorted({text for text in texts if text})
    found: dict[str, dict[str, object] | None] = {}
    if distinct:
        text_encoder = _reader()
        for first in range(0, len(distinct), 64):
            chunk = distinct[first : first + 64]
            for text, read in zip(chunk, text_encoder.understand(chunk), strict=True):
                sure = read["confidence"] >= SURE and read[OTHER] < 0.5 * read["confidence"]
                found[text] = read if sure else None
    return [found.get(text) for text in texts]


def _asked(motion: Motion, read: dict[str, object] | None) -> tuple[str, str]:
    labelled, side = motion.meta.get("exercise"), motion.meta.get("side")
    exercise = str(read["exercise"]) if read else str(labelled or "")
    if not exercise:
        return "", motion.text
    said = str(read["side"]) if read else "none"
    known = EXERCISES.get(exercise)
    if known is not None and said in known.sides:
        return exercise, said
    return exercise, str(side or "none")
