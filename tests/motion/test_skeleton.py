"""Skeletons: the canonical tree, left and right, and trees that are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, FEET, Skeleton
from rehabmotion.motion.skeleton import mirror_joint_name


def test_the_canonical_joints_are_those_of_smpl_in_their_order() -> None:
    left = [i for i, name in enumerate(CANONICAL.joint_names) if name.startswith("left_")]
    right = [i for i, name in enumerate(CANONICAL.joint_names) if name.startswith("right_")]
    assert left == [1, 4, 7, 10, 13, 16, 18, 20]
    assert right == [2, 5, 8, 11, 14, 17, 19, 21]
    assert CANONICAL.parents == (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
    assert CANONICAL.indices(*FEET) == [7, 8, 10, 11]


def test_mirroring_exchanges_the_sides_and_twice_is_nothing() -> None:
    order = CANONICAL.mirror_order
    assert order[CANONICAL.index("left_wrist")] == CANONICAL.index("right_wrist")
    assert order[CANONICAL.index("neck")] == CANONICAL.index("neck")
    assert np.array_equal(order[order], np.arange(22))


def test_the_mirrored_tree_is_the_same_tree() -> None:
    order = CANONICAL.mirror_order
    for parent, joint in CANONICAL.bones:
        assert CANONICAL.parents[order[joint]] == order[parent]


@pytest.mark.parametrize("name", ["left_knee", "right_knee", "pelvis", "leftover"])
def test_a_joint_name_mirrored_twice_is_itself(name: str) -> None:
    assert mirror_joint_name(mirror_joint_name(name)) == name


def test_a_joint_without_a_partner_stays_where_it_is() -> None:
    assert Skeleton(("left_hand", "right_foot"), (-1, -1)).mirror_order.tolist() == [0, 1]


@given(st.permutations(range(22)))
def test_parents_come_before_their_children_however_the_joints_are_listed(shuffle: list[int]) -> None:
    place = {old: new for new, old in enumerate(shuffle)}
    names = tuple(CANONICAL.joint_names[old] for old in shuffle)
    parents = tuple(-1 if CANONICAL.parents[old] < 0 else place[CANONICAL.parents[old]] for old in shuffle)
    skeleton = Skeleton(names, parents)
    assert sorted(skeleton.order) == list(range(22))
    seen = {-1}
    for joint in skeleton.order:
        assert skeleton.parents[joint] in seen
        seen.add(joint)


@pytest.mark.parametrize(
    ("names", "parents"),
    [
        ((), ()),
        (("a", "b"), (-1,)),
        (("a", "a"), (-1, 0)),
        (("a", "b"), (1, 0)),  # a ring
        (("a", "b"), (-1, 1)),  # its own parent
        (("a", "b", "c"), (-1, 2, 1)),  # a ring beside the tree
        (("a", "b"), (-1, 2)),
        (("a", "b"), (-1, -2)),
    ],
)
def test_what_is_no_tree_is_refused(names: tuple[str, ...], parents: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="Expected"):
        Skeleton(names, parents)


@pytest.mark.parametrize("upwards", [True, False])
def test_a_chain_of_many_joints_is_no_trouble(upwards: bool) -> None:
    """A file with one chain of 20,000 joints once took minutes to check, and more depth than Python has."""
    n = 20_000
    parents = tuple(range(-1, n - 1)) if upwards else (*range(1, n), -1)
    order = Skeleton(tuple(map(str, range(n))), parents).order
    assert order[0] == (0 if upwards else n - 1)
    assert order[-1] == (n - 1 if upwards else 0)
