"""The text of a BVH file: its tree of joints and its table of channel values, still in file units and degrees."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.io.points import LARGEST, numbered_lines

CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
MAX_JOINTS = 500


@dataclass
class BvhText:
    """One file: joints in file order (parents first), offsets, channel names per joint, values (T, channels)."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    frame_time: str = ""
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))


def parse_bvh(text: str) -> BvhText:
    """Return the contents of a BVH file. End Sites are left out: they are no joints and often arbitrary.

    Whatever does not follow the format raises UserError that names the line.
    """
    lines = numbered_lines(text)
    if next(lines, (0, ""))[1].strip().upper() != "HIERARCHY":
        raise UserError('line 1: Expected "HIERARCHY", so this is no BVH file.')
    bvh = _hierarchy(lines)
    _motion(bvh, lines)
    return bvh


def _hierarchy(lines: Iterator[tuple[int, str]]) -> BvhText:
    """Read up to the line MOTION."""
    bvh = BvhText()
    open_joints: list[int] = []  # -1 stands for an End Site
    named: int | None = None  # a joint whose brace is still to come
    for number, line in lines:
        if line.strip().upper() == "MOTION":
            break
        for piece in filter(None, (part.strip() for part in re.split(r"([{}])", line))):
            word, *rest = piece.split()
            if piece == "{" and named is not None:
                open_joints.append(named)
                named = None
            elif piece == "}" and open_joints and named is None:
                open_joints.pop()
            elif word.upper() in ("ROOT", "JOINT") and rest and named is None:
                named = _joint(bvh, number, " ".join(rest), open_joints, is_root=word.upper() == "ROOT")
            elif word.upper() == "END" and open_joints and named is None:
                named = -1
            elif word.upper() in ("OFFSET", "CHANNELS") and open_joints and named is None:
                _property(bvh, number, word.upper(), rest, open_joints[-1])
            else:
                raise UserError(f"line {number}: Expected a joint, OFFSET, CHANNELS or a brace, got {piece[:40]!r}.")
    if open_joints or named is not None or not bvh.names:
        raise UserError("Expected a whole tree of joints before MOTION, its braces do not close.")
    for name, offset in zip(bvh.names, bvh.offsets, strict=True):
        if not offset:
            raise UserError(f"Expected an OFFSET for joint {name}, got none.")
    return bvh


def _joint(bvh: BvhText, number: int, name: str, open_joints: list[int], is_root: bool) -> int:
    if is_root == bool(open_joints) or (open_joints and open_joints[-1] < 0):
        raise UserError(f"line {number}: Expected ROOT outside and JOINT inside a joint, got {name[:40]!r}.")
    if len(bvh.names) == MAX_JOINTS:
        raise UserError(f"line {number}: Expected at most {MAX_JOINTS} joints.")
    bvh.names.append(name)
    bvh.parents.append(open_joints[-1] if open_joints else -1)
    bvh.offsets.append([])
    bvh.channels.append([])
    return len(bvh.names) - 1


def _property(bvh: BvhText, number: int, word: str, rest: list[str], joint: int) -> None:
    if word == "OFFSET":
        offset = _numbers(rest, number)
        if len(offset) != 3:
            raise UserError(f"line {number}: Expected OFFSET with 3 numbers, got {len(offset)}.")
        if joint >= 0:
            bvh.offsets[joint] = offset
        return
    channels = rest[1:]
    if joint < 0 or not rest or rest[0] != str(len(channels)):
        raise UserError(
            f"line {number}: Expected CHANNELS with their number and as many names, got {' '.join(rest)[:60]!r}."
        )
    if len(set(channels)) != len(channels) or not set(channels) <= set(CHANNELS):
        raise UserError(
            f"line {number}: Expected channels out of {', '.join(CHANNELS)}, got {' '.join(channels)[:80]!r}."
        )
    bvh.channels[joint] = channels


def _motion(bvh: BvhText, lines: Iterator[tuple[int, str]]) -> None:
    header = [line.partition(":") for _, line in islice(lines, 2)]
    if [" ".join(key.lower().split()) for key, _, _ in header] != ["frames", "frame time"]:
        raise UserError('Expected "MOTION", "Frames: N" and "Frame Time: seconds" after the tree.')
    claimed, bvh.frame_time = header[0][2].strip(), header[1][2].strip()
    width = sum(map(len, bvh.channels))
    values = array("d")
    n_frames = 0
    for number, line in lines:
        row = _numbers(line.split(), number)
        if len(row) != width:
            raise UserError(f"line {number}: Expected {width} channel values, got {len(row)}.")
        values.extend(row)
        n_frames += 1
    if claimed != str(n_frames) or n_frames == 0:
        raise UserError(f"Expected {claimed[:20]} frames as the file says, got {n_frames}. Copy or export it again.")
    bvh.values = np.frombuffer(values, dtype=np.float64).reshape(n_frames, width)


def _numbers(words: list[str], number: int) -> list[float]:
    try:
        row = [float(word) for word in words]
    except ValueError:
        raise UserError(f"line {number}: Expected numbers, got {' '.join(words)[:40]!r}.") from None
    if not all(math.fabs(value) <= LARGEST for value in row):  # also refuses NaN
        raise UserError(f"line {number}: Expected finite numbers, got NaN, infinity or one beyond {LARGEST:g}.")
    return row
