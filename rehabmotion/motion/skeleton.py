"""Skeletons: joint names and the tree over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Skeleton:
    """Joint names and parents (index of the parent, -1 for a root), parents before children not required."""

    joint_names: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        n = len(self.joint_names)
        if n == 0 or len(self.parents) != n:
            raise UserError(f"Expected one parent per joint, got {len(self.parents)} parents for {n} joints.")
        if len(set(self.joint_names)) != n:
            raise UserError("Expected joint names that differ, got a repeated name.")
        self._check_tree()

    def _check_tree(self) -> None:
        rooted: set[int] = {-1}  # joints known to lead to a root: each is looked at once
        for joint in range(len(self)):
            path: set[int] = set()
            while joint not in rooted:
                path.add(joint)
                parent = self.parents[joint]
                if not -1 <= parent < len(self) or parent in path:
                    raise UserError(f"Expected a tree of joints, got parent {parent} above {self.joint_names[joint]}.")
                joint = parent
            rooted |= path

    def __len__(self) -> int:
        return len(self.joint_names)

    def index(self, name: str) -> int:
        """Return the index of a joint; unknown names raise UserError."""
        try:
            return self.joint_names.index(name)
        except ValueError:
            known = ", ".join(self.joint_names)
            raise UserError(f'Expected a joint of this skeleton, got "{name}". Known joints: {known}.') from None

    def indices(self, *names: str) -> list[int]:
        """Return the indices of several joints."""
        return [self.index(name) for name in names]

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Joint indices, every parent before its children."""
        depth = {-1: -1}
        for joint in range(len(self)):
            path: list[int] = []
            while joint not in depth:
                path.append(joint)
                joint = self.parents[joint]
            for below in reversed(path):
                depth[below] = depth[self.parents[below]] + 1
        return tuple(sorted(range(len(self)), key=lambda joint: (depth[joint], joint)))

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs in joint order."""
        return tuple((parent, joint) for joint, parent in enumerate(self.parents) if parent != -1)

    @cached_property
    def mirror_order(self) -> NDArray[np.intp]:
        """Permutation that exchanges left and right joints, by name; joints without a side stay."""
        table = {name: i for i, name in enumerate(self.joint_names)}
        return np.array([table.get(mirror_joint_name(name), i) for i, name in enumerate(self.joint_names)])


def mirror_joint_name(name: str) -> str:
    """Return the name of the joint on the other side: left_knee <-> right_knee; others unchanged."""
    if name.startswith("left_"):
        return "right_" + name[5:]
    if name.startswith("right_"):
        return "left_" + name[6:]
    return name


# fmt: off
CANONICAL = Skeleton(  # SMPL / HumanML3D order
    ("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
     "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
     "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19),
)
# fmt: on

FEET = ("left_ankle", "right_ankle", "left_foot", "right_foot")
