"""The Acclaim skeleton (.asf): bones with lengths, rest directions and axes, and the tree over them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_text
from rehabmotion.motion import Skeleton

INCH = 0.0254
MAX_BONES = 256
ROOT = "root"
TURNS, SHIFTS = ("rx", "ry", "rz"), ("tx", "ty", "tz")


@dataclass
class Bone:
    """One bone; its point is its far end. Lengths in file units, angles in the unit of the file."""

    name: str = ""
    direction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))  # at rest, in the world
    length: float = 0.0
    axis: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))  # of the bone's frame, about x, y, z
    dof: tuple[str, ...] = ()  # the channels of the motion file, in its order


@dataclass(frozen=True)
class Asf:
    """A skeleton file: bones[0] is the root; `metre`: metres per file unit; `radian`: radians per angle unit."""

    bones: tuple[Bone, ...]
    skeleton: Skeleton
    root_position: NDArray[np.float64]
    metre: float
    radian: float

    def frame(self, bone: Bone) -> NDArray[np.float64]:
        """Return the bone's axes C = Rz Ry Rx as a 3 x 3 matrix."""
        return Rotation.from_euler("xyz", bone.axis * self.radian).as_matrix()


def read_asf(path: Path) -> Asf:
    """Return the skeleton kept in an .asf file. Anything missing, contradictory or not finite raises UserError.

    The unit of length is an inch divided by the header's `length`: 0.45 in CMU and HDM05, where a unit is 56.4 mm.
    """
    parser = _Parser(Path(path))
    for number, words in _lines(read_text(path)):
        parser.take(number, words)
    return parser.finish()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if words:
            yield number, words


class _Parser:
    """What has been read so far; `take` gets one line."""

    def __init__(self, path: Path) -> None:
        self.path, self.line, self.section = path, 0, ""
        self.units: dict[str, str] = {}
        self.root = Bone(ROOT)
        self.root_position = np.zeros(3)
        self.bones: list[Bone] = []
        self.parents: dict[str, str] = {}

    def take(self, number: int, words: list[str]) -> None:
        """Read one line of words."""
        self.line = number
        if words[0].startswith(":"):
            self.section = words[0].lower()
        elif self.section == ":units" and len(words) == 2:
            self.units[words[0].lower()] = words[1]
        elif self.section == ":root":
            self._root_line(words[0].lower(), words[1:])
        elif self.section == ":bonedata":
            self._bone_line(words[0].lower(), words[1:])
        elif self.section == ":hierarchy" and words[0] not in ("begin", "end"):
            for child in words[1:]:
                if child in self.parents:
                    raise self.error(f"one parent for {child!r}", "a second")
                self.parents[child] = words[0]

    def _root_line(self, key: str, words: list[str]) -> None:
        if key == "order":
            self.root.dof = self._channels(words, TURNS + SHIFTS)
            if len(self.root.dof) != 6:
                raise self.error("six root channels", str(len(self.root.dof)))
        elif key == "axis":
            self._check_order(words)
        elif key == "position":
            self.root_position = self._numbers(words, 3)
        elif key == "orientation":
            self.root.axis = self._numbers(words, 3)

    def _bone_line(self, key: str, words: list[str]) -> None:
        if key == "begin":
            self.bones.append(Bone())
            return
        if not self.bones:
            raise self.error("begin before the first bone", repr(key[:40]))
        bone = self.bones[-1]
        if key == "name" and len(words) == 1:
            bone.name = words[0]
        elif key == "direction":
            bone.direction = self._numbers(words, 3)
        elif key == "length":
            bone.length = float(self._numbers(words, 1)[0])
        elif key == "axis":
            self._check_order(words[3:])
            bone.axis = self._numbers(words[:3], 3)
        elif key == "dof":
            bone.dof = self._channels(words, TURNS)

    def _numbers(self, words: list[str], n: int) -> NDArray[np.float64]:
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != n or not all(math.isfinite(value) and abs(value) < 1e6 for value in values):
            raise self.error(f"{n} numbers", repr(" ".join(words)[:40]))
        return np.array(values)

    def _channels(self, words: list[str], known: tuple[str, ...]) -> tuple[str, ...]:
        channels = tuple(word.lower() for word in words)
        if len(set(channels)) != len(channels) or not set(channels) <= set(known):
            raise self.error(f"channels out of {' '.join(known)}", repr(" ".join(words)[:40]))
        return channels

    def _check_order(self, words: list[str]) -> None:
        if [word.upper() for word in words] != ["XYZ"]:
            raise self.error("axis order XYZ (the only one supported)", repr(" ".join(words)[:40]))

    def finish(self) -> Asf:
        """Return the skeleton, or say what the file lacks."""
        bones = (self.root, *self.bones)
        names = [bone.name for bone in bones]
        if not 0 < len(self.bones) <= MAX_BONES or not self.root.dof:
            raise UserError(
                f"{self.path}: Expected an ASF skeleton with a root order and 1 to {MAX_BONES} bones,"
                f" got {len(self.bones)} bones and {len(self.root.dof)} root channels."
            )
        for bone in self.bones:
            if not bone.name or bone.length < 0 or abs(np.linalg.norm(bone.direction) - 1) > 0.05:
                raise UserError(
                    f"{self.path}: Expected each bone with a name, a unit direction and a length,"
                    f" got {bone.name or 'one without a name'!r} with less."
                )
        orphans = sorted((set(names[1:]) - set(self.parents)) | (set(self.parents) - set(names[1:])))
        strangers = sorted(set(self.parents.values()) - set(names))
        if orphans or strangers:
            raise UserError(
                f"{self.path}: Expected a :hierarchy over exactly the bones, {(orphans + strangers)[0]!r} differs."
            )
        try:
            skeleton = Skeleton(tuple(names), (-1, *(names.index(self.parents[name]) for name in names[1:])))
        except UserError as error:
            raise UserError(f"{self.path}: {error}") from None
        return Asf(bones, skeleton, self.root_position, self._metre(), self._radian())

    def _metre(self) -> float:
        try:
            unit = float(self.units["length"])
        except (KeyError, ValueError):
            unit = math.nan
        if not 1e-6 < unit < 1e6:
            raise UserError(
                f"{self.path}: Expected a positive length under :units, got {self.units.get('length', 'none')[:40]!r}."
            )
        return INCH / unit

    def _radian(self) -> float:
        angle = self.units.get("angle", "").lower()
        if angle not in ("deg", "rad"):
            raise UserError(f"{self.path}: Expected angle deg or rad under :units, got {angle[:40]!r}.")
        return math.pi / 180 if angle == "deg" else 1.0

    def error(self, expected: str, got: str) -> UserError:
        """Return the error that names the line being read."""
        return UserError(f"{self.path} line {self.line}: Expected {expected}, got {got}.")
